import type { CreateStmt, DropStmt, Node, RenameStmt, TruncateStmt } from 'libpg-query'
import { partsOf, tableOf } from '../../effects/names.ts'
import { constraintsIn } from '../../effects/alter-table.ts'
import { addConstraint } from '../alter-table/constraints.ts'
import { addSequence, columnOf } from '../alter-table/columns.ts'
import { inheritKeys, meetDefault, meetKeys } from '../alter-table/partitions.ts'
import { freeName, putIndex } from '../changes/put.ts'
import type { Part } from '../model/forecast.ts'
import { breaks, indexesOf, rowsOf, said, type Run } from '../run/run.ts'
import type { Column, Table } from '../schema/model.ts'
import { family, placeOf, relationOf, resolve, tableNamed } from '../schema/resolve.ts'
import { isSerial } from '../schema/types.ts'
import { dropping, dropRelation } from '../changes/dropping.ts'

export function createTable(run: Run, node: CreateStmt): void {
  const { schema } = run
  const { relation, tableElts = [], inhRelations = [], partspec, partbound, if_not_exists: isOptional } = node
  const isTemporary = relation?.relpersistence === 't'
  const place = placeOf(schema, tableOf(relation), isTemporary)
  const known = schema.byName(place.schema, place.name)
  if (known !== undefined) {
    if (isOptional !== true) run.fail('42P07', `${said(run, known)} is there already`)
    return run.part('create table', known)
  }
  if (!isTemporary && !schema.hasSchema(place.schema) && schema.knows === 'everything')
    run.fail('3F000', `there is no schema ${place.schema}`)
  const parents = inhRelations.flatMap((item) => ('RangeVar' in item ? parentOf(run, item.RangeVar) : []))
  const id = schema.newId()
  const own = columnsIn(run, tableElts)
  const inherited = parents.flatMap(({ columns }) => columns.map((column): Column => ({ ...column, isInherited: true })))
  const table: Table = {
    id,
    ...place,
    kind: partspec === undefined ? 'r' : 'p',
    persistence: isTemporary ? 't' : relation?.relpersistence === 'u' ? 'u' : 'p',
    owner: schema.role,
    mayHaveRows: false,
    parents: parents.map((one) => one.id),
    isPartition: partbound !== undefined,
    bound: partbound === undefined ? null : partbound.is_default === true ? 'DEFAULT' : '',
    partitioning: partspec === undefined ? null : { strategy: strategyOf(partspec.strategy), columns: keyOf(partspec.partParams ?? []) },
    rowSecurity: false,
    replicaIdentity: 'd',
    ownedBy: null,
    ofType: null,
    columns: [...new Map([...inherited, ...own].map((column) => [column.name, column])).values()],
    isNew: true,
    isAssumed: false,
  }
  const [parent] = parents
  const scans: Part['scans'][number][] = []
  if (parent !== undefined && partbound !== undefined) {
    run.lock(parent.id, 'AccessExclusive')
    scans.push(...meetDefault(run, parent, partbound))
    meetKeys(run, parent, null)
  } else for (const one of parents) run.lock(one.id, 'ShareUpdateExclusive')
  schema.change.putTable(table)
  if (parent !== undefined && partbound !== undefined) {
    inheritIndexes(run, parent, table)
    inheritKeys(run, parent, table)
  }
  const what = said(run, id)
  if (partbound === undefined) run.part('create table', id, { new: breaks(`it uses ${what}, which is not there before`) })
  else run.part('create partition', parent?.id ?? id, { other: relationOf(schema, id), scans })
  for (const item of tableElts) {
    if (
      'ColumnDef' in item &&
      (isSerial(item.ColumnDef.typeName) || own.some(({ name, identity }) => identity !== null && name === item.ColumnDef.colname))
    )
      addSequence(run, table, item.ColumnDef.colname ?? '')
    if ('ColumnDef' in item)
      for (const constraint of constraintsIn(item.ColumnDef.constraints ?? []).filter(({ contype = '' }) => OWN.has(contype)))
        addConstraint(run, table, { ...constraint, skip_validation: false }, { name: item.ColumnDef.colname ?? '', hasDefault: false })
    if ('Constraint' in item && OWN.has(item.Constraint.contype ?? ''))
      addConstraint(run, table, { ...item.Constraint, skip_validation: false }) // NOT VALID means nothing where there are no rows
  }
}

const OWN: ReadonlySet<string> = new Set(['CONSTR_PRIMARY', 'CONSTR_UNIQUE', 'CONSTR_EXCLUSION', 'CONSTR_CHECK', 'CONSTR_FOREIGN'])

function parentOf(run: Run, relation: Parameters<typeof tableOf>[0]): readonly Table[] {
  const found = tableNamed(run.schema, tableOf(relation))
  if (found === undefined) run.fail('42P01', `there is no table ${relation?.relname ?? ''}`)
  return found === undefined ? [] : [found]
}

/** LIKE is followed too. */
function columnsIn(run: Run, elements: readonly Node[]): readonly Column[] {
  return elements.flatMap((item) => {
    if ('ColumnDef' in item) return [columnOf(run, item.ColumnDef)]
    if (!('TableLikeClause' in item)) return []
    const like = tableNamed(run.schema, tableOf(item.TableLikeClause.relation))
    if (like === undefined) run.fail('42P01', `there is no table ${item.TableLikeClause.relation?.relname ?? ''}`)
    else run.lock(like.id, 'AccessShare')
    return (like?.columns ?? []).map((column) => ({
      ...column,
      default: null,
      identity: null,
      generated: null,
      isInherited: false,
      isNew: true,
    }))
  })
}

