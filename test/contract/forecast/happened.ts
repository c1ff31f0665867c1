import type pg from 'pg'
import type { Case } from './cases.ts'
import { lockModes, type LockMode } from '../../../src/sql/rules/forecast.ts'

/** What statements did to what was there before them; what is empty is left out. Names of `public` have no schema. */
export type Truth = {
  /** Tables, views and sequences with the strongest mode each, and indexes where it is stronger than their table's. */
  readonly locks?: Locks
  /** Tables and sequences with a new file, that is whose rows were all written anew. */
  readonly rewrites?: readonly string[]
  /** Of which rows were read, but for those that an index found. */
  readonly scans?: readonly string[]
  /** Indexes that are new or new in whole, `index on table`. */
  readonly builds?: readonly string[]
  /** Its SQLSTATE; nothing else counts then, since all is undone. */
  readonly error?: string
}
type Locks = Readonly<Partial<Record<LockMode, readonly string[]>>>

/** A table, view, sequence or index of the test's own. */
type Relation = {
  readonly oid: number
  readonly name: string
  readonly kind: string
  /** Null where it has none. */
  readonly file: number | null
  /** Of an index. */
  readonly table: number | null
}

/** What is there between two statements; it never changes, since all that they do is undone. */
export type Before = ReadonlyMap<number, Relation>

const RELATIONS = `
  select c.oid::integer as oid, c.relkind as kind, pg_relation_filenode(c.oid)::integer as file, i.indrelid::integer as table,
    case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname as name`
const FROM = `
  from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_index i on i.indexrelid = c.oid
  where n.nspname in ('public', 'sales') and c.relkind in ('r', 'p', 'v', 'm', 'S', 'i', 'I')`
const READ = 'pg_stat_get_xact_tuples_returned(c.oid)::integer as read'
export const relationsOf = async (client: pg.Client): Promise<Before> =>
  new Map((await client.query<Relation>(`${RELATIONS}${FROM}`)).rows.map((row) => [row.oid, row]))

/** In a transaction that is rolled back. */
export async function happens(client: pg.Client, before: Before, { sql, zone }: Case): Promise<Truth> {
  await client.query(`begin; set local time zone '${zone}'`)
  try {
    const reads = await client.query<Read>(`select c.oid::integer as oid, ${READ} from pg_class c where c.oid = any($1)`, [
      [...before.values()].flatMap(({ oid, kind }) => (isTable(kind) ? [oid] : [])),
    ])
    await client.query(sql)
    const locks = await locksOf(client, before, 'pg_backend_pid()')
    return { ...locks, ...changesOf(before, await stateOf(client), new Map(reads.rows.map(({ oid, read }) => [oid, read]))) }
  } catch (error) {
    return { error: codeOf(error) }
  } finally {
    await client.query('rollback; reset all; discard plans')
  }
}

type Read = { readonly oid: number; readonly read: number }
const isTable = (kind: string): boolean => kind === 'r' || kind === 'm'

export const codeOf = (error: unknown): string => (error as { readonly code?: string }).code ?? String(error)

export async function locksOf(client: pg.Client, before: Before, pid: string): Promise<Truth> {
  const { rows } = await client.query<{ oid: number; mode: string }>(
    `select relation::integer as oid, mode from pg_locks where pid = ${pid} and locktype = 'relation'
       and database = (select oid from pg_database where datname = current_database())`,
  )
  const strongest = new Map<number, number>()
  for (const { oid, mode } of rows)
    strongest.set(oid, Math.max(strongest.get(oid) ?? -1, lockModes.indexOf(mode.replace(/Lock$/, '') as LockMode)))
  const told = [...strongest].flatMap(([oid, mode]) => {
    const relation = before.get(oid)
    if (relation === undefined) return []
    const isUse = relation.table !== null && mode <= Math.max(strongest.get(relation.table) ?? -1, lockModes.indexOf('RowExclusive'))
    return isUse ? [] : [{ name: relation.name, mode }]
  })
  const byMode = Map.groupBy(told, ({ mode }) => mode)
  const locks = lockModes.flatMap((mode, at) => {
    const names = byMode.get(at)?.map(({ name }) => name)
    return names === undefined ? [] : [[mode, names.toSorted()] as const]
  })
  return locks.length === 0 ? {} : { locks: Object.fromEntries(locks) }
}

type Now = Relation & Read

export const stateOf = async (client: pg.Client): Promise<readonly Now[]> => (await client.query<Now>(`${RELATIONS}, ${READ}${FROM}`)).rows

/** `reads`: how many rows were read of each table before. */
export function changesOf(before: Before, now: readonly Now[], reads: ReadonlyMap<number, number>): Truth {
  const files = new Set([...before.values()].flatMap(({ file }) => file ?? []))
  const isNewFile = ({ file }: Now) => file !== null && !files.has(file) // a type change that keeps the bytes keeps the file of a new index
  const nameOf = (oid: number) => before.get(oid)?.name
  const listed = (key: keyof Truth, names: readonly (string | undefined)[]) => {
    const known = names.filter((name) => name !== undefined)
    return known.length === 0 ? {} : { [key]: known.toSorted() }
  }
  const rewritten = now.filter((one) => one.kind !== 'i' && isNewFile(one))
  const scanned = now.filter(({ oid, kind, read }) => isTable(kind) && read > (reads.get(oid) ?? 0))
  const built = now.filter((one) => one.kind === 'i' && isNewFile(one))
  const on = ({ oid, name, table }: Now) => {
    const its = nameOf(table ?? 0)
    return its === undefined ? undefined : `${nameOf(oid) ?? name} on ${its}`
  }
  return {
    ...listed(
      'rewrites',
      rewritten.map(({ oid }) => nameOf(oid)),
    ),
    ...listed(
      'scans',
      scanned.map(({ oid }) => nameOf(oid)),
    ),
    ...listed('builds', built.map(on)),
  }
}
