import type { ColumnDef } from 'libpg-query'
import { constraintsIn } from '../../effects/alter-table.ts'
import { partsOf } from '../../effects/names.ts'
import { dropColumn, dropping } from '../changes/dropping.ts'
import { useRoutines } from '../changes/put.ts'
import { callsOf } from '../rows/calls.ts'
import { columnNamesIn, isVolatile, neverNull } from '../rows/expressions.ts'
import { breaks, indexesOf, mayBreak, rowsOf, said, WORKS, type Run } from '../run/run.ts'
import type { Column, Id, Table } from '../schema/model.ts'
import { family, holders, relationOf } from '../schema/resolve.ts'
import { baseOf, isKnownType, isSerial, typeNamed } from '../schema/types.ts'
import { sameType, shownType, typeKey } from '../types/type.ts'
import { expressionOf } from './proof.ts'

export function addColumn(run: Run, table: Table, def: ColumnDef, isOptional: boolean): void {
  const { schema } = run
  const name = def.colname ?? ''
  const known = schema.table(table.id)?.columns.some((column) => column.name === name) === true
  if (known) {
    if (!isOptional) run.fail('42701', `${said(run, table.id, name)} is there already`)
    return
  }
  const column = columnOf(run, def)
  const constraints = constraintsIn(def.constraints ?? [])
  refuseColumn(run, table, column, def)
  const value = constraints.find(({ contype }) => contype === 'CONSTR_DEFAULT')?.raw_expr
  const isFilled = isSerial(def.typeName) || column.identity !== null || column.generated === 's' || isVolatile(schema, value)
  const rewrites = isFilled || (column.generated === null && baseOf(schema, column.type).isChecked)
  const isEmptyOtherwise = value === undefined && !isFilled && column.generated === null && !domainDefault(run, column)
  const isRequired = column.notNull === 'yes' || constraints.some(({ contype }) => contype === 'CONSTR_PRIMARY')
  callsOf(run, value)
  useRoutines(run, table.id, def.constraints ?? [], name)
  if (value !== undefined || rewrites) refuseRowUsers(run, table)
  const rows = rowsOf(run, table.id)
  const what = said(run, table.id, name)
  const scans = rewrites || (isRequired && (isEmptyOtherwise || column.generated === 'v'))
  if (isRequired && isEmptyOtherwise && holders(schema, table.id).some((id) => schema.table(id)?.mayHaveRows === true))
    run.fail('23502', `${what} is required and the rows of ${said(run, table.id)} would have no value`)
  run.part(
    rewrites ? 'add column that is filled row by row' : isRequired && isEmptyOtherwise ? 'add required column' : 'add column',
    table.id,
    {
      column: name,
      to: shownType(column.type),
      rewrites: rewrites ? rows : [],
      scans: scans ? rows : [],
      builds: rewrites ? indexesOf(run, table.id) : [],
      old: isRequired && isEmptyOtherwise ? breaks(`its inserts give no value for ${what}`) : WORKS,
      new: breaks(`it uses ${what}, which is not there before`),
    },
  )
  for (const id of family(schema, table.id)) {
    const one = schema.table(id)
    if (one === undefined || one.columns.some((other) => other.name === name)) continue
    schema.change.putTable({ ...one, columns: [...one.columns, { ...column, isInherited: id !== table.id }] })
  }
  if (isSerial(def.typeName) || column.identity !== null) addSequence(run, table, name)
  if (column.generated !== null) {
    const uses = columnNamesIn(constraints.find(({ contype }) => contype === 'CONSTR_GENERATED')?.raw_expr)
    dependOn(run, table.id, name, uses)
  }
}

function refuseColumn(run: Run, table: Table, column: Column, def: ColumnDef): void {
  const { schema } = run
  if (table.isPartition) run.fail('42809', `${said(run, table.id)} is a partition, whose columns are those of its parent`)
  if (!isKnownType(schema, column.type)) run.fail('42704', `there is no type ${shownType(column.type)}`)
  for (const id of family(schema, table.id)) {
    const known = schema.table(id)?.columns.find(({ name }) => name === column.name)
    if (id !== table.id && known !== undefined && !sameType(known.type, column.type))
      run.fail('42804', `${said(run, id, column.name)} is there already, with another type`)
  }
  const value = constraintsIn(def.constraints ?? []).find(({ contype }) => contype === 'CONSTR_DEFAULT')
  if (value !== undefined && column.generated !== null)
    run.fail('42601', `${said(run, table.id, column.name)} has a default and is computed`)
}

/** Columns that hold whole rows of the table keep them as they were written. */
export function refuseRowUsers(run: Run, table: Table): void {
  const [user] = run.schema.users(typeKey(table))
  if (user !== undefined) run.fail('0A000', `${said(run, user.table, user.column)} holds whole rows of ${said(run, table.id)}`)
}

/** A column as its definition says. */
export function columnOf(run: Run, def: ColumnDef): Column {
  const constraints = constraintsIn(def.constraints ?? [])
  const has = (kind: string) => constraints.find(({ contype }) => contype === kind)
  const [identity, generated] = [has('CONSTR_IDENTITY'), has('CONSTR_GENERATED')]
  const isRequired =
    has('CONSTR_NOTNULL') !== undefined || identity !== undefined || has('CONSTR_PRIMARY') !== undefined || isSerial(def.typeName)
  const value = has('CONSTR_DEFAULT')
  return {
    name: def.colname ?? '',
    type: typeNamed(run.schema, def.typeName),
    notNull: isRequired ? 'yes' : 'no',
    collation: partsOf(def.collClause?.collname).at(-1) ?? null,
    default: value !== undefined || isSerial(def.typeName) ? '' : null,
    identity: identity === undefined ? null : identity.generated_when === 'a' ? 'a' : 'd',
    generated: generated === undefined ? null : generated.generated_kind === 'v' ? 'v' : 's',
    isInherited: false,
    isNew: true,
  }
}

