import type { ColumnDef } from 'libpg-query'
import { identifier } from '../../../database/session-facts.ts'
import type { Parser } from '../../effects/parser.ts'
import type { Part } from '../../rules/forecast.ts'
import type { Advice } from './advice.ts'
import { inBatches } from './columns.ts'
import { provenNotNull, type Place } from './constraints.ts'
import { fileName, relationSql } from './names.ts'
import { subcommandsOf } from './subcommands.ts'

/** A required column without a default: optional first, then filled, then required, in three releases. */
export function requiredLater(part: Part, sql: string, place: Place): Advice | null {
  const found = addedColumn(part, sql, place.parser)
  if (found === null || part.table === null) return null
  const { name, optional } = found
  return {
    text: 'In three releases: add it as optional, with code that fills it; fill the rows that are there, in batches; then require it. In the second file put the value of the old rows in place of the comment. A constant as DEFAULT would do as well, and at once',
    files: [
      { name: fileName('add', part.table.name, name), sql: `ALTER TABLE ${relationSql(part.table, place.schema)} ${optional};\n` },
      { name: fileName('fill', part.table.name, name), sql: filled(part, name, '/* the value */', place.schema) },
      ...provenNotNull(part.table, name, place.schema).files,
    ],
  }
}

/** A default that differs from row to row: for new rows only, then for those that are there. */
export function filledLater(part: Part, sql: string, place: Place): Advice | null {
  const found = addedColumn(part, sql, place.parser)
  if (found === null || part.table === null || found.value === null) return null
  const { name, optional, isRequired, value } = found
  const table = relationSql(part.table, place.schema)
  return {
    text: 'Add it without a default, which takes a moment, give new rows the default, and fill those that are there in batches',
    files: [
      {
        name: fileName('add', part.table.name, name),
        sql: `ALTER TABLE ${table} ${optional};\nALTER TABLE ${table} ALTER COLUMN ${identifier(name)} SET DEFAULT ${value};\n`,
      },
      { name: fileName('fill', part.table.name, name), sql: filled(part, name, value, place.schema) },
      ...(isRequired ? provenNotNull(part.table, name, place.schema).files : []),
    ],
  }
}

const filled = ({ table }: Part, name: string, value: string, schema: string): string =>
  table === null ? '' : inBatches(relationSql(table, schema), `${identifier(name)} = ${value}`, `${identifier(name)} IS NULL`)

type Added = {
  readonly name: string
  /** `ADD COLUMN "note" text`. */
  readonly optional: string
  readonly isRequired: boolean
  /** Of its DEFAULT, as it is written. */
  readonly value: string | null
}

/** Null where it has more than NOT NULL and DEFAULT, such as a key, which asks for a way of its own. */
function addedColumn(part: Part, sql: string, parser: Parser): Added | null {
  for (const { command, text } of subcommandsOf(sql, parser)) {
    if (command.subtype !== 'AT_AddColumn' || command.def === undefined || !('ColumnDef' in command.def)) continue
    const definition = command.def.ColumnDef
    if (definition.colname === undefined || definition.colname !== part.column) continue
    const kinds = kindsOf(definition)
    if (kinds.some((kind) => kind !== 'CONSTR_NOTNULL' && kind !== 'CONSTR_NULL' && kind !== 'CONSTR_DEFAULT')) return null
    const pieces = piecesOf(text, parser)
    return pieces === null ? null : { name: definition.colname, isRequired: kinds.includes('CONSTR_NOTNULL'), ...pieces }
  }
  return null
}

const kindsOf = ({ constraints }: ColumnDef): readonly string[] =>
  (constraints ?? []).flatMap((node) => ('Constraint' in node ? [node.Constraint.contype ?? ''] : []))

/** `ADD COLUMN "n" uuid NOT NULL DEFAULT f()` without its NOT NULL and DEFAULT, and what the default is. */
function piecesOf(text: string, parser: Parser): { readonly optional: string; readonly value: string | null } | null {
  const tokens = parser.tokens(text)
  const bytes = Buffer.from(text)
  let depth = 0
  const marks: { readonly kind: 'not null' | 'default'; readonly from: number; readonly to: number }[] = []
  for (const [at, token] of tokens.entries()) {
    if (token.text === '(' || token.text === '[') depth++
    if (token.text === ')' || token.text === ']') depth--
    if (depth > 0) continue
    const [word, next] = [token.text.toLowerCase(), tokens[at + 1]]
    if (word === 'default') marks.push({ kind: 'default', from: token.start, to: token.end })
    if (word === 'not' && next?.text.toLowerCase() === 'null') marks.push({ kind: 'not null', from: token.start, to: next.end })
  }
  const first = marks[0]
  if (first === undefined) return { optional: text, value: null }
  const at = marks.findIndex(({ kind }) => kind === 'default')
  const value = at === -1 ? null : bytes.toString('utf8', marks[at]?.to, marks[at + 1]?.from ?? bytes.length).trim()
  return { optional: bytes.toString('utf8', 0, first.from).trim(), value }
}
