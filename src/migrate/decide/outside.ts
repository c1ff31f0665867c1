import type { Queryable } from '../../database/connect.ts'
import { OUTSIDE } from '../../sql/outside.ts'

/**
 * The functions of this database that act outside of their transaction (in a language that may do anything, or because they call what
 * does), as far as the file reaches one: by its name, by a table that calls it, or by an event trigger. `words` are those of its statements.
 */
export async function reachedOutside(
  client: Queryable,
  { sql, words }: { readonly sql: string; readonly words: ReadonlySet<string> },
): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string; table: string | null; isEvent: boolean; tags: string[] | null }>(
    `with recursive acts as (
        select p.oid, p.proname from pg_proc p join pg_language l on l.oid = p.prolang join pg_namespace n on n.oid = p.pronamespace
         where n.nspname not in ('pg_catalog', 'information_schema')
           and ((l.lanname not in ('internal', 'c') and not l.lanpltrusted) or p.prosrc ~* $1)
        union
        select p.oid, p.proname from acts join pg_proc p on p.oid <> acts.oid and (p.prosrc ~* ('\\m' || regexp_replace(acts.proname, '(\\W)', '\\\\\\1', 'g') || '\\M')
            or exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_proc'::regclass and d.refobjid = acts.oid))
         join pg_namespace n on n.oid = p.pronamespace where n.nspname not in ('pg_catalog', 'information_schema'))
    select distinct proname::text as name, null::text as table, false as "isEvent", null::text[] as tags from acts
    union all
    select proname::text, c.relname::text, false, null from acts join pg_trigger t on t.tgfoid = acts.oid and t.tgenabled <> 'D' join pg_class c on c.oid = t.tgrelid
    union all
    select proname::text, c.relname::text, false, null from acts join pg_depend d on d.refclassid = 'pg_proc'::regclass and d.refobjid = acts.oid
      join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid join pg_class c on c.oid = a.adrelid
    union all
    select proname::text, c.relname::text, false, null from acts join pg_depend d on d.refclassid = 'pg_proc'::regclass and d.refobjid = acts.oid
      join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid join pg_class c on c.oid = r.ev_class
    union all
    select proname::text, null, true, e.evttags from acts join pg_event_trigger e on e.evtfoid = acts.oid and e.evtenabled <> 'D'`,
    [OUTSIDE],
  )
  const isNamed = (name: string | null) => name !== null && words.has(name.toLowerCase())
  const isRaised = (tags: readonly string[] | null) =>
    tags === null || tags.some((tag) => new RegExp(tag.replaceAll(' ', String.raw`\s[^;]*?`), 'i').test(sql))
  const reached = rows.filter(({ name, table, isEvent, tags }) => (isEvent ? isRaised(tags) : isNamed(name) || isNamed(table)))
  return [...new Set(reached.map(({ name }) => name))]
}
