import type { Node } from 'libpg-query'
import { partsOf, tableOf, type Table } from './effects/names.ts'
import { isConcurrent } from './transactions.ts'

/** What a statement with CONCURRENTLY works on in several transactions. Names are as the statement writes them. */
export type ConcurrentWork =
  /** `index` is null where the server chooses the name. */
  | { readonly kind: 'build'; readonly index: string | null; readonly table: Table }
  | { readonly kind: 'drop'; readonly index: Table }
  | { readonly kind: 'rebuild' }
  | { readonly kind: 'detach'; readonly table: Table; readonly partition: Table }

/** Null for a statement without CONCURRENTLY. */
export function concurrentWorkOf(node: Node): ConcurrentWork | null {
  if (!isConcurrent(node)) return null
  if ('IndexStmt' in node) return { kind: 'build', index: node.IndexStmt.idxname ?? null, table: tableOf(node.IndexStmt.relation) }
  if ('DropStmt' in node) {
    const [object] = node.DropStmt.objects ?? [] // the server takes only one
    const [name = '', schema = null] = (object !== undefined && 'List' in object ? partsOf(object.List.items) : []).toReversed()
    return { kind: 'drop', index: { schema, name } }
  }
  if (!('AlterTableStmt' in node)) return { kind: 'rebuild' }
  const partition = (node.AlterTableStmt.cmds ?? []).flatMap((item) => {
    const def = 'AlterTableCmd' in item ? item.AlterTableCmd.def : undefined
    return def !== undefined && 'PartitionCmd' in def ? [tableOf(def.PartitionCmd.name)] : []
  })[0]
  return { kind: 'detach', table: tableOf(node.AlterTableStmt.relation), partition: partition ?? { schema: null, name: '' } }
}
