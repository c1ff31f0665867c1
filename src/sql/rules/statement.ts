import type { Node } from 'libpg-query'
import { statementName } from '../effects/statement-names.ts'
import { alterTable } from './alter-table/alter-table.ts'
import { createIndex, dropIndexes, reindex } from './objects/indexes.ts'
import { rename } from './objects/renaming.ts'
import { createTable, dropRelations, truncate } from './objects/tables.ts'
import type { Run } from './run.ts'

/** What a statement does, and the schema as it leaves it. */
export function forecastStatement(run: Run, node: Node): void {
  if ('AlterTableStmt' in node) return alterTable(run, node.AlterTableStmt)
  if ('CreateStmt' in node) return createTable(run, node.CreateStmt)
  if ('IndexStmt' in node) return createIndex(run, node.IndexStmt)
  if ('DropStmt' in node) {
    const { removeType = '' } = node.DropStmt
    if (removeType === 'OBJECT_INDEX') return dropIndexes(run, node.DropStmt)
    if (/^OBJECT_(TABLE|VIEW|MATVIEW|SEQUENCE|FOREIGN_TABLE)$/.test(removeType)) return dropRelations(run, node.DropStmt)
  }
  if ('RenameStmt' in node) return rename(run, node.RenameStmt)
  if ('TruncateStmt' in node) return truncate(run, node.TruncateStmt)
  if ('ReindexStmt' in node) return reindex(run, node.ReindexStmt)
  const kind = Object.keys(node)[0] ?? ''
  run.dontKnow(`nobody here knows what ${statementName(kind)} does`)
}
