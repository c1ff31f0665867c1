import type { DropStmt, IndexStmt, Node, ReindexStmt, RenameStmt } from 'libpg-query'
import { callsIn } from '../../effects/calls.ts'
import { partsOf, tableOf } from '../../effects/names.ts'
import { isOn } from '../../effects/walk.ts'
import { freeName, putIndex, refuseWithoutKey, useRoutines } from '../changes/put.ts'
import { columnNamesIn } from '../rows/expressions.ts'
import { isUnusedYet, mayBreak, rowsOf, said, type Run } from '../run/run.ts'
import type { Id, Index, Table } from '../schema/model.ts'
import { family, holders, indexNamed, relationOf, tableNamed } from '../schema/resolve.ts'
import { dropIndex } from '../changes/dropping.ts'

export function createIndex(run: Run, node: IndexStmt): void {
  const { schema } = run
  const { relation, concurrent: isConcurrent, unique: isUnique, idxname, if_not_exists: isOptional } = node
  const table = tableNamed(schema, tableOf(relation))
  if (table === undefined) return run.fail('42P01', `there is no table ${relation?.relname ?? ''}`)
  const isOnly = relation?.inh !== true
  const reached = isOnly ? [table.id] : family(schema, table.id).filter((id) => id === table.id || schema.table(id)?.isPartition === true)
  for (const id of reached) run.lock(id, isConcurrent === true ? 'ShareUpdateExclusive' : 'Share')
  const rule = isConcurrent === true ? 'create index concurrently' : 'create index'
  if (idxname !== undefined && schema.byName(table.schema, idxname) !== undefined) {
    if (isOptional !== true) run.fail('42P07', `${idxname} is there already`)
    return run.part(rule, table.id, { name: idxname })
  }
  const keys = (node.indexParams ?? []).map(keyName)
  for (const key of keys)
    if (key !== null && !table.isAssumed && schema.table(table.id)?.columns.some(({ name }) => name === key) !== true)
      run.fail('42703', `${said(run, table.id)} has no column ${key}`)
  if (isConcurrent === true && table.kind === 'p' && !isOnly)
    run.fail('0A000', `${said(run, table.id)} is partitioned, whose index cannot be built concurrently`)
  refuseIndex(run, table, node)
  const building = isOnly && table.kind === 'p' ? [] : holders(schema, table.id).filter((id) => reached.includes(id))
  run.part(rule, table.id, {
    ...(idxname === undefined ? {} : { name: idxname }),
    scans: building.map((id) => relationOf(schema, id)),
    builds: building.map((id) => ({ name: id === table.id ? (idxname ?? null) : null, on: relationOf(schema, id) })),
    ...(isUnique === true && (node.nulls_not_distinct === true || !keys.some((key) => key !== null && isUnusedYet(table, key)))
      ? { old: mayBreak(`it may store rows that ${idxname ?? 'the unique index'} refuses`) }
      : {}),
  })
  put(run, node, table, reached)
  for (const id of reached) useRoutines(run, id, [node.indexParams, node.whereClause])
}

function refuseIndex(run: Run, table: Table, { unique: isUnique, indexParams = [], whereClause }: IndexStmt): void {
  const { schema } = run
  if (table.kind === 'v' || table.kind === 'S') run.fail('42809', `${said(run, table.id)} is no table`)
  if (isUnique === true) refuseWithoutKey(run, table, indexParams.map(keyName))
  for (const { name } of callsIn([indexParams, whereClause]))
    if (schema.routines(name).length > 0 && schema.routines(name).every(({ volatility }) => volatility !== 'i'))
      run.fail('42P17', `the function ${name} is not IMMUTABLE, and an index keeps only what never changes`)
}

const keyName = (item: Node): string | null => ('IndexElem' in item ? (item.IndexElem.name ?? null) : null)

function put(
  run: Run,
  { idxname, indexParams = [], indexIncludingParams = [], whereClause, unique, accessMethod = 'btree', relation }: IndexStmt,
  table: Table,
  reached: readonly Id[],
): void {
  const keys = indexParams.map(keyName)
  const uses = new Set([
    ...[...indexParams, ...indexIncludingParams].flatMap((item) => keyName(item) ?? [...columnNamesIn(item)]),
    ...columnNamesIn(whereClause),
  ])
  const isSpecial = indexParams.some(
    (item) =>
      'IndexElem' in item &&
      (item.IndexElem.opclass !== undefined || /DESC|FIRST/.test(`${item.IndexElem.ordering} ${item.IndexElem.nulls_ordering}`)),
  )
  let parent: Id | null = null
  for (const id of reached) {
    const own = run.schema.table(id)
    if (own === undefined) continue
    const base = `${own.name}_${keys.map((key) => key ?? 'expr').join('_')}_idx`
    const made: Id = putIndex(run, own, {
      name: id === table.id && idxname !== undefined ? idxname : freeName(run, own.schema, base),
      keys,
      uses: [...uses],
      method: accessMethod,
      isUnique: unique === true,
      predicate: whereClause === undefined ? null : '',
      isSpecial,
      parent,
      isValid: relation?.inh === true || table.kind !== 'p',
    })
    parent ??= made
  }
}

