import type { CreateFunctionStmt, DefElem, DoStmt, Node } from 'libpg-query'
import { onSession, plain, type Effect } from './effect.ts'
import type { Reactions } from '../../database/reactions.ts'
import { partsOf } from './names.ts'
import type { Parser } from './parser.ts'
import { LOSES } from './unknown-calls.ts'
import { walk } from './walk.ts'

/** What earlier statements of the plan have defined: whoever calls it later does what it does. */
export type Defined = {
  /** By name alone: of two with one name, each may be meant. */
  readonly routines: Map<string, readonly Routine[]>
  readonly prepared: Map<string, readonly Effect[]>
  /** What reading a view does to the session. */
  readonly views: Map<string, readonly Effect[]>
  /** Those of the database, by name. */
  readonly existing: ReadonlyMap<string, readonly (Reactions['routines'][number] & { readonly body: () => readonly Part[] })[]>
  /** Those of the database that the plan puts others in the place of. */
  readonly replaced: Set<string>
  /** What the routines do that are called within one statement, each read once: they may call each other in many ways and in circles. */
  readonly called: Map<string, readonly Effect[]>
  /** How many of them are being read, one called by the other. */
  readonly depth: { now: number }
}

/** Its effects are read when it is called, since it may call what is defined after it. */
type Routine = () => readonly Part[]
/** Of a body: a statement, or what nobody could read. */
export type Part = { readonly node: Node } | { readonly effect: Effect }

/** The effects of a statement inside of a body. */
export type Read = (node: Node) => readonly Effect[]

export function nothingDefined(parser: Parser, { routines }: Pick<Reactions, 'routines'>): Defined {
  const existing = Map.groupBy(
    routines.map((one) => ({ ...one, body: once(() => existingBody(parser, one)) })),
    ({ name }) => name,
  )
  return { routines: new Map(), prepared: new Map(), views: new Map(), existing, replaced: new Set(), called: new Map(), depth: { now: 0 } }
}

/** Keeps what a function or procedure does, for the statements that call it. `text` is the statement as it is written. */
export function defineRoutine(
  defined: Defined,
  parser: Parser,
  node: CreateFunctionStmt,
  { text, schema }: { readonly text: string; readonly schema: string },
): void {
  const [name = '', its = schema] = partsOf(node.funcname).toReversed()
  const { sql_body: body, is_procedure: isProcedure } = node
  const about = { language: '', ...optionsOf(node.options), text, subject: `${isProcedure === true ? 'procedure' : 'function'} ${name}` }
  const routine = once(() => (body === undefined ? bodyOf(parser, about) : statementsIn(body).map((one) => ({ node: one }))))
  defined.routines.set(name, [...(defined.routines.get(name) ?? []), routine])
  defined.replaced.add(signature(its, name, argumentsOf(node)))
}

const signature = (schema: string, name: string, args: readonly string[]): string => JSON.stringify([schema, name, args])

/** The types of what goes in, as the catalogue names them. */
const argumentsOf = ({ parameters = [], is_procedure: isProcedure }: CreateFunctionStmt): readonly string[] =>
  parameters.flatMap((item) => {
    if (!('FunctionParameter' in item)) return []
    const { argType, mode } = item.FunctionParameter
    const isIn = mode !== 'FUNC_PARAM_TABLE' && (mode !== 'FUNC_PARAM_OUT' || isProcedure === true)
    return isIn ? [`${argType?.arrayBounds === undefined ? '' : '_'}${partsOf(argType?.names).at(-1) ?? ''}`] : []
  })

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}

/** What a code block does. */
export const blockEffects = (parser: Parser, { args }: DoStmt, text: string, read: Read): readonly Effect[] =>
  effectsOf(bodyOf(parser, { language: 'plpgsql', ...optionsOf(args), text, subject: 'a code block' }), read)

/** What stands in a code block, statement by statement. */
export const blockParts = (parser: Parser, { args }: DoStmt, text: string): readonly Part[] =>
  bodyOf(parser, { language: 'plpgsql', ...optionsOf(args), text, subject: 'a code block' })

/** What stands in a function or procedure; `text` is the whole CREATE statement. */
export const routineParts = (parser: Parser, routine: Pick<Reactions['routines'][number], 'name' | 'language' | 'text'>): readonly Part[] =>
  existingBody(parser, routine)

const effectsOf = (parts: readonly Part[], read: Read): readonly Effect[] =>
  parts.flatMap((part) => ('node' in part ? read(part.node) : [part.effect])).map(perhaps)

/** A table that a body creates may not be there when the body takes another way, and a setting neither. */
export const perhaps = ({ createsTable: _createsTable, session, ...effect }: Effect): Effect =>
  session === undefined ? effect : { ...effect, session: 'isSure' in session ? { ...session, isSure: false } : session }

