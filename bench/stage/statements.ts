import pg from 'pg'
import { serverUrl } from '../../test/helpers/server.ts'

/** What was asked of a database, by statement, most often first. */
export type Statements = readonly { readonly query: string; readonly calls: number }[]

/** Counts what the server executes in one database while `during` lasts: every statement, also `begin` and `commit`. */
export async function countStatements(database: string, during: () => Promise<unknown>): Promise<Statements> {
  const client = new pg.Client({ connectionString: serverUrl() })
  await client.connect()
  try {
    await client.query('create extension if not exists pg_stat_statements')
    await client.query('select pg_stat_statements_reset()')
    await during()
    const { rows } = await client.query<{ query: string; calls: number }>(
      `select query, calls::int as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
       where d.datname = $1 order by calls desc`,
      [database],
    )
    return rows
  } finally {
    await client.end()
  }
}

export const callsOf = (statements: Statements): number => statements.reduce((sum, { calls }) => sum + calls, 0)
