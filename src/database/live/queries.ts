import type { Queryable } from '../connect.ts'
import type { Asked, CountedQuery } from './live.ts'
import { shownQuery } from './shown.ts'

type Counted = { readonly queries: readonly CountedQuery[]; readonly hidden: string | null }

/** The most frequent statements of this database that hold one of the words; whether they mean it is for the parser to say. */
const MOST = 200

export async function countedQueries(client: Queryable, { going, redactor }: Pick<Asked, 'going' | 'redactor'>): Promise<Counted> {
  if (going.length === 0) return { queries: [], hidden: null }
  const { rows: found } = await client.query<{ place: string; withInfo: boolean }>(
    `select quote_ident(n.nspname) as place, to_regclass(quote_ident(n.nspname) || '.pg_stat_statements_info') is not null as "withInfo"
       from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`,
  )
  const [extension] = found
  if (extension === undefined)
    return {
      queries: [],
      hidden:
        'whether statements still use what goes could not be seen: the extension pg_stat_statements, which counts them, is not installed',
    }
  const since = extension.withInfo
    ? `(select (extract(epoch from clock_timestamp() - stats_reset) * 1000)::float8 from ${extension.place}.pg_stat_statements_info)`
    : 'null::float8'
  const { rows } = await client.query<{ text: string; calls: number; forMs: number | null }>(
    `select left(query, 20000) as text, sum(calls)::float8 as calls, ${since} as "forMs" from ${extension.place}.pg_stat_statements
      where dbid = (select oid from pg_database where datname = current_database())
        and exists (select 1 from unnest($1::text[]) word where strpos(query, word) > 0)
      group by query order by sum(calls) desc limit ${MOST}`,
    [going],
  )
  return { queries: rows.map((row) => ({ ...row, shown: shownQuery(row.text, redactor) })), hidden: null }
}
