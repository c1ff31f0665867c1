import type { CopyStmt, InsertStmt, IntoClause, MergeStmt, Node, RangeVar } from 'libpg-query'
import { onRows, plain, type Effect } from './effect.ts'
import { relationName, tableOf } from './names.ts'

/** What a statement does to the rows that are there; undefined for one that does nothing to them by itself. */
export const rowEffects = (node: Node): readonly Effect[] | undefined => effectsOn(node)?.map(inCatalogue)

/** Written by hand, PostgreSQL's own tables keep no rule of theirs. A setting is what `pg_settings` shows. */
function inCatalogue(effect: Effect): Effect {
  const [table] = effect.tables
  if (table === undefined || table.name === 'pg_settings') return effect
  if (table.schema !== 'pg_catalog' && !(table.schema === null && table.name.startsWith('pg_'))) return effect
  return {
    ...effect,
    class: 'breaking',
    finding: `PostgreSQL's own table ${table.name} is written by hand: nothing checks that, and a mistake there makes tables unreadable`,
  }
}

function effectsOn(node: Node): readonly Effect[] | undefined {
  if ('UpdateStmt' in node) {
    const { relation, whereClause } = node.UpdateStmt
    // each row is there twice until it is vacuumed, and so are its entries in indexes
    const room = whereClause === undefined ? { room: { of: 'table', table: tableOf(relation), isSure: true } as const } : {}
    return [{ ...onRows('transformative', 'backfills %', relation), ...room }]
  }
  if ('InsertStmt' in node) return [insert(node.InsertStmt)]
  if ('DeleteStmt' in node) return [deletes(node.DeleteStmt.relation)]
  if ('MergeStmt' in node) return merge(node.MergeStmt)
  if ('CopyStmt' in node) return copy(node.CopyStmt)
  if ('TruncateStmt' in node) {
    const { relations = [], behavior } = node.TruncateStmt
    const others = behavior === 'DROP_CASCADE' ? ' and every table that refers to it' : ''
    return relations.flatMap((item) => {
      if (!('RangeVar' in item)) return []
      const empties = onRows('breaking', `empties %${others}`, item.RangeVar)
      return [{ ...empties, finding: `${empties.subject} is emptied${others === '' ? '' : ', and so is every table that refers to it'}` }]
    })
  }
  return undefined
}

function insert({ relation, onConflictClause }: InsertStmt): Effect {
  const overwrites = onConflictClause?.action === 'ONCONFLICT_UPDATE'
  return onRows('transformative', overwrites ? 'adds rows to % or overwrites them' : 'adds rows to %', relation)
}

function deletes(relation: RangeVar | undefined): Effect {
  return { ...onRows('breaking', 'deletes rows of %', relation), finding: `rows of ${relationName(relation)} are deleted` }
}

function merge({ relation, mergeWhenClauses = [] }: MergeStmt): readonly Effect[] {
  const isDeleting = mergeWhenClauses.some((item) => 'MergeWhenClause' in item && item.MergeWhenClause.commandType === 'CMD_DELETE')
  return [onRows('transformative', 'merges rows into %', relation), ...(isDeleting ? [deletes(relation)] : [])]
}

function copy({ relation, is_from: isFrom, is_program: isProgram, filename }: CopyStmt): readonly Effect[] {
  const program: Effect = {
    ...plain('unclear', 'runs % on the server of the database', 'a program'),
    finding: 'COPY runs a program on the server of the database, which may do anything there',
  }
  const file = plain('unclear', 'writes % on the server of the database', 'a file')
  return [
    ...(isProgram === true ? [program] : isFrom !== true && filename !== undefined ? [file] : []),
    ...(isFrom === true ? [onRows('transformative', 'adds rows to %', relation)] : []),
  ]
}

/** `SELECT … INTO` and `CREATE TABLE … AS`. */
export const createdBySelect = (
  into: IntoClause | undefined,
  createsTable: NonNullable<Effect['createsTable']> = 'surely',
): readonly Effect[] =>
  into === undefined
    ? []
    : [{ class: 'additive', verb: 'creates table %', subject: relationName(into.rel), tables: [tableOf(into.rel)], createsTable }]
