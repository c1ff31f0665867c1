import type { Node } from 'libpg-query'
import { saysWhatItDoes, type Finding } from './finding.ts'

/** What was found by looking at the live database. */
export type WeighedPlan = {
  readonly findings: readonly Pick<Finding, 'migration' | 'line' | 'code'>[]
  /** Whether the rules know all that the statement in this line of a file does. */
  readonly isKnown: (file: string, line: number) => boolean
}

type File = {
  readonly name: string
  readonly content: Buffer
  readonly statements: readonly Node[]
  readonly texts: readonly string[]
  readonly starts: readonly number[]
}

/** Which statements of a file, by their number, need no other sentence about what they do. */
export function toldElsewhere(file: File, weighed: WeighedPlan | undefined): (at: number) => boolean {
  if (weighed === undefined) return () => false
  const told = new Set(weighed.findings.filter((one) => one.migration === file.name && saysWhatItDoes(one.code)).map(({ line }) => line))
  const lines = linesOf(file)
  return (at) => {
    const line = lines[at] ?? 0
    return told.has(line) || (MEASURED.has(Object.keys(file.statements[at] ?? {})[0] ?? '') && weighed.isKnown(file.name, line))
  }
}

/** Kinds of finding of a file. */
export const codesOf = (file: string, weighed: WeighedPlan | undefined): ReadonlySet<string> =>
  new Set((weighed?.findings ?? []).flatMap(({ migration, code }) => (migration === file ? [code] : [])))

/** Statements of which the rules know what PostgreSQL does, and say nothing where there is nothing to know. */
const MEASURED: ReadonlySet<string> = new Set(['AlterTableStmt', 'IndexStmt'])

/** Of the first word of each statement, from 1; counted on from the one before. */
function linesOf({ content, texts, starts }: File): readonly number[] {
  let [line, position] = [1, 0]
  return texts.map((text, at) => {
    const start = starts[at] ?? position
    line += breaksIn(content.toString('latin1', position, start))
    position = start
    return line + breaksIn(/^(?:\s+|--.*(?:\n|$)|\/\*[^]*?\*\/)*/.exec(text)?.[0] ?? '')
  })
}

const breaksIn = (text: string): number => text.split('\n').length - 1
