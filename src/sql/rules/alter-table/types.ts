import type { AlterTableCmd } from 'libpg-query'
import { partsOf } from '../../effects/names.ts'
import type { Part } from '../model/forecast.ts'
import { lockIndexes, ownedSequences } from '../changes/dropping.ts'
import { indexesOf, mayBreak, rowsOf, said, type Run } from '../run/run.ts'
import type { Column, Constraint, Index, Table } from '../schema/model.ts'
import { family, holders, relationOf } from '../schema/resolve.ts'
import { typeNamed } from '../schema/types.ts'
import { isStorable, operatorsOf, typeChange, type TypeChange } from './coercion.ts'
import { shownType, type SqlType } from '../types/type.ts'
import { changeColumn, findColumn, isInKey, refuseRowUsers } from './columns.ts'
import { lockEnds, scanEnds } from './foreign-keys.ts'
import { hasCheckOn } from './proof.ts'

/** Several at once: where one of them writes the rows anew, none is judged as if it did not. */
export function changeTypes(run: Run, table: Table, commands: readonly AlterTableCmd[]): void {
  const isRewritten = commands.some((command) => meantBy(run, table, command)?.rewrites === true)
  for (const command of commands) {
    const { name = '' } = command
    const column = findColumn(run, table, name)
    const meant = meantBy(run, table, command)
    if (column === null || meant === null) continue
    if (column !== undefined) refuse(run, table, column, meant)
    changeType(run, table, name, { ...meant, column, isRewritten })
  }
}

type Meant = {
  readonly to: SqlType
  readonly change: TypeChange
  readonly rewrites: boolean
  readonly hasUsing: boolean
  readonly collation: string | null
}

function meantBy({ schema }: Run, table: Table, { name = '', def }: AlterTableCmd): Meant | null {
  if (def === undefined || !('ColumnDef' in def)) return null
  const column = schema.table(table.id)?.columns.find((one) => one.name === name)
  const to = typeNamed(schema, def.ColumnDef.typeName)
  const using = def.ColumnDef.raw_default ?? null
  const change: TypeChange =
    column === undefined
      ? { kind: 'possible', rewrites: true, keepsIndexes: false }
      : typeChange({ schema, column: name, from: column.type, to, using })
  const rewrites = column?.generated !== 'v' && (change.kind === 'impossible' || change.rewrites)
  return { to, change, rewrites, hasUsing: using !== null, collation: partsOf(def.ColumnDef.collClause?.collname).at(-1) ?? null }
}

type About = Meant & { readonly column: Column | undefined; readonly isRewritten: boolean }

function changeType(run: Run, table: Table, name: string, { column, to, change, rewrites, collation, isRewritten }: About): void {
  const { schema } = run
  const isCollatedAnew = column !== undefined && collation !== column.collation
  const keepsIndexes = change.kind === 'possible' && change.keepsIndexes && !isCollatedAnew
  const builds = rewrites ? indexesOf(run, table.id) : rebuilt(run, table, name, keepsIndexes)
  const keysScanned = foreignKeys(
    run,
    table,
    name,
    isRewritten,
    column === undefined || operatorsOf(schema, column.type) !== operatorsOf(schema, to),
  )
  const scans = rewrites || builds.length > 0 || hasCheckOn(run, table.id, name) ? rowsOf(run, table.id) : []
  lockIndexes(run, table.id, 'AccessExclusive')
  const numbers = column?.identity == null ? [] : ownedSequences(run, table.id, name)
  for (const sequence of numbers) run.lock(sequence, 'ShareRowExclusive')
  const what = said(run, table.id, name)
  run.part('change type', table.id, {
    column: name,
    ...(column === undefined ? {} : { from: shownType(column.type) }),
    to: shownType(to),
    rewrites: [...(rewrites ? rowsOf(run, table.id) : []), ...numbers.map((id) => relationOf(schema, id))],
    scans: distinct([...scans, ...keysScanned]),
    builds,
    old: mayBreak(`it takes ${what} for ${column === undefined ? 'what it was' : shownType(column.type)}`),
    new: mayBreak(`it takes ${what} for ${shownType(to)}`),
  })
  changeColumn(run, table.id, name, (one) => ({ ...one, type: to, collation }))
}

