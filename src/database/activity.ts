import type { Queryable } from './connect.ts'

/** A session of the target. Other roles' `query` and `transactionMs` are null without pg_read_all_stats. */
export type Session = {
  readonly pid: number
  readonly role: string | null
  readonly applicationName: string | null
  readonly state: string | null
  /** Milliseconds since its transaction began. */
  readonly transactionMs: number | null
  /** The first 200 characters, white space collapsed. May hold values: redact before showing. */
  readonly query: string | null
}

const SESSION = `a.pid, a.usename as role, a.application_name as "applicationName", a.state,
  (extract(epoch from clock_timestamp() - a.xact_start) * 1000)::float8 as "transactionMs",
  left(regexp_replace(a.query, '\\s+', ' ', 'g'), 200) as query`

/** Transactions of this database that have been open for longer, oldest first: an ALTER would wait for them. At most 20. */
export async function longTransactions(client: Queryable, olderThanMs: number): Promise<readonly Session[]> {
  const { rows } = await client.query<Session>(
    `select ${SESSION} from pg_stat_activity a
      where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
        and a.xact_start < clock_timestamp() - make_interval(secs => $1::float8 / 1000)
      order by a.xact_start limit 20`,
    [olderThanMs],
  )
  return rows
}

/** Who holds the advisory lock that `prisma migrate deploy` takes, in this database. */
export async function prismaLockHolder(client: Queryable): Promise<Session | null> {
  const { rows } = await client.query<Session>(
    `select ${SESSION} from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = 72707369 and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database())`,
  )
  return rows[0] ?? null
}

/** Who holds the advisory lock that `prisma db migrate` of Prisma 8 takes, in this database: it is named for a schema. */
export async function runnerLockHolder(client: Queryable): Promise<Session | null> {
  const { rows } = await client.query<Session>(
    `select ${SESSION} from pg_namespace n cross join lateral hashtext('prisma_8.contract.marker:' || n.nspname || ':app') key
      join pg_locks l on l.classid = ((key::bigint >> 32) & 4294967295)::oid and l.objid = (key::bigint & 4294967295)::oid
      join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database()) limit 1`,
  )
  return rows[0] ?? null
}

/** What nobody else can read, and who holds it or waits to; all about the session is null for a prepared transaction. */
export type LockedTable = {
  readonly relation: string
  readonly kind: 'table' | 'sequence' | 'view' | 'materialized view'
  /** It is not held yet, and whoever comes later waits behind the session all the same. */
  readonly isWaiting: boolean
} & { readonly [Key in 'pid' | 'role' | 'applicationName' | 'transactionMs']: Session[Key] | null }

/** The one that has been held the longest, in this database; where none is held, one that somebody waits for. A temporary one is in nobody's way. */
export async function lockedTable(client: Queryable): Promise<LockedTable | null> {
  const { rows } = await client.query<LockedTable>(
    `select c.relname as relation, not l.granted as "isWaiting",
        case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind, ${SESSION}
       from pg_locks l join pg_class c on c.oid = l.relation left join pg_stat_activity a using (pid)
      where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' and c.relkind in ('r', 'p', 'S', 'v', 'm') and c.relpersistence <> 't'
        and l.database = (select oid from pg_database where datname = current_database())
      order by l.granted desc, a.xact_start nulls last limit 1`,
  )
  return rows[0] ?? null
}

/** Sessions of this database that carry the application name; the migrator is found by it. */
export async function sessionsOf(client: Queryable, applicationName: string): Promise<readonly Session[]> {
  const { rows } = await client.query<Session>(
    `select ${SESSION} from pg_stat_activity a
      where a.datname = current_database() and a.application_name = $1 and a.pid <> pg_backend_pid() order by a.backend_start`,
    [applicationName],
  )
  return rows
}
