import { visibleSql } from '../../../src/plan/pending-sql.ts'
import type { Finding } from '../../../src/sql/weigh/finding.ts'
import { counted, findingsOf, markOf, sentence, withoutRepeats, type Reviewed } from './reviewed.ts'

/** For a terminal: each file with what was found in it, and the sum last, so that it stands above the prompt. */
export function asText(reviewed: Reviewed): string {
  const files = reviewed.files.flatMap((file) => {
    const found = withoutRepeats(findingsOf(reviewed, file))
    return found.length === 0 ? [] : [[oneLine(file), ...found.flatMap(linesOf)].join('\n')]
  })
  return visibleSql([...files, `${sentence(counted(reviewed))} ${reviewed.by}`].join('\n\n'))
}

function linesOf(finding: Finding): readonly string[] {
  const { line, code, text, advice, waived } = finding
  const said = `  ${line === null ? '' : `line ${line}, `}${markOf(finding)} (${code}): ${sentence(oneLine(text))}`
  if (advice === null || waived !== null) return [said]
  const files = advice.files.flatMap(({ name, sql }) => [`      ${name}`, ...indented(sql)])
  return [said, `    Instead: ${sentence(advice.text)}`, ...files]
}

/** A log of a build may take a line of its own for a command. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ')

const indented = (sql: string): readonly string[] =>
  sql
    .trimEnd()
    .split('\n')
    .map((line) => `        ${line}`)
