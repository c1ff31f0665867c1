import type { AlterTableCmd, Constraint as ConstraintNode, Node } from 'libpg-query'
import { partsOf } from '../../effects/names.ts'
import { dropConstraint, dropping } from '../changes/dropping.ts'
import { columnNamesIn } from '../rows/expressions.ts'
import { isUnusedYet, mayBreak, rowsOf, said, WORKS, type Run } from '../run/run.ts'
import type { Constraint, Id, Table } from '../schema/model.ts'
import { family, holders, relationOf } from '../schema/resolve.ts'
import { changeColumn, findColumn, setNotNull } from './columns.ts'
import { addForeignKey, lockEnds, scanEnds, type OfColumn } from './foreign-keys.ts'
import { freeName, putConstraint, putIndex, refuseWithoutKey, useRoutines } from '../changes/put.ts'

export function addConstraint(run: Run, table: Table, constraint: ConstraintNode, column?: OfColumn): void {
  const name = constraint.conname
  if (name !== undefined && run.schema.constraints(table.id).some((one) => one.name === name))
    run.fail('42710', `${said(run, table.id)} has a constraint ${name} already`)
  switch (constraint.contype) {
    case 'CONSTR_FOREIGN':
      return addForeignKey(run, table, constraint, column)
    case 'CONSTR_CHECK':
      return addCheck(run, table, constraint)
    case 'CONSTR_NOTNULL':
      return addNotNull(run, table, constraint)
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE':
    case 'CONSTR_EXCLUSION':
      return constraint.indexname === undefined
        ? addKey(run, table, constraint, column)
        : useIndex(run, table, constraint, constraint.indexname)
    default:
      return run.dontKnow('it adds a constraint of a kind that nobody here knows')
  }
}

function addCheck(run: Run, table: Table, constraint: ConstraintNode): void {
  const { schema } = run
  const isEnforced = constraint.is_enforced !== false
  const isValid = constraint.skip_validation !== true && isEnforced
  const columns = [...columnNamesIn(constraint.raw_expr)]
  const reached = constraint.is_no_inherit === true ? [table.id] : family(schema, table.id)
  run.part('add check', table.id, {
    ...named(constraint),
    scans: isValid ? (constraint.is_no_inherit === true ? [relationOf(schema, table.id)] : rowsOf(run, table.id)) : [],
    old:
      isEnforced && !(columns.length > 0 && columns.every((name) => isUnusedYet(table, name)))
        ? mayBreak(`it may store rows that ${constraint.conname ?? 'the check'} refuses`)
        : WORKS,
  })
  const name = constraint.conname ?? `${table.name}_${columns.length === 1 ? `${columns[0] ?? ''}_` : ''}check`
  useRoutines(run, table.id, constraint.raw_expr)
  for (const id of reached)
    putConstraint(run, id, {
      name,
      kind: 'c',
      columns: columns.filter((one) => schema.table(id)?.columns.some((column) => column.name === one) === true),
      isValid,
      isEnforced,
      expression: constraint.raw_expr ?? null,
      isInherited: id !== table.id,
    })
}

/** 18 lets a NOT NULL be said as a constraint, and without looking at the rows that are there. */
function addNotNull(run: Run, table: Table, constraint: ConstraintNode): void {
  const [name = ''] = partsOf(constraint.keys)
  if (run.schema.version < 180000) run.fail('42601', 'NOT NULL as a constraint of its own came with PostgreSQL 18')
  if (constraint.skip_validation !== true) return setNotNull(run, table, name)
  if (findColumn(run, table, name) === null) return
  run.part('set not null', table.id, { column: name, old: mayBreak(`it may store rows without a value for ${said(run, table.id, name)}`) })
  changeColumn(run, table.id, name, (one) => (one.notNull === 'yes' ? one : { ...one, notNull: 'not valid' }))
  for (const id of family(run.schema, table.id))
    putConstraint(run, id, { name: constraint.conname ?? `${table.name}_${name}_not_null`, kind: 'n', columns: [name], isValid: false })
}

