import type { Queryable } from '../connect.ts'
import type { LiveTable } from './live.ts'

type Counted = {
  readonly writes: number
  readonly reads: number
  /** Seconds since 1970, by the server's clock. */
  readonly at: number
}

type Row = Omit<LiveTable, 'writesPerSecond' | 'readsPerSecond'> &
  Counted & {
    /** Seconds since the counters of the database were reset; null where they never were. */
    readonly since: number | null
  }

/** Of a table with less than that, ever, nobody needs to know how often it is used now. */
const WORTH_MEASURING = { bytes: 10e6, count: 10_000 } as const
/** As long as sessions keep what they count to themselves. */
const APART_SECONDS = 1
/** An average over less says nothing. */
const LEAST_SECONDS = 60

export async function tablesOf(client: Queryable, wanted: readonly { schema: string; name: string }[]): Promise<readonly LiveTable[]> {
  if (wanted.length === 0) return []
  const first = await counted(client, wanted)
  const isBusy = first.some(({ writes, reads, bytes }) => bytes >= WORTH_MEASURING.bytes && writes + reads >= WORTH_MEASURING.count)
  if (isBusy) await client.query('select pg_sleep($1)', [APART_SECONDS])
  const second = isBusy ? await counted(client, wanted) : []
  const later = new Map(second.map((row) => [keyOf(row), row]))
  return first.map(({ writes, reads, at, since, ...table }) => {
    const now = later.get(keyOf(table))
    const rate = (before: number, after: number | undefined): number | null => {
      const measured = now === undefined || after === undefined ? null : Math.max(0, after - before) / Math.max(now.at - at, 0.001)
      const average = since === null || since < LEAST_SECONDS ? null : before / since
      return measured === null ? average : Math.max(measured, average ?? 0)
    }
    return { ...table, writesPerSecond: rate(writes, now?.writes), readsPerSecond: rate(reads, now?.reads) }
  })
}

const keyOf = ({ schema, name }: { readonly schema: string; readonly name: string }): string => JSON.stringify([schema, name])

/** A table that is dropped meanwhile has no size and is left out. */
async function counted(client: Queryable, wanted: readonly { schema: string; name: string }[]): Promise<readonly Row[]> {
  const { rows } = await client.query<Row>(
    `with touched as (
        select c.oid, n.nspname as schema, c.relname as name, c.relkind = 'p' as partitioned
          from unnest($1::text[], $2::text[]) as wanted (schema, name)
          join pg_namespace n on n.nspname = wanted.schema join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
         where c.relkind in ('r', 'p', 'm') and c.relpersistence <> 't'
      ), leaf as (
        select oid as root, oid from touched where not partitioned
        union all select t.oid, p.relid from touched t cross join lateral pg_partition_tree(t.oid) p where t.partitioned and p.isleaf
      )
      select t.schema, t.name, t.partitioned as "isPartitioned",
        (case when bool_or(c.reltuples < 0 and pg_relation_size(c.oid) > 0) then null else coalesce(sum(greatest(c.reltuples, 0)), 0) end)::float8 as rows,
        coalesce(sum(pg_table_size(c.oid)), 0)::float8 as bytes, coalesce(sum(pg_indexes_size(c.oid)), 0)::float8 as "indexBytes",
        coalesce(sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0)::float8 as writes,
        coalesce(sum(coalesce(s.seq_scan, 0) + coalesce(s.idx_scan, 0)), 0)::float8 as reads,
        extract(epoch from clock_timestamp())::float8 as at,
        extract(epoch from clock_timestamp() - (select stats_reset from pg_stat_database where datname = current_database()))::float8 as since
       from touched t left join leaf on leaf.root = t.oid left join pg_class c on c.oid = leaf.oid left join pg_stat_all_tables s on s.relid = c.oid
      group by t.oid, t.schema, t.name, t.partitioned`,
    [wanted.map(({ schema }) => schema), wanted.map(({ name }) => name)],
  )
  return rows
}
