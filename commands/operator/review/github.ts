import type { Finding } from '../../../src/sql/weigh/finding.ts'
import { counted, findingsOf, sentence, type Reviewed } from './reviewed.ts'

const LEVELS = { blocker: 'error', warning: 'warning', note: 'notice' } as const

/** Annotations of GitHub Actions, which it finds in the output of a step. */
export function asGithub(reviewed: Reviewed): string {
  const lines = reviewed.files.flatMap((file) => findingsOf(reviewed, file).map((finding) => annotation(file, finding)))
  return [...lines, oneLine(`${sentence(counted(reviewed))} ${reviewed.by}`)].join('\n')
}

function annotation(file: string, { line, weight, code, text, advice, waived }: Finding): string {
  const level = waived === null ? LEVELS[weight] : 'notice'
  const place = [`file=${property(file)}`, ...(line === null ? [] : [`line=${line}`]), `title=${property(code)}`].join(',')
  const instead =
    advice === null ? [] : [`Instead: ${sentence(advice.text)}`, ...advice.files.map(({ name, sql }) => `${name}\n${sql.trimEnd()}`)]
  const said = waived === null ? [sentence(text), ...instead] : [sentence(text), `Waived: ${sentence(waived.reason)}`]
  return `::${level} ${place}::${message(said.join('\n'))}`
}

const message = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const property = (text: string): string => message(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

/** Nothing in it can begin a line, and so no command to GitHub. */
const oneLine = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ')
