import type { Engine } from './engine.ts'

/** Everything that Prisma reads when it looks at a live schema, and a little more, in an order that does not change. */
export async function readCatalogue(engine: Engine, schema: string): Promise<string> {
  const rows = await engine.ask<{ kind: string; line: string }>(CATALOGUE, [schema])
  return rows.map(({ kind, line }) => `${kind} ${line}`).join('\n')
}

const CATALOGUE = `
with here as (select oid from pg_namespace where nspname = $1),
  tables as (select c.* from pg_class c where relnamespace = (select oid from here) and relkind in ('r', 'p', 'v', 'm'))
select 'table' as kind, jsonb_build_array(relname, relkind, relhassubclass, relispartition, relrowsecurity, reloptions, obj_description(oid, 'pg_class'))::text as line
  from tables
union all
select 'column', jsonb_build_array(c.relname, a.attnum - (select count(*) from pg_attribute b where b.attrelid = a.attrelid and b.attnum > 0 and b.attnum < a.attnum and b.attisdropped),
    a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum))::text
  from tables c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
union all
select 'constraint', jsonb_build_array(c.relname, n.conname, n.contype, pg_get_constraintdef(n.oid), n.condeferrable, n.condeferred)::text
  from tables c join pg_constraint n on n.conrelid = c.oid
union all
select 'index', jsonb_build_array(c.relname, pg_get_indexdef(i.indexrelid), i.indisprimary)::text from tables c join pg_index i on i.indrelid = c.oid
union all
select 'view', jsonb_build_array(relname, pg_get_viewdef(oid))::text from tables where relkind in ('v', 'm')
union all
select 'enum', jsonb_build_array(t.typname, obj_description(t.oid, 'pg_type'), array(select enumlabel::text from pg_enum where enumtypid = t.oid order by enumsortorder))::text
  from pg_type t where t.typnamespace = (select oid from here) and t.typtype = 'e'
union all
select 'type', jsonb_build_array(typname, typtype)::text from pg_type
  where typnamespace = (select oid from here) and typtype in ('b', 'd') and typinput::regproc::text <> 'array_in'
union all
select 'function', jsonb_build_array(proname, case when prokind = 'a' then '' else pg_get_functiondef(oid) end)::text from pg_proc where pronamespace = (select oid from here)
union all
select 'extension', jsonb_build_array(extname, extversion, extnamespace::regnamespace)::text from pg_extension
union all
select 'sequence', jsonb_build_array(sequencename, start_value, min_value, max_value, increment_by, cycle)::text from pg_sequences where schemaname = $1
order by 1, 2`