function domainDefault({ schema }: Run, { type }: Column): boolean {
  return type.schema !== null && !type.isArray && schema.type(`${type.schema}.${type.name}`)?.default != null
}

export function addSequence({ schema }: Run, table: Table, column: string): void {
  const base = `${table.name}_${column}_seq`
  let name = base
  for (let at = 1; schema.byName(table.schema, name) !== undefined; at++) name = `${base}${at}`
  schema.change.putTable({
    ...table,
    id: schema.newId(),
    name,
    kind: 'S',
    columns: [],
    parents: [],
    isPartition: false,
    partitioning: null,
    bound: null,
    isNew: true,
    ownedBy: { table: table.id, column },
  })
}

/** That a column is computed of others. */
export function dependOn({ schema }: Run, table: Id, name: string, uses: ReadonlySet<string>): void {
  const place = schema.table(table)
  for (const column of uses)
    schema.change.putDependent({ on: table, column, kind: 'generated column', schema: place?.schema ?? '', name, relation: table })
}

export function removeColumn(
  run: Run,
  table: Table,
  name: string,
  options: { readonly isCascade: boolean; readonly isOptional: boolean },
): void {
  const { schema } = run
  const column = findColumn(run, table, name, options.isOptional)
  if (column === null) return
  const what = said(run, table.id, name)
  if (column?.isInherited === true) run.fail('42P16', `${what} is inherited and goes only with that of the parent`)
  if (isInKey(run, table.id, name)) run.fail('42P16', `${what} decides which partition has a row`)
  const how = dropping(options.isCascade)
  const lost = `${what} with what it holds`
  const isNew = column?.isNew === true
  for (const id of family(schema, table.id)) dropColumn(run, id, name, how)
  run.part('drop column', table.id, {
    column: name,
    ...(column === undefined ? {} : { from: shownType(column.type) }),
    loses: isNew ? how.lost : [lost, ...how.lost],
    old: isNew ? WORKS : breaks(`it still reads and writes ${what}`),
    new: column?.notNull === 'yes' && column.default === null ? mayBreak(`it gives no value for ${what}, which is required before`) : WORKS,
  })
}

/** Undefined: nobody knows the columns. Null: it is not there, which is told. */
export function findColumn(run: Run, table: Table, name: string, isOptional = false): Column | undefined | null {
  const now = run.schema.table(table.id)
  const found = now?.columns.find((column) => column.name === name)
  if (found !== undefined || now?.isAssumed === true) return found
  if (!isOptional) run.fail('42703', `${said(run, table.id)} has no column ${name}`)
  return null
}

/** Of a partitioned table: the key that says which partition a row belongs to. */
export const isInKey = ({ schema }: Run, table: Id, name: string): boolean =>
  family(schema, table).some((id) => schema.table(id)?.partitioning?.columns?.includes(name) === true)

export function setNotNull(run: Run, table: Table, name: string): void {
  const { schema } = run
  const column = findColumn(run, table, name)
  if (column === null) return
  const unproven = holders(schema, table.id).filter((id) => {
    const own = schema.table(id)?.columns.find((one) => one.name === name)
    return own?.notNull !== 'yes' && (own?.notNull === 'not valid' || !isProven(run, id, name))
  })
  const what = said(run, table.id, name)
  run.part('set not null', table.id, {
    column: name,
    scans: unproven.map((id) => relationOf(schema, id)),
    old: column?.notNull === 'yes' ? WORKS : mayBreak(`it may store rows without a value for ${what}`),
  })
  changeColumn(run, table.id, name, (one) => ({ ...one, notNull: 'yes' }))
}

/** A valid CHECK of an earlier statement says that there are no nulls. */
function isProven(run: Run, table: Id, column: string): boolean {
  return run.schema
    .constraints(table)
    .some(
      (one) =>
        one.kind === 'c' && one.isValid && one.isEnforced && one.madeBy !== run.statement && neverNull(expressionOf(run, one)).has(column),
    )
}

export function dropNotNull(run: Run, table: Table, name: string): void {
  const column = findColumn(run, table, name)
  if (column === null) return
  if (run.schema.constraints(table.id).some((one) => one.kind === 'p' && one.columns.includes(name)))
    run.fail('42P16', `${said(run, table.id, name)} is in the primary key`)
  else if (column?.identity != null) run.fail('42601', `${said(run, table.id, name)} is an identity column, which is always required`)
  run.part('drop not null', table.id, { column: name, old: mayBreak(`it may meet rows without a value for ${said(run, table.id, name)}`) })
  changeColumn(run, table.id, name, (one) => ({ ...one, notNull: 'no' }))
}

/** In the table and in all that inherit from it. */
export function changeColumn({ schema }: Run, table: Id, name: string, change: (column: Column) => Column): void {
  for (const id of family(schema, table)) {
    const one = schema.table(id)
    if (one?.columns.some((column) => column.name === name) === true)
      schema.change.putTable({ ...one, columns: one.columns.map((column) => (column.name === name ? change(column) : column)) })
  }
}
