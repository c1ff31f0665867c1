import { createHash } from 'node:crypto'

/** The name under which a session keeps a statement, or undefined when it is parsed and planned anew. */
export type NameOf = (sql: string) => string | undefined

/** What a process asks that often it will ask again; what has values written into its text comes seldom twice. */
const AFTER = 3
const MOST = 300

/**
 * Names for the statements that a process asks again and again: PostgreSQL then parses and plans them once a session. A statement with
 * `*` has none: its columns may change below a session that lives, when a newer replica installs its migrations.
 */
export function createNames(): NameOf {
  const known = new Map<string, { asked: number; readonly name: string | undefined }>()
  return (sql) => {
    const statement = known.get(sql)
    if (statement !== undefined) {
      statement.asked++
      return statement.asked > AFTER ? statement.name : undefined
    }
    if (known.size < MOST) known.set(sql, { asked: 1, name: nameFor(sql) })
    return undefined
  }
}

const ALL_COLUMNS = /(\b(select|returning|distinct)|,)\s+\*|\.\*/i

const nameFor = (sql: string): string | undefined =>
  ALL_COLUMNS.test(sql) ? undefined : createHash('sha256').update(sql).digest('base64url').slice(0, 22)
