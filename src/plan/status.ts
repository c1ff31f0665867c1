import type { Queryable } from '../target/connect.ts'
import type { MigrationFile } from './files.ts'
import { byBytes } from './files.ts'

/** A row of `_prisma_migrations`. */
export type MigrationRow = {
  readonly id: string
  readonly name: string
  readonly checksum: string
  readonly startedAt: Date
  readonly finishedAt: Date | null
  readonly rolledBackAt: Date | null
  /** What the server said when it failed; empty for SQL errors of some engines. May hold values: redact before showing. */
  readonly logs: string | null
  readonly appliedSteps: number
}

/** What is in the database, before it is compared with files. */
export type DatabaseState = {
  /** `missing`: no `_prisma_migrations`, but other things are in the schema (P3005). `fresh`: neither. */
  readonly baseline: 'present' | 'missing' | 'fresh'
  readonly rows: readonly MigrationRow[]
  /** Somebody holds Prisma's advisory lock in this database. */
  readonly lockHeld: boolean
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
  readonly baseline: DatabaseState['baseline']
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

/** Rows and files to a status. Pure. */
export function statusOf(state: DatabaseState, files: readonly FileSums[]): Status {
  const rows = Map.groupBy(state.rows, (row) => row.name)
  const live = state.rows.filter((row) => row.rolledBackAt === null)
  const unfinished = live.filter((row) => row.finishedAt === null).sort(byStart)
  // Prisma runs one migration at a time: of several that have no end, only the last can be the one that runs
  const runningId = state.lockHeld ? unfinished.at(-1)?.id : undefined
  const fileOf = new Map(files.map((file) => [file.name, file]))
  const names = [...new Set([...fileOf.keys(), ...live.map((row) => row.name)])].sort(byBytes)
  const migrations = names.map((name) => oneStatus(name, rows.get(name) ?? [], fileOf.get(name), runningId))
  const only = (test: (migration: MigrationStatus) => boolean) => migrations.filter(test)
  return {
    baseline: state.baseline,
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
  const edited = file !== undefined && done.checksum !== file.sha256 && !file.otherEndings.includes(done.checksum)
  return { ...base, state: 'applied', edited, row: done }
}

const byStart = (a: MigrationRow, b: MigrationRow) => a.startedAt.getTime() - b.startedAt.getTime()

/** Reads everything in one statement where the table exists, so that rows and lock belong to one moment. `schemas` are those of the datasource. */
export async function readDatabaseState(client: Queryable, schema: string, schemas: readonly string[] = []): Promise<DatabaseState> {
  const { rows: facts } = await client.query<{ table: string | null; filled: boolean; locked: boolean }>(FACTS, [
    schema,
    [schema, ...schemas],
  ])
  const fact = facts[0]
  if (fact === undefined) throw new Error('The server gave no answer about its catalogue')
  if (fact.table === null) return { baseline: fact.filled ? 'missing' : 'fresh', rows: [], lockHeld: fact.locked }
  const { rows } = await client.query<MigrationRow & { locked: boolean }>(
    `select m.id, m.migration_name as name, m.checksum, m.started_at as "startedAt", m.finished_at as "finishedAt", m.rolled_back_at as "rolledBackAt",
        m.logs, m.applied_steps_count as "appliedSteps", lock.held as locked
       from ${fact.table} m cross join (select ${LOCKED} as held) lock order by m.started_at, m.id`,
  )
  return { baseline: 'present', rows: rows.map(({ locked: _, ...row }) => row), lockHeld: rows[0]?.locked ?? fact.locked }
}

const LOCKED = `exists (select from pg_locks l where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = 72707369
  and l.objsubid = 1 and l.database = (select oid from pg_database where datname = current_database()))`

const FACTS = `select
  (select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = '_prisma_migrations' and c.relkind in ('r', 'p', 'v')) as table,
  exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = any ($2) and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')) as filled,
  ${LOCKED} as locked`
