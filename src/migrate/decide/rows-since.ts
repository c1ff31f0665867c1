import type { Queryable } from '../../database/connect.ts'
import { hasSqlState, sqlState } from '../../lib/sqlstate.ts'
import { sinceOf } from './schema-diff.ts'

/** Rows of a table that were inserted or updated since a file began and are committed, by whomever. Deleted ones do not show. */
export type WrittenRows = {
  readonly table: string
  /** Counted up to `MOST_ROWS` and one more; null when they could not be seen, or not in a moment. */
  readonly rows: number | null
}

export const MOST_ROWS = 1_000

/** Of at most five tables whose names are among the words, the smallest first. `xid` is the transaction id that came next when its attempt began. */
export async function writtenSince(
  client: Queryable,
  { xid, schema, words }: { readonly xid: string; readonly schema: string; readonly words: ReadonlySet<string> },
): Promise<readonly WrittenRows[]> {
  const { rows: tables } = await client.query<{ name: string; qualified: string }>(
    `select c.relname::text as name, format('%I.%I', n.nspname, c.relname) as qualified from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema)' and c.relname not in ('_prisma_migrations', 'lockkeeper_migrations') and lower(c.relname) = any ($1)
        and has_table_privilege(c.oid, 'select') order by c.relpages, 2 limit 5`,
    [[...words]],
  )
  const since = await sinceOf(client, schema)
  const found: WrittenRows[] = []
  for (const { name, qualified } of tables) found.push({ table: name, rows: await countIn(client, qualified, since, xid) })
  return found
}

const CANNOT_SEE = [sqlState.queryCanceled, sqlState.lockNotAvailable, sqlState.insufficientPrivilege]

/** It reads the whole table, so it may take only a moment, and waits for nobody. */
async function countIn(client: Queryable, table: string, since: string, xid: string): Promise<number | null> {
  await client.query('begin read only')
  try {
    // where a policy would hide rows, that is an error
    await client.query(`set local statement_timeout = '2s'; set local lock_timeout = '200ms'; set local row_security = off`)
    const { rows } = await client.query<{ n: number }>(
      `select count(*)::int as n from (select from only ${table} t, (${since}) since where age(t.xmin) <= since.oldest limit ${MOST_ROWS + 1}) written`,
      [xid],
    )
    return rows[0]?.n ?? null
  } catch (error) {
    if (CANNOT_SEE.some((state) => hasSqlState(error, state))) return null
    throw error
  } finally {
    await client.query('rollback')
  }
}
