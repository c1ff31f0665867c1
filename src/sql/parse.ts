import type { Node } from 'libpg-query'
import { plainText } from '../lib/text/quoted.ts'

/** `unreadable` is not harmless: whoever decides by it takes the careful answer. `why` has no full stop and is not escaped. */
export type Script = { readonly kind: 'sql'; readonly statements: readonly Node[] } | { readonly kind: 'unreadable'; readonly why: string }

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
  if (text.trim() === '') return { kind: 'sql', statements: [] }
  try {
    return { kind: 'sql', statements: (parseSync(text).stmts ?? []).flatMap(({ stmt }) => stmt ?? []) }
  } catch (error) {
    const at = hasSqlDetails(error) ? error.sqlDetails?.cursorPosition : undefined
    const line = at === undefined ? '' : ` in line ${text.slice(0, at).split('\n').length}`
    return unreadable(`${plainText(error instanceof Error ? error.message : String(error), 120)}${line}`)
  }
}

const unreadable = (why: string): Script => ({ kind: 'unreadable', why })
