import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { aimText, isMet, rounded, type Result } from './figure.ts'

/** One object, one line, with these keys and no others. */
export const jsonLine = (result: Result): string =>
  JSON.stringify({
    name: result.name,
    value: result.value === null ? null : rounded(result.value),
    unit: result.unit,
    aim: aimText(result.aim),
    met: isMet(result),
  })

const HEADINGS = ['figure', 'value', 'unit', 'aim', 'met', 'how it came about'] as const

/** For people, and for docs/performance.md: a table that Markdown takes too. */
export function tableText(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.name,
    result.value === null ? '–' : String(rounded(result.value)),
    result.unit,
    aimText(result.aim) ?? '',
    { true: 'yes', false: 'no', null: '' }[String(isMet(result)) as 'true' | 'false' | 'null'],
    result.note.replaceAll('\n', ' '),
  ])
  const widths = HEADINGS.map((heading, column) =>
    // the last column is as long as it is
    column === HEADINGS.length - 1 ? 0 : Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(HEADINGS), line(widths.map((width) => '-'.repeat(Math.max(3, width)))), ...rows.map(line)].join('\n')
}

/** What a figure is worth depends on it. */
export function machineText(): string {
  const [cpu] = cpus()
  return `${availableParallelism()} cores (${cpu?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 1e9)} GB of memory, Node ${process.versions.node}, load average ${loadText()}`
}

export const loadText = (): string =>
  loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')
