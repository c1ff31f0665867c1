import type { CreateFunctionStmt, DefElem, DoStmt, Node } from 'libpg-query'
import { plain, type Effect } from './effect.ts'
import type { Reactions } from '../../database/reactions.ts'
import { partsOf } from './names.ts'
import type { Parser } from './parser.ts'
import { walk } from './walk.ts'

/** What earlier statements of the plan have defined: whoever calls it later does what it does. */
export type Defined = {
  /** By name alone: of two with one name, each may be meant. */
  readonly routines: Map<string, readonly Routine[]>
  readonly prepared: Map<string, readonly Effect[]>
  /** What the database has already. */
  readonly existing: Reactions
}

/** Its effects are read when it is called, since it may call what is defined after it. */
type Routine = (read: Read) => readonly Effect[]

/** The effects of a statement inside of a body. */
export type Read = (node: Node) => readonly Effect[]

/** Keeps what a function or procedure does, for the statements that call it. `text` is the statement as it is written. */
export function defineRoutine(defined: Defined, parser: Parser, node: CreateFunctionStmt, text: string): void {
  const name = partsOf(node.funcname).at(-1) ?? ''
  const { sql_body: body, is_procedure: isProcedure } = node
  const about = { language: '', ...optionsOf(node.options), text, subject: `${isProcedure === true ? 'procedure' : 'function'} ${name}` }
  const routine: Routine = (read) => (body === undefined ? bodyEffects(parser, about, read) : statementsIn(body).flatMap(read))
  defined.routines.set(name, [...(defined.routines.get(name) ?? []), routine])
}

/** What a code block does. */
export const blockEffects = (parser: Parser, { args }: DoStmt, text: string, read: Read): readonly Effect[] =>
  bodyEffects(parser, { language: 'plpgsql', ...optionsOf(args), text, subject: 'a code block' }, read).map(perhaps)

// a table that a body creates may not be there when the body takes another way, and a setting neither
const perhaps = ({ createsTable: _createsTable, session, ...effect }: Effect): Effect =>
  session === undefined ? effect : { ...effect, session: 'isSure' in session ? { ...session, isSure: false } : session }

/** What the routines of this name do; undefined when the plan defines none. A routine that calls itself does not do more by that. */
export function callEffects(defined: Defined, name: string, read: (within: Defined) => Read): readonly Effect[] | undefined {
  const found = defined.routines.get(name)
  if (found === undefined) return undefined
  const within: Defined = { ...defined, routines: new Map([...defined.routines, [name, []]]) }
  return found.flatMap((routine) => routine(read(within))).map(perhaps)
}

/**
 * What routines of this name do that are in the database already; undefined when there are none. They may be replaced until the plan runs,
 * and a name may be of another schema, so what is read of them only adds to what nobody knows.
 */
export function existingEffects(
  defined: Defined,
  parser: Parser,
  name: string,
  read: (within: Defined) => Read,
): readonly Effect[] | undefined {
  const found = defined.existing.routines.filter((one) => one.name === name)
  if (found.length === 0) return undefined
  const within: Defined = { ...defined, routines: new Map([...defined.routines, [name, []]]) }
  return found.flatMap(({ text, language }) => {
    const subject = `function ${name}`
    if (text === null) return [plain('unclear', 'runs %', subject)]
    const [node] = parser.sql(text).flatMap((one) => ('CreateFunctionStmt' in one ? [one.CreateFunctionStmt] : []))
    const body = node?.sql_body
    if (body !== undefined) return statementsIn(body).flatMap(read(within)).map(perhaps)
    return bodyEffects(parser, { ...optionsOf(node?.options), language, text, subject }, read(within)).map(perhaps)
  })
}

type Body = { readonly language: string; readonly source: string; readonly text: string; readonly subject: string }

