import type { RangeVar } from 'libpg-query'
import { readScript } from './parse.ts'

/** Tables and views that a file creates without saying in which schema; none of a file that cannot be read. */
export async function createdNames(content: Buffer): Promise<readonly string[]> {
  const script = await readScript(content)
  if (script.kind !== 'sql') return []
  return script.statements.flatMap((node) => {
    if ('CreateStmt' in node) return nameOf(node.CreateStmt.relation)
    if ('CreateTableAsStmt' in node) return nameOf(node.CreateTableAsStmt.into?.rel)
    if ('ViewStmt' in node) return nameOf(node.ViewStmt.view)
    return []
  })
}

const nameOf = (relation: RangeVar | undefined): readonly string[] =>
  relation?.relname === undefined || relation.schemaname !== undefined || relation.relpersistence === 't' ? [] : [relation.relname]