const RULE_OF = { CONSTR_PRIMARY: 'add primary key', CONSTR_UNIQUE: 'add unique', CONSTR_EXCLUSION: 'add exclusion' } as const
const KIND_OF = { CONSTR_PRIMARY: 'p', CONSTR_UNIQUE: 'u', CONSTR_EXCLUSION: 'x' } as const
type KeyType = keyof typeof RULE_OF

const isKey = (type: string | undefined): type is KeyType => type !== undefined && type in RULE_OF

function addKey(run: Run, table: Table, constraint: ConstraintNode, column?: OfColumn): void {
  const { schema } = run
  if (!isKey(constraint.contype)) return
  const columns = keysOf(constraint, column)
  for (const name of columns) findColumn(run, table, name)
  if (constraint.contype === 'CONSTR_PRIMARY') {
    requireColumns(run, table, columns)
    if (schema.constraints(table.id).some(({ kind }) => kind === 'p')) run.fail('42P16', `${said(run, table.id)} has a primary key already`)
  }
  refuseWithoutKey(run, table, columns)
  const rows = rowsOf(run, table.id)
  run.part(RULE_OF[constraint.contype], table.id, {
    ...named(constraint),
    scans: rows,
    builds: holders(schema, table.id).map((id) => ({
      name: id === table.id ? (constraint.conname ?? null) : null,
      on: relationOf(schema, id),
    })),
    old:
      constraint.contype === 'CONSTR_UNIQUE' && constraint.nulls_not_distinct !== true && columns.some((name) => isUnusedYet(table, name))
        ? WORKS
        : mayBreak(`it may store rows that ${constraint.conname ?? 'the key'} refuses`),
  })
  const suffix = constraint.contype === 'CONSTR_PRIMARY' ? 'pkey' : constraint.contype === 'CONSTR_UNIQUE' ? 'key' : 'excl'
  let parent: { readonly index: Id; readonly constraint: number } | null = null
  for (const id of family(schema, table.id)) {
    const own = schema.table(id)
    if (own === undefined || (id !== table.id && !own.isPartition)) continue
    const base: string = suffix === 'pkey' ? `${own.name}_pkey` : `${own.name}_${columns.join('_')}_${suffix}`
    const name: string = id === table.id ? (constraint.conname ?? freeName(run, own.schema, base)) : freeName(run, own.schema, base)
    const index = putIndex(run, own, {
      name,
      keys: columns,
      isUnique: suffix !== 'excl',
      isPrimary: suffix === 'pkey',
      parent: parent?.index ?? null,
    })
    const made: number = putConstraint(run, id, {
      name,
      kind: KIND_OF[constraint.contype],
      columns,
      index,
      parent: parent?.constraint ?? null,
    })
    parent ??= { index, constraint: made }
  }
}

const keysOf = (constraint: ConstraintNode, column?: OfColumn): readonly string[] =>
  column === undefined
    ? [
        ...partsOf(constraint.keys),
        ...(constraint.exclusions ?? []).flatMap((item) => ('List' in item ? [...exclusionColumns(item.List.items ?? [])] : [])),
      ]
    : [column.name]

const exclusionColumns = (items: readonly Node[]): readonly string[] =>
  items.flatMap((item) =>
    'IndexElem' in item ? (item.IndexElem.name === undefined ? [...columnNamesIn(item)] : [item.IndexElem.name]) : [],
  )

/** The columns of a primary key become required: a column that may have nulls is looked through. */
function requireColumns(run: Run, table: Table, columns: readonly string[]): void {
  for (const name of columns) {
    const own = run.schema.table(table.id)?.columns.find((one) => one.name === name)
    if (own?.notNull === 'yes') continue
    if (own?.notNull === 'not valid')
      run.fail('55000', `the NOT NULL of ${said(run, table.id, name)} was never validated, so it cannot be in a primary key`)
    setNotNull(run, table, name)
  }
}

