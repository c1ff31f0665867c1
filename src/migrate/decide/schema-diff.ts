import type { Queryable } from '../../database/connect.ts'

/** The transaction id that comes next, as text. */
export async function nextTransaction(client: Queryable): Promise<string> {
  const { rows } = await client.query<{ xid: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as xid')
  if (rows[0] === undefined) throw new Error('The server gave no transaction id')
  return rows[0].xid
}

/**
 * What the catalogue has got since a transaction id, or since the last migration was recorded as applied, whichever is later: for a
 * migration that failed, what it left behind. Names as people write them, at most 10: `table orders`, `column orders.discount_id`.
 * A change by others in that time shows as well, which errs on the safe side; what was dropped, or changed in rows, does not show.
 */
export async function madeSince(client: Queryable, xid: string, schema: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ what: string }>(
    `with since as (${await sinceOf(client, schema)}),
      names as (select c.oid, case when pg_table_is_visible(c.oid) then c.relname::text else n.nspname || '.' || c.relname end as name, c.relkind,
          age(c.xmin) as age, columns.grown
         from since, pg_class c join pg_namespace n on n.oid = c.relnamespace
         -- an old table with new columns: the columns say it; a new table: the table says it
         cross join lateral (select bool_or(age(a.xmin) > oldest) and bool_or(age(a.xmin) <= oldest) as grown
           from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) columns
         where n.nspname !~ '^(pg_|information_schema)' and c.relname not in ('_prisma_migrations', 'lockkeeper_migrations'))
    select what from (
      select case when relkind in ('i', 'I') then 'index ' when relkind = 'S' then 'sequence ' when relkind in ('v', 'm') then 'view ' else 'table ' end
          || name as what, names.age from names where grown is distinct from true or relkind in ('i', 'I')
      union all
      select 'column ' || name || '.' || attname, age(a.xmin) from pg_attribute a join names on attrelid = names.oid
        where attnum > 0 and not attisdropped and relkind in ('r', 'p') and grown
      union all
      select 'constraint ' || conname, age(c.xmin) from pg_constraint c join names on conrelid = names.oid
        where contype <> 'n' -- from PostgreSQL 18 on what is required is a constraint too, and its column or table says it
      union all
      select 'type ' || typname, age(t.xmin) from pg_type t join pg_namespace n on n.oid = typnamespace
        where n.nspname !~ '^(pg_|information_schema)' and typtype in ('e', 'd')
      union all
      select 'value ' || enumlabel || ' of type ' || enumtypid::regtype, age(e.xmin) from pg_enum e
      union all
      select 'function ' || proname, age(p.xmin) from pg_proc p join pg_namespace n on n.oid = pronamespace
        where n.nspname !~ '^(pg_|information_schema)'
    ) found, since where found.age <= oldest
    order by found.age desc, what limit 10`,
    [xid],
  )
  return rows.map(({ what }) => what)
}

export type InvalidIndex = {
  readonly name: string
  readonly table: string
  /** Quoted, with its schema. */
  readonly qualified: string
}

/** Indexes that a CONCURRENTLY left unfinished: writes pay for them, reads do not use them. */
export async function invalidIndexes(client: Queryable): Promise<readonly InvalidIndex[]> {
  const { rows } = await client.query<InvalidIndex>(
    `select c.relname as name, t.relname as "table", format('%I.%I', n.nspname, c.relname) as qualified
       from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
      where not i.indisvalid and n.nspname !~ '^pg_' and c.relkind = 'i'
        and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid and p.datid = (select oid from pg_database where datname = current_database()))
      order by 1`,
  )
  return rows
}

/** SQL for the age (`oldest`) of what belongs to an attempt that began with the transaction id `$1` and to the last of its files. */
export async function sinceOf(client: Queryable, schema: string): Promise<string> {
  const { rows } = await client.query<{ name: string | null }>(
    `select to_regclass(format('%I._prisma_migrations', $1::text))::text as name`,
    [schema],
  )
  const table = rows[0]?.name ?? null
  const applied =
    table === null ? 'null::int' : `(select min(age(xmin)) from ${table} where finished_at is not null and rolled_back_at is null)`
  return `select least(began, coalesce(applied - 1, began)) as oldest from (select age(($1::xid8)::xid) as began, ${applied} as applied) ages`
}
