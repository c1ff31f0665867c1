import { z } from 'zod'
import type { Queryable } from '../database/connect.ts'
import { behindUs, inOurWay } from './queue.ts'
import type { SeenSession, Waiter } from './session.ts'

/** What a second connection sees of a migration at one moment, by one statement. */
export type Sample = {
  /** The server's clock, milliseconds since 1970. */
  readonly atMs: number
  /** The migrator's sessions in the database, oldest first. */
  readonly sessions: readonly SeenSession[]
  /** The one that works; undefined when it has none. */
  readonly worker: SeenSession | undefined
  readonly waiting: Waiting | null
  readonly queue: Queue
  readonly index: IndexProgress | null
  readonly rewrite: RewriteProgress | null
  /** Written by the whole server since it was made; null where that cannot be read. */
  readonly walBytes: number | null
  readonly connections: { readonly used: number; readonly most: number } | null
  /** Of the replica that is furthest behind; null without one, and where that cannot be read. */
  readonly lagMs: number | null
}

type Waiting = {
  readonly ms: number
  readonly relation: string | null
  readonly prismaLock: boolean
  /** Who has to end before anything goes on; null when that cannot be seen. */
  readonly blocker: SeenSession | null
}

/** Who waits behind the migration, directly or behind somebody who does. */
export type Queue = {
  /** At least so many: the youngest of very many are not asked about. */
  readonly count: number
  /** How long the first of them has waited behind it. */
  readonly longestMs: number
  /** Their applications, the most frequent first. */
  readonly applications: readonly string[]
  /** What the first of them waits for; null when that is no table. */
  readonly relation: string | null
}

const indexShape = z
  .object({
    phase: z.string(),
    blocks_done: z.number(),
    blocks_total: z.number(),
    tuples_done: z.number(),
    tuples_total: z.number(),
    lockers_done: z.number(),
    lockers_total: z.number(),
    current_locker_pid: z.number(),
  })
  .transform((row) => ({
    phase: row.phase,
    blocksDone: row.blocks_done,
    blocksTotal: row.blocks_total,
    tuplesDone: row.tuples_done,
    tuplesTotal: row.tuples_total,
    lockersDone: row.lockers_done,
    lockersTotal: row.lockers_total,
    waitsForPid: row.current_locker_pid === 0 ? null : row.current_locker_pid,
  }))
export type IndexProgress = Omit<z.output<typeof indexShape>, 'waitsForPid'> & { readonly waitsFor: SeenSession | null }

/** Of CLUSTER and VACUUM FULL; ALTER TABLE says nothing of how far it is. */
const rewriteShape = z
  .object({ phase: z.string(), heap_blks_scanned: z.number(), heap_blks_total: z.number() })
  .transform((row) => ({ phase: row.phase, blocksDone: row.heap_blks_scanned, blocksTotal: row.heap_blks_total }))
export type RewriteProgress = z.output<typeof rewriteShape>

const sessionShape = z.object({
  pid: z.number(),
  role: z.string().nullable(),
  applicationName: z.string().nullable(),
  state: z.string().nullable(),
  backend: z.string().nullable(),
  transaction: z.string().nullable(),
  statement: z.string().nullable(),
  transactionMs: z.number().nullable(),
  statementMs: z.number().nullable(),
  query: z.string().nullable(),
})

const waiterShape = z.object({
  pid: z.number(),
  ms: z.number(),
  kind: z.string(),
  relation: z.string().nullable(),
  name: z.string().nullable(),
  blockers: z.array(z.number()),
})

const rowShape = z.object({
  at: z.number(),
  own: z.array(sessionShape),
  others: z.array(sessionShape),
  waiters: z.array(waiterShape),
  index: indexShape.nullable(),
  rewrite: rewriteShape.nullable(),
  wal: z.number().nullable(),
  lag: z.number().nullable(),
  used: z.number().nullable(),
  most: z.number().nullable(),
})

/** `bare`: without what some managed services do not let a client ask. */
export async function takeSample(client: Queryable, applicationName: string, how: 'whole' | 'bare' = 'whole'): Promise<Sample> {
  const { rows } = await client.query<Record<string, unknown>>({
    name: `lockkeeper-guard-${how}`,
    text: how === 'whole' ? WHOLE : BARE,
    values: [applicationName],
  })
  return sampleOf(rowShape.parse(rows[0]))
}

