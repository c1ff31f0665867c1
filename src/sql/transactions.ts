import type { DeclareCursorStmt, Node } from 'libpg-query'
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
  if ('AlterDatabaseStmt' in node)
    return (node.AlterDatabaseStmt.options ?? []).some((item) => 'DefElem' in item && item.DefElem.defname === 'tablespace')
  // it makes a slot on the other server, unless it is told not to
  if ('CreateSubscriptionStmt' in node)
    return ['connect', 'create_slot'].every(
      (name) => !hasOption(node.CreateSubscriptionStmt.options, name) || isOn(node.CreateSubscriptionStmt.options, name),
    )
  return isConcurrent(node) || ALONE.some((kind) => kind in node)
}

const hasOption = (options: readonly Node[] = [], name: string): boolean =>
  options.some((item) => 'DefElem' in item && item.DefElem.defname === name)

/** The first statement that PostgreSQL refuses outside of a transaction block (25P01), in a file that it gets as one script; -1 for none. */
export function outsideOfBlock(statements: readonly Node[]): number {
  let isInside = false
  for (const [at, node] of statements.entries()) {
    // beside others, these two are in the transaction that the script has anyway
    if (statements.length === 1 && ('LockStmt' in node || ('DeclareCursorStmt' in node && !isHeld(node.DeclareCursorStmt)))) return at
    if (!('TransactionStmt' in node)) continue
    const { kind, chain } = node.TransactionStmt
    if (!isInside && (chain === true || IN_BLOCK.has(kind ?? ''))) return at
    if (kind === 'TRANS_STMT_BEGIN' || kind === 'TRANS_STMT_START') isInside = true
    if (['TRANS_STMT_COMMIT', 'TRANS_STMT_ROLLBACK', 'TRANS_STMT_PREPARE'].includes(kind ?? '')) isInside = chain === true
  }
  return -1
}

/** Sent as one script, it ends the transaction that the script is. */
export function rollsBackOutsideOfBlock(statements: readonly Node[]): boolean {
  let isInside = false
  for (const node of statements) {
    if (!('TransactionStmt' in node)) continue
    const { kind } = node.TransactionStmt
    if (kind === 'TRANS_STMT_ROLLBACK' && !isInside) return true
    if (kind === 'TRANS_STMT_BEGIN' || kind === 'TRANS_STMT_START') isInside = true
    if (kind === 'TRANS_STMT_COMMIT' || kind === 'TRANS_STMT_ROLLBACK') isInside = false
  }
  return false
}

const IN_BLOCK: ReadonlySet<string> = new Set(['TRANS_STMT_SAVEPOINT', 'TRANS_STMT_RELEASE', 'TRANS_STMT_ROLLBACK_TO'])

/** Of PostgreSQL's cursor options: WITH HOLD. */
const CURSOR_OPT_HOLD = 0x20
const isHeld = ({ options = 0 }: DeclareCursorStmt): boolean => (options & CURSOR_OPT_HOLD) !== 0

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
