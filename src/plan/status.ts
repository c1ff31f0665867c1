import { code } from '../lib/text/code.ts'
import type { Queryable } from '../database/connect.ts'
import type { MigrationFile } from './files.ts'
import type { Plan, PlannedMigration } from './plan.ts'
import { comparing, type Order } from './prisma/order.ts'

/** A row of `_prisma_migrations`, or what another tool's record says. */
export type MigrationRow = {
  readonly id: string
  readonly name: string
  /** Null where the record has none. */
  readonly checksum: string | null
  readonly startedAt: Date
  readonly finishedAt: Date | null
  readonly rolledBackAt: Date | null
  /** What the server said when it failed; empty for SQL errors of some engines. May hold values: redact before showing. */
  readonly logs: string | null
  readonly appliedSteps: number
}

/** What is in the database, before it is compared with files. */
export type DatabaseState = {
  /** The schema that the URL names. */
  readonly schema: string
  /** Whether the record (`_prisma_migrations`) is there. */
  readonly recorded: boolean
  readonly rows: readonly MigrationRow[]
  /** Somebody holds Prisma's advisory lock in this database. */
  readonly lockHeld: boolean
  /** Schemas that have a table which Prisma counts when it looks whether a database is empty. */
  readonly schemasWithTables: readonly string[]
  /** Row-level security keeps rows of `_prisma_migrations` from the role, and then from Prisma too: what was read may lack some. */
  readonly isHidden?: boolean
  /** The name of that table; left out: `_prisma_migrations`. */
  readonly record?: string
  /** What counts as applied, with all before it, where there are tables and no record (`tool.sql.baseline`). */
  readonly assumed?: string
}

export type MigrationState = 'applied' | 'pending' | 'failed' | 'running'

export type MigrationStatus = {
  readonly name: string
  readonly state: MigrationState
  /** Its latest rows are all marked rolled back; `deploy` will run it (again). */
  readonly rolledBack: boolean
  /** Applied with another content than the file has now. */
  readonly edited: boolean
  /** In the database, but without a directory in the commit. */
  readonly unknown: boolean
  /** SHA-256 of the file; null when unknown. */
  readonly sha256: string | null
  /** The row that decided, if any. */
  readonly row: MigrationRow | null
}

export type Status = {
  /** `missing`: no `_prisma_migrations`, but other tables (P3005). `fresh`: neither; views, types and functions alone do not stop Prisma. */
  readonly baseline: 'present' | 'missing' | 'fresh'
  /** Everything, in Prisma's order. */
  readonly migrations: readonly MigrationStatus[]
  readonly applied: readonly MigrationStatus[]
  readonly pending: readonly MigrationStatus[]
  readonly failed: readonly MigrationStatus[]
  readonly running: readonly MigrationStatus[]
  /** Part of `pending`. */
  readonly rolledBack: readonly MigrationStatus[]
  /** Part of `applied`. */
  readonly edited: readonly MigrationStatus[]
  readonly unknown: readonly MigrationStatus[]
}

type FileSums = Pick<MigrationFile, 'name' | 'sha256' | 'otherEndings'>

/** Rows and files to a status. Pure. `databaseSchemas` are those that the datasource names. */
export function statusOf(
  read: DatabaseState,
  files: readonly FileSums[],
  databaseSchemas: readonly string[] = [],
  order: Order = 'by-language',
): Status {
  const state = withKnownBaseline(read, files)
  const recorded = rowsFor(state, files, databaseSchemas)
  const rows = Map.groupBy(recorded, (row) => row.name)
  const live = recorded.filter((row) => row.rolledBackAt === null)
  const unfinished = live.filter((row) => row.finishedAt === null).sort(byStart)
  // Prisma runs one migration at a time: of several that have no end, only the last can be the one that runs
  const runningId = state.lockHeld ? unfinished.at(-1)?.id : undefined
  const fileOf = new Map(files.map((file) => [file.name, file]))
  const names = [...new Set([...fileOf.keys(), ...live.map((row) => row.name)])].sort(comparing(order))
  const migrations = names.map((name) => oneStatus(name, rows.get(name) ?? [], fileOf.get(name), runningId))
  const only = (test: (migration: MigrationStatus) => boolean) => migrations.filter(test)
  return {
    baseline: baselineOf(state, databaseSchemas),
    migrations,
    applied: only(({ state }) => state === 'applied'),
    pending: only(({ state }) => state === 'pending'),
    failed: only(({ state }) => state === 'failed'),
    running: only(({ state }) => state === 'running'),
    rolledBack: only(({ rolledBack }) => rolledBack),
    edited: only(({ edited }) => edited),
    unknown: only(({ unknown }) => unknown),
  }
}

