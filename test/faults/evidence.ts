import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { verifyChain } from '../../src/audit/verify.ts'
import { digestOf } from '../../src/plan/digest.ts'
import { stepsOf, votesOf, eventsOf, requestById } from '../../src/request/store.ts'
import { temporary } from '../helpers/bots.ts'
import { CHANNEL, type Flow } from '../helpers/flow.ts'
import { placesOf } from '../helpers/secrets.ts'
import { until } from '../helpers/until.ts'
import type { Evidence, Sample } from './invariants.ts'

/** The sessions of these tests in the target; all others there belong to the bot or to what it started. */
export const WITNESS = 'witness'

/** Looks at the target every 50 ms until it is stopped: who migrates it? */
export function watchTarget(flow: Pick<Flow, 'database' | 'directory'>) {
  const samples: Sample[] = []
  const stop = new AbortController()
  const look = async () => {
    const client = await connect(flow.database.url)
    try {
      while (!stop.signal.aborted) {
        const { rows } = await client.query<{ pid: number; locks: number; restores: number }>(SESSIONS)
        samples.push({
          migrators: wrappersIn(flow.directory),
          sessions: rows.filter(({ restores }) => restores === 0).map(({ pid }) => pid),
          prismaLocks: rows.filter(({ locks }) => locks > 0).length,
          restores: rows.filter(({ restores }) => restores > 0).length,
        })
        await new Promise((done) => setTimeout(done, 50))
      }
    } finally {
      await client.end()
    }
  }
  const watching = (async () => {
    // the server itself may be away for a while
    while (!stop.signal.aborted) await look().catch(() => new Promise((done) => setTimeout(done, 50)))
  })()
  return {
    samples,
    async stop() {
      stop.abort()
      await watching
    },
  }
}

/** The migrator's sessions and how often each holds Prisma's lock; and sessions of something that restores. */
const SESSIONS = `
select a.pid, (select count(*)::int from pg_locks l where l.pid = a.pid and l.locktype = 'advisory' and l.granted
    and l.classid = 0 and l.objid = 72707369 and l.objsubid = 1) as locks, (a.application_name = 'pg_restore')::int as restores
from pg_stat_activity a where a.datname = current_database()
  and (a.application_name ~ '^lockkeeper-[0-9]+-[0-9a-f]{8}$' or a.application_name = 'pg_restore')`

export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: WITNESS })
  client.on('error', () => {}) // the database goes away with the scene
  await client.connect()
  return client
}

/** Rows, files, processes and posts once everything about the request has come to rest. */
export async function gather(
  flow: Flow,
  id: number,
  known: {
    readonly samples: readonly Sample[]
    readonly appliedBefore: readonly string[]
    readonly tallied: readonly string[]
    readonly bots: () => readonly number[]
    readonly secrets: readonly string[]
    readonly deployed: number | null
    readonly acknowledged: readonly number[]
  },
): Promise<Evidence> {
  await told(flow, id)
  const request = await requestById(flow.store, id)
  if (request === undefined) throw new Error(`there is no request ${id}`)
  const [votes, steps, events, audit, backups, messages] = await Promise.all([
    votesOf(flow.store, id),
    stepsOf(flow.store, id),
    eventsOf(flow.store, id),
    flow.store.query<{ act: string; result: string; digest: string | null; at: Date }>(
      `select act, result, digest, at from lockkeeper.audit where request_id = $1 order by id`,
      [id],
    ),
    flow.store.query<{ name: string; requestId: number | null; state: string; verifiedAt: Date | null }>(
      'select name, request_id as "requestId", state, verified_at as "verifiedAt" from lockkeeper.backup',
    ),
    flow.store.query<{ key: string; state: string; ts: string | null }>(
      'select key, state, ts from lockkeeper.message where request_id = $1',
      [id],
    ),
  ])
  const target = await targetOf(flow)
  const card = flow.card(id)
  return {
    request: {
      id,
      state: request.state,
      digest: request.digest,
      planDigest: request.plan === null ? null : digestOf(request.plan),
      requester: request.requester,
      requesterHuman: request.requesterHuman,
      required: request.policy?.required ?? Infinity,
      grantExpiresAt: request.grantExpiresAt?.getTime() ?? null,
      approved: request.plan?.list.map(({ name }) => name) ?? [],
      breakers: (request.policy?.breakGlass?.from ?? []).flatMap((one) =>
        one.startsWith('user:') ? [one.slice('user:'.length)] : (request.policy?.members[one.slice('group:'.length)] ?? []),
      ),
      breakGlass: request.breakGlass,
    },
    votes: votes.map(({ at, ...vote }) => ({ ...vote, at: at.getTime() })),
    steps,
    events: events.map(({ id, kind, data }) => ({ id, kind, ...(data as object) })),
    audit: audit.map(({ at, ...entry }) => ({ ...entry, at: at.getTime() })),
    attempts: attemptsOf(flow.directory, id),
    samples: known.samples,
    appliedBefore: known.appliedBefore,
    ...target,
    tallied: known.tallied,
    backups: backups.map(({ verifiedAt, ...backup }) => ({ ...backup, verifiedAt: verifiedAt?.getTime() ?? null })),
    backupEntries: backupEntriesIn(backupsIn(flow.directory)),
    messages,
    posts: flow.slack
      .thread(CHANNEL, card.ts)
      .map(({ ts, metadata, files }) => ({ ts, intent: intentOf(metadata), isFile: files.length > 0 })),
    leftovers: await leftoversOf(flow, known.bots),
    secretsAt: await placesOf(flow, known.secrets),
    chain: await chainOf(flow),
    deployed: known.deployed,
    acknowledged: known.acknowledged,
    unanswered: await unansweredIn(flow),
  }
}

