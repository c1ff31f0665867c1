import type { InsertStmt, MergeStmt, Node, RangeVar } from 'libpg-query'
import type { WriteEvent } from '../../../database/reactions.ts'
import { tableOf, type Table } from '../names.ts'
import { walk } from '../walk.ts'

/** What a statement writes, and where. */
export type Write = {
  readonly table: Table
  readonly event: WriteEvent
  /** Those that an UPDATE sets or an INSERT gives a value; null when that is not known. */
  readonly columns: readonly string[] | null
  /** Whether `DEFAULT` stands for a value. */
  readonly withDefaults: boolean
  /** Not of `ONLY …`. */
  readonly withHeirs: boolean
  readonly withReferring: boolean
  /** Triggers for each statement fire for the table that it names, those for each row wherever rows are. */
  readonly isNamed: boolean
  /** Of rows that an UPDATE of the whole table moves to another partition; their foreign keys see the UPDATE. */
  readonly isMoved: boolean
}

export function writesIn(node: Node): readonly Write[] {
  const withDefaults = walk(node).some((part) => 'SetToDefault' in part)
  const write = (relation: RangeVar | undefined, event: WriteEvent, columns: readonly string[] | null = null): Write => ({
    table: tableOf(relation),
    event,
    columns,
    withDefaults,
    withHeirs: relation?.inh === true,
    withReferring: false,
    isNamed: true,
    isMoved: false,
  })
  if ('InsertStmt' in node) {
    const { relation, onConflictClause } = node.InsertStmt
    const overwrites = onConflictClause?.action === 'ONCONFLICT_UPDATE'
    return [
      write(relation, 'INSERT', filledBy(node.InsertStmt)),
      ...(overwrites ? [write(relation, 'UPDATE', targets(onConflictClause.targetList))] : []),
    ]
  }
  if ('UpdateStmt' in node) return [write(node.UpdateStmt.relation, 'UPDATE', targets(node.UpdateStmt.targetList))]
  if ('DeleteStmt' in node) return [write(node.DeleteStmt.relation, 'DELETE')]
  if ('MergeStmt' in node) return mergeWrites(node.MergeStmt).map(([event, columns]) => write(node.MergeStmt.relation, event, columns))
  if ('CopyStmt' in node) {
    const { is_from: isFrom, relation, attlist } = node.CopyStmt
    return isFrom === true ? [write(relation, 'INSERT', attlist === undefined ? null : names(attlist))] : []
  }
  if ('TruncateStmt' in node) {
    const { relations = [], behavior } = node.TruncateStmt
    return relations.flatMap((item) =>
      'RangeVar' in item ? [{ ...write(item.RangeVar, 'TRUNCATE'), withReferring: behavior === 'DROP_CASCADE' }] : [],
    )
  }
  return []
}

const targets = (list: readonly Node[] | undefined): readonly string[] =>
  (list ?? []).flatMap((item) => ('ResTarget' in item ? [item.ResTarget.name ?? ''] : []))

const names = (list: readonly Node[]): readonly string[] => list.flatMap((item) => ('String' in item ? [item.String.sval ?? ''] : []))

/** Without a list the values may be fewer than the columns. */
function filledBy({ cols, selectStmt }: InsertStmt): readonly string[] | null {
  if (selectStmt === undefined) return [] // DEFAULT VALUES
  return cols === undefined ? null : targets(cols)
}

function mergeWrites({ mergeWhenClauses = [] }: MergeStmt): readonly (readonly [WriteEvent, readonly string[] | null])[] {
  const clauses = mergeWhenClauses.flatMap((item) => ('MergeWhenClause' in item ? [item.MergeWhenClause] : []))
  return (['INSERT', 'UPDATE', 'DELETE'] as const).flatMap((event) => {
    const its = clauses.filter(({ commandType }) => commandType === `CMD_${event}`)
    if (its.length === 0) return []
    // of several INSERTs each may leave another column to its default
    const columns = event === 'INSERT' ? (its.length === 1 && its[0]?.targetList !== undefined ? targets(its[0].targetList) : null) : null
    return [[event, event === 'UPDATE' ? its.flatMap(({ targetList }) => targets(targetList)) : columns] as const]
  })
}
