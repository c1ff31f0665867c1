import { visibleSql } from '../../../src/plan/pending-sql.ts'
import type { Finding } from '../../../src/sql/weigh/finding.ts'
import { counted, findingsOf, markOf, plural, sentence, type Reviewed } from './reviewed.ts'

/** GitHub takes comments of up to 65,536 characters. */
const MOST = 60_000

/** A comment for a pull request. What does not fit is counted, never cut. */
export function asMarkdown(reviewed: Reviewed): string {
  const head = `### Review of migrations\n\n${escaped(`${sentence(counted(reviewed))} ${reviewed.by}`)}`
  const parts = [head]
  let [room, left] = [MOST - head.length, 0]
  for (const file of reviewed.files)
    for (const [at, finding] of findingsOf(reviewed, file).entries()) {
      const part = `${at === 0 ? `**${escaped(file)}**\n\n` : ''}${itemOf(finding)}`
      room -= part.length + 2
      if (room > 0) parts.push(part)
      else left += 1
    }
  return visibleSql(
    [...parts, ...(left > 0 ? [`and ${plural(left, 'more finding')}; \`lockkeeper review\` shows all of them.`] : [])].join('\n\n'),
  )
}

function itemOf(finding: Finding): string {
  const { line, code, text, advice, waived } = finding
  const mark = `**${escaped(markOf(finding))}**${line === null ? '' : `, line ${line}`} (\`${code}\`)`
  const said = `- ${mark}: ${escaped(sentence(text))}`
  if (advice === null || waived !== null) return said
  const files = advice.files.map(({ name, sql }) => `  ${escaped(name)}\n\n${fenced(sql)}`)
  return [said, `  Instead: ${escaped(sentence(advice.text))}`, ...files].join('\n\n')
}

/** Nothing of it is markup, a mention or a link. */
const escaped = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]<>|~#&!]/g, '\\$&')
    .replaceAll('@', '@\u200b')
    .replaceAll('://', ':\u200b//')

/** Longer than any run of backticks in it. */
function fenced(sql: string): string {
  const longest = Math.max(2, ...(sql.match(/`+/g) ?? []).map(({ length }) => length))
  const fence = '`'.repeat(longest + 1)
  return ['', `${fence}sql`, ...sql.trimEnd().split('\n'), fence]
    .slice(1)
    .map((line) => `  ${line}`.trimEnd())
    .join('\n')
}