/** A dead bot's answers are given by another within seconds; what stays was forgotten. */
async function unansweredIn(flow: Flow): Promise<readonly string[]> {
  const left = () =>
    flow.store.query<{ answer: string }>(
      `select format('a %s of %s, %s,', kind, account, state) as answer from lockkeeper.answer where state <> 'sent' order by at`,
    )
  await until('every answer is given', async () => (await left()).length === 0).catch(() => {}) // told below
  return (await left()).map(({ answer }) => answer)
}

async function chainOf(flow: Flow): Promise<readonly string[]> {
  const verified = await verifyChain(flow.store)
  return verified.kind === 'broken' ? [`row ${verified.seq}: ${verified.why}`] : []
}

/** Where this scene's backups lie: on a disk of its own, or in the usual place. */
export function backupsIn(directory: string): string {
  const onDisk = join(directory, 'disk', 'backups')
  return existsSync(onDisk) ? onDisk : join(directory, 'backups')
}

/** Names of the applied migrations, in order. */
export async function appliedIn(url: string): Promise<readonly string[]> {
  const client = await connect(url)
  try {
    return (await rowsOf(client)).filter(({ state }) => state === 'applied').map(({ name }) => name)
  } finally {
    await client.end()
  }
}

/** A killed process may hold the drawing of a request for as long as its lease lasts. */
async function told(flow: Flow, id: number): Promise<void> {
  await until(
    `all events of #${id} are posted`,
    async () => {
      const [row] = await flow.store.query<{ open: number }>(
        `select (select count(*) from lockkeeper.event e left join lockkeeper.message m on m.key = 'event:' || e.id
           where e.request_id = $1 and m.state is distinct from 'sent')
         + (select count(*) from lockkeeper.request where id = $1 and drawn_revision < revision) as open`,
        [id],
      )
      return Number(row?.open) === 0
    },
    60_000,
  )
}

async function targetOf(flow: Flow): Promise<Pick<Evidence, 'appliedNow' | 'begun' | 'unfinished' | 'tally'>> {
  const client = await connect(flow.database.url)
  try {
    const rows = await rowsOf(client)
    const tally = await client.query<{ name: string }>('select name from tally')
    return {
      appliedNow: rows.filter(({ state }) => state === 'applied').map(({ name }) => name),
      begun: rows.map(({ name }) => name),
      unfinished: rows.filter(({ state }) => state === 'unfinished').map(({ name }) => name),
      tally: tally.rows.map(({ name }) => name),
    }
  } finally {
    await client.end()
  }
}

async function rowsOf(client: pg.Client): Promise<readonly { name: string; state: string }[]> {
  const { rows } = await client.query<{ name: string; state: string }>(
    `select migration_name as name, case when rolled_back_at is not null then 'rolled back' when finished_at is null then 'unfinished'
       else 'applied' end as state from _prisma_migrations order by started_at, migration_name`,
  )
  return rows
}

