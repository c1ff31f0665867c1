import type { Constraint as ConstraintNode } from 'libpg-query'
import { partsOf, tableOf } from '../../effects/names.ts'
import type { LockMode, Relation } from '../model/forecast.ts'
import { isUnusedYet, mayBreak, rowsOf, said, type Run } from '../run/run.ts'
import type { Constraint, Id, Table } from '../schema/model.ts'
import { family, relationOf, tableNamed } from '../schema/resolve.ts'
import { isComparable } from './coercion.ts'
import { shownType, type SqlType } from '../types/type.ts'
import { putConstraint } from '../changes/put.ts'

/** The column that is added along with it, with a DEFAULT or without. */
export type OfColumn = { readonly name: string; readonly hasDefault: boolean }

export function addForeignKey(run: Run, table: Table, constraint: ConstraintNode, column?: OfColumn): void {
  const { schema } = run
  const other = tableNamed(schema, tableOf(constraint.pktable))
  if (other === undefined) return run.fail('42P01', `there is no table ${tableOf(constraint.pktable).name} to refer to`)
  const columns = column === undefined ? partsOf(constraint.fk_attrs) : [column.name]
  const given = partsOf(constraint.pk_attrs)
  const key = keyOf(run, other, given)
  const isEnforced = constraint.is_enforced !== false
  // a new column without the word DEFAULT is null everywhere, so that there is nothing to look at
  const isValid = constraint.skip_validation !== true && isEnforced
  const isChecked = isValid && (column === undefined || column.hasDefault)
  checkEnds(run, { table, columns, other, key, isValid })
  const about = { other: other.id, table: table.id }
  lockEnds(run, about, 'ShareRowExclusive')
  run.part('add foreign key', table.id, {
    ...(constraint.conname === undefined ? {} : { name: constraint.conname }),
    ...(column === undefined ? {} : { column: column.name }),
    other: relationOf(schema, other.id),
    scans: isChecked ? scanEnds(run, about) : [],
    old:
      isEnforced &&
      !(column === undefined
        ? columns[constraint.fk_matchtype === 'f' ? 'every' : 'some']((name) => isUnusedYet(table, name))
        : !column.hasDefault)
        ? mayBreak(`it may store rows in ${said(run, table.id)} that refer to none in ${said(run, other.id)}`)
        : { kind: 'works' },
  })
  put(run, { table, columns, other, key, isValid, isEnforced, name: constraint.conname ?? `${table.name}_${columns.join('_')}_fkey` })
}

type Key = { readonly columns: readonly string[]; readonly index: Id | null }

/** What is referred to: the primary key where nothing is said. */
function keyOf({ schema }: Run, other: Table, given: readonly string[]): Key | null {
  const isMeant = (keys: readonly (string | null)[]) => keys.length === given.length && given.every((name) => keys.includes(name))
  const index = schema
    .indexes(other.id)
    .find((one) => (given.length === 0 ? one.isPrimary : one.isUnique && one.predicate === null && isMeant(one.keys)))
  if (index !== undefined) return { columns: given.length === 0 ? index.keys.flatMap((name) => name ?? []) : given, index: index.id }
  return null
}

type Ends = {
  readonly table: Table
  readonly columns: readonly string[]
  readonly other: Table
  readonly key: Key | null
  readonly isValid: boolean
}

function checkEnds(run: Run, { table, columns, other, key, isValid }: Ends): void {
  const { schema } = run
  const missing = (of: Table, names: readonly string[]) => {
    const now = schema.table(of.id)
    const gone = names.find((name) => now?.columns.some((column) => column.name === name) !== true)
    if (gone !== undefined && now?.isAssumed !== true) run.fail('42703', `${said(run, of.id)} has no column ${gone}`)
  }
  missing(table, columns)
  if (key === null && !other.isAssumed)
    run.fail('42830', `nothing says that the columns of ${said(run, other.id)} that are referred to are unique`)
  if (key !== null) missing(other, key.columns)
  if (key !== null && key.columns.length !== columns.length)
    run.fail('42830', `${said(run, other.id)} has a key of ${key.columns.length} columns, and ${columns.length} refer to it`)
  for (const [at, name] of columns.entries()) {
    const [from, to] = [typeOf(schema, table, name), typeOf(schema, other, key?.columns[at] ?? '')]
    if (from !== undefined && to !== undefined && !isComparable(from, to))
      run.fail('42804', `${shownType(from)} and ${shownType(to)} cannot be compared`)
  }
  if (!isValid && table.kind === 'p' && schema.version < 180000)
    run.fail('42809', `${said(run, table.id)} is partitioned, where a foreign key cannot be NOT VALID before PostgreSQL 18`)
}

const typeOf = (schema: Run['schema'], { id }: Table, column: string): SqlType | undefined =>
  schema.table(id)?.columns.find(({ name }) => name === column)?.type

/** As PostgreSQL keeps it: one for the pair and one for each partition of either end. */
function put(
  run: Run,
  { table, columns, other, key, isValid, isEnforced, name }: Ends & { readonly isEnforced: boolean; readonly name: string },
): void {
  const { schema } = run
  const about = {
    name,
    kind: 'f' as const,
    columns,
    other: other.id,
    otherColumns: key?.columns ?? [],
    isValid,
    isEnforced,
    index: key?.index ?? null,
  }
  const own = putConstraint(run, table.id, about)
  for (const id of family(schema, table.id))
    if (id !== table.id && schema.table(id)?.isPartition === true) putConstraint(run, id, { ...about, parent: own, isInherited: true })
  for (const id of family(schema, other.id))
    if (id !== other.id && schema.table(id)?.isPartition === true)
      putConstraint(run, table.id, { ...about, name: '', other: id, parent: own })
}

type Pair = Pick<Constraint, 'table' | 'other'>

export function lockEnds(run: Run, { table, other }: Pair, mode: LockMode): void {
  run.lockFamily(table, mode)
  if (other !== null) run.lockFamily(other, mode)
}

/** Both ends are read. */
export const scanEnds = (run: Run, { table, other }: Pair): readonly Relation[] => [
  ...rowsOf(run, table),
  ...(other === null || other === table ? [] : rowsOf(run, other)),
]