function useIndex(run: Run, table: Table, constraint: ConstraintNode, given: string): void {
  const { schema } = run
  if (!isKey(constraint.contype)) return
  const index = schema.indexes(table.id).find(({ name }) => name === given)
  if (index === undefined) {
    if (!table.isAssumed) run.fail('42704', `${said(run, table.id)} has no index ${given}`)
    return run.part('use index', table.id, { name: given })
  }
  run.lock(index.id, 'AccessExclusive')
  if (!index.isValid) run.fail('55000', `the index ${given} is not valid`)
  else if (!index.isUnique) run.fail('42809', `the index ${given} is not unique`)
  else if (index.keys.includes(null) || index.predicate !== null) run.fail('42809', `the index ${given} has an expression or a condition`)
  const columns = index.keys.flatMap((key) => key ?? [])
  const name = constraint.conname ?? given
  if (constraint.contype === 'CONSTR_PRIMARY') requireColumns(run, table, columns)
  run.part('use index', table.id, { name })
  schema.change.putIndex({ ...index, name, isPrimary: constraint.contype === 'CONSTR_PRIMARY' })
  putConstraint(run, table.id, { name, kind: KIND_OF[constraint.contype], columns, index: index.id })
}

export function validateConstraint(run: Run, table: Table, name: string): void {
  const { schema } = run
  const found = findConstraint(run, table, name)
  if (found === undefined) return
  const isOpen = table.isAssumed || !found.isValid
  if (found.kind === 'f' && found.other !== null && isOpen) {
    run.lockFamily(found.other, 'RowShare')
  }
  const scans = !isOpen ? [] : found.kind === 'f' ? scanEnds(run, found) : rowsOf(run, table.id)
  run.part('validate constraint', table.id, { name, scans, ...(found.other === null ? {} : { other: relationOf(schema, found.other) }) })
  for (const id of family(schema, table.id))
    for (const one of schema.constraints(id))
      if (one.name === name || one.parent === found.id) schema.change.putConstraint({ ...one, isValid: true })
  if (found.kind === 'n') changeColumn(run, table.id, found.columns[0] ?? '', (one) => ({ ...one, notNull: 'yes' }))
}

export function alterConstraint(run: Run, table: Table, { def }: AlterTableCmd): void {
  const change = def !== undefined && 'ATAlterConstraint' in def ? def.ATAlterConstraint : undefined
  const name = change?.conname ?? ''
  const found = findConstraint(run, table, name)
  if (found === undefined) return
  const isSwitched = change?.alterEnforceability === true
  const becomesValid = isSwitched && change.is_enforced === true && !found.isEnforced
  if (isSwitched) lockEnds(run, found, change.is_enforced === true ? 'ShareRowExclusive' : 'AccessExclusive')
  run.part('alter constraint', table.id, { name, scans: becomesValid ? scanEnds(run, found) : [] })
  if (isSwitched)
    run.schema.change.putConstraint({ ...found, isEnforced: change.is_enforced === true, isValid: change.is_enforced === true })
}

export function removeConstraint(
  run: Run,
  table: Table,
  name: string,
  options: { readonly isCascade: boolean; readonly isOptional: boolean },
): void {
  const found = findConstraint(run, table, name, options.isOptional)
  if (found === undefined) return
  const how = dropping(options.isCascade)
  if (found.isInherited) run.fail('42P16', `the constraint ${name} of ${said(run, table.id)} is inherited`)
  const other = found.other === null ? {} : { other: relationOf(run.schema, found.other) }
  dropConstraint(run, found, how)
  run.part('drop constraint', table.id, { name, ...other, loses: how.lost })
  if (found.kind === 'n') changeColumn(run, table.id, found.columns[0] ?? '', (one) => ({ ...one, notNull: 'no' }))
}

function findConstraint(run: Run, table: Table, name: string, isOptional = false): Constraint | undefined {
  const found = run.schema.constraints(table.id).find((one) => one.name === name)
  if (found === undefined && !isOptional && !table.isAssumed) run.fail('42704', `${said(run, table.id)} has no constraint ${name}`)
  return found
}

const named = ({ conname }: ConstraintNode): { readonly name?: string } => (conname === undefined ? {} : { name: conname })
