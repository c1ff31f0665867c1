import type { DropStmt, Node, RenameStmt } from 'libpg-query'
import { plain, type Effect } from './effect.ts'
import { inVerb, objectName, partsOf, relationName, tableOf, type Table } from './names.ts'

export function dropObjects({ objects = [], removeType, concurrent, behavior }: DropStmt): readonly Effect[] {
  const kind = removeType?.replace('OBJECT_', '').toLowerCase() ?? 'object'
  return objects.map((item) => {
    const name = objectName(item)
    if (kind === 'table')
      return {
        class: 'breaking',
        verb: 'drops table %',
        subject: name,
        tables: [namedTable(item)],
        finding: `table ${name} is dropped with its rows`,
      }
    if (kind === 'schema')
      return {
        ...plain('breaking', 'drops schema %', name),
        finding: `schema ${name} is dropped${behavior === 'DROP_CASCADE' ? ' with every table in it' : ''}`,
      }
    if (kind === 'index') return plain('transformative', `drops index %${concurrent === true ? ', concurrently' : ''}`, name)
    const words = { matview: 'materialized view', foreign_table: 'foreign table', tabconstraint: 'constraint' }[kind] ?? kind
    return plain(kind === 'trigger' || kind === 'policy' || kind === 'rule' ? 'transformative' : 'breaking', `drops ${words} %`, name)
  })
}

function namedTable(item: Node): Table {
  const [name = '', schema] = 'List' in item ? partsOf(item.List.items).toReversed() : []
  return { schema: schema ?? null, name }
}

export function rename({ renameType, relation, object, subname = '', newname = '' }: RenameStmt): Effect {
  const table = relationName(relation)
  switch (renameType) {
    case 'OBJECT_COLUMN':
      return {
        class: 'breaking',
        verb: `renames % to ${inVerb(newname)}`,
        subject: `${table}.${subname}`,
        tables: [tableOf(relation)],
        onTable: true,
      }
    case 'OBJECT_TABLE':
      return {
        class: 'breaking',
        verb: `renames table % to ${inVerb(newname)}`,
        subject: table,
        tables: [tableOf(relation)],
        onTable: true,
      }
    case 'OBJECT_INDEX':
      return plain('additive', `renames index % to ${inVerb(newname)}`, table)
    case 'OBJECT_TABCONSTRAINT':
      return { class: 'additive', verb: `renames constraint ${inVerb(subname)} of %`, subject: table, tables: [tableOf(relation)] }
    default: {
      const kind = renameType?.replace('OBJECT_', '').toLowerCase() ?? 'object'
      return plain('breaking', `renames ${kind} % to ${inVerb(newname)}`, object === undefined ? table : objectName(object))
    }
  }
}