/** A baseline that no file has the name of says nothing about what is there. */
function withKnownBaseline({ assumed, ...state }: DatabaseState, files: readonly FileSums[]): DatabaseState {
  return assumed === undefined || !files.some(({ name }) => name === assumed) ? state : { ...state, assumed }
}

function baselineOf(
  { recorded, assumed, schema, schemasWithTables }: DatabaseState,
  databaseSchemas: readonly string[],
): Status['baseline'] {
  if (recorded) return 'present'
  if (![schema, ...databaseSchemas].some((name) => schemasWithTables.includes(name))) return 'fresh'
  return assumed === undefined ? 'missing' : 'present'
}

/** Rows by the names of files: a record may know a file by its SHA-256 or its number alone, and a baseline has no rows yet. */
function rowsFor(state: DatabaseState, files: readonly FileSums[], databaseSchemas: readonly string[]): readonly MigrationRow[] {
  if (state.assumed !== undefined && baselineOf(state, databaseSchemas) === 'present') {
    const last = files.findIndex(({ name }) => name === state.assumed)
    return files.slice(0, last + 1).map(({ name, sha256 }) => ({ ...ASSUMED, id: name, name, checksum: sha256 }))
  }
  const byName = new Set(files.map(({ name }) => name))
  const byNumber = Map.groupBy(files, ({ name }) => /^0*(\d+)/.exec(name)?.[1] ?? '')
  const bySum = Map.groupBy(files, ({ sha256 }) => sha256)
  return state.rows.map((row) => {
    if (row.checksum !== null || byName.has(row.name)) return row
    const [only, ...more] = byNumber.get(row.name.replace(/^0+(?=\d)/, '')) ?? []
    // of two files with one content the first comes first
    return { ...row, name: bySum.get(row.name)?.shift()?.name ?? (more.length === 0 ? only?.name : undefined) ?? row.name }
  })
}

const ASSUMED = { startedAt: new Date(0), finishedAt: new Date(0), rolledBackAt: null, logs: null, appliedSteps: 1 } as const

function oneStatus(
  name: string,
  rows: readonly MigrationRow[],
  file: FileSums | undefined,
  runningId: string | undefined,
): MigrationStatus {
  const live = rows.filter((row) => row.rolledBackAt === null).sort(byStart)
  const stuck = live.findLast((row) => row.finishedAt === null)
  const done = live.findLast((row) => row.finishedAt !== null)
  const base = { name, rolledBack: false, edited: false, unknown: file === undefined, sha256: file?.sha256 ?? null }
  // an unfinished row counts before a finished one: Prisma refuses to deploy (P3009) as long as there is one
  if (stuck !== undefined) return { ...base, state: stuck.id === runningId ? 'running' : 'failed', row: stuck }
  if (done === undefined) return { ...base, state: 'pending', rolledBack: rows.length > 0, row: rows.toSorted(byStart).at(-1) ?? null }
  const edited = file !== undefined && done.checksum !== null && done.checksum !== file.sha256 && !file.otherEndings.includes(done.checksum)
  return { ...base, state: 'applied', edited, row: done }
}

const byStart = (a: MigrationRow, b: MigrationRow) => a.startedAt.getTime() - b.startedAt.getTime()

/**
 * Rows and lock are read in one statement, so that they belong to one moment. `external` are tables that Prisma does not count
 * (`schema.table`), `record` is the table of the record; null where it is read otherwise.
 */
export async function readDatabaseState(
  client: Queryable,
  schema: string,
  external: readonly string[] = [],
  record: string | null = '_prisma_migrations',
): Promise<DatabaseState> {
  const { rows: facts } = await client.query<Facts>(FACTS, [schema, external, record])
  const fact = facts[0]
  if (fact === undefined) throw new Error('The server gave no answer about its catalogue')
  const { table, schemasWithTables, isHidden } = fact
  if (table === null) return { schema, recorded: false, rows: [], lockHeld: fact.locked, schemasWithTables }
  const { rows } = await client.query<MigrationRow & { locked: boolean }>(
    `select m.id, m.migration_name as name, m.checksum, m.started_at as "startedAt", m.finished_at as "finishedAt", m.rolled_back_at as "rolledBackAt",
        m.logs, m.applied_steps_count as "appliedSteps", lock.held as locked
       from ${table} m cross join (select ${LOCKED} as held) lock order by m.started_at, m.id`,
  )
  const lockHeld = rows[0]?.locked ?? fact.locked
  const found = rows.map(({ locked: _locked, ...row }) => row)
  return {
    schema,
    recorded: true,
    rows: found,
    lockHeld,
    schemasWithTables,
    isHidden,
    ...(record === null || record === '_prisma_migrations' ? {} : { record }),
  }
}

