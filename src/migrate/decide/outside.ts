import type { Queryable } from '../../database/connect.ts'
import { OUTSIDE } from '../../sql/outside.ts'

/**
 * Functions of this database that act outside of their transaction (by what their body names, or because their language may do anything),
 * and foreign tables of wrappers that are not known to end their remote transaction with the local one: those whose names are among the words.
 */
export async function actingOutside(client: Queryable, words: ReadonlySet<string>): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select p.proname::text as name from pg_proc p join pg_language l on l.oid = p.prolang join pg_namespace n on n.oid = p.pronamespace
      where n.nspname not in ('pg_catalog', 'information_schema') and lower(p.proname) = any ($2)
        and l.lanname not in ('internal', 'c') and (not l.lanpltrusted or p.prosrc ~* $1 or (p.prosrc = '' and p.prokind <> 'a' and pg_get_functiondef(p.oid) ~* $1))
     union
     select c.relname::text from pg_foreign_table t join pg_class c on c.oid = t.ftrelid join pg_foreign_server s on s.oid = t.ftserver
       join pg_foreign_data_wrapper w on w.oid = s.srvfdw where w.fdwname not in ('postgres_fdw', 'file_fdw') and lower(c.relname) = any ($2)
     order by 1`,
    [OUTSIDE, [...words]],
  )
  return rows.map(({ name }) => name)
}
