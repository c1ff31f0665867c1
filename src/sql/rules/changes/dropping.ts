import type { Constraint, Dependent, Id, Index, Table } from '../schema/model.ts'
import { family } from '../schema/resolve.ts'
import { said, type Run } from '../run/run.ts'

/** What a drop finds in its way: it goes along (CASCADE), or the statement is refused. */
export type Dropping = {
  readonly isCascade: boolean
  /** Named by the same statement. */
  readonly together: ReadonlySet<Id>
  /** Gone with it, for `loses`. */
  readonly lost: string[]
  readonly gone: Set<Id>
}

export const dropping = (isCascade: boolean, together: readonly Id[] = []): Dropping => ({
  isCascade,
  together: new Set(together),
  lost: [],
  gone: new Set(),
})

/** Table, view, materialized view, foreign table or sequence, with what belongs to it. */
export function dropRelation(run: Run, table: Table, how: Dropping): void {
  const { schema } = run
  if (how.gone.has(table.id)) return
  how.gone.add(table.id)
  run.lock(table.id, 'AccessExclusive')
  if (table.isPartition) leaveParent(run, table)
  for (const child of schema.children(table.id)) {
    const one = schema.table(child)
    if (one === undefined) continue
    if (one.isPartition) dropRelation(run, one, how)
    else stands(run, how, `${said(run, child)} inherits from ${said(run, table.id)}`, () => dropRelation(run, one, how))
  }
  // what a partition has from its parent goes without a lock on the other end
  for (const constraint of schema.constraints(table.id))
    if (constraint.kind === 'f' && constraint.parent === null) dropConstraint(run, constraint, how)
  for (const constraint of schema.referencing(table.id).filter(({ table: from }) => !how.gone.has(from))) {
    const why = `the foreign key ${constraint.name} of ${said(run, constraint.table)} refers to ${said(run, table.id)}`
    if (how.together.has(constraint.table)) dropConstraint(run, constraint, how)
    else stands(run, how, why, () => dropConstraint(run, constraint, how))
  }
  dropDependents(run, schema.dependents(table.id), how, said(run, table.id))
  for (const index of schema.indexes(table.id)) run.lock(index.id, 'AccessExclusive')
  for (const column of new Set(schema.owned(table.id).map((id) => schema.table(id)?.ownedBy?.column ?? '')))
    dropSequences(run, table.id, column, how)
  for (const policy of schema.policies(table.id)) how.lost.push(`policy ${policy.name} of ${said(run, table.id)}`)
  unpublish(run, table.id)
  schema.change.dropTable(table.id)
}

/** Queries that are routed to it, and the rows of the default partition that may not be its own. */
function leaveParent(run: Run, table: Table): void {
  for (const parent of table.parents) {
    run.lock(parent, 'AccessExclusive')
    const fallback = run.schema.fallback(parent)
    if (fallback !== undefined && fallback !== table.id) run.lockFamily(fallback, 'AccessExclusive')
  }
}

export function dropColumn(run: Run, table: Id, column: string, how: Dropping): void {
  const { schema } = run
  const what = said(run, table, column)
  for (const constraint of schema.constraints(table)) if (constraint.columns.includes(column)) dropConstraint(run, constraint, how)
  for (const constraint of schema.referencing(table))
    if (constraint.otherColumns.includes(column))
      stands(run, how, `the foreign key ${constraint.name} of ${said(run, constraint.table)} refers to ${what}`, () =>
        dropConstraint(run, constraint, how),
      )
  for (const trigger of schema.triggers(table))
    if (trigger.uses.includes(column))
      stands(run, how, `the trigger ${trigger.name} uses ${what}`, () => schema.change.dropTrigger(table, trigger.name))
  for (const policy of schema.policies(table))
    if (policy.uses.includes(column))
      stands(run, how, `the policy ${policy.name} uses ${what}`, () => schema.change.dropPolicy(table, policy.name))
  for (const publication of schema.publications()) {
    const entry = publication.tables.find((one) => one.table === table)
    if (entry?.columns?.includes(column) === true || entry?.uses.includes(column) === true)
      stands(run, how, `the publication ${publication.name} names ${what}`, () => unpublish(run, table, publication.name))
  }
  dropDependents(
    run,
    schema.dependents(table).filter((one) => one.column === column),
    how,
    what,
  )
  for (const index of schema.indexes(table)) if (index.uses.includes(column)) dropIndex(run, index)
  dropSequences(run, table, column, how)
  for (const one of schema.dependents(table))
    if (one.relation === table && one.name === column && one.kind !== 'rule') schema.change.dropDependent(one)
  const now = schema.table(table)
  if (now !== undefined) schema.change.putTable({ ...now, columns: now.columns.filter(({ name }) => name !== column) })
}

