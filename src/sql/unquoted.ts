/** A word, or a character that has a meaning of its own, that PostgreSQL reads as SQL: no part of a comment, a string, a quoted name or a dollar-quoted body. */
export type Piece = { readonly text: string; readonly at: number }

/**
 * What of a file is SQL itself, in order: words, `; : \ < > [ ]` and whatever is not ASCII; other signs and numbers are left out. The
 * parser is of no use for it: it gives up on the whole file at what is looked for here, as a command of psql. What is never closed reaches
 * to the end.
 */
export function* unquotedPieces(sql: string): Generator<Piece> {
  const next = new RegExp(PIECE, 'gu')
  for (let found = next.exec(sql); found !== null; found = next.exec(sql)) {
    const [text] = found
    const close = endOfQuoted(sql, text, found.index)
    if (close === null) yield { text, at: found.index }
    else next.lastIndex = close
  }
}

const PIECE = /--|\/\*|\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$|[eE]'|['"]|[\p{L}_][\p{L}\p{M}\p{N}_$]*|[;:\\<>[\]]|[^\p{ASCII}]/u.source

/** Searched for, not matched: a string may have megabytes. A doubled quotation mark is the end of one string and the beginning of the next. */
function endOfQuoted(sql: string, opener: string, at: number): number | null {
  const behind = (close: string) => {
    const found = sql.indexOf(close, at + opener.length)
    return found === -1 ? sql.length : found + close.length
  }
  if (opener === '--') return behind('\n')
  if (opener === '/*') return endOf(sql, at, /\/\*|\*\//g, (mark) => (mark === '/*' ? 1 : -1)) // they nest
  if (/^e'$/i.test(opener)) return endOf(sql, at + 1, /\\[^]|'/g, (mark, depth) => (mark === "'" ? 1 - 2 * depth : 0))
  return /^['"$]/.test(opener) ? behind(opener) : null
}

/** Where the depth is 0 again. */
function endOf(sql: string, from: number, marks: RegExp, change: (mark: string, depth: number) => number): number {
  marks.lastIndex = from
  let depth = 0
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += change(mark[0], depth)
    if (depth === 0) return marks.lastIndex
  }
  return sql.length
}
