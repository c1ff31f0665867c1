import type { AlterTableCmd, PartitionBoundSpec, RangeVar } from 'libpg-query'
import { tableOf } from '../../effects/names.ts'
import type { Part } from '../model/forecast.ts'
import { breaks, mayBreak, rowsOf, said, WORKS, type Run } from '../run/run.ts'
import type { Index, Table } from '../schema/model.ts'
import { family, holders, relationOf, tableNamed } from '../schema/resolve.ts'
import { scanEnds } from './foreign-keys.ts'
import { sameType } from '../types/type.ts'
import { isImplied } from './implied.ts'
import { freeName, putConstraint, putIndex } from '../changes/put.ts'

export function alterPartition(run: Run, table: Table, { subtype, def }: AlterTableCmd): void {
  const command = def !== undefined && 'PartitionCmd' in def ? def.PartitionCmd : undefined
  const relation = command?.name ?? (def !== undefined && 'RangeVar' in def ? def.RangeVar : undefined)
  const other = named(run, relation)
  if (other === undefined) return
  switch (subtype) {
    case 'AT_AttachPartition':
      return attach(run, table, other, command?.bound)
    case 'AT_DetachPartition':
      return detach(run, table, other, command?.concurrent === true)
    case 'AT_DetachPartitionFinalize':
      run.lock(other.id, 'AccessExclusive')
      return leave(run, table, other)
    case 'AT_AddInherit':
      run.lock(other.id, 'ShareUpdateExclusive')
      refuseColumns(run, other, table, false)
      run.schema.change.putTable({ ...current(run, table), parents: [...current(run, table).parents, other.id] })
      return run.part('attach partition', other.id, {
        other: relationOf(run.schema, table.id),
        old: mayBreak(`it finds the rows of ${said(run, table.id)} in ${said(run, other.id)} as well`),
      })
    default:
      run.lock(other.id, 'AccessShare')
      run.schema.change.putTable({ ...current(run, table), parents: current(run, table).parents.filter((id) => id !== other.id) })
      return run.part('detach partition', other.id, {
        other: relationOf(run.schema, table.id),
        old: breaks(`it no longer finds the rows of ${said(run, table.id)} in ${said(run, other.id)}`),
      })
  }
}

function named(run: Run, relation: RangeVar | undefined): Table | undefined {
  const found = tableNamed(run.schema, tableOf(relation))
  if (found === undefined) run.fail('42P01', `there is no table ${relation?.relname ?? ''}`)
  return found
}

/** Every column of the parent; a partition has no others. */
function refuseColumns(run: Run, parent: Table, child: Table, isPartition: boolean): void {
  if (parent.isAssumed || child.isAssumed) return
  const own = new Map(current(run, child).columns.map((column) => [column.name, column]))
  for (const column of current(run, parent).columns) {
    const found = own.get(column.name)
    if (found === undefined || !sameType(found.type, column.type))
      run.fail('42804', `${said(run, child.id)} has no column ${column.name} like that of ${said(run, parent.id)}`)
    own.delete(column.name)
  }
  const [extra] = own.keys()
  if (isPartition && extra !== undefined) run.fail('42804', `${said(run, child.id, extra)} is not in ${said(run, parent.id)}`)
}

const current = (run: Run, table: Table): Table => run.schema.table(table.id) ?? table

function attach(run: Run, parent: Table, child: Table, bound: PartitionBoundSpec | undefined): void {
  const { schema } = run
  if (parent.kind !== 'p') {
    if (!parent.isAssumed) run.fail('42809', `${said(run, parent.id)} is not partitioned`)
  }
  if (child.isPartition) run.fail('42809', `${said(run, child.id)} is a partition already`)
  refuseColumns(run, parent, child, true)
  run.lockFamily(child.id, 'AccessExclusive')
  const scans: Part['scans'][number][] =
    bound !== undefined && isImplied(run, parent, child, bound, 'inside') ? [] : [...rowsOf(run, child.id)]
  scans.push(...meetDefault(run, parent, bound))
  const builds = missingIndexes(run, parent, child)
  if (builds.length > 0) scans.push(...rowsOf(run, child.id))
  scans.push(...meetKeys(run, parent, child))
  join(run, parent, child, bound)
  run.part('attach partition', parent.id, { other: relationOf(schema, child.id), scans: distinct(scans), builds })
}

const distinct = (relations: Part['scans']): Part['scans'] => [
  ...new Map(relations.map((one) => [`${one.schema}\0${one.name}`, one])).values(),
]

/** Its rows must not belong to the new partition. */
export function meetDefault(run: Run, parent: Table, bound: PartitionBoundSpec | undefined): Part['scans'] {
  const fallback = run.schema.fallback(parent.id)
  const found = fallback === undefined ? undefined : run.schema.table(fallback)
  if (found === undefined) return []
  run.lockFamily(found.id, 'AccessExclusive')
  return bound !== undefined && isImplied(run, parent, found, bound, 'outside') ? [] : rowsOf(run, found.id)
}