export function dropIndex(run: Run, index: Index): void {
  run.lock(index.id, 'AccessExclusive')
  for (const child of childIndexes(run, index)) dropIndex(run, child)
  run.schema.change.dropIndex(index.id)
}

/** Those of the partitions. */
export const childIndexes = (run: Run, { id, table }: Index): readonly Index[] =>
  run.schema.children(table).flatMap((child) => run.schema.indexes(child).filter(({ parent }) => parent === id))

export function dropConstraint(run: Run, constraint: Constraint, how: Dropping): void {
  const { schema } = run
  if (!schema.constraints(constraint.table).some(({ id }) => id === constraint.id)) return
  schema.change.dropConstraint(constraint.table, constraint.id)
  if (constraint.kind === 'f' && constraint.other !== null) {
    run.lockFamily(constraint.table, 'AccessExclusive')
    run.lockFamily(constraint.other, 'AccessExclusive')
  }
  if (/[pux]/.test(constraint.kind) && constraint.index !== null) {
    for (const one of schema.referencing(constraint.table))
      if (one.index === constraint.index || (one.index === null && sameColumns(one.otherColumns, constraint.columns)))
        stands(run, how, `the foreign key ${one.name} of ${said(run, one.table)} needs ${constraint.name}`, () =>
          dropConstraint(run, one, how),
        )
    const index = schema.index(constraint.index)
    if (index !== undefined) dropIndex(run, index)
  }
  for (const child of schema.children(constraint.table))
    for (const one of schema.constraints(child)) if (isPartOf(one, constraint)) dropConstraint(run, one, how)
}

/** Checks of heirs are told by their name, the others by their parent. */
const isPartOf = (one: Constraint, parent: Constraint): boolean =>
  one.parent === parent.id || (/[cn]/.test(one.kind) && one.kind === parent.kind && one.name === parent.name && one.isInherited)

const sameColumns = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((name) => others.includes(name))

export function dropDependents(run: Run, dependents: readonly Dependent[], how: Dropping, what: string): void {
  for (const one of dependents) {
    const relation = one.relation === null ? undefined : run.schema.table(one.relation)
    if (relation !== undefined && (how.gone.has(relation.id) || (how.together.has(relation.id) && one.kind === 'view'))) continue
    if (one.kind === 'statistics') continue // goes along without a word
    const goesAlong = one.kind === 'generated column' && run.schema.version < 150000
    stands(run, goesAlong ? { ...how, isCascade: true } : how, `the ${one.kind} ${one.name} uses ${what}`, () => {
      if (one.kind === 'view' && relation !== undefined) {
        how.lost.push(`view ${said(run, relation.id)}`)
        dropRelation(run, relation, how)
      } else if (one.kind === 'generated column' && relation !== undefined) {
        how.lost.push(`${said(run, relation.id, one.name)} with what it holds`)
        dropColumn(run, relation.id, one.name, how)
      } else if (one.kind === 'default' && relation !== undefined) {
        run.lockFamily(relation.id, 'AccessExclusive')
        how.lost.push(`the default of ${said(run, relation.id, one.name)}`)
      } else how.lost.push(`${one.kind} ${one.name}`)
    })
  }
}

/** Needs CASCADE; goes on as if it was said, so that what follows is judged as it is meant. */
function stands(run: Run, how: Dropping, why: string, drop: () => void): void {
  if (!how.isCascade) run.fail('2BP01', why)
  drop()
}

function dropSequences(run: Run, table: Id, column: string, how: Dropping): void {
  for (const sequence of ownedSequences(run, table, column)) {
    run.lock(sequence, 'AccessExclusive')
    how.gone.add(sequence)
    run.schema.change.dropTable(sequence)
  }
}

/** Those that serial and identity made. */
export const ownedSequences = ({ schema }: Run, table: Id, column: string): readonly Id[] =>
  schema.owned(table).filter((id) => schema.table(id)?.ownedBy?.column === column)

export function unpublish(run: Run, table: Id, name?: string): void {
  for (const publication of run.schema.publications())
    if ((name === undefined || publication.name === name) && publication.tables.some((one) => one.table === table))
      run.schema.change.putPublication({ ...publication, tables: publication.tables.filter((one) => one.table !== table) })
}

export const lockIndexes = (run: Run, table: Id, mode: 'AccessExclusive' | 'AccessShare'): void => {
  for (const id of family(run.schema, table)) for (const index of run.schema.indexes(id)) run.lock(index.id, mode)
}
