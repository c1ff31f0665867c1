import type { Node, ScanToken } from 'libpg-query'

/** PostgreSQL's parser and that of PL/pgSQL, which throw what they cannot read. */
export type Parser = {
  readonly sql: (text: string) => readonly Node[]
  /** Takes a whole CREATE FUNCTION or DO. */
  readonly plpgsql: (statement: string) => unknown
  /** Words and comments; `start` and `end` count bytes. */
  readonly tokens: (text: string) => readonly ScanToken[]
}

/** It takes 6 MB, so it is loaded by the first plan. */
export async function loadParser(): Promise<Parser> {
  const { loadModule, parsePlPgSQLSync, parseSync, scanSync } = await import('libpg-query')
  await loadModule()
  return {
    sql: (text) => (parseSync(text).stmts ?? []).flatMap(({ stmt }) => stmt ?? []),
    plpgsql: parsePlPgSQLSync,
    tokens: (text) => scanSync(text).tokens,
  }
}
