import { closest, distance } from 'fastest-levenshtein'
import type { ScanToken } from 'libpg-query'
import { plainText } from '../../lib/text/quoted.ts'
import type { Parser } from '../effects/parser.ts'
import { findingCodes, type Finding, type FindingCode } from './finding.ts'
import { inCode } from './size.ts'

/** `-- lockkeeper: allow index-build because the table is archived`, above a statement or in one of its lines. */
type Waiver = { readonly line: number; readonly code: FindingCode; readonly reason: string }

/** First and last line of a statement. */
export type Span = { readonly from: number; readonly to: number }

/** The findings of a file, with what its comments waive marked, and what is wrong with those comments. */
export function waive(
  findings: readonly Finding[],
  file: { readonly name: string; readonly content: Buffer; readonly statements: readonly Span[] },
  parser: Parser,
): readonly Finding[] {
  const comments = commentsOf(file.content, parser)
  if (comments.length === 0) return findings
  const read = comments.map(readWaiver)
  const waivers = read.flatMap((one) => ('code' in one ? [one] : []))
  const reach = reachOf(waivers, file.statements)
  const used = new Set<Waiver>()
  const waived = findings.map((finding) => {
    const waiver = reach.get(keyOf(finding))
    if (waiver === undefined) return finding
    used.add(waiver)
    return { ...finding, waived: { by: 'comment' as const, reason: waiver.reason } }
  })
  const told = (line: number, text: string): Finding => ({
    code: 'waiver',
    weight: 'warning',
    migration: file.name,
    line,
    table: null,
    text,
    advice: null,
    waived: null,
  })
  return [
    ...waived,
    ...read.flatMap((one) => ('problem' in one ? [told(one.line, one.problem)] : [])),
    ...waivers
      .filter((one) => !used.has(one))
      .map((one) => ({
        ...told(
          one.line,
          `the comment waives ${inCode(one.code)}, and nothing of that kind is found at its statement; take it out, or move it to the line above the statement`,
        ),
        weight: 'note' as const,
      })),
  ]
}

const keyOf = ({ code, line }: { readonly code: FindingCode; readonly line: number | null }): string => `${code} ${line ?? 'file'}`

/** By kind and line of the finding. A waiver above the first statement is for the whole file as well. */
function reachOf(waivers: readonly Waiver[], statements: readonly Span[]): ReadonlyMap<string, Waiver> {
  const reach = new Map<string, Waiver>()
  let at = 0
  for (const waiver of waivers) {
    const { code, line } = waiver
    if (line < (statements[0]?.from ?? Infinity)) reach.set(keyOf({ code, line: null }), waiver)
    while (at < statements.length && (statements[at]?.to ?? 0) < line) at++ // both are in the order of the file
    const next = statements[at]
    if (next !== undefined) reach.set(keyOf({ code, line: next.from }), waiver)
    // several may stand in one line
    for (let more = at + 1; (statements[more]?.from ?? Infinity) <= line; more++)
      reach.set(keyOf({ code, line: statements[more]?.from ?? line }), waiver)
  }
  return reach
}

type Comment = { readonly line: number; readonly text: string }

const MARK = /^\s*(?:--|\/\*)\s*lockkeeper:/i

function commentsOf(content: Buffer, parser: Parser): readonly Comment[] {
  const text = content.toString('utf8')
  if (!/lockkeeper:/i.test(text)) return []
  const found = tokensOf(text, parser).filter((token) => token.tokenName.endsWith('COMMENT') && MARK.test(token.text))
  let [line, from] = [1, 0]
  return found.map((token) => {
    for (let at = content.indexOf(10, from); at !== -1 && at < token.start; at = content.indexOf(10, from))
      [line, from] = [line + 1, at + 1]
    return { line, text: token.text }
  })
}

function tokensOf(text: string, parser: Parser): readonly ScanToken[] {
  try {
    return parser.tokens(text)
  } catch {
    return [] // what cannot be read at all is a finding of its own
  }
}

function readWaiver({ line, text }: Comment): Waiver | { readonly line: number; readonly problem: string } {
  const said = text.replace(MARK, '').replace(/\*\/$/, '').trim()
  const [, word = '', reason = ''] = /^allow\s+(\S+)(?:\s+because\s+(.*))?$/is.exec(said) ?? []
  const form = `write ${inCode(`-- lockkeeper: allow ${word === '' ? 'index-build' : word} because <reason>`)}`
  if (word === '') return { line, problem: `the comment ${inCode(said, 60)} is not understood; ${form}` }
  const code = findingCodes.find((one) => one === word.toLowerCase())
  if (code === undefined) {
    const near = closest(word.toLowerCase(), findingCodes)
    const hint =
      distance(word.toLowerCase(), near) <= 3
        ? `; did you mean ${inCode(near)}?`
        : `; the kinds are those that findings name, such as ${inCode('index-build')}`
    return { line, problem: `the comment waives ${inCode(word, 40)}, which is no kind of finding${hint}` }
  }
  if (reason.trim() === '') return { line, problem: `the comment waives ${inCode(code)} without a reason, so it does not count; ${form}` }
  return { line, code, reason: plainText(reason, 300) }
}
