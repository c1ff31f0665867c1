import type { Node, RangeVar } from 'libpg-query'
import type { TableSize } from '../database/sizes.ts'
import type { Effect, MigrationClass } from './effects/effect.ts'
import type { Table } from './effects/names.ts'
import { readScript } from './parse.ts'

/** Which tables a plan creates: what is done to those concerns no rows and no users. In doubt a table counts as an old one. */
export type CreatedTables = {
  /** To be told of every statement before its effects. */
  readonly passing: (node: Node, text: string) => void
  readonly learn: (effect: Effect) => void
  readonly isNew: (table: Table, kind: MigrationClass) => boolean
  /** Whether a table was known as new at this moment. */
  readonly snapshot: () => (table: Table) => boolean
}

export function createdTables({ sizes, schema }: { readonly sizes: readonly TableSize[]; readonly schema: string }): CreatedTables {
  const created = new Map<string, Effect['createsTable']>()
  let isPathKnown = true
  const keyOf = (table: Table) => JSON.stringify([table.schema ?? schema, table.name])
  /** Where a name without a schema leads is not certain for temporary tables and once the search path was set. */
  const isThere = (table: Table) =>
    sizes.some(
      (size) =>
        size.name === table.name &&
        (table.schema === null && (table.isTemporary === true || !isPathKnown) ? true : size.schema === (table.schema ?? schema)),
    )
  const isNew = (table: Table, kind: MigrationClass) => {
    const how = created.get(keyOf(table))
    if (how === undefined || (!isPathKnown && isThere(table))) return false
    return how === 'surely' || kind !== 'breaking'
  }
  return {
    passing: (node, text) => {
      if (/search_path/i.test(text) || ('VariableSetStmt' in node && node.VariableSetStmt.name === 'search_path')) isPathKnown = false
    },
    learn: ({ createsTable, tables: [table], ties = [] }) => {
      if (createsTable !== undefined && table !== undefined && !isThere(table) && !created.has(keyOf(table)))
        created.set(keyOf(table), createsTable)
      for (const tie of ties) if (!isNew(tie.through, 'breaking')) created.delete(keyOf(tie.table))
    },
    isNew,
    snapshot: () => {
      const before = new Set(created.keys())
      return (table) => before.has(keyOf(table))
    },
  }
}

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
