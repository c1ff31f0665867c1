import { blockingOf, sessionsOf, type Session } from '../../database/activity.ts'
import type { Queryable } from '../../database/connect.ts'
import type { DatabaseState } from '../../plan/status.ts'
import { count, roughly, seconds } from '../../lib/text/sentences.ts'
import { sampleOf, type Sample } from './transactions.ts'

/** What a second connection sees of the sessions of a migrator at one moment. */
export type Activity = {
  /** The migrator's sessions in the pinned database. */
  readonly sessions: readonly Session[]
  /** The one that works; undefined when it has none. */
  readonly worker: Session | undefined
  readonly waiting: Waiting | null
  readonly queued: number
  readonly index: IndexProgress | null
}

/** The same with the record of Prisma 5 to 7. */
export type ActivitySnapshot = Activity & {
  readonly state: DatabaseState
  /** Who holds Prisma's lock, in any database of the server. */
  readonly lock: LockHolder | null
  readonly sample: Sample | null
}

type LockHolder = {
  readonly pid: number
  readonly applicationName: string
  readonly name: string
  readonly database: string
  readonly here: boolean
}
type Waiting = {
  readonly ms: number
  readonly relation: string | null
  readonly prismaLock: boolean
  readonly blocker: Session | null
}
type IndexProgress = {
  readonly phase: string
  readonly blocksDone: number
  readonly blocksTotal: number
  readonly tuplesDone: number
  readonly tuplesTotal: number
  readonly lockersDone: number
  readonly lockersTotal: number
  readonly waitsFor: Session | null
}

export async function takeSnapshot(
  client: Queryable,
  readState: (client: Queryable) => Promise<DatabaseState>,
  applicationName: string,
): Promise<ActivitySnapshot> {
  const state = await readState(client)
  const lock = await lockHolder(client)
  const activity = await readActivity(client, applicationName)
  const { worker } = activity
  return { ...activity, state, lock, sample: worker?.state === 'active' ? await sampleOf(client, worker.pid) : null }
}

export async function readActivity(client: Queryable, applicationName: string): Promise<Activity> {
  const sessions = await sessionsOf(client, applicationName)
  const worker = sessions.find(({ state: doing }) => doing === 'active') ?? sessions[0]
  if (worker === undefined) return { sessions, worker, waiting: null, queued: 0, index: null }
  // who is in the way is asked last: a wait that began after that question would have nobody
  const [waiting, index, blocking] = [
    await waitOf(client, worker.pid),
    await indexOf(client, worker.pid),
    await blockingOf(client, worker.pid),
  ]
  return {
    sessions,
    worker,
    waiting: waiting === null ? null : { ...waiting, blocker: blocking.blockers[0] ?? null },
    queued: blocking.waiters.length,
    index: index === null ? null : { ...index, waitsFor: index.waitsForPid === null ? null : await sessionOf(client, index.waitsForPid) },
  }
}

/** One sentence for the card, or null when there is nothing to say beyond that it runs. Plain text. */
export function sentenceOf({ waiting, index, queued }: Pick<ActivitySnapshot, 'waiting' | 'index' | 'queued'>): string | null {
  if (index !== null) return `${indexSentence(index)} ${behind(queued)}`
  if (waiting === null) return queued === 0 ? null : behind(queued)
  const what = waiting.prismaLock ? 'the migration lock' : waiting.relation === null ? 'a lock' : `a lock on ${waiting.relation}`
  const who = waiting.blocker === null ? 'another session' : describeSession(waiting.blocker)
  const queue = queued === 0 ? 'nobody waits behind us' : `${count(queued, 'session waits', 'sessions wait')} behind us`
  return `Waiting ${seconds(waiting.ms)} for ${what} that ${who} holds; ${queue}.`
}

/** `reporting (pid 4711, running for 38 min)` */
const describeSession = (session: Session): string => `${nameOf(session)} (${detailOf(session)})`

export const detailOf = ({ pid, transactionMs }: Session): string =>
  `pid ${pid}${transactionMs === null ? '' : `, running for ${roughly(transactionMs)}`}`

