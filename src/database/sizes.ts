import type { Queryable } from './connect.ts'

export type TableSize = {
  readonly schema: string
  readonly name: string
  /** The planner's estimate; null when the table was never analysed. */
  readonly rows: number | null
  /** With indexes and TOAST. */
  readonly bytes: number
}

export async function databaseBytes(client: Queryable): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>('select pg_database_size(current_database())::text as bytes')
  return Number(rows[0]?.bytes ?? 0)
}

/** Every table of people's schemas, largest first. A partitioned table carries its partitions' sum. */
export async function tableSizes(client: Queryable): Promise<readonly TableSize[]> {
  const { rows } = await client.query<{ schema: string; name: string; rows: string; bytes: string }>(
    `with leaf as (
        select c.oid, coalesce(pg_partition_root(c.oid), c.oid) as root, c.reltuples, pg_total_relation_size(c.oid) as bytes
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'
      )
      select n.nspname as schema, c.relname as name,
        (case when bool_or(leaf.reltuples < 0) then -1 else sum(leaf.reltuples) end)::bigint::text as rows, sum(leaf.bytes)::text as bytes
       from leaf join pg_class c on c.oid = leaf.root join pg_namespace n on n.oid = c.relnamespace
      group by n.nspname, c.relname order by sum(leaf.bytes) desc, n.nspname, c.relname`,
  )
  return rows.map((row) => ({ ...row, rows: Number(row.rows) < 0 ? null : Number(row.rows), bytes: Number(row.bytes) }))
}
