import { count, quoted } from '../../lib/text/quoted.ts'
import type { Queryable } from '../../database/connect.ts'
import { lockedTable } from '../../database/activity.ts'
import { lockedFindings } from './database.ts'
import { stop, warn, type Finding } from './finding.ts'

/** What the server still has room for. */
export type Capacity = {
  /** Connections that the role can still open, and what sets the limit. */
  readonly connections: number
  readonly limit: 'server' | 'database' | 'role'
  readonly role: string
  /** Locks that pg_dump holds at once: on tables, partitions, sequences and views, and on the catalogue. */
  readonly locksNeeded: number
  /** What the server promises to have room for, beyond what is held already. */
  readonly locksFree: number
}

export async function readCapacity(client: Queryable): Promise<Capacity> {
  const { rows } = await client.query<Counts>(COUNTS_SQL)
  const [row] = rows
  if (row === undefined) throw new Error('The server does not list the database and the role that it is connected to')
  const limits: readonly (readonly [Capacity['limit'], number])[] = [
    ['server', row.ofServer - row.reserved - row.sessions],
    ...(row.isSuperuser || row.ofDatabase < 0 ? [] : [['database', row.ofDatabase - row.inDatabase] as const]),
    ...(row.isSuperuser || row.ofRole < 0 ? [] : [['role', row.ofRole - row.asRole] as const]),
  ]
  const [limit, connections] = limits.reduce((least, one) => (one[1] < least[1] ? one : least))
  return { connections, limit, role: row.role, locksNeeded: row.relations + CATALOGUE_LOCKS, locksFree: row.locks - row.locksHeld }
}

/** Of the server, for the backup: locks, who locks a table now, and connections where the backup has a role of its own. */
export async function roomFindings(
  client: Queryable,
  backup: { readonly lockWaitMs: number; readonly ownRole: { readonly jobs: number } | null },
): Promise<readonly Finding[]> {
  const capacity = await readCapacity(client)
  const apart = backup.ownRole === null ? [] : connectionFindings(capacity, LEAST_OF_BACKUP, LEAST_OF_BACKUP + backup.ownRole.jobs)
  return [...apart, ...lockFindings(capacity), ...lockedFindings(await lockedTable(client), backup.lockWaitMs)]
}

/** Sessions of a backup: the leader of pg_dump, whose workers are more, the snapshot and the watcher. */
export const LEAST_OF_BACKUP = 3

/** `most` is what a backup of as many parallel sessions as wished needs with the run around it, `least` one of a single session. */
export function connectionFindings(
  capacity: Pick<Capacity, 'connections' | 'limit' | 'role'>,
  least: number,
  most: number,
): readonly Finding[] {
  const { connections, limit } = capacity
  if (connections >= most) return []
  const left = `${count(Math.max(0, connections), 'free connection')} left`
  const [who, raise] = {
    server: ['The server has', 'Raise max_connections or end idle sessions.'],
    database: ['The database has', 'Raise its CONNECTION LIMIT or end idle sessions.'],
    role: [`The role ${quoted(capacity.role)} has`, 'Raise its CONNECTION LIMIT or end idle sessions.'],
  }[limit]
  return connections < least
    ? [stop('few_connections', `${who} ${left}, and the run needs at least ${least}. ${raise}`)]
    : [
        warn(
          'few_connections',
          `${who} ${left}, and the run needs up to ${most}. ${raise} Until then the backup makes do with fewer sessions.`,
        ),
      ]
}

/** The server promises so many places for locks and has some more: with 15.18 a backup failed from one and a half times as many on, and always with three. */
export function lockFindings({ locksNeeded, locksFree }: Pick<Capacity, 'locksNeeded' | 'locksFree'>): readonly Finding[] {
  if (locksNeeded <= locksFree) return []
  const room = `A backup locks ${locksNeeded} tables, sequences and views at once, and the server promises room for ${Math.max(0, locksFree)} locks.`
  const raise = 'Raise max_locks_per_transaction and restart the server.'
  return locksNeeded > locksFree * 3
    ? [stop('few_locks', `${room} The backup would fail with "out of shared memory". ${raise}`)]
    : [warn('few_locks', `${room} It may fail with "out of shared memory". ${raise}`)]
}

/** Of the catalogue, as pg_dump 15.18 was seen to hold them beside those of the tables. */
const CATALOGUE_LOCKS = 160

type Counts = {
  readonly role: string
  readonly isSuperuser: boolean
  readonly ofServer: number
  readonly reserved: number
  readonly sessions: number
  readonly ofDatabase: number
  readonly inDatabase: number
  readonly ofRole: number
  readonly asRole: number
  readonly relations: number
  readonly locks: number
  readonly locksHeld: number
}

/** The reading sessions of ours are gone when the run begins, so they are not counted. What kind of session another role has is not told to everybody. `reserved_connections` came with PostgreSQL 16. */
const COUNTS_SQL = `
with session as (select datid, usesysid from pg_stat_activity
  where usesysid is not null and coalesce(backend_type, 'client backend') = 'client backend' and pid <> pg_backend_pid()
    and application_name is distinct from current_setting('application_name'))
select current_user as role, r.rolsuper as "isSuperuser",
  current_setting('max_connections')::int as "ofServer",
  case when r.rolsuper then 0 else current_setting('superuser_reserved_connections')::int
    + coalesce(current_setting('reserved_connections', true)::int, 0) end as reserved,
  (select count(*)::int from session) as sessions,
  d.datconnlimit as "ofDatabase", (select count(*)::int from session where datid = d.oid) as "inDatabase",
  r.rolconnlimit as "ofRole", (select count(*)::int from session where usesysid = r.oid) as "asRole",
  (select count(*)::int from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'S', 'v', 'm') and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema') as relations,
  current_setting('max_locks_per_transaction')::int
    * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) as locks,
  (select count(distinct (locktype, database, relation, page, tuple, virtualxid, transactionid::text, classid, objid, objsubid))::int from pg_locks
    where pid <> pg_backend_pid()) as "locksHeld"
from pg_roles r, pg_database d where r.rolname = session_user and d.datname = current_database()`