export const nameOf = ({ applicationName, role }: Pick<Session, 'applicationName' | 'role'>): string =>
  [applicationName, role].find((name) => name !== null && name !== '') ?? 'another session'

const behind = (queued: number) =>
  queued === 0 ? 'Nobody is waiting behind it.' : `${count(queued, 'session is', 'sessions are')} waiting behind it.`

function indexSentence(index: IndexProgress): string {
  const n = (value: number) => value.toLocaleString('en-US')
  const scan = index.phase.includes('validation') ? 2 : 1
  if (index.phase.startsWith('waiting')) {
    const of = index.lockersTotal > 0 ? `, ${n(index.lockersDone)} of ${n(index.lockersTotal)} gone` : ''
    const first = index.waitsFor === null ? '' : ` It waits for ${describeSession(index.waitsFor)}.`
    return `Index, waiting for older transactions to end${of}.${first}`
  }
  if (index.blocksTotal > 0) return `Index, scan ${scan} of 2: ${n(index.blocksDone)} of ${n(index.blocksTotal)} blocks.`
  if (index.tuplesTotal > 0) return `Index, scan ${scan} of 2: ${n(index.tuplesDone)} of ${n(index.tuplesTotal)} rows.`
  return `Index, scan ${scan} of 2.`
}

async function lockHolder(client: Queryable): Promise<LockHolder | null> {
  const { rows } = await client.query<Omit<LockHolder, 'name'> & { role: string | null }>(
    `select l.pid, coalesce(a.application_name, '') as "applicationName", a.usename as role, coalesce(d.datname, '') as database,
        coalesce(d.datname = current_database(), false) as here
       from pg_locks l left join pg_stat_activity a using (pid) left join pg_database d on d.oid = l.database
      where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = 72707369 and l.objsubid = 1
      order by d.datname = current_database() desc`,
  )
  const row = rows[0]
  return row === undefined ? null : { ...row, name: nameOf(row) }
}

/** Another database of the same server in which sessions with this application name are; null when there is none. */
export async function strayDatabase(client: Queryable, applicationName: string): Promise<string | null> {
  const { rows } = await client.query<{ database: string }>(
    `select datname as database from pg_stat_activity
      where application_name = $1 and pid <> pg_backend_pid() and datname is not null and datname <> current_database() limit 1`,
    [applicationName],
  )
  return rows[0]?.database ?? null
}

async function waitOf(client: Queryable, pid: number): Promise<Omit<Waiting, 'blocker'> | null> {
  const { rows } = await client.query<Omit<Waiting, 'blocker'>>(
    `select (extract(epoch from clock_timestamp() - coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start)) * 1000)::float8 as ms,
        case when l.locktype = 'relation' then c.relname::text end as relation, l.locktype = 'advisory' as "prismaLock"
       from pg_locks l join pg_stat_activity a using (pid) left join pg_class c on c.oid = l.relation
      where l.pid = $1 and not l.granted limit 1`,
    [pid],
  )
  return rows[0] ?? null
}

async function indexOf(client: Queryable, pid: number): Promise<(Omit<IndexProgress, 'waitsFor'> & { waitsForPid: number | null }) | null> {
  const { rows } = await client.query<Omit<IndexProgress, 'waitsFor'> & { waitsForPid: number | null }>(
    `select phase, blocks_done::float8 as "blocksDone", blocks_total::float8 as "blocksTotal", tuples_done::float8 as "tuplesDone",
        tuples_total::float8 as "tuplesTotal", lockers_done::float8 as "lockersDone", lockers_total::float8 as "lockersTotal",
        nullif(current_locker_pid, 0)::int as "waitsForPid"
       from pg_stat_progress_create_index where pid = $1`,
    [pid],
  )
  return rows[0] ?? null
}

async function sessionOf(client: Queryable, pid: number): Promise<Session | null> {
  const { rows } = await client.query<Session>(
    `select pid, usename as role, application_name as "applicationName", state,
        (extract(epoch from clock_timestamp() - xact_start) * 1000)::float8 as "transactionMs", null as query
       from pg_stat_activity where pid = $1`,
    [pid],
  )
  return rows[0] ?? null
}
