import pg from 'pg'

/** One statement on a target, by somebody who is not the bot. */
export async function query<T extends pg.QueryResultRow>(url: string, sql: string, values: readonly unknown[] = []): Promise<readonly T[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<T>(sql, [...values])).rows
  } finally {
    await client.end()
  }
}

/** A session that stays inside a transaction until it is released, as a report or a forgotten terminal does. */
export async function holding(url: string, sql: string, applicationName: string): Promise<{ readonly release: () => Promise<void> }> {
  const client = new pg.Client({ connectionString: url, application_name: applicationName })
  client.on('error', () => {}) // its database may be dropped first when a test fails
  await client.connect()
  await client.query('begin')
  await client.query(sql)
  return { release: () => client.end() }
}

/** Names of the migrations that the record holds as applied, in order. */
export async function applied(url: string): Promise<readonly string[]> {
  const rows = await query<{ name: string }>(
    url,
    'select migration_name as name from _prisma_migrations where finished_at is not null and rolled_back_at is null order by started_at',
  )
  return rows.map(({ name }) => name)
}

/** Everything that a run without pending migrations must leave as it is: tables, columns, indexes, constraints and the record. */
export async function fingerprint(url: string): Promise<unknown> {
  return query(
    url,
    `select (select json_agg(t order by 1) from (select table_name || '.' || column_name || ' ' || data_type as t
               from information_schema.columns where table_schema = 'public') columns) as columns,
            (select json_agg(indexdef order by indexdef) from pg_indexes where schemaname = 'public') as indexes,
            (select json_agg(m order by started_at) from _prisma_migrations m) as record`,
  )
}