export function dropIndexes(run: Run, { objects = [], concurrent: isConcurrent, missing_ok: isOptional, behavior }: DropStmt): void {
  const { schema } = run
  for (const item of objects) {
    const [name = '', given = null] = 'List' in item ? partsOf(item.List.items).toReversed() : []
    const index = indexNamed(schema, { schema: given, name })
    const rule = isConcurrent === true ? 'drop index concurrently' : 'drop index'
    if (index === undefined) {
      if (isOptional !== true && schema.knows === 'everything') run.fail('42704', `there is no index ${name}`)
      if (schema.knows === 'nothing') run.part(rule, null, { name })
      continue
    }
    if (isConcurrent === true && schema.table(index.table)?.kind === 'p')
      run.fail('0A000', `${name} belongs to a partitioned table and cannot be dropped concurrently`)
    lockTables(run, index, isConcurrent === true ? 'ShareUpdateExclusive' : 'AccessExclusive')
    const constraint = schema.constraints(index.table).find((one) => one.index === index.id && /[pux]/.test(one.kind))
    if (constraint !== undefined)
      run.fail('2BP01', `the constraint ${constraint.name} of ${said(run, index.table)} needs the index ${name}`)
    for (const one of schema.referencing(index.table))
      if (one.index === index.id && behavior !== 'DROP_CASCADE')
        run.fail('2BP01', `the foreign key ${one.name} of ${said(run, one.table)} needs the index ${name}`)
    if (index.parent !== null) run.fail('2BP01', `the index ${name} belongs to that of the partitioned table`)
    run.part(rule, index.table, { name, isNew: index.isNew })
    if (isConcurrent === true) schema.change.dropIndex(index.id)
    else dropIndex(run, index)
  }
}

/** Its table, and the partitions of that. */
function lockTables(run: Run, index: Index, mode: 'AccessExclusive' | 'ShareUpdateExclusive'): void {
  for (const id of family(run.schema, index.table)) run.lock(id, mode)
  run.lock(index.id, mode)
}

export function reindex(run: Run, { kind, relation, name, params }: ReindexStmt): void {
  const { schema } = run
  const isConcurrent = isOn(params, 'concurrently')
  const [onTable, onIndex] = isConcurrent
    ? (['ShareUpdateExclusive', 'ShareUpdateExclusive'] as const)
    : (['Share', 'AccessExclusive'] as const)
  const rebuild = (table: Id, indexes: readonly Index[]) => {
    run.lock(table, onTable)
    for (const index of indexes) run.lock(index.id, onIndex)
    run.part('reindex', table, {
      scans: rowsOf(run, table).filter((one) => one.name === relationOf(schema, table).name),
      builds: indexes.map((index) => ({ name: index.name, on: relationOf(schema, table) })),
    })
  }
  if (kind === 'REINDEX_OBJECT_INDEX' || kind === 'REINDEX_OBJECT_TABLE') {
    const named = tableOf(relation)
    const index = kind === 'REINDEX_OBJECT_INDEX' ? indexNamed(schema, named) : undefined
    const table = kind === 'REINDEX_OBJECT_TABLE' ? tableNamed(schema, named) : index === undefined ? undefined : schema.table(index.table)
    if (table === undefined)
      return schema.knows === 'everything'
        ? run.fail('42P01', `there is no ${kind === 'REINDEX_OBJECT_INDEX' ? 'index' : 'table'} ${named.name}`)
        : run.part('reindex', null, { name: named.name })
    for (const id of family(schema, table.id)) {
      const own = schema.indexes(id)
      rebuild(id, index === undefined ? own : own.filter((one) => one.id === index.id || one.parent === index.id))
    }
    return
  }
  for (const table of schema.tables())
    if (kind !== 'REINDEX_OBJECT_SCHEMA' || table.schema === name)
      if (schema.indexes(table.id).length > 0) rebuild(table.id, schema.indexes(table.id))
}

/** ALTER INDEX … RENAME is content with less than ALTER TABLE ix RENAME. */
export function renameIndex(run: Run, index: Index, { renameType, newname = '' }: RenameStmt): void {
  run.lock(index.id, renameType === 'OBJECT_INDEX' ? 'ShareUpdateExclusive' : 'AccessExclusive')
  if (run.schema.byName(index.schema, newname) !== undefined) run.fail('42P07', `${newname} is there already`)
  run.part('rename index', index.table, { name: index.name, to: newname, isNew: index.isNew })
  run.schema.change.putIndex({ ...index, name: newname })
  for (const one of run.schema.constraints(index.table))
    if (one.index === index.id && /[pux]/.test(one.kind)) run.schema.change.putConstraint({ ...one, name: newname })
}
