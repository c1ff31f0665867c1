import type { Queryable } from '../connect.ts'
import type { Asked, Live, OpenTransaction } from './live.ts'
import { shownQuery } from './shown.ts'

export type Server = Pick<Live, 'open' | 'replicas'> & {
  /** What the rights of the role hide: a sentence without a full stop, null where they hide nothing. */
  readonly hidden: string | null
}

type Row = {
  readonly open: readonly OpenTransaction[]
  readonly replicas: Live['replicas']
  readonly role: string
  readonly maySee: boolean
  readonly others: number
}

export async function readServer(client: Queryable, { tables, redactor }: Pick<Asked, 'tables' | 'redactor'>): Promise<Server> {
  const { rows } = await client.query<Row>(
    `with touched as (
        select c.oid, n.nspname as schema, c.relname as name from unnest($1::text[], $2::text[]) as wanted (schema, name)
          join pg_namespace n on n.nspname = wanted.schema join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
      ), open as (
        select a.pid, (extract(epoch from clock_timestamp() - a.xact_start) * 1000)::float8 as "ageMs", a.application_name as application,
               a.usename as role, left(a.query, 2000) as query
          from pg_stat_activity a
         where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type = 'client backend' and a.xact_start is not null
         order by a.xact_start limit 20
      )
      select current_user as role, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as "maySee",
        (select count(*)::int from pg_stat_activity a where a.datname = current_database() and a.usename is distinct from current_user and a.pid <> pg_backend_pid()) as others,
        coalesce((select json_agg(json_build_object('ageMs', o."ageMs", 'application', o.application, 'role', o.role, 'query', o.query,
            'holds', coalesce((select json_agg(distinct jsonb_build_object('schema', t.schema, 'name', t.name))
              from pg_locks l join touched t on t.oid = l.relation where l.pid = o.pid and l.granted), '[]')) order by o."ageMs" desc) from open o), '[]') as open,
        coalesce((select json_agg(json_build_object('name', coalesce(nullif(r.application_name, ''), host(r.client_addr), 'replica'),
            'lagMs', (extract(epoch from r.replay_lag) * 1000)::float8))
          from pg_stat_replication r where r.replay_lag is not null), '[]') as replicas`,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  )
  const [row] = rows
  if (row === undefined) throw new Error('The server gave no answer about its sessions')
  return {
    open: row.open.map((one) => ({ ...one, query: one.query === null ? null : shownQuery(one.query, redactor) })),
    replicas: row.replicas,
    hidden:
      row.maySee || row.others === 0
        ? null
        : `for how long other users' transactions have been open, and how far replicas are behind, could not be seen: the role ${row.role} lacks pg_read_all_stats (GRANT pg_read_all_stats TO "${row.role.replaceAll('"', '""')}")`,
  }
}