function sampleOf({ at, own, others, waiters, index, rewrite, wal, lag, used, most }: z.output<typeof rowShape>): Sample {
  const worker = own.find(({ state }) => state === 'active') ?? own[0]
  const ours = new Set(own.map(({ pid }) => pid))
  const wait = worker === undefined ? undefined : waiters.find(({ pid }) => pid === worker.pid)
  const sessionOf = (pid: number | null): SeenSession | null => (pid === null ? null : (others.find((one) => one.pid === pid) ?? null))
  return {
    atMs: at,
    sessions: own,
    worker,
    waiting:
      wait === undefined
        ? null
        : {
            ms: wait.ms,
            relation: wait.kind === 'relation' ? wait.relation : null,
            prismaLock: wait.kind === 'advisory',
            blocker: inOurWay(wait, waiters, others),
          },
    queue: queueOf(behindUs(ours, waiters.filter(isOfApplication))),
    index: index === null ? null : { ...index, waitsFor: sessionOf(index.waitsForPid) },
    rewrite,
    walBytes: wal,
    connections: used === null || most === null ? null : { used, most },
    lagMs: lag,
  }
}

/** Not another migrator that waits for the lock by which they take turns, nor a session of this product. */
const isOfApplication = ({ kind, name }: Waiter): boolean => kind !== 'advisory' && name?.startsWith('lockkeeper-') !== true

function queueOf(waiters: readonly Waiter[]): Queue {
  const [first] = waiters.toSorted((a, b) => b.ms - a.ms)
  const times = new Map<string, number>()
  for (const { name } of waiters) if (name !== null && name !== '') times.set(name, (times.get(name) ?? 0) + 1)
  return {
    count: waiters.length,
    longestMs: first?.ms ?? 0,
    applications: [...times].toSorted(([, a], [, b]) => b - a).map(([name]) => name),
    relation: first?.kind === 'relation' ? first.relation : null,
  }
}

const micros = (column: string) => `(extract(epoch from ${column}) * 1000000)::bigint::text`
const since = (column: string) => `(extract(epoch from clock_timestamp() - ${column}) * 1000)::float8`

const SESSION = `a.pid, a.usename as role, a.application_name as "applicationName", a.state, ${micros('a.backend_start')} as backend,
  ${micros('a.xact_start')} as transaction, ${micros('a.query_start')} as statement, ${since('a.xact_start')} as "transactionMs",
  ${since('a.query_start')} as "statementMs", left(regexp_replace(a.query, '\\s+', ' ', 'g'), 200) as query`

/**
 * Who waits is read from pg_locks, since pg_stat_activity hides that of other roles. Asking who blocks a session stops the lock manager for a
 * moment, so it is asked for those alone that wait, ours and the longest ones first.
 */
const SESSIONS = `with own as materialized (
    select ${SESSION}, a.backend_start from pg_stat_activity a
     where a.datname = current_database() and a.application_name = $1 and a.pid <> pg_backend_pid()
  ), waiter as materialized (
    select w.*, to_jsonb(pg_blocking_pids(w.pid)) as blockers from (
      select l.pid, ${since(`coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start, clock_timestamp())`)} as ms,
          l.locktype as kind, c.relname as relation, a.application_name as name
        from pg_locks l join pg_stat_activity a using (pid) left join pg_class c on c.oid = l.relation
       where not l.granted and a.datname = current_database() and coalesce(a.backend_type, 'client backend') = 'client backend'
       order by l.pid in (select pid from own) desc, 2 desc limit 100) w
  ), blocker as materialized (
    select distinct value::int as pid from waiter cross join lateral jsonb_array_elements_text(blockers)
  )
  select extract(epoch from clock_timestamp())::float8 * 1000 as at,
    coalesce((select jsonb_agg(own order by backend_start) from own), '[]') as own,
    coalesce((select jsonb_agg(waiter) from waiter), '[]') as waiters,
    coalesce((select jsonb_agg(o) from (select ${SESSION} from pg_stat_activity a where a.pid in (select pid from blocker)) o), '[]') as others`

const WHOLE = `${SESSIONS},
    (select to_jsonb(p) from pg_stat_progress_create_index p where p.pid in (select pid from own) limit 1) as index,
    (select to_jsonb(p) from pg_stat_progress_cluster p where p.pid in (select pid from own) limit 1) as rewrite,
    case when pg_is_in_recovery() then null else pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 end as wal,
    (select max(extract(epoch from replay_lag) * 1000)::float8 from pg_stat_replication) as lag,
    (select count(*)::int from pg_stat_activity where coalesce(backend_type, 'client backend') = 'client backend' and datid is not null) as used,
    current_setting('max_connections')::int as most`

const BARE = `${SESSIONS}, null as index, null as rewrite, null::float8 as wal, null::float8 as lag, null::int as used, null::int as most`
