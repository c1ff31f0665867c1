import type { Node } from 'libpg-query'
import type { Script } from './parse.ts'

/**
 * Whether PostgreSQL undoes the file as a whole when a statement of it fails, given an engine that sends it as one script: nothing in it
 * ends a transaction and nothing in it runs outside of one. A file that cannot be read counts as not undone.
 */
export const isOneTransaction = (script: Script): boolean =>
  script.kind === 'sql' && !script.statements.some((node) => isTransactionStatement(node) || mayCommit(node) || standsAlone(node))

/** The name of the index that a file builds concurrently, unqualified; null when it builds none or leaves the name to the server. */
export function concurrentIndexOf(script: Script): string | null {
  for (const node of script.kind === 'sql' ? script.statements : [])
    if ('IndexStmt' in node && isConcurrent(node)) return node.IndexStmt.idxname ?? null
  return null
}

/** BEGIN, COMMIT, SAVEPOINT and the like. */
export const isTransactionStatement = (node: Node): boolean => 'TransactionStmt' in node

/** A code block or procedure that stands alone in its file may end the transaction that it runs in; which procedure does is not known here. */
export function mayCommit(node: Node): boolean {
  if ('CallStmt' in node) return true
  if (!('DoStmt' in node)) return false
  return (node.DoStmt.args ?? []).some((item) => {
    const body = 'DefElem' in item && item.DefElem.defname === 'as' ? item.DefElem.arg : undefined
    return body !== undefined && 'String' in body && /\b(commit|rollback|call)\b/i.test(body.String.sval ?? '')
  })
}

/** The statement cannot run inside a transaction, so it must be alone in its file. */
export function standsAlone(node: Node): boolean {
  if ('ReindexStmt' in node)
    return isConcurrent(node) || !['REINDEX_OBJECT_INDEX', 'REINDEX_OBJECT_TABLE'].includes(node.ReindexStmt.kind ?? '')
  if ('ClusterStmt' in node) return node.ClusterStmt.relation === undefined
  if ('DiscardStmt' in node) return node.DiscardStmt.target === 'DISCARD_ALL'
  return isConcurrent(node) || ALONE.some((kind) => kind in node)
}

const ALONE = ['VacuumStmt', 'CreatedbStmt', 'DropdbStmt', 'CreateTableSpaceStmt', 'DropTableSpaceStmt', 'AlterSystemStmt']

/** `… CONCURRENTLY`: it waits for older transactions, and what it leaves when it fails is its own invalid index. */
export function isConcurrent(node: Node): boolean {
  if ('IndexStmt' in node) return node.IndexStmt.concurrent === true
  if ('DropStmt' in node) return node.DropStmt.concurrent === true
  if ('ReindexStmt' in node)
    return (node.ReindexStmt.params ?? []).some((item) => 'DefElem' in item && item.DefElem.defname === 'concurrently')
  if ('AlterTableStmt' in node)
    return (node.AlterTableStmt.cmds ?? []).some((item) => {
      const def = 'AlterTableCmd' in item ? item.AlterTableCmd.def : undefined
      return def !== undefined && 'PartitionCmd' in def && def.PartitionCmd.concurrent === true
    })
  return false
}
