import type { DoStmt, Node } from 'libpg-query'
import { code } from '../lib/text/code.ts'
import { partsOf } from './effects/names.ts'
import type { Parser } from './effects/parser.ts'
import { walk } from './effects/walk.ts'

/** Whether a procedure (named as the statement writes it) may commit, as far as its body is known. */
export type ProcedureKnown = (name: string) => 'commits' | 'cannot' | 'unknown'

const NOTHING_KNOWN: ProcedureKnown = () => 'unknown'

/**
 * How a code block or procedure that is the only statement of its file may commit in its middle, as a clause; null when it cannot. Among
 * other statements, in a function and in EXECUTE the server refuses that (2D000, 0A000). `text` is the statement as it is written.
 */
export function howItCommits(node: Node, text: string, parser: Parser, known = NOTHING_KNOWN): string | null {
  if ('CallStmt' in node) return howProcedureCommits(procedureOf(node), known)
  if (!('DoStmt' in node)) return null
  const { language, body } = blockOf(node.DoStmt)
  if (language !== 'plpgsql') return `its code block in ${code(language)} may commit by itself`
  const { commits, calls } = readPlpgsql(body, text, parser)
  if (commits !== 'no') return `its code block ${commits === 'yes' ? 'commits' : 'may commit'} by itself`
  return calls.map((call) => howInner(call, parser, known)).find((how) => how !== null) ?? null
}

/** The procedures on which the answer to `howItCommits` may hang. */
export function proceduresCalled(node: Node, text: string, parser: Parser): readonly string[] {
  if ('CallStmt' in node) return [procedureOf(node)]
  if (!('DoStmt' in node)) return []
  const { language, body } = blockOf(node.DoStmt)
  return language === 'plpgsql' ? readPlpgsql(body, text, parser).calls.flatMap((call) => calledIn(call, parser)) : []
}

/** Of a procedure's definition, as the server gives it: whether its own body commits, and which procedures it calls. */
export function procedureBody(
  definition: string,
  body: string,
  parser: Parser,
): { readonly commits: boolean; readonly calls: readonly string[] } {
  const { commits, calls } = readPlpgsql(body, definition, parser)
  return { commits: commits !== 'no', calls: calls.flatMap((call) => calledIn(call, parser)) }
}

function howProcedureCommits(name: string, known: ProcedureKnown): string | null {
  const answer = known(name)
  return answer === 'cannot' ? null : `the procedure ${code(name)} ${answer === 'commits' ? 'commits' : 'may commit'} by itself`
}

/** `CALL …` or `DO …` of a block, which runs in its transaction and may end it. */
function howInner(query: string, parser: Parser, known: ProcedureKnown): string | null {
  const [inner] = parser.sql(query)
  return inner === undefined ? 'its code block may commit by itself' : howItCommits(inner, query, parser, known)
}

function calledIn(query: string, parser: Parser): readonly string[] {
  const [inner] = parser.sql(query)
  return inner === undefined ? [] : proceduresCalled(inner, query, parser)
}

type Read = { readonly commits: 'yes' | 'perhaps' | 'no'; /** Statements. */ readonly calls: readonly string[] }

function readPlpgsql(body: string, text: string, parser: Parser): Read {
  try {
    const parts = walk(parser.plpgsql(text))
    const calls = parts.flatMap((part) => queryOf(part['PLpgSQL_stmt_call']))
    return { commits: parts.some((part) => 'PLpgSQL_stmt_commit' in part) ? 'yes' : 'no', calls }
  } catch {
    // what the parser cannot read is judged by its words: a keyword can be written in no other way
    const isSaid = /\b(commit|call)\b|\bdo\b(?!\s+(nothing|update|instead|also)\b)/i.test(body)
    return { commits: isSaid ? 'perhaps' : 'no', calls: [] }
  }
}

const queryOf = (statement: unknown): readonly string[] =>
  walk(statement)
    .flatMap((part) => (typeof part['query'] === 'string' ? [part['query']] : []))
    .slice(0, 1)

function blockOf({ args = [] }: DoStmt): { readonly language: string; readonly body: string } {
  const named = (name: string) =>
    args.flatMap((item) =>
      'DefElem' in item && item.DefElem.defname === name && item.DefElem.arg !== undefined ? partsOf([item.DefElem.arg]) : [],
    )
  return { language: (named('language')[0] ?? 'plpgsql').toLowerCase(), body: named('as')[0] ?? '' }
}

const procedureOf = (node: Extract<Node, { readonly CallStmt: unknown }>): string => partsOf(node.CallStmt.funccall?.funcname).join('.')