export function attemptsOf(directory: string, id: number): Evidence['attempts'] {
  const base = join(directory, 'var/runs', String(id), 'migrator')
  if (!existsSync(base)) return []
  return readdirSync(base)
    .filter((name) => /^\d{4}$/.test(name) && existsSync(join(base, name, 'claim.json')))
    .filter((name) => !readFileSync(join(base, name, 'claim.json'), 'utf8').includes('void'))
    .map((name) => {
      const file = join(base, name, 'attempt.json')
      const intent = JSON.parse(readFileSync(file, 'utf8')) as { migrations: string[] }
      const [exit, settled] = [join(base, name, 'exit.json'), join(base, name, 'settled.json')]
      return {
        number: Number(name),
        startedAt: statSync(file).mtimeMs, // its own word comes from a clock that may be wrong
        migrations: intent.migrations,
        exitCode: existsSync(exit) ? (JSON.parse(readFileSync(exit, 'utf8')) as { exitCode: number | null }).exitCode : null,
        isSettled: existsSync(settled),
      }
    })
}

/** What stands in the directory of backups must be whole: each file of the manifest there, with its size and its hash. */
function backupEntriesIn(directory: string): Evidence['backupEntries'] {
  if (!existsSync(directory)) return []
  return readdirSync(directory).map((name) => ({ name, fault: faultOf(join(directory, name)) }))
}

function faultOf(path: string): string | null {
  if (path.endsWith('.partial')) return 'a partial backup is left'
  const file = join(path, 'manifest.json')
  if (!existsSync(file)) return 'no manifest under a final name'
  const { files } = JSON.parse(readFileSync(file, 'utf8')) as { files: { path: string; bytes: number; sha256: string }[] }
  for (const one of files) {
    const place = join(path, one.path)
    if (!existsSync(place)) return `${one.path} is missing`
    if (statSync(place).size !== one.bytes) return `${one.path} has another size`
    if (createHash('sha256').update(readFileSync(place)).digest('hex') !== one.sha256) return `${one.path} has another content`
  }
  return null
}

const intentOf = (metadata: unknown): string | null =>
  (metadata as { event_payload?: { intent?: string } } | null | undefined)?.event_payload?.intent ?? null

/** A process that is ending is given a moment; what stays is an orphan. */
async function leftoversOf(flow: Flow, bots: () => readonly number[]): Promise<readonly string[]> {
  const client = await connect(flow.database.url)
  let found: readonly string[] = []
  try {
    await until(
      'nothing is left',
      async () => {
        const { rows } = await client.query<{ name: string; pid: number }>(
          `select application_name as name, pid from pg_stat_activity
           where datname = current_database() and application_name <> $1 and backend_type = 'client backend'`,
          [WITNESS],
        )
        const alive = new Set(bots())
        found = [
          ...rows.map(({ name, pid }) => `session ${pid} (${name}) is left in the target`),
          ...processesOf(flow.directory)
            .filter(({ pid, parent }) => !alive.has(pid) && !alive.has(parent))
            .map(({ pid, command }) => `process ${pid} (${command}) is left`),
        ]
        return found.length === 0
      },
      5_000,
    ).catch(() => {}) // what was found says it
    return found
  } finally {
    await client.end()
  }
}

export function wrappersIn(directory: string): readonly number[] {
  const found = processesOf(directory)
    .filter(({ args }) => args.some((arg) => arg.endsWith('attempts/wrapper.ts')))
    .map(({ pid }) => pid)
  // between fork and exec a wrapper's own child still has its arguments
  return found.filter((pid) => !found.includes(parentOf(pid)))
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0 // it has ended meanwhile
  }
}

/** For the end of a test, when nothing of its flow may live any more. */
export function endProcessesOf(directory: string): void {
  for (const { pid } of processesOf(directory))
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it has ended by itself
    }
}

/** Everything that has this flow's directory for temporary files in its environment: the bots and all that they started. */
function processesOf(directory: string) {
  const mark = `TMPDIR=${temporary(directory)}\0`
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        if (!`${readFileSync(`/proc/${name}/environ`, 'utf8')}\0`.includes(mark)) return []
        const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), args, command: args.join(' ').slice(0, 200) }]
      } catch {
        return [] // it has ended
      }
    })
}
