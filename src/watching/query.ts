import { namedOutside } from '../sql/outside.ts'
import { readScript } from '../sql/parse.ts'
import { walk } from '../sql/effects/walk.ts'

/** One statement that only reads, as PostgreSQL's parser sees it, without what stands behind it; or why it is none, without a full stop. */
export type Query = { readonly kind: 'query'; readonly text: string } | { readonly kind: 'unfit'; readonly why: string }

/** SELECT, VALUES, TABLE and WITH, all of which the parser calls SELECT. */
export async function readQuery(sql: string): Promise<Query> {
  const script = await readScript(Buffer.from(sql))
  if (script.kind === 'unreadable') return unfit(`it cannot be read as SQL: ${script.why}`)
  const [statement, ...more] = script.statements
  if (statement === undefined) return unfit('it holds no statement')
  if (more.length > 0) return unfit(`it holds ${script.statements.length} statements, and one is asked`)
  if (!('SelectStmt' in statement)) return unfit('it is no SELECT, VALUES, TABLE or WITH')
  const parts = walk(statement)
  const has = (key: string) => parts.some((part) => part[key] !== undefined)
  if (['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'].some(has)) return unfit('it writes in a WITH')
  if (has('intoClause')) return unfit('it writes a table (SELECT INTO)')
  if (has('lockingClause')) return unfit('it locks rows (FOR UPDATE or FOR SHARE)')
  const outside = namedOutside(script.statements)
  if (outside.length > 0) return unfit(`it uses ${outside.join(', ')}, which may act outside of a read-only transaction`)
  return { kind: 'query', text: script.texts[0] ?? '' }
}

const unfit = (why: string): Query => ({ kind: 'unfit', why })
