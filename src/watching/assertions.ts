import { createHash } from 'node:crypto'
import type { AssertionSettings, Expected, ExpectedCell } from '../config/keys/assertions.ts'
import type { Plan } from '../plan/plan.ts'
import { plainText } from '../lib/text/quoted.ts'

/** What has to be true of the data, and whether it is. Pure. */

/** As PostgreSQL prints it; null is NULL. */
export type Cell = string | null

/** What an assertion gave. `hasMore`: there are more rows than were read. */
export type Result = {
  readonly columns: readonly { readonly name: string; readonly isNumber: boolean }[]
  readonly rows: readonly (readonly Cell[])[]
  readonly hasMore: boolean
}

/** More than these are not read: what gives more should count, or have a WHERE that finds what is wrong. */
export const MOST_ROWS = 200

/** The assertions of a run, as they were approved. Without a migration there is no before and after. */
export const assertionsOf = ({ list, steps }: Pick<Plan, 'list' | 'steps'>): readonly AssertionSettings[] =>
  list.length === 0 ? [] : steps.filter(({ phase }) => phase === 'assert').map(({ settings }) => settings as AssertionSettings) // written by `plannedSteps`

export const isAsked = ({ when, equal }: AssertionSettings, at: 'before' | 'after'): boolean =>
  equal === true || when === 'both' || when === at

/** Whether it gave what was expected. Rows count in any order, numbers by their value: `1` is `1.00`. */
export function isExpected(expected: Expected, { columns, rows, hasMore }: Result): boolean {
  const wanted = rowsOf(expected)
  if (hasMore || rows.length !== wanted.length || wanted.some((row) => row.length !== columns.length)) return false
  const lines = (all: readonly (readonly ExpectedCell[])[]) => all.map((row) => JSON.stringify(row.map(canonicalIn(columns)))).sort()
  const [found, meant] = [lines(rows), lines(wanted)]
  return found.every((line, at) => line === meant[at])
}

/** A value is one row of one column, and so is a row that is written as a value. */
const rowsOf = (expected: Expected): readonly (readonly ExpectedCell[])[] =>
  Array.isArray(expected) ? expected.map((row) => (Array.isArray(row) ? row : [row])) : [[expected]]

const canonicalIn =
  (columns: Result['columns']) =>
  (cell: ExpectedCell, at: number): Cell => {
    if (cell === null) return null
    if (typeof cell === 'boolean') return cell ? 't' : 'f'
    return columns[at]?.isNumber === true ? decimal(String(cell)) : String(cell)
  }

/** `007.50` as `7.5`; what is no plain number (`NaN`, `1e+30`) as it is written. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = ''] = /^([-+]?)(\d+)(?:\.(\d*))?$/.exec(text.trim()) ?? []
  if (whole === '') return text.trim()
  const digits = `${whole.replace(/^0+(?=\d)/, '')}.${fraction}`.replace(/\.?0*$/, (zeros) => (zeros.startsWith('.') ? '' : zeros))
  const plain = digits.includes('.') ? digits.replace(/0+$/, '') : digits
  return sign === '-' && /[1-9]/.test(plain) ? `-${plain}` : plain
}

/** What is kept of a result in the row of its step: enough to compare with later, and to show. Cells are redacted and cut. */
export type Seen = {
  readonly columns: readonly string[]
  readonly rows: readonly { readonly hash: string; readonly cells: readonly Cell[] }[]
}

const SHOWN_CELL = 60

/** A hash of each whole row is compared, since what is shown of it is cut. */
export const seenOf = ({ columns, rows }: Result, hide: (text: string) => string): Seen => ({
  columns: columns.map(({ name }) => plainText(hide(name), SHOWN_CELL)),
  rows: rows.map((row) => ({
    hash: createHash('sha256').update(JSON.stringify(row)).digest('hex').slice(0, 16),
    cells: row.map((cell) => (cell === null ? null : plainText(hide(cell), SHOWN_CELL))),
  })),
})

/** Rows that only one of the two has; none of both: they are the same. */
export function difference(before: Seen, after: Seen): { readonly gone: Seen; readonly came: Seen } {
  const without = (one: Seen, other: Seen): Seen => {
    const left = new Map<string, number>()
    for (const { hash } of other.rows) left.set(hash, (left.get(hash) ?? 0) + 1)
    const rows = one.rows.filter(({ hash }) => {
      const count = left.get(hash) ?? 0
      left.set(hash, count - 1)
      return count <= 0
    })
    return { columns: one.columns, rows }
  }
  return { gone: without(before, after), came: without(after, before) }
}

/** At most 10 rows as lines of a table: `id | total`. */
export function tableOf({ columns, rows }: Seen, most = 10): string {
  const lines = [columns, ...rows.slice(0, most).map(({ cells }) => cells.map((cell) => cell ?? 'NULL'))]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? '').length)))
  const drawn = lines.map((line) => line.map((cell, at) => (at === line.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join(' | '))
  const rest = rows.length - most
  return [...drawn, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n')
}

/** `no rows`, `0`, `3 rows`: what was expected or came, for a sentence. */
export const saysRows = (rows: readonly (readonly ExpectedCell[])[], hasMore = false): string => {
  if (hasMore) return `more than ${MOST_ROWS} rows`
  if (rows.length === 0) return 'no rows'
  const [cell] = rows[0] ?? []
  if (rows.length > 1 || rows[0]?.length !== 1 || cell === undefined) return rows.length === 1 ? 'one row' : `${rows.length} rows`
  return plainText(cell === null ? 'NULL' : String(cell), 80)
}

export const saysExpected = (expected: Expected): string => saysRows(rowsOf(expected))
