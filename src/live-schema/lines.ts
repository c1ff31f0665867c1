import type { Queryable } from '../database/connect.ts'

/**
 * One object of a schema. `key` says what it is (`column public.orders.note`), `text` how it is: of columns the type in words, of whatever
 * may hold a value (defaults, checks, bodies) a hash, so that no value is kept.
 */
export type SchemaLine = { readonly key: string; readonly text: string }

/**
 * The schemas of people, an object a line, sorted. Left out: the records of migrations, what belongs to an extension, and partitions with
 * theirs, which many a database makes by itself every day.
 */
export async function readSchemaLines(client: Queryable): Promise<readonly SchemaLine[]> {
  // what a definition names with its schema follows from the search path, which a role or a database may be given between two readings
  const { rows: paths } = await client.query<{ path: string }>(
    `select current_setting('search_path') as path, set_config('search_path', '', false)`,
  )
  try {
    const { rows } = await client.query<SchemaLine>(LINES)
    return rows
  } finally {
    await client.query(`select set_config('search_path', $1, false)`, [paths[0]?.path ?? ''])
  }
}

const OF_EXTENSION = (catalogue: string, oid: string) =>
  `exists (select from pg_depend d where d.classid = '${catalogue}'::regclass and d.objid = ${oid} and d.deptype = 'e')`

const LINES = `with relation as materialized (
    select c.oid, c.relkind, n.nspname || '.' || c.relname as name, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not c.relispartition and c.relpersistence <> 't'
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and c.relname not in ('_prisma_migrations', 'lockkeeper_migrations')
      and not ${OF_EXTENSION('pg_class', 'c.oid')}
  ), line as (
    select case relkind when 'v' then 'view ' when 'm' then 'materialized view ' when 'S' then 'sequence ' when 'f' then 'foreign table ' else 'table ' end || name as key,
      case when relkind in ('v', 'm') then md5(pg_get_viewdef(oid))
        when relkind = 'S' then (select format('%s from %s by %s between %s and %s%s', format_type(seqtypid, null), seqstart, seqincrement, seqmin, seqmax, case when seqcycle then ', cycling' else '' end) from pg_sequence where seqrelid = oid)
        else concat_ws(', ', case when relkind = 'p' then 'partitioned by ' || pg_get_partkeydef(oid) else 'as usual' end,
          case when relpersistence = 'u' then 'unlogged' end, case when relrowsecurity then 'with row security' end, case when relforcerowsecurity then 'for its owner too' end) end as text
    from relation
    union all
    select 'column ' || r.name || '.' || a.attname,
      concat_ws(', ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'required' end,
        case a.attidentity when 'a' then 'identity' when 'd' then 'identity by default' end,
        case when d.oid is not null then case when a.attgenerated <> '' then 'computed ' else 'default ' end || left(md5(pg_get_expr(d.adbin, d.adrelid)), 8) end,
        case when a.attcollation <> t.typcollation then 'collation ' || a.attcollation::regcollation end)
    from relation r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where r.relkind in ('r', 'p', 'f')
    union all
    select 'constraint ' || c.conname || ' on ' || r.name, case when c.convalidated then '' else 'not validated, ' end || md5(pg_get_constraintdef(c.oid))
    from relation r join pg_constraint c on c.conrelid = r.oid where c.contype <> 'n'
    union all
    select 'index ' || i.relname || ' on ' || r.name, case when x.indisvalid then '' else 'invalid, ' end || md5(pg_get_indexdef(i.oid))
    from relation r join pg_index x on x.indrelid = r.oid join pg_class i on i.oid = x.indexrelid
    where not exists (select from pg_constraint c where c.conindid = i.oid and c.conrelid = r.oid and c.contype in ('p', 'u', 'x'))
    union all
    select 'trigger ' || t.tgname || ' on ' || r.name, t.tgenabled::text || ' ' || md5(pg_get_triggerdef(t.oid))
    from relation r join pg_trigger t on t.tgrelid = r.oid where not t.tgisinternal
    union all
    select 'policy ' || p.polname || ' on ' || r.name,
      md5(concat_ws(' ', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)))
    from relation r join pg_policy p on p.polrelid = r.oid
    union all
    select 'type ' || n.nspname || '.' || t.typname,
      case when t.typtype = 'e' then (select string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)
        else format_type(t.typbasetype, t.typtypmod) || case when t.typnotnull then ', required' else '' end
          || coalesce((select ', ' || string_agg(left(md5(pg_get_constraintdef(c.oid)), 8), ', ' order by c.conname) from pg_constraint c where c.contypid = t.oid and c.contype = 'c'), '') end
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typtype in ('e', 'd') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not ${OF_EXTENSION('pg_type', 't.oid')}
    union all
    select 'function ' || n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', md5(pg_get_functiondef(p.oid))
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where p.prokind in ('f', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not ${OF_EXTENSION('pg_proc', 'p.oid')}
    union all
    select 'extension ' || extname, extversion from pg_extension where extname <> 'plpgsql'
  )
  select key, text from line order by key, text`