function inheritIndexes(run: Run, parent: Table, table: Table): void {
  for (const index of run.schema.indexes(parent.id)) {
    const base = `${table.name}_${index.uses.join('_')}_${index.isPrimary ? 'pkey' : 'idx'}`
    putIndex(run, table, { ...index, name: freeName(run, table.schema, base), schema: table.schema, parent: index.id })
  }
}

const strategyOf = (strategy: string | undefined): 'l' | 'r' | 'h' => {
  const letter = (strategy ?? '').replace('PARTITION_STRATEGY_', '').charAt(0).toLowerCase()
  return letter === 'l' || letter === 'h' ? letter : 'r'
}

const keyOf = (params: readonly Node[]): readonly string[] | null => {
  const names = params.map((item) => ('PartitionElem' in item ? item.PartitionElem.name : undefined))
  return names.every((name) => name !== undefined) ? names : null
}

/** DROP TABLE, VIEW, MATERIALIZED VIEW, SEQUENCE, FOREIGN TABLE. */
export function dropRelations(run: Run, { objects = [], removeType = 'OBJECT_TABLE', behavior, missing_ok: isOptional }: DropStmt): void {
  const { schema } = run
  const named = objects.map((item) => {
    const [name = '', given = null] = 'List' in item ? partsOf(item.List.items).toReversed() : []
    return { schema: given, name }
  })
  const how = dropping(
    behavior === 'DROP_CASCADE',
    named.flatMap((one) => resolve(schema, one) ?? []),
  )
  for (const one of named) {
    const id = resolve(schema, one)
    const table = id === undefined && schema.knows === 'nothing' ? tableNamed(schema, one) : id === undefined ? undefined : schema.table(id)
    if (table === undefined) {
      if (isOptional !== true) run.fail('42P01', `there is no ${removeType.replace('OBJECT_', '').toLowerCase()} ${one.name}`)
      continue
    }
    if (how.gone.has(table.id)) continue
    const what = said(run, table.id)
    const at = relationOf(schema, table.id)
    const kept = { isNew: table.isNew, table: at }
    const rows = table.kind === 'r' || table.kind === 'p' || table.kind === 'f'
    const before = how.lost.length
    dropRelation(run, table, how)
    const lost = [...(table.isNew ? [] : rows ? [`${at.schema}.${at.name} with all its rows`] : []), ...how.lost.slice(before)]
    run.part(rows ? 'drop table' : table.kind === 'S' ? 'drop sequence' : 'drop view', null, {
      ...kept,
      loses: lost,
      ...(table.isNew ? {} : { old: breaks(`it still uses ${what}`) }),
    })
  }
}

export function truncate(run: Run, { relations = [], behavior, restart_seqs: restarts }: TruncateStmt): void {
  const { schema } = run
  const reached = new Set(
    relations.flatMap((item) => {
      if (!('RangeVar' in item)) return []
      const isOnly = item.RangeVar.inh !== true
      return parentOf(run, item.RangeVar).flatMap(({ id }) => (isOnly ? [id] : [...family(schema, id)]))
    }),
  )
  for (const id of reached)
    for (const one of schema.referencing(id)) {
      if (reached.has(one.table)) continue
      if (behavior !== 'DROP_CASCADE')
        run.fail('0A000', `the foreign key ${one.name} of ${said(run, one.table)} refers to ${said(run, id)}`)
      for (const other of family(schema, one.table)) reached.add(other)
    }
  for (const id of reached) {
    run.lock(id, 'AccessExclusive')
    for (const index of schema.indexes(id)) run.lock(index.id, 'AccessExclusive')
    if (restarts === true) for (const sequence of schema.owned(id)) run.lock(sequence, 'AccessExclusive')
    const own = relationOf(schema, id)
    const restarted = restarts === true ? schema.owned(id).map((sequence) => relationOf(schema, sequence)) : []
    const isNew = schema.table(id)?.isNew === true
    run.part('truncate', id, {
      rewrites: [...rowsOf(run, id).filter((one) => one.name === own.name && one.schema === own.schema), ...restarted],
      builds: indexesOf(run, id).filter(({ on }) => on.name === own.name && on.schema === own.schema),
      loses: isNew ? [] : [`all rows of ${own.schema}.${own.name}`],
    })
    const now = schema.table(id)
    if (now !== undefined) schema.change.putTable({ ...now, mayHaveRows: false })
  }
}

export function renameTable(run: Run, table: Table, { newname = '' }: RenameStmt): void {
  run.lock(table.id, 'AccessExclusive')
  const what = said(run, table.id)
  if (run.schema.byName(table.schema, newname) !== undefined) run.fail('42P07', `${newname} is there already`)
  run.part('rename table', table.id, {
    name: newname,
    ...(table.isNew ? {} : { old: breaks(`it still uses ${what}`), new: breaks(`it uses ${newname}, which is not there before`) }),
  })
  run.schema.change.putTable({ ...(run.schema.table(table.id) ?? table), name: newname })
}
