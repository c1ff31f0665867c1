import { CAPABILITIES, COLUMNS, readMarks, type Capability, type Cli, type Column, type Mark } from './marks.ts'

/** Cells without a test, and why. A test that proves one makes its reason wrong, and the table is not written until that is gone. */
const WITHOUT: Readonly<Partial<Record<Column, Readonly<Partial<Record<Capability, string>>>>>> = {
  '8.0.0-rc.19': {
    resolve: 'there is none: nothing of a failed run of Prisma 8 stays in its record',
  },
}

/** `docs/prisma-versions.md`, made of what tests say that they prove. */
export function versionsPage(marks: readonly Mark[] = readMarks()): string {
  const faults = faultsIn(marks)
  if (faults.length > 0) throw new Error(faults.join('\n'))
  return `# Versions of Prisma

<!-- Made by \`npm run -s versions > docs/prisma-versions.md\` from the comments \`// proves …\` in test/. Do not edit. -->

What Lockkeeper does with each version of Prisma, and the test that proves it. Of a version that is not in use any more the newest of its
major number stands for the others.

${matrix(marks)}

- **real** – the CLI of that version is started by the test, each time.
- **real, in turns** – CI starts the CLI of that version for another ninth of these tests with each landing, and \`npm run test:all\` for all; in
  between the recorded Prisma stands in for it, or what it said is kept. The engines of 5 and 7 are WebAssembly in place of the native ones
  ([what that proves, and what not](../test/helpers/prisma-versions/README.md)).
- **recorded** – a recorded Prisma: that of 5 to 7 is [held against the real one](../test/helpers/recorded-prisma/README.md), that of 8 against
  [what the real one of the release candidate said and left](adr/0015-the-run-with-prisma-8.md), which is 1.1 GB and not installed here.
- **no CLI** – nothing of Prisma runs: files of a commit and rows of a database are read.

${CAPABILITIES.map((capability) => section(capability, marks)).join('\n\n')}
`
}

function faultsIn(marks: readonly Mark[]): readonly string[] {
  return CAPABILITIES.flatMap((capability) =>
    COLUMNS.flatMap((column) => {
      const isProven = marks.some((mark) => mark.capability === capability && mark.columns.includes(column))
      const reason = WITHOUT[column]?.[capability]
      if (isProven && reason !== undefined) return [`${capability} of ${column} is proven now; remove its reason: "${reason}"`]
      return isProven || reason !== undefined ? [] : [`no test proves ${capability} of ${column}, and no reason is given`]
    }),
  )
}

function matrix(marks: readonly Mark[]): string {
  const rows = CAPABILITIES.map((capability) => [
    `[${capability}](#${capability})`,
    ...COLUMNS.map((column) => {
      const own = marks.filter((mark) => mark.capability === capability && mark.columns.includes(column))
      const best = ORDER.find((cli) => own.some((mark) => mark.cli === cli))
      return best === undefined ? (WITHOUT[column]?.[capability] ?? '') : SAID[best]
    }),
  ])
  return tableOf([['', ...COLUMNS], ...rows])
}

const ORDER: readonly Cli[] = ['always', 'in turns', 'recorded', 'none']
const SAID: Readonly<Record<Cli, string>> = { always: 'real', 'in turns': 'real, in turns', recorded: 'recorded', none: 'no CLI' }

function section(capability: Capability, marks: readonly Mark[]): string {
  const own = marks.filter((mark) => mark.capability === capability)
  const rows = own.map(({ columns, file, title, cli }) => [
    columns.join(', '),
    title.replaceAll('|', '\\|'),
    `[${file}](../${file})`,
    SAID[cli],
  ])
  return `## ${capability}\n\n${tableOf([['of', 'test', 'file', 'CLI'], ...rows])}`
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => Array.from(row[column] ?? '').length)))
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}
