import type { Fault } from './fault.ts'

/** Where in `migration.sql` it is. `names`: the database gave no position, and this is the one line that names what it complains about. */
export type Place = { readonly line: number; readonly column: number | null; readonly text: string; readonly how: 'position' | 'names' }

/** Null when it is not certain. `sql` is the file as it was sent. */
export const placeOf = (fault: Fault, sql: string): Place | null => byPosition(fault, sql) ?? byName(fault, sql)

/** `line 6, column 13 of migration.sql: "email" CITEXT,` */
export const placeText = ({ line, column, text, how }: Place, file = 'migration.sql'): string => {
  const shown = text.length > 160 ? `${text.slice(0, 159)}…` : text
  return how === 'names' ? `line ${line} of ${file} names it: ${shown}` : `line ${line}, column ${column ?? 1} of ${file}: ${shown}`
}

/** An engine may send a file in pieces, and counts in the piece: what it shows of the place must be what the file has there. */
function byPosition({ position }: Fault, sql: string): Place | null {
  if (position === null || position.shown === null) return null
  const before = Array.from(sql)
    .slice(0, position.at - 1)
    .join('') // the server counts characters
  const line = before.split('\n').length
  const text = sql.split('\n')[line - 1]?.replace(/\r$/, '') ?? ''
  if (text.trim() !== position.shown.trim()) return null
  return { line, column: Array.from(before.split('\n').at(-1) ?? '').length + 1, text: text.trim(), how: 'position' }
}

function byName({ message }: Fault, sql: string): Place | null {
  const words = wordsIn(message ?? '')
  const lines = withoutComments(sql).split('\n')
  if (lines.filter((line) => line.trim() !== '').length < 2) return null // the statement itself is shown
  const linesWith = (wanted: readonly string[]) => lines.flatMap((line, at) => (wanted.every((word) => has(line, word)) ? [at] : []))
  const together = words.length === 0 ? [] : linesWith(words)
  const found = together.length > 0 ? together : linesWith(words.slice(0, 1))
  const [at] = found
  if (words.length === 0 || at === undefined || found.length > 1) return null
  return { line: at + 1, column: null, text: (sql.split('\n')[at] ?? '').trim(), how: 'names' }
}

/** What stands in quotation marks; not a value, which stands behind a colon. */
const wordsIn = (message: string): readonly string[] => [...message.matchAll(/(?<!: )"([^"\n]+)"/g)].flatMap(([, word]) => word ?? [])

const has = (line: string, word: string): boolean => {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?<![\\w$])${escaped}(?![\\w$])`, 'i').test(line)
}

/** With as many lines as before. */
const withoutComments = (sql: string): string =>
  sql.replace(/--.*$/gm, '').replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
