import { elsewhere } from './elsewhere.ts'
import { rows } from './rows.ts'
import type { Entry } from './row.ts'

/** `docs/attacks.md`, made of what the tests run. `node test/attack/catalogue/print.ts > docs/attacks.md` writes it anew. */
export function attackTable(): string {
  const parts = (Object.keys(TITLES) as Entry[]).map(
    (entry) =>
      [`## ${TITLES[entry]}`, '| Rule | Attack | What is answered | In the audit |\n| --- | --- | --- | --- |'].join('\n\n') +
      '\n' +
      rows
        .filter((row) => row.entry === entry)
        .map((row) => line([row.row, row.attack, row.told, row.audit === null ? 'nothing' : row.audit.join(', ')]))
        .join('\n'),
  )
  const others = elsewhere.map((one) => line([one.row, one.attack, one.happens, `\`${one.test}\``])).join('\n')
  return `${INTRODUCTION}\n\n${parts.join('\n\n')}\n\n## Elsewhere\n\nWhat no single delivery can carry.\n\n| Rule | Attack | What happens | Test |\n| --- | --- | --- | --- |\n${others}\n`
}

const INTRODUCTION = `# The attack table

<!-- Made by \`npm run -s attacks > docs/attacks.md\` from test/attack/catalogue, whose tests run each row. Do not edit. -->

Each row is driven from outside against a running bot with a real PostgreSQL, repository and target, by the way in that its heading names:
commands, buttons and windows over Socket Mode and over signed HTTP, both. After each row the answer is compared word for word, the audit has
exactly the row that is named here (who, what, result), and everything else is as before: the store's tables, the targets' schemas and
migration records, Slack's messages, the files. What is sent to the HTTP port without a right signature leaves no trace and asks the store
nothing. Names in braces differ from run to run.`

const TITLES: Readonly<Record<Entry, string>> = {
  HTTP: 'Raw HTTP',
  'slash command': 'Slash commands',
  button: 'Buttons',
  modal: 'Windows',
  'command line': 'Command line',
}

const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`

const cell = (text: string): string =>
  shortened(text)
    .replaceAll('\\', '\\\\')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll('\n', ' / ')
    .replace(/[^\u0020-\uffff]/gu, '')
    .replace(/[\u0000-\u001f\u200b\u202e\ud800-\udfff]/gu, '�')

const shortened = (text: string): string => (text.length > 400 ? `${text.slice(0, 200)}…` : text)
