import type { Queries } from '../../src/store/pool.ts'

/** Everything that the schema consists of, a line each, sorted: two stores with the same lines behave the same. */
export async function schemaLines(db: Queries): Promise<readonly string[]> {
  const rows = await db.query<{ line: string }>(LINES)
  return rows.map(({ line }) => line.replaceAll(/\s+/g, ' ').trim()).sort()
}

const LINES = `
with relation as (
  select c.oid, c.relname, c.relkind, c.relpersistence from pg_class c
  where c.relnamespace = 'lockkeeper'::regnamespace and c.relkind <> 'i')
select format('%s %s%s', case relkind when 'r' then 'table' when 'S' then 'sequence' else 'relation' end, relname,
    case relpersistence when 'u' then ' unlogged' else '' end) as line from relation
union all
select format('column %s.%s %s %s%s%s%s', relname, attnum, attname, format_type(atttypid, atttypmod),
    case when attnotnull then ' not null' else '' end, case attidentity when 'a' then ' identity' else '' end,
    coalesce(' default ' || pg_get_expr(adbin, adrelid), ''))
  from relation join pg_attribute on attrelid = relation.oid and attnum > 0 and not attisdropped
  left join pg_attrdef on adrelid = relation.oid and adnum = attnum where relkind <> 'S'
union all
-- a not null stands with its column; newer servers have it as a constraint too
select format('constraint %s.%s %s', relname, conname, pg_get_constraintdef(pg_constraint.oid)) from relation
  join pg_constraint on conrelid = relation.oid where contype <> 'n'
union all
select 'index ' || pg_get_indexdef(indexrelid) from relation join pg_index on indrelid = relation.oid
union all
select format('trigger %s %s', tgenabled, pg_get_triggerdef(pg_trigger.oid)) from relation join pg_trigger on tgrelid = relation.oid
  where not tgisinternal
union all
select 'function ' || pg_get_functiondef(oid) from pg_proc where pronamespace = 'lockkeeper'::regnamespace`
