import { setTimeout as sleep } from 'node:timers/promises'
import { connectTarget } from '../../database/connect.ts'
import { readIdentity, sameIdentity, type Identity } from '../../database/identity.ts'
import { liftLimits } from '../../database/limits.ts'
import { readSessionFacts, whyOtherSchema } from '../../database/session-facts.ts'
import { parseTargetUrl, type TargetUrl } from '../../database/urls.ts'
import { code } from '../../lib/text/code.ts'
import { list } from '../../lib/text/sentences.ts'
import { together } from '../../lib/together.ts'
import type { Datasource, ToolSession } from '../prisma/tool.ts'

/**
 * Whether the tool, as configured by the repository, works on the pinned database: rule 13. Its `Datasource` line is read, and where
 * the record of migrations exists that is proved: while a session of ours holds that table for a moment, `migrate status` must be seen
 * to wait for it, since a driver adapter may lead elsewhere than the line says. Others may read the record as well, so only a session
 * with the name that the tool was given counts as the tool's.
 */
export async function proveDatabase(database: {
  readonly url: string
  /** Of our own session. */
  readonly applicationName: string
  /** That `migrate status` was given in its URL. */
  readonly toolName: string
  readonly schema: string
  /** The table that the tool reads whatever it is asked; `_prisma_migrations` in `schema` where it is left out. */
  readonly record?: { readonly schema: string; readonly table: string }
  /** Runs `migrate status` and gives what it said. */
  readonly status: () => Promise<string>
}): Promise<{ readonly output: string; readonly proof: DatabaseProof }> {
  const holder = await connectTarget({ url: database.url, applicationName: database.applicationName })
  try {
    const record = await holdRecord(holder, database.record ?? { schema: database.schema, table: '_prisma_migrations' })
    if (record === null) return { output: await database.status(), proof: { kind: 'not-proved' } }
    const running = { ended: false }
    const watch = async () => {
      try {
        return await seenWaiting(database, holder, record, running)
      } finally {
        await holder.query('rollback') // also when it could not be watched: what waits for the table would wait for ever
      }
    }
    const [output, proof] = await together([database.status().finally(() => (running.ended = true)), watch()])
    return { output, proof }
  } finally {
    await holder.end().catch(() => {}) // the lock goes with the session
  }
}

export type DatabaseProof =
  /** A session with the name that the tool was given waited for the record. */
  | { readonly kind: 'waiting' }
  /** None did, and the tool answered. `strangers`: sessions without the name that were opened meanwhile and waited; whose they are is not known. */
  | { readonly kind: 'unseen'; readonly toolName: string; readonly strangers: readonly string[]; readonly otherSchema: string | null }
  | { readonly kind: 'not-proved' }

/** Why the tool may not be let at it; null when all is well. */
export function whyElsewhere(
  datasource: Datasource,
  proof: DatabaseProof,
  identity: Identity,
  url: Pick<TargetUrl, 'schema'>,
): string | null {
  if (databaseOf(datasource) !== identity.database)
    return `Prisma would change the database ${code(datasource.database)}, but ${code(identity.database)} was approved.`
  if (datasource.schema !== null && datasource.schema !== url.schema)
    return `Prisma would change the schema ${code(datasource.schema)}, but ${code(url.schema)} was approved.`
  if (datasource.host !== null && !identity.host.startsWith('/') && hostOf(datasource.host) !== hostOf(`${identity.host}:${identity.port}`))
    return `Prisma would change a database on ${code(datasource.host)}, but ${code(`${identity.host}:${identity.port}`)} was approved.`
  if (proof.kind !== 'unseen') return null
  if (proof.strangers.length > 0)
    return `While Prisma's \`migrate status\` ran, no session with the \`application_name\` of its URL (${code(proof.toolName)}) was seen to wait for the record of migrations of the approved database; ${list(proof.strangers)} did. If ${proof.strangers.length === 1 ? 'that is' : 'one of them is'} Prisma, the repository's configuration drops the name, by which it is watched and stopped: let \`prisma.config.ts\` pass \`application_name\` and \`options\` on to the driver adapter. If not, it leads Prisma elsewhere.`
  const evidence = `Prisma says ${code(datasource.database)}, but its \`migrate status\` answered while this product held ${code(`${url.schema}._prisma_migrations`)} of the approved database, so it does not read that table.`
  return proof.otherSchema === null
    ? `${evidence} The repository's configuration (a driver adapter in \`prisma.config.ts\`) leads it to another database or schema.`
    : `${evidence} ${proof.otherSchema}`
}

/** Throws when it cannot be read. Null when it is the pinned one. */
export async function whyOther(client: Parameters<typeof readIdentity>[0], url: TargetUrl, pinned: Identity): Promise<string | null> {
  const compared = sameIdentity(pinned, await readIdentity(client, url))
  return compared.same ? null : compared.why
}

