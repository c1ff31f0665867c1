import { visibleSql } from '../../../src/plan/pending-sql.ts'
import type { Finding } from '../../../src/sql/weigh/finding.ts'
import { counted, findingsOf, markOf, plural, sentence, withoutRepeats, type Reviewed } from './reviewed.ts'

/** GitHub takes comments of up to 65,536 characters. */
const MOST = 60_000

/** A comment for a pull request. What does not fit is counted, never cut. */
export function asMarkdown(reviewed: Reviewed): string {
  const head = `### Review of migrations\n\n${escaped(`${sentence(counted(reviewed))} ${reviewed.by}`)}`
  const parts = [head]
  let [room, left] = [MOST - head.length, 0]
  for (const file of reviewed.files)
    for (const [at, finding] of withoutRepeats(findingsOf(reviewed, file)).entries()) {
      const part = `${at === 0 ? `**${plain(visibleSql(file))}**\n\n` : ''}${itemOf(finding)}`
      room -= part.length + 2
      if (room > 0) parts.push(part)
      else left += 1
    }
  return [...parts, ...(left > 0 ? [`and ${plural(left, 'more finding')}; \`lockkeeper review\` shows all of them.`] : [])].join('\n\n')
}

function itemOf(finding: Finding): string {
  const { line, code, text, advice, waived } = finding
  const mark = `**${plain(markOf(finding))}**${line === null ? '' : `, line ${line}`} (\`${code}\`)`
  const said = `- ${mark}: ${escaped(sentence(text))}`
  if (advice === null || waived !== null) return said
  const files = advice.files.map(({ name, sql }) => `  ${plain(visibleSql(name))}\n\n${fenced(sql)}`)
  return [said, `  Instead: ${escaped(sentence(advice.text))}`, ...files].join('\n\n')
}

/** Nothing of it is markup, a mention or a link, but for names between backticks. */
const escaped = (text: string): string =>
  visibleSql(text.replaceAll(/\s+/g, ' '))
    .split(/(`[^`]+`)/)
    .map((part, at) => (at % 2 === 1 ? part : plain(part)))
    .join('')

const plain = (text: string): string =>
  text
    .replaceAll(/[\\`*_[\]<>|~#&!]/g, '\\$&')
    .replaceAll('@', '@<!-- -->')
    .replaceAll('://', ':<!-- -->//')

/** Longer than any run of backticks in it. */
function fenced(sql: string): string {
  const text = visibleSql(sql).trimEnd()
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length))
  const fence = '`'.repeat(longest + 1)
  return [`${fence}sql`, ...text.split('\n'), fence].map((line) => `  ${line}`.trimEnd()).join('\n')
}
