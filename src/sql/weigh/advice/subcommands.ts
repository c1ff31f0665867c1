import type { AlterTableCmd, Node } from 'libpg-query'
import type { Parser } from '../../effects/parser.ts'

export type Subcommand = {
  readonly command: AlterTableCmd
  /** `ADD CONSTRAINT … CHECK (…)`, without what stands before or behind it. */
  readonly text: string
}

/** An ALTER TABLE taken apart at its commas; empty for any other statement and for what cannot be read. */
export function subcommandsOf(sql: string, parser: Parser): readonly Subcommand[] {
  const commands = commandsOf(readOne(sql, parser))
  if (commands.length === 0) return []
  const texts = textsOf(sql, parser)
  return texts.length === commands.length ? commands.map((command, at) => ({ command, text: texts[at] ?? '' })) : []
}

/** The only statement of a text; undefined for what cannot be read. */
export function readOne(sql: string, parser: Parser): Node | undefined {
  try {
    return parser.sql(sql)[0]
  } catch {
    return undefined // what a newer server understands
  }
}

const commandsOf = (node: Node | undefined): readonly AlterTableCmd[] =>
  node !== undefined && 'AlterTableStmt' in node
    ? (node.AlterTableStmt.cmds ?? []).flatMap((command) => ('AlterTableCmd' in command ? [command.AlterTableCmd] : []))
    : []

function textsOf(sql: string, parser: Parser): readonly string[] {
  const tokens = parser.tokens(sql).filter(({ tokenName }) => !tokenName.endsWith('COMMENT'))
  const bytes = Buffer.from(sql)
  const first = tokens.findIndex((_token, at) => at >= afterName(tokens.map(({ text }) => text)))
  const parts: { from: number; to: number }[] = []
  let depth = 0
  let from: number | undefined
  for (const { text, start, end } of tokens.slice(first)) {
    if (text === '(' || text === '[') depth++
    if (text === ')' || text === ']') depth--
    if (depth === 0 && (text === ',' || text === ';')) from = undefined
    else if (from === undefined) parts.push({ from: (from = start), to: end })
    else parts.splice(-1, 1, { from, to: end })
  }
  return parts.map((part) => bytes.toString('utf8', part.from, part.to))
}

/** Behind `ALTER TABLE [IF EXISTS] [ONLY] name [*]`. */
function afterName(words: readonly string[]): number {
  let at = 2
  if (words[at]?.toLowerCase() === 'if') at += 2
  if (words[at]?.toLowerCase() === 'only') at++
  at++
  while (words[at] === '.') at += 2
  return words[at] === '*' ? at + 1 : at
}
