import type { Queryable } from '../../database/connect.ts'
import type { ConcurrentWork } from '../../sql/concurrent-work.ts'

/** How far a statement with CONCURRENTLY has come, by the catalogue, when nothing of it runs any more. Names are quoted, with their schema. */
export type ConcurrentState =
  | { readonly kind: 'untouched' }
  | { readonly kind: 'whole' }
  /** What it left, and the statement that removes or finishes it. */
  | { readonly kind: 'half'; readonly left: readonly Half[] }

export type Half =
  | { readonly kind: 'unbuilt' | 'undropped' | 'unswapped' | 'unremoved'; readonly name: string; readonly qualified: string }
  | { readonly kind: 'undetached'; readonly name: string; readonly qualified: string; readonly from: string }

/** `xid`: the transaction id that came next when it began; what is older is not its own. */
export async function concurrentStateOf(client: Queryable, work: ConcurrentWork, xid: string): Promise<ConcurrentState> {
  if (work.kind === 'detach') return detaching(client, work)
  const indexes = await indexesOf(client, xid)
  if (work.kind === 'drop') {
    const named = indexes.filter(({ name, schema }) => name === work.index.name && (work.index.schema ?? schema) === schema)
    const half = named.filter(({ valid }) => !valid)
    return half.length > 0 ? halfOf('undropped', half) : { kind: named.length > 0 ? 'untouched' : 'whole' }
  }
  const young = indexes.filter(({ isNew }) => isNew)
  if (work.kind === 'build') {
    const own = young.filter(({ name, table }) => (work.index === null ? table === work.table.name : name === work.index))
    const half = own.filter(({ valid }) => !valid)
    return half.length > 0 ? halfOf('unbuilt', half) : { kind: own.length > 0 ? 'whole' : 'untouched' }
  }
  // the old one is renamed when the new one has taken its place, which changes the old one's row as well
  const left = young.flatMap(({ valid, name, qualified }) => {
    const kind = /_ccnew\d*$/.test(name) ? ('unswapped' as const) : /_ccold\d*$/.test(name) ? ('unremoved' as const) : null
    return valid || kind === null ? [] : [{ kind, name, qualified }]
  })
  return left.length > 0 ? { kind: 'half', left } : { kind: young.length > 0 ? 'whole' : 'untouched' }
}

type Index = {
  readonly schema: string
  readonly name: string
  readonly table: string
  readonly qualified: string
  readonly valid: boolean
  readonly isNew: boolean
}

const halfOf = (kind: 'unbuilt' | 'undropped', indexes: readonly Index[]): ConcurrentState => ({
  kind: 'half',
  left: indexes.map(({ name, qualified }) => ({ kind, name, qualified })),
})

async function indexesOf(client: Queryable, xid: string): Promise<readonly Index[]> {
  const { rows } = await client.query<Index>(
    `select n.nspname::text as schema, c.relname::text as name, t.relname::text as "table", format('%I.%I', n.nspname, c.relname) as qualified,
        i.indisvalid as valid, age(c.xmin) <= age(($1::xid8)::xid) as "isNew"
       from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname !~ '^pg_' order by 1, 2`,
    [xid],
  )
  return rows
}

async function detaching(client: Queryable, work: Extract<ConcurrentWork, { readonly kind: 'detach' }>): Promise<ConcurrentState> {
  const { rows } = await client.query<{ name: string; qualified: string; from: string; pending: boolean }>(
    // the column is there from PostgreSQL 14 on, as the statement is
    `select c.relname::text as name, format('%I.%I', n.nspname, c.relname) as qualified, format('%I.%I', m.nspname, p.relname) as "from",
        coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false) as pending
       from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_class p on p.oid = i.inhparent join pg_namespace m on m.oid = p.relnamespace
      where c.relname = $1 and n.nspname = coalesce($2, n.nspname) and p.relname = $3 and m.nspname = coalesce($4, m.nspname)`,
    [work.partition.name, work.partition.schema, work.table.name, work.table.schema],
  )
  const left = rows.flatMap(({ pending, name, qualified, from }) =>
    pending ? [{ kind: 'undetached' as const, name, qualified, from }] : [],
  )
  return left.length > 0 ? { kind: 'half', left } : { kind: rows.length > 0 ? 'untouched' : 'whole' }
}
