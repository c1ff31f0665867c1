import type { DropStmt, Node, RenameStmt } from 'libpg-query'
import { plainText } from '../../lib/text/quoted.ts'
import { plain, type Effect } from './effect.ts'
import { objectKind } from './statement-names.ts'
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
    const taken = takenWith(kind, name, behavior === 'DROP_CASCADE')
    return {
      ...plain(
        kind === 'trigger' || kind === 'policy' || kind === 'rule' ? 'transformative' : 'breaking',
        `drops ${name === '' ? 'a ' : ''}${objectKind(kind)}${name === '' ? '%' : ' %'}`,
        name,
      ),
      ...(taken === null ? {} : { finding: taken }),
    }
  })
}

/** What goes with an object that holds no rows itself. */
function takenWith(kind: string, name: string, isCascade: boolean): string | null {
  if (kind === 'extension' && !isCascade) return `extension ${name} is dropped with the tables that belong to it`
  const uses = USED_BY[kind]
  return !isCascade || uses === undefined ? null : `${uses} ${objectKind(kind)} ${name} are dropped with it (CASCADE), with what they hold`
}

const USED_BY: Readonly<Record<string, string>> = {
  type: 'columns of',
  domain: 'columns of',
  collation: 'columns that use',
  function: 'generated columns that call',
  routine: 'generated columns that call',
  operator: 'generated columns that use',
  extension: 'the tables that belong to it and columns that use',
  language: 'functions, and generated columns that call them, of',
  opclass: 'indexes that use',
  opfamily: 'indexes that use',
  access_method: 'tables of',
  foreign_server: 'foreign tables of',
  fdw: 'foreign tables of',
}

function namedTable(item: Node): Table {
  const [name = '', schema] = 'List' in item ? partsOf(item.List.items).toReversed() : []
  return { schema: schema ?? null, name }
}

const renamed = (from: string, to: string) =>
  `${from} becomes ${plainText(to, 80)}: whatever still uses the old name fails, the running application too`

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
        finding: renamed(`${table}.${subname}`, newname),
      }
    case 'OBJECT_TABLE':
      return {
        class: 'breaking',
        verb: `renames table % to ${inVerb(newname)}`,
        subject: table,
        tables: [tableOf(relation)],
        onTable: true,
        finding: renamed(table, newname),
      }
    case 'OBJECT_INDEX':
      return plain('additive', `renames index % to ${inVerb(newname)}`, table)
    case 'OBJECT_TABCONSTRAINT':
      return { class: 'additive', verb: `renames constraint ${inVerb(subname)} of %`, subject: table, tables: [tableOf(relation)] }
    default: {
      const kind = renameType?.replace('OBJECT_', '').toLowerCase() ?? 'object'
      return plain('breaking', `renames ${objectKind(kind)} % to ${inVerb(newname)}`, object === undefined ? table : objectName(object))
    }
  }
}
