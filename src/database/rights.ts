import type { Queryable } from './connect.ts'

/** What the role of the URL can do in the target. Preflight turns what is missing into findings. */
export type Rights = {
  readonly role: string
  readonly superuser: boolean
  /** CREATE on the database: new schemas and some extensions. */
  readonly createInDatabase: boolean
  /** CREATE and USAGE on the schema. False when the schema does not exist. */
  readonly createInSchema: boolean
  readonly schemaExists: boolean
  /** Tables of the schema that the role may not alter, since it does not inherit the rights of their owner. At most 20. */
  readonly tablesOfOthers: readonly { readonly table: string; readonly owner: string }[]
  /** Of the record of migrations; null when there is none yet. */
  readonly migrationsTable: { readonly read: boolean; readonly write: boolean } | null
  /** Sees the queries of other roles; without it blockers are known by process id only. */
  readonly readAllStats: boolean
  /** May cancel and end sessions of other roles; its own sessions it always may. */
  readonly signalBackend: boolean
}

/** `record`: the name of the table of the record. */
export async function readRights(client: Queryable, schema: string, record = '_prisma_migrations'): Promise<Rights> {
  const { rows } = await client.query<
    Omit<Rights, 'tablesOfOthers' | 'migrationsTable'> & { reads: boolean | null; writes: boolean | null }
  >(
    `select r.rolname as role, r.rolsuper as superuser,
        has_database_privilege(current_database(), 'CREATE') as "createInDatabase",
        n.oid is not null as "schemaExists",
        coalesce(has_schema_privilege(n.oid, 'CREATE') and has_schema_privilege(n.oid, 'USAGE'), false) as "createInSchema",
        has_table_privilege(t.oid, 'SELECT') as reads,
        has_table_privilege(t.oid, 'INSERT') and has_table_privilege(t.oid, 'UPDATE') as writes,
        r.rolsuper or pg_has_role(r.oid, 'pg_read_all_stats', 'USAGE') as "readAllStats",
        r.rolsuper or pg_has_role(r.oid, 'pg_signal_backend', 'USAGE') as "signalBackend"
       from pg_roles r
       left join pg_namespace n on n.nspname = $1
       left join pg_class t on t.relnamespace = n.oid and t.relname = $2 and t.relkind in ('r', 'p')
      where r.rolname = current_user`,
    [schema, record],
  )
  const row = rows[0]
  if (row === undefined) throw new Error('The server does not list the role that it is connected as')
  const { reads, writes, ...rights } = row
  const others = await client.query<{ table: string; owner: string }>(
    `select c.relname as table, o.rolname as owner
       from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles o on o.oid = c.relowner
      where n.nspname = $1 and c.relkind in ('r', 'p') and not pg_has_role(c.relowner, 'USAGE')
      order by c.relname limit 20`,
    [schema],
  )
  return {
    ...rights,
    tablesOfOthers: others.rows,
    migrationsTable: reads === null || writes === null ? null : { read: reads, write: writes },
  }
}