/** What the routines of this name do; undefined when the plan defines none. A routine that calls itself does not do more by that. */
export function callEffects(defined: Defined, name: string, read: Read): readonly Effect[] | undefined {
  const found = defined.routines.get(name)
  return found === undefined ? undefined : within(defined, `plan ${name}`, () => found.flatMap((routine) => effectsOf(routine(), read)))
}

/**
 * What routines of this name do that are in the database already; undefined when there are none but such as the plan replaces. They may be
 * replaced until the plan runs, and a name may be of another schema, so what is read of them only adds to what nobody knows.
 */
export function existingEffects(defined: Defined, name: string, read: Read): readonly Effect[] | undefined {
  const found = (defined.existing.get(name) ?? []).filter(({ schema, args }) => !defined.replaced.has(signature(schema, name, args)))
  return found.length === 0 ? undefined : within(defined, `database ${name}`, () => found.flatMap(({ body }) => effectsOf(body(), read)))
}

/** A chain of calls that nobody writes would end the reader's stack. */
const DEEPEST = 200

function within({ called, depth }: Defined, key: string, make: () => readonly Effect[]): readonly Effect[] {
  const known = called.get(key)
  if (known !== undefined) return known
  if (depth.now >= DEEPEST) return [plain('unclear', 'runs %', 'functions that call each other over many steps')]
  called.set(key, [])
  depth.now++
  const effects = distinct(make())
  depth.now--
  called.set(key, effects)
  return effects
}

/** What is set is set by the last of equal ones. */
function distinct(effects: readonly Effect[]): readonly Effect[] {
  const [first, last] = [new Map<string, number>(), new Map<string, number>()]
  const keys = effects.map((effect) => JSON.stringify(effect))
  for (const [at, key] of keys.entries()) {
    if (!first.has(key)) first.set(key, at)
    last.set(key, at)
  }
  return effects.filter(({ session }, at) => {
    const key = keys[at] ?? ''
    if (session === undefined) return first.get(key) === at
    return (session.kind !== 'set' && session.kind !== 'reset') || last.get(key) === at
  })
}

function existingBody(
  parser: Parser,
  { name, language, text }: Pick<Reactions['routines'][number], 'name' | 'language' | 'text'>,
): readonly Part[] {
  const subject = `function ${name}`
  if (text === null) return [{ effect: plain('unclear', 'runs %', subject) }]
  try {
    const [node] = parser.sql(text).flatMap((one) => ('CreateFunctionStmt' in one ? [one.CreateFunctionStmt] : []))
    const body = node?.sql_body
    if (body !== undefined) return statementsIn(body).map((one) => ({ node: one }))
    return bodyOf(parser, { ...optionsOf(node?.options), language, text, subject })
  } catch {
    return [{ effect: unread({ text, subject }) }] // a newer server's syntax
  }
}

type Body = { readonly language: string; readonly source: string; readonly text: string; readonly subject: string }

function bodyOf(parser: Parser, body: Body): readonly Part[] {
  try {
    if (body.language === 'sql') return parser.sql(body.source).map((node) => ({ node }))
    if (body.language === 'plpgsql') return plpgsqlBody(parser, body)
  } catch {
    // what the parsers cannot read, such as a variable of a table's type, is judged by its words
  }
  return [{ effect: unread(body) }]
}

function plpgsqlBody(parser: Parser, body: Body): readonly Part[] {
  const parts = walk(parser.plpgsql(body.text))
  if (parts.length < 2) return [{ effect: unread(body) }]
  const put = parts.flatMap((part) => {
    const statement = part['PLpgSQL_stmt_dynexecute'] ?? part['PLpgSQL_stmt_dynfors']
    return expressionsIn(part['dynquery'] ?? (isRecord(statement) ? statement['query'] : undefined))
  })
  const fixed = parts.flatMap((part) => (isRecord(part['PLpgSQL_expr']) ? expressionsIn(part) : []))
  const nodes = (sql: string): readonly Part[] => parser.sql(sql).map((node) => ({ node }))
  return [
    ...fixed.flatMap((expression) => nodes(asStatement(expression))),
    ...put.flatMap((expression) => {
      const sql = constantOf(parser.sql(asStatement({ ...expression, parseMode: EXPRESSION })))
      if (sql !== null) return nodes(sql)
      // of a name that is put together
      const sets = /'\s*set\s+(?!local\b)/i.test(expression.query) ? [{ effect: onSession({ kind: 'any', isSure: false }) }] : []
      return [{ effect: unread({ ...body, subject: `SQL that ${body.subject} puts together` }) }, ...sets]
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
