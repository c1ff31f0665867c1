import { parse } from 'libpg-query'

/**
 * Whether PostgreSQL undoes the file as a whole when a statement of it fails, given an engine that sends it as one script: it has no
 * BEGIN or COMMIT of its own. A file that the parser cannot read counts as not atomic.
 */
export async function isOneTransaction(sql: string): Promise<boolean> {
  const statements = await statementsOf(sql)
  return statements !== null && !statements.some((kind) => kind.name === 'TransactionStmt' || kind.concurrent)
}

/** The name of the index that a file builds concurrently, unqualified; null when it builds none or leaves the name to the server. */
export async function concurrentIndexOf(sql: string): Promise<string | null> {
  const statements = await statementsOf(sql)
  const index = statements?.find(({ name, concurrent }) => name === 'IndexStmt' && concurrent)
  return index?.index ?? null
}

type Statement = { readonly name: string; readonly concurrent: boolean; readonly index: string | null }

async function statementsOf(sql: string): Promise<readonly Statement[] | null> {
  try {
    const tree: unknown = await parse(sql)
    const statements = fieldOf(tree, 'stmts')
    return Array.isArray(statements) ? statements.map((entry) => statementOf(fieldOf(entry, 'stmt'))) : null
  } catch {
    return null // not this PostgreSQL's grammar; the caller takes the careful answer
  }
}

function statementOf(statement: unknown): Statement {
  const [name, body] = Object.entries(statement ?? {})[0] ?? ['', null]
  const index = fieldOf(body, 'idxname')
  return { name, concurrent: fieldOf(body, 'concurrent') === true, index: typeof index === 'string' ? index : null }
}

const fieldOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([name]) => name === key)?.[1] : undefined
