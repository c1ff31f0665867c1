import type { Node } from 'libpg-query'
import { isOn } from './effects/walk.ts'

/** BEGIN, COMMIT, SAVEPOINT and the like. */
export const isTransactionStatement = (node: Node): boolean => 'TransactionStmt' in node

/** COMMIT and its kin: what was done before stays, whatever comes after. */
export const isCommit = (node: Node): boolean =>
  'TransactionStmt' in node && ['TRANS_STMT_COMMIT', 'TRANS_STMT_PREPARE'].includes(node.TransactionStmt.kind ?? '')

/** The statement cannot run inside a transaction, so it must be alone in its file. */
export function standsAlone(node: Node): boolean {
  if ('ReindexStmt' in node)
    return isConcurrent(node) || !['REINDEX_OBJECT_INDEX', 'REINDEX_OBJECT_TABLE'].includes(node.ReindexStmt.kind ?? '')
  if ('ClusterStmt' in node) return node.ClusterStmt.relation === undefined
  if ('DiscardStmt' in node) return node.DiscardStmt.target === 'DISCARD_ALL'
  // ANALYZE has the same node, and may stand beside others
  if ('VacuumStmt' in node) return node.VacuumStmt.is_vacuumcmd === true
  return isConcurrent(node) || ALONE.some((kind) => kind in node)
}

const ALONE = ['CreatedbStmt', 'DropdbStmt', 'CreateTableSpaceStmt', 'DropTableSpaceStmt', 'AlterSystemStmt']

/**
 * Alone in its file it may work in several transactions, or outside of any: beside what cannot run in one these are ANALYZE of several
 * tables, CLUSTER and REINDEX of a partitioned one, and subscriptions, which change another server as well.
 */
export const worksInSeveral = (node: Node): boolean => standsAlone(node) || SEVERAL.some((kind) => kind in node)

const SEVERAL = [
  'VacuumStmt',
  'ClusterStmt',
  'ReindexStmt',
  'CreateSubscriptionStmt',
  'AlterSubscriptionStmt',
  'DropSubscriptionStmt',
  'AlterDatabaseStmt',
]

/** `… CONCURRENTLY`: it waits for older transactions, and what it leaves when it fails is half of its own work. */
export function isConcurrent(node: Node): boolean {
  if ('IndexStmt' in node) return node.IndexStmt.concurrent === true
  if ('DropStmt' in node) return node.DropStmt.concurrent === true
  if ('ReindexStmt' in node) return isOn(node.ReindexStmt.params, 'concurrently')
  if ('AlterTableStmt' in node)
    return (node.AlterTableStmt.cmds ?? []).some((item) => {
      const def = 'AlterTableCmd' in item ? item.AlterTableCmd.def : undefined
      return def !== undefined && 'PartitionCmd' in def && def.PartitionCmd.concurrent === true
    })
  return false
}
