import type { MigrationFile } from './files.ts'
import type { MigrationEvidence } from '../sql/review.ts'
import { count } from '../lib/text/quoted.ts'
import { oneLine } from '../lib/text/text.ts'

/** The SQL of the pending migrations as one text for the thread. Characters that could make it read otherwise than it runs are spelled out. */
export function pendingSql(
  migrations: readonly MigrationFile[],
  about: { readonly target: string; readonly commit: string; readonly evidence?: readonly MigrationEvidence[] },
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
      ),
    ),
  ].join('\n')
}

function oneFile({ name, content, sha256, rollback }: MigrationFile, evidence: MigrationEvidence | undefined): string {
  const undo = rollback === null ? 'no rollback SQL' : `rollback SQL of ${bytesText(rollback.content.length)}`
  const found = (evidence?.findings ?? []).map((finding) => `-- found: ${visibleSql(oneLine(finding))}\n`).join('')
  const sql = visibleSql(content.toString('utf8')).trimEnd()
  return `\n-- migration ${name}\n-- ${bytesText(content.length)}, ${undo}\n-- SHA-256 ${sha256}\n${found}\n${sql}\n`
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
