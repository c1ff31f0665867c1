import type { MigrationFile } from './files.ts'
import type { MigrationEvidence } from '../sql/review.ts'
import type { Finding } from '../sql/weigh/finding.ts'
import { count } from '../lib/text/quoted.ts'
import { oneLine } from '../lib/text/text.ts'

/** The SQL of the pending migrations as one text for the thread. Characters that could make it read otherwise than it runs are spelled out. */
export function pendingSql(
  migrations: readonly MigrationFile[],
  about: {
    readonly target: string
    readonly commit: string
    readonly evidence?: readonly MigrationEvidence[]
    readonly weighed?: readonly Finding[]
  },
): string {
  const total = migrations.reduce((sum, { content }) => sum + content.length, 0)
  const head = [
    `-- ${count(migrations.length, 'pending migration')} of ${about.target} at commit ${about.commit}, ${bytesText(total)} in all`,
  ]
  return [
    ...head,
    ...migrations.map((file) =>
      oneFile(
        file,
        about.evidence?.find(({ name }) => name === file.name),
        (about.weighed ?? []).filter(({ migration }) => migration === file.name),
      ),
    ),
  ].join('\n')
}

function oneFile(
  { name, content, sha256, rollback }: MigrationFile,
  evidence: MigrationEvidence | undefined,
  weighed: readonly Finding[],
): string {
  const undo = rollback === null ? 'no rollback SQL' : `rollback SQL of ${bytesText(rollback.content.length)}`
  const told = weighed.map(weighedText).join('')
  const found = (evidence?.findings ?? []).map((finding) => `-- found: ${visibleSql(oneLine(finding))}\n`).join('')
  const sql = visibleSql(content.toString('utf8')).trimEnd()
  return `\n-- migration ${name}\n-- ${bytesText(content.length)}, ${undo}\n-- SHA-256 ${sha256}\n${told}${found}\n${sql}\n`
}

/** As comments, with the lines as they are counted in the file: nothing is written into its SQL. */
function weighedText({ weight, line, text, advice, waived }: Finding): string {
  const lines = [
    `${weight}${line === null ? '' : `, line ${line} of the file`}${waived === null ? '' : `, waived (${oneLine(waived.reason)})`}: ${oneLine(text)}`,
    ...(advice === null || waived !== null ? [] : [`  instead: ${oneLine(advice.text)}`]),
    ...(advice === null || waived !== null
      ? []
      : advice.files.flatMap(({ name, sql }) => [
          `  ${name}`,
          ...sql
            .trimEnd()
            .split('\n')
            .map((one) => `    ${one}`),
        ])),
  ]
  return lines.map((one) => `-- ${visibleSql(one)}\n`).join('')
}

/** Bidirectional, zero-width and control characters and selectors of a variant as `<U+202E>`; line endings become LF. */
export function visibleSql(text: string): string {
  const code = (character: string) => `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`
  return text
    .replaceAll('\r\n', '\n')
    .replace(/[\p{Cc}\p{Cf}\p{Variation_Selector}\u2028\u2029]/gu, (character) =>
      character === '\n' || character === '\t' ? character : code(character),
    )
}

const bytesText = (bytes: number): string => (bytes < 1024 ? count(bytes, 'byte') : `${(bytes / 1024).toFixed(1)} kB`)
