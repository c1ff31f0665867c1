import type { DoStmt, Node } from 'libpg-query'
import { partsOf } from './effects/names.ts'
import type { Parser } from './effects/parser.ts'
import { walk } from './effects/walk.ts'

/**
 * How a code block or procedure that is the only statement of its file may commit in its middle, as a clause; null when it cannot. Among
 * other statements, in a function and in EXECUTE the server refuses that (2D000, 0A000). `text` is the statement as it is written.
 */
export function howItCommits(node: Node, text: string, parser: Parser): string | null {
  if ('CallStmt' in node) return `the procedure \`${partsOf(node.CallStmt.funccall?.funcname).join('.')}\` may commit by itself`
  return 'DoStmt' in node ? howBlockCommits(node.DoStmt, text, parser) : null
}

function howBlockCommits({ args = [] }: DoStmt, text: string, parser: Parser): string | null {
  const named = (name: string) =>
    args.flatMap((item) =>
      'DefElem' in item && item.DefElem.defname === name && item.DefElem.arg !== undefined ? partsOf([item.DefElem.arg]) : [],
    )
  const [language = 'plpgsql'] = named('language')
  if (language.toLowerCase() !== 'plpgsql') return `its code block in \`${language}\` may commit by itself`
  const [body = ''] = named('as')
  return howPlpgsqlCommits(body, text, parser)
}

function howPlpgsqlCommits(body: string, text: string, parser: Parser): string | null {
  let parts: readonly Record<string, unknown>[]
  try {
    parts = walk(parser.plpgsql(text))
  } catch {
    // what the parser cannot read is judged by its words: a keyword can be written in no other way
    return /\b(commit|call)\b|\bdo\b(?!\s+(nothing|update|instead|also)\b)/i.test(body) ? 'its code block may commit by itself' : null
  }
  if (parts.some((part) => 'PLpgSQL_stmt_commit' in part)) return 'its code block commits by itself'
  for (const query of parts.flatMap((part) => calledIn(part['PLpgSQL_stmt_call']))) {
    const [inner] = parser.sql(query)
    const how = inner === undefined ? 'its code block may commit by itself' : howItCommits(inner, query, parser)
    if (how !== null) return how
  }
  return null
}

/** `CALL …` or `DO …`, which run in the transaction of the block and may end it. */
const calledIn = (statement: unknown): readonly string[] =>
  walk(statement)
    .flatMap((part) => (typeof part['query'] === 'string' ? [part['query']] : []))
    .slice(0, 1)