function bodyEffects(parser: Parser, body: Body, read: Read): readonly Effect[] {
  try {
    if (body.language === 'sql') return parser.sql(body.source).flatMap(read)
    if (body.language === 'plpgsql') return plpgsqlEffects(parser, body, read)
  } catch {
    // what the parsers cannot read, such as a variable of a table's type, is judged by its words
  }
  return [unread(body)]
}

function plpgsqlEffects(parser: Parser, body: Body, read: Read): readonly Effect[] {
  const parts = walk(parser.plpgsql(body.text))
  if (parts.length < 2) return [unread(body)]
  const put = parts.flatMap((part) => {
    const statement = part['PLpgSQL_stmt_dynexecute'] ?? part['PLpgSQL_stmt_dynfors']
    return expressionsIn(part['dynquery'] ?? (isRecord(statement) ? statement['query'] : undefined))
  })
  const fixed = parts.flatMap((part) => (isRecord(part['PLpgSQL_expr']) ? expressionsIn(part) : []))
  return [
    ...fixed.flatMap((expression) => parser.sql(asStatement(expression)).flatMap(read)),
    ...put.flatMap((expression) => {
      const sql = constantOf(parser.sql(asStatement({ ...expression, parseMode: EXPRESSION })))
      return sql === null ? [unread({ ...body, subject: `SQL that ${body.subject} puts together` })] : parser.sql(sql).flatMap(read)
    }),
  ]
}

type Expression = { readonly query: string; readonly parseMode: number }

/** Only the expression itself, not those below. */
function expressionsIn(value: unknown): readonly Expression[] {
  const inner = isRecord(value) ? value['PLpgSQL_expr'] : undefined
  if (!isRecord(inner) || typeof inner['query'] !== 'string') return []
  return [{ query: inner['query'], parseMode: typeof inner['parseMode'] === 'number' ? inner['parseMode'] : 0 }]
}

/** Of PostgreSQL's RawParseMode: 0 is a statement, 3 and above an assignment. */
const EXPRESSION = 2

function asStatement({ query, parseMode }: Expression): string {
  if (parseMode === 0) return query
  return `select ${parseMode > EXPRESSION ? query.replace(/^[^=]*?:?=/, '') : query}`
}

/** The text, when the statement selects one constant. */
function constantOf([node]: readonly Node[]): string | null {
  const target = node !== undefined && 'SelectStmt' in node ? node.SelectStmt.targetList?.[0] : undefined
  const value = target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined
  return value !== undefined && 'A_Const' in value ? (value.A_Const.sval?.sval ?? null) : null
}

/** Judged by its words alone: too careful where they stand in a comment, never too easy where they do not. */
const unread = ({ text, subject }: Pick<Body, 'text' | 'subject'>): Effect =>
  LOSES.test(text)
    ? {
        ...plain('breaking', 'runs %, which names a DELETE, TRUNCATE or DROP', subject),
        finding: `${subject} may delete or drop what is there`,
      }
    : plain('unclear', 'runs %', subject)

const LOSES = /\b(delete\s+from|truncate|drop\s+(table|column|schema|view|materialized|foreign|type|database|domain|sequence|owned))\b/i

function optionsOf(options: readonly Node[] | undefined): { readonly source: string; readonly language?: string } {
  const named = (name: string) =>
    (options ?? []).flatMap((item) => ('DefElem' in item && item.DefElem.defname === name ? stringsOf(item.DefElem) : []))
  const [language] = named('language')
  return { source: named('as')[0] ?? '', ...(language === undefined ? {} : { language: language.toLowerCase() }) }
}

function stringsOf({ arg }: DefElem): readonly string[] {
  if (arg === undefined) return []
  return 'List' in arg ? partsOf(arg.List.items) : partsOf([arg])
}

/** Of `BEGIN ATOMIC … END` or `RETURN …`. */
function statementsIn(body: Node): readonly Node[] {
  if ('List' in body) return (body.List.items ?? []).flatMap(statementsIn)
  return [body]
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