/**
 * For a question that has to wait for us, who hold what it reads for a moment: a short timeout would end it before we have seen it, and then
 * somebody else would be blamed.
 */
export const patient = (session: ToolSession): ToolSession => ({
  ...session,
  lockTimeoutMs: session.lockTimeoutMs === 0 ? 0 : Math.max(session.lockTimeoutMs, HELD_MS),
})

/** Longer than we ever hold it, on a slow machine too. */
const HELD_MS = 5_000

type Holder = Awaited<ReturnType<typeof connectTarget>>

/** What is held, and since when by the server's clock; null when it is not there or cannot be held. */
type HeldRecord = { readonly name: string; readonly pid: number; readonly since: Date }

async function holdRecord(
  holder: Holder,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<HeldRecord | null> {
  const { rows } = await holder.query<{ name: string | null; pid: number; since: Date }>(
    `select to_regclass(format('%I.%I', $1::text, $2::text))::text as name, pg_backend_pid() as pid, clock_timestamp() as since`,
    [schema, table],
  )
  const [row] = rows
  if (row === undefined || row.name === null) return null
  // a right is missing or somebody reads it for long: the line and the lock's place have to do
  return (await hold(holder, row.name)) ? { ...row, name: row.name } : null
}

async function hold(holder: Holder, name: string): Promise<boolean> {
  await holder.query('begin')
  try {
    await liftLimits(holder)
    await holder.query(`lock table ${name} in access exclusive mode`) // bounded by the connection's lock_timeout
    return true
  } catch {
    await holder.query('rollback')
    return false
  }
}

/** How long others may be kept from the record. Who came after the question may be the tool without its name, which has a lock timeout. */
const OTHERS_WAIT_MS = 3_000
const STRANGERS_WAIT_MS = 800

async function seenWaiting(
  place: { readonly url: string; readonly applicationName: string; readonly toolName: string; readonly schema: string },
  holder: Holder,
  record: HeldRecord,
  running: { readonly ended: boolean },
): Promise<DatabaseProof> {
  const watcher = await connectTarget({ url: place.url, applicationName: `${place.applicationName}-watch` })
  const strangers = new Map<number, string>()
  let waitingSince: number | null = null
  let letGo = false
  try {
    while (!running.ended) {
      const waiting = await waitingFor(watcher, record)
      if (waiting.some(({ name }) => name === place.toolName)) return { kind: 'waiting' }
      for (const { pid, name, role, isLater } of waiting)
        if (isLater) strangers.set(pid, `${code(name === '' ? role : name)} (pid ${pid}, role ${code(role)})`)
      waitingSince = waiting.length === 0 ? null : (waitingSince ?? performance.now())
      const patience = waiting.some(({ isLater }) => isLater) ? STRANGERS_WAIT_MS : OTHERS_WAIT_MS
      if (waitingSince !== null && performance.now() - waitingSince > patience) {
        await holder.query('rollback')
        letGo = true
        waitingSince = null
        if (!(await hold(holder, record.name))) return { kind: 'not-proved' }
      }
      await sleep(50)
    }
    // it may have passed in the moment between
    if (letGo && strangers.size === 0) return { kind: 'not-proved' }
    const facts = await readSessionFacts(watcher)
    const otherSchema = whyOtherSchema(facts, readUrl(place.url))
    return { kind: 'unseen', toolName: place.toolName, strangers: [...strangers.values()].slice(0, 3), otherSchema }
  } finally {
    await watcher.end().catch(() => {})
  }
}

/** It prints the name as its URL has it. Through a driver adapter that is decoded where the connection is made, and not by its own engine. */
function databaseOf({ database, adapter }: Datasource): string {
  try {
    return adapter ? decodeURIComponent(database) : database
  } catch {
    return database
  }
}

type WaitingSession = { readonly pid: number; readonly name: string; readonly role: string; readonly isLater: boolean }

async function waitingFor(watcher: Holder, { pid, since }: HeldRecord): Promise<readonly WaitingSession[]> {
  const { rows } = await watcher.query<WaitingSession>(
    `select pid, coalesce(application_name, '') as name, coalesce(usename, '') as role, coalesce(backend_start >= $2, false) as "isLater"
       from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and $1 = any (pg_blocking_pids(pid)) order by backend_start`,
    [pid, since],
  )
  return rows
}

function readUrl(text: string): TargetUrl {
  const parsed = parseTargetUrl(text)
  if (parsed.kind === 'bad') throw new Error(parsed.why)
  return parsed.url
}

/** Without a default port. */
const hostOf = (host: string): string => host.replace(/:5432$/, '').toLowerCase()
