import type { Node } from 'libpg-query'
import { plainText } from '../lib/text/quoted.ts'

/** `unreadable` is not harmless: whoever decides by it takes the careful answer. `why` has no full stop and is not escaped. */
export type Script =
  /** `texts` are the statements as they are written, one for each; `starts` is where in the file, in bytes. */
  | { readonly kind: 'sql'; readonly statements: readonly Node[]; readonly texts: readonly string[]; readonly starts: readonly number[] }
  | { readonly kind: 'unreadable'; readonly why: string }

/** Reads the SQL of a file with PostgreSQL's own parser. What is shown before a run and what is decided after it come from here alike. */
export async function readScript(content: Buffer): Promise<Script> {
  const { hasSqlDetails, loadModule, parseSync } = await import('libpg-query') // by the first plan: it takes 6 MB
  await loadModule()
  // the parser stops at a NUL, so what stands behind it would be hidden
  if (content.includes(0)) return unreadable('it holds a NUL character')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch {
    return unreadable('it is not UTF-8')
  }
  if (text.startsWith('\ufeff')) return unreadable('it begins with a byte order mark, which PostgreSQL refuses')
  if (text.trim() === '') return { kind: 'sql', statements: [], texts: [], starts: [] }
  try {
    const found = (parseSync(text).stmts ?? []).flatMap(({ stmt, stmt_location: from = 0, stmt_len }) =>
      // counted in bytes; the last one goes to the end
      stmt === undefined
        ? []
        : [{ stmt, from, text: content.toString('utf8', from, stmt_len === undefined ? content.length : from + stmt_len) }],
    )
    return {
      kind: 'sql',
      statements: found.map(({ stmt }) => stmt),
      texts: found.map((one) => one.text),
      starts: found.map((one) => one.from),
    }
  } catch (error) {
    const at = hasSqlDetails(error) ? error.sqlDetails?.cursorPosition : undefined
    const line = at === undefined ? '' : ` in line ${text.slice(0, at).split('\n').length}`
    return unreadable(`${plainText(error instanceof Error ? error.message : String(error), 120)}${line}`)
  }
}

const unreadable = (why: string): Script => ({ kind: 'unreadable', why })