/** Foreign keys from and to the partitioned table concern the partition from now on. */
export function meetKeys(run: Run, parent: Table, child: Table | null): Part['scans'] {
  const { schema } = run
  const scans: Part['scans'][number][] = []
  const own = schema.constraints(parent.id).filter(({ kind, name }) => kind === 'f' && name !== '')
  for (const one of own) {
    if (one.other !== null) run.lockFamily(one.other, 'ShareRowExclusive')
    if (child !== null && one.isEnforced) scans.push(...scanEnds(run, { table: child.id, other: one.other }))
  }
  for (const one of schema.referencing(parent.id)) {
    run.lockFamily(one.table, 'ShareRowExclusive')
    if (child !== null) scans.push(...rowsOf(run, one.table))
  }
  return scans
}

/** Those of the parent that the new partition has none like. */
function missingIndexes(run: Run, parent: Table, child: Table): Part['builds'] {
  const { schema } = run
  const builds: Part['builds'][number][] = []
  for (const index of schema.indexes(parent.id)) {
    const like = schema.indexes(child.id).find((one) => one.parent === null && isLike(one, index))
    if (like !== undefined) {
      run.lock(like.id, 'AccessExclusive')
      schema.change.putIndex({ ...like, parent: index.id })
    } else {
      builds.push(...holders(schema, child.id).map((id) => ({ name: null, on: relationOf(schema, id) })))
      const base = `${child.name}_${index.uses.join('_')}_${index.isPrimary ? 'pkey' : 'idx'}`
      const made = putIndex(run, child, { ...index, name: freeName(run, child.schema, base), schema: child.schema, parent: index.id })
      const constraint = schema.constraints(parent.id).find((one) => one.index === index.id && /[pux]/.test(one.kind))
      if (constraint !== undefined) putConstraint(run, child.id, { ...constraint, index: made, parent: constraint.id, isInherited: true })
    }
  }
  return builds
}

const isLike = (one: Index, other: Index): boolean =>
  one.isValid &&
  one.method === other.method &&
  one.isUnique === other.isUnique &&
  one.predicate === other.predicate &&
  one.keys.length === other.keys.length &&
  one.keys.every((key, at) => key !== null && key === other.keys[at])

function join(run: Run, parent: Table, child: Table, bound: PartitionBoundSpec | undefined): void {
  const { schema } = run
  const now = current(run, child)
  schema.change.putTable({
    ...now,
    parents: [...now.parents, parent.id],
    isPartition: true,
    bound: bound?.is_default === true ? 'DEFAULT' : '',
  })
  inheritKeys(run, parent, child)
}

/** What the partitioned table refers to, its partitions refer to by constraints of their own. */
export function inheritKeys(run: Run, parent: Table, child: Table): void {
  const { schema } = run
  for (const one of schema.constraints(parent.id))
    if (one.kind === 'f' && one.name !== '')
      for (const id of family(schema, child.id)) putConstraint(run, id, { ...one, parent: one.id, isInherited: true })
  for (const one of schema.referencing(parent.id).filter(({ parent: of }) => of === null))
    for (const id of family(schema, child.id)) putConstraint(run, one.table, { ...one, name: '', other: id, parent: one.id })
}

function detach(run: Run, parent: Table, child: Table, isConcurrent: boolean): void {
  const fallback = run.schema.fallback(parent.id)
  if (isConcurrent && fallback !== undefined)
    run.fail('55000', `${said(run, parent.id)} has a default partition, so nothing is detached from it concurrently`)
  if (!child.parents.includes(parent.id) && !child.isAssumed)
    run.fail('42P01', `${said(run, child.id)} is not a partition of ${said(run, parent.id)}`)
  run.lockFamily(child.id, 'AccessExclusive')
  if (fallback !== undefined && !isConcurrent) run.lockFamily(fallback, 'AccessExclusive')
  leave(run, parent, child)
}

function leave(run: Run, parent: Table, child: Table): void {
  const { schema } = run
  for (const one of schema.constraints(parent.id))
    if (one.kind === 'f' && one.other !== null) run.lockFamily(one.other, 'ShareRowExclusive')
  const scans: Part['scans'][number][] = []
  for (const one of schema.referencing(parent.id)) {
    run.lockFamily(one.table, 'AccessExclusive')
    scans.push(...rowsOf(run, one.table))
  }
  for (const index of schema.indexes(child.id)) run.lock(index.id, 'AccessExclusive')
  const isNew = child.isNew
  run.part('detach partition', parent.id, {
    other: relationOf(schema, child.id),
    scans: distinct(scans),
    old: isNew ? WORKS : breaks(`it no longer finds the rows of ${said(run, child.id)} in ${said(run, parent.id)}`),
  })
  schema.change.putTable({
    ...current(run, child),
    parents: current(run, child).parents.filter((id) => id !== parent.id),
    isPartition: false,
    bound: null,
  })
  for (const id of family(schema, child.id)) {
    for (const one of schema.constraints(id))
      if (one.parent !== null) schema.change.putConstraint({ ...one, parent: null, isInherited: false })
    for (const one of schema.referencing(id)) if (one.parent !== null) schema.change.dropConstraint(one.table, one.id)
    for (const index of schema.indexes(id)) if (index.parent !== null) schema.change.putIndex({ ...index, parent: null })
  }
}