const distinct = (relations: Part['scans']): Part['scans'] => [
  ...new Map(relations.map((one) => [`${one.schema}\0${one.name}`, one])).values(),
]

/** Where nothing is written anew, an index stays if it compares as before, is plain and whole, and hangs on no partitioned table. */
function rebuilt(run: Run, table: Table, column: string, keepsIndexes: boolean): Part['builds'] {
  const { schema } = run
  const isStaying = (index: Index) =>
    keepsIndexes && index.isValid && index.predicate === null && !index.keys.includes(null) && index.parent === null
  return holders(schema, table.id).flatMap((id) =>
    schema
      .indexes(id)
      .filter((index) => index.uses.includes(column) && !isStaying(index))
      .map(({ name }) => ({ name, on: relationOf(schema, id) })),
  )
}

/** Keys on the column are made anew: both ends are locked, and read again unless the values stay and are compared as before. */
function foreignKeys(run: Run, table: Table, column: string, rewrites: boolean, isOtherwiseCompared: boolean): Part['scans'] {
  const scans: Part['scans'][number][] = []
  for (const id of family(run.schema, table.id)) {
    const concerned: readonly Constraint[] = [
      ...run.schema.constraints(id).filter((one) => one.kind === 'f' && one.columns.includes(column)),
      ...run.schema.referencing(id).filter((one) => one.otherColumns.includes(column)),
    ]
    for (const one of concerned) {
      lockEnds(run, one, 'AccessExclusive')
      if ((rewrites || isOtherwiseCompared) && one.isValid && one.isEnforced) scans.push(...scanEnds(run, one))
    }
  }
  return scans
}

function refuse(run: Run, table: Table, column: Column, { to, change, hasUsing }: Meant): void {
  const { schema } = run
  const what = said(run, table.id, column.name)
  const used = (by: string, sqlstate = '0A000') => run.fail(sqlstate, `${what} is used by ${by}, and its type cannot change under that`)
  if (column.isInherited) run.fail('42P16', `${what} is inherited and changes only with that of the parent`)
  if (isInKey(run, table.id, column.name)) run.fail('42P16', `${what} decides which partition has a row`)
  if (change.kind === 'impossible')
    run.fail('42804', `${shownType(column.type)} does not become ${shownType(to)} by itself, and nothing says how (USING)`)
  if (column.default !== null && column.generated === null && !isDefaultStorable(run, column, to))
    run.fail('42804', `the default of ${what} does not become ${shownType(to)} by itself`)
  if (hasUsing && column.generated !== null) run.fail('42611', `${what} is computed, so USING cannot be said`)
  for (const id of family(schema, table.id)) {
    for (const one of schema.dependents(id))
      if (one.column === column.name && one.kind !== 'statistics' && one.kind !== 'default')
        used(`the ${one.kind} ${one.name}`, one.kind === 'generated column' && schema.version < 150000 ? '42601' : '0A000')
    for (const one of schema.triggers(id)) if (one.uses.includes(column.name)) used(`the trigger ${one.name}`)
    for (const one of schema.policies(id)) if (one.uses.includes(column.name)) used(`the policy ${one.name}`)
  }
  for (const publication of schema.publications())
    for (const one of publication.tables)
      if (one.table === table.id && one.uses.includes(column.name)) used(`the condition of publication ${publication.name}`)
  refuseRowUsers(run, table)
}

/** A literal carries the type that it was stored as; what else a default may be is taken to fit. */
function isDefaultStorable(run: Run, column: Column, to: SqlType): boolean {
  if (column.default === null || !/^'(?:[^']|'')*'::[^:()]+(\(\d+(,\d+)?\))?$/.test(column.default)) return true
  return isStorable(run.schema, column.type, to)
}
