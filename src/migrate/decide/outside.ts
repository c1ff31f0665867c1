import type { Queryable } from '../../database/connect.ts'
import { OUTSIDE } from '../../sql/outside.ts'

/**
 * The functions of this database that act outside of their transaction (in a language that may do anything, or because they call what
 * does) and its foreign tables that do, as far as the file reaches one: by its name, by a table that calls it, or by an event trigger.
 * `words` are those of its statements.
 */
export async function reachedOutside(
  client: Queryable,
  { sql, words }: { readonly sql: string; readonly words: ReadonlySet<string> },
): Promise<readonly string[]> {
  const isNamed = (name: string | null) => name !== null && words.has(name.toLowerCase())
  const foreign = (await foreignTables(client)).filter(isNamed)
  const found = await actingOutside(client)
  if (found.length === 0) return foreign
  const { rows } = await client.query<{ name: string; table: string | null; isEvent: boolean; tags: string[] | null }>(
    `select p.proname::text as name, c.relname::text as table, false as "isEvent", null::text[] as tags from pg_proc p
       join (select tgfoid as function, tgrelid as relation from pg_trigger where tgenabled <> 'D'
             union all
             select d.refobjid, coalesce(a.adrelid, r.ev_class, k.conrelid, y.polrelid) from pg_depend d
               left join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
               left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
               left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
               left join pg_policy y on d.classid = 'pg_policy'::regclass and y.oid = d.objid
              where d.refclassid = 'pg_proc'::regclass) calls on calls.function = p.oid
       join pg_class c on c.oid = calls.relation
      where p.oid = any ($1::oid[])
     union all
     select p.proname, null, true, e.evttags from pg_proc p join pg_event_trigger e on e.evtfoid = p.oid and e.evtenabled <> 'D' where p.oid = any ($1::oid[])`,
    [found.map(({ oid }) => oid)],
  )
  const isRaised = (tags: readonly string[] | null) =>
    tags === null || tags.some((tag) => new RegExp(tag.replaceAll(' ', String.raw`\s[^;]*?`), 'i').test(sql))
  const called = found.filter(({ name }) => isNamed(name))
  const reached = rows.filter(({ table, isEvent, tags }) => (isEvent ? isRaised(tags) : isNamed(table)))
  return [...new Set([...called, ...reached].map(({ name }) => name)), ...foreign]
}

/** Those of wrappers that are not known to end their remote transaction with the local one. */
async function foreignTables(client: Queryable): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname::text as name from pg_foreign_table t join pg_class c on c.oid = t.ftrelid join pg_foreign_server s on s.oid = t.ftserver
       join pg_foreign_data_wrapper w on w.oid = s.srvfdw where w.fdwname not in ('postgres_fdw', 'file_fdw') order by 1`,
  )
  return rows.map(({ name }) => name)
}

type Found = { readonly oid: number; readonly name: string }

/** Those that do it themselves, then those that name one of them, until there are no more. */
async function actingOutside(client: Queryable): Promise<readonly Found[]> {
  const found: Found[] = []
  let pattern = OUTSIDE
  let last: readonly Found[] = []
  do {
    const { rows } = await client.query<Found>(
      `select p.oid::int8::float8 as oid, p.proname::text as name from pg_proc p join pg_language l on l.oid = p.prolang join pg_namespace n on n.oid = p.pronamespace
        where n.nspname not in ('pg_catalog', 'information_schema') and p.oid <> all ($2::oid[])
          and (p.prosrc ~* $1 or (l.lanname not in ('internal', 'c') and not l.lanpltrusted)
            or exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_proc'::regclass and d.refobjid = any ($3::oid[])))`,
      [pattern, found.map(({ oid }) => oid), last.map(({ oid }) => oid)],
    )
    found.push(...rows)
    last = rows
    pattern = String.raw`\m(${rows.map(({ name }) => name.replaceAll(/\W/g, String.raw`\$&`)).join('|')})\M`
  } while (last.length > 0)
  return found
}
