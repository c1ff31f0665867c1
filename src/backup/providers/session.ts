import { setTimeout as sleep } from 'node:timers/promises'
import type { Queryable } from '../../database/connect.ts'
import { liftLimits } from '../../database/limits.ts'
import type { MigrationRecord } from '../manifest.ts'

/** Of pg_dump's sessions, so that one run's are told from everybody else's. */
export const dumpApplicationName = (requestId: number): string => `lockkeeper-backup-${requestId}`

export type Snapshot = {
  readonly id: string
  /** When the snapshot was taken, by the server's clock. */
  readonly takenAt: Date
  readonly serverVersion: string
  readonly systemIdentifier: string
  readonly databaseOid: number
  /** The server follows another one. */
  readonly inRecovery: boolean
  readonly databaseBytes: number
  readonly tables: number
  readonly migrations: number | null
}

/** Opens a transaction that pg_dump joins, so that what is counted here is what is dumped. It must stay open until pg_dump ends. */
export async function exportSnapshot(session: Queryable, record: MigrationRecord): Promise<Snapshot> {
  await session.query('begin isolation level repeatable read read only')
  await liftLimits(session)
  const [row] = (await session.query<SnapshotRow>(SNAPSHOT_SQL, [record.schema, record.table])).rows
  if (row === undefined) throw new Error('the server gave no snapshot')
  const migrations = row.has_migrations ? await countMigrations(session, record) : null
  return {
    id: row.id,
    takenAt: row.taken_at,
    serverVersion: row.server_version,
    systemIdentifier: row.system_identifier,
    databaseOid: Number(row.oid),
    inRecovery: row.in_recovery,
    databaseBytes: Number(row.bytes),
    tables: Number(row.tables),
    migrations,
  }
}

/** The lock that pg_dump's sessions wait for. `pid` is null where nobody is seen to hold it, and 0 for a prepared transaction. */
export type Wait = { readonly relation: string | null; readonly pid: number | null; readonly name: string | null }

/** Undefined when they wait for none. */
export async function waitsFor(session: Queryable, applicationName: string): Promise<Wait | undefined> {
  return (await session.query<Wait>(WAIT_SQL, [applicationName])).rows[0]
}

/** `a lock on orders, held by session 4711 (nightly)`. */
export function waitText({ relation, pid, name }: Wait): string {
  const who = pid === 0 ? 'a prepared transaction' : `session ${pid}${name === null || name === '' ? '' : ` (${name})`}`
  return `a lock on ${relation ?? 'the database'}${pid === null ? '' : `, held by ${who}`}`
}

/** Ends what a dead or aborted pg_dump left on the server; true when nothing is left. */
export async function endSessions(session: Queryable, applicationName: string): Promise<boolean> {
  await session.query('set role none') // one that it was given as it came may not end the sessions of who came
  for (let round = 0; round < END_ROUNDS; round++) {
    const { rowCount } = await session.query(END_SQL, [applicationName])
    if (rowCount === 0) return true
    await sleep(END_PAUSE_MS)
  }
  return false
}

const END_ROUNDS = 50
const END_PAUSE_MS = 100

type SnapshotRow = {
  readonly id: string
  readonly taken_at: Date
  readonly server_version: string
  readonly system_identifier: string
  readonly oid: number | string
  readonly in_recovery: boolean
  readonly bytes: number | string
  readonly tables: number | string
  readonly has_migrations: boolean
}

const SNAPSHOT_SQL = `
select pg_export_snapshot() as id, now() as taken_at, current_setting('server_version') as server_version,
  (select system_identifier::text from pg_control_system()) as system_identifier,
  d.oid::int8 as oid, pg_is_in_recovery() as in_recovery, pg_database_size(d.oid) as bytes,
  (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema') as tables,
  exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')) as has_migrations
from pg_database d where d.datname = current_database()`

async function countMigrations(session: Queryable, { schema, table }: MigrationRecord): Promise<number> {
  const quoted = [schema, table].map((name) => `"${name.replaceAll('"', '""')}"`).join('.')
  const [row] = (await session.query<{ count: number | string }>(`select count(*) as count from ${quoted}`)).rows
  return Number(row?.count)
}

const WAIT_SQL = `
select (select l.relation::regclass::text from pg_locks l where l.pid = a.pid and not l.granted limit 1) as relation,
  b.pid, coalesce(nullif(h.application_name, ''), h.usename) as name
from pg_stat_activity a
left join lateral (select unnest(pg_blocking_pids(a.pid)) as pid limit 1) b on true
left join pg_stat_activity h on h.pid = b.pid
where a.application_name = $1 and a.datname = current_database() and a.wait_event_type = 'Lock'
limit 1`

const END_SQL = `
select pid, pg_terminate_backend(pid) from pg_stat_activity
where application_name = $1 and datname = current_database() and usename = session_user and pid <> pg_backend_pid()`