/** Why nobody can say what is applied; mrkdwn, null when somebody can. */
export function whyRecordHidden(
  { isHidden, schema, record = '_prisma_migrations' }: DatabaseState,
  { user }: { readonly user: string },
): string | null {
  if (isHidden !== true) return null
  const table = [schema, record].map((name) => `"${name.replaceAll('"', '""')}"`).join('.')
  return `Row-level security hides rows of ${code(`${schema}.${record}`)} from the role ${code(user)}, so neither Lockkeeper nor ${record === '_prisma_migrations' ? 'Prisma' : 'its migrator'} sees what was applied, and it would be applied again. Take it off that table (${code(`alter table ${table} disable row level security`)}), or let the URL name the owner of the table or a role with BYPASSRLS.`
}

type Facts = {
  readonly table: string | null
  readonly schemasWithTables: readonly string[]
  readonly locked: boolean
  readonly isHidden: boolean
}

const LOCKED = `exists (select from pg_locks l where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = 72707369
  and l.objsubid = 1 and l.database = (select oid from pg_database where datname = current_database()))`

/**
 * As Prisma's engine counts (`initialize` of its persistence): plain tables, those of extensions as well, but for the names of PostGIS and
 * the tables that the configuration calls external; no views and no table that is only divided into partitions, which counts for others.
 */
const COUNTED = `(c.relkind = 'r' or c.relkind = 'p' and $3 is distinct from '_prisma_migrations') and lower(c.relname) not in
  ('spatial_ref_sys', 'geometry_columns', 'geography_columns', 'raster_columns', 'raster_overviews')
  and n.nspname || '.' || c.relname <> all ($2::text[])`

/** A policy lets the role see every row, and none takes some away again. */
const OPEN_TO_ALL = `coalesce((select bool_and(p.polpermissive) and bool_or(p.polqual is null or pg_get_expr(p.polqual, p.polrelid) = 'true') from pg_policy p
  where p.polrelid = c.oid and p.polcmd in ('r', '*') and exists (select from unnest(p.polroles) r (oid) where r.oid = 0 or pg_has_role(r.oid, 'USAGE'))), false)`

const FACTS = `select
  (select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = $3 and c.relkind in ('r', 'p', 'v')) as table,
  array(select distinct n.nspname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where ${COUNTED} and n.nspname !~ '^(pg_|information_schema$)') as "schemasWithTables",
  exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = $3 and row_security_active(c.oid) and not ${OPEN_TO_ALL}) as "isHidden",
  ${LOCKED} as locked`

/** How far a database has come with a plan, or how it departs from it. */
export type Applied =
  /** What is applied is the baseline and a beginning of the list. `applied` is that beginning, `open` the rest, both in order. */
  | { readonly kind: 'beginning'; readonly applied: readonly string[]; readonly open: readonly PlannedMigration[] }
  | { readonly kind: 'departs'; readonly why: Departure; readonly names: readonly string[] }

/**
 * `failed` and `running`: a record that did not end. `edited`: applied with another content. `unknown`: recorded, but no part of the plan.
 * `missing`: of the baseline, and applied no longer. `order`: applied although one before it is not.
 */
export type Departure = 'failed' | 'running' | 'edited' | 'unknown' | 'missing' | 'order'

/** Whether what is applied is the approved beginning. Pure, and the only answer to that: asked before a run, between its migrations and after it. */
export function appliedOf({ baseline, list }: Pick<Plan, 'baseline' | 'list'>, status: Status): Applied {
  const planned = new Set([...baseline, ...list].map(({ name }) => name))
  const applied = new Set(status.applied.map(({ name }) => name))
  const end = list.findIndex(({ name }) => !applied.has(name))
  const [beginning, open] = end === -1 ? [list, []] : [list.slice(0, end), list.slice(end)]
  const found: Readonly<Record<Departure, readonly { readonly name: string }[]>> = {
    failed: status.failed,
    running: status.running,
    edited: status.edited.filter(({ name }) => planned.has(name)),
    unknown: [...status.applied, ...status.unknown].filter(({ name }) => !planned.has(name)),
    missing: baseline.filter(({ name }) => !applied.has(name)),
    order: open.filter(({ name }) => applied.has(name)),
  }
  for (const why of WHYS)
    if (found[why].length > 0) return { kind: 'departs', why, names: [...new Set(found[why].map(({ name }) => name))] }
  return { kind: 'beginning', applied: beginning.map(({ name }) => name), open }
}

/** What blocks every other comes first. */
const WHYS = ['failed', 'running', 'edited', 'unknown', 'missing', 'order'] as const satisfies readonly Departure[]
