import { createHash } from 'node:crypto'
import pg from 'pg'
import { commitTo, git } from '../../playground/shop/repository.ts'

/** Between the newest migration that production has and the first one that it lacks. */
const MIGRATION = '20261001080000_create_visits'
/** Several large tables, as grown databases have them; the sample's own are small. */
const TABLES = ['visits', 'searches', 'letters', 'parcels'] as const

const migrationSql = TABLES.map(
  (table) => `CREATE TABLE "${table}" (
    "id" BIGSERIAL NOT NULL,
    "customer" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "path" TEXT NOT NULL,
    "agent" TEXT NOT NULL,
    "token" TEXT NOT NULL,

    CONSTRAINT "${table}_pkey" PRIMARY KEY ("id")
);
`,
).join('\n')

const models = TABLES.map(
  (table) => `
model ${table} {
  id       BigInt   @id @default(autoincrement())
  customer Int
  at       DateTime @db.Timestamptz(3)
  path     String
  agent    String
  token    String
}
`,
).join('')

/** Adds the migration and its models to the shop's repository. */
export async function commitLargeTables(repository: string): Promise<void> {
  const schema = await git(repository, ['show', 'main:prisma/schema.prisma'])
  await commitTo(repository, {
    subject: 'Visits, searches, letters and parcels',
    files: { [`prisma/migrations/${MIGRATION}/migration.sql`]: migrationSql, 'prisma/schema.prisma': schema + models },
  })
}

/**
 * Applies that migration to a database of the shop, with its record as the CLI writes it, and fills the tables until they hold at least
 * so many bytes: names and words that repeat, numbers and times that grow, and random tokens, so that it compresses as such data does.
 */
export async function fillLargeTables(url: string, bytes: number): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(migrationSql)
    await client.query(
      `insert into _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count)
       values (gen_random_uuid()::text, $1, now(), $2, now(), 1)`,
      [createHash('sha256').update(migrationSql).digest('hex'), MIGRATION],
    )
    const batch = Math.min(200_000, Math.max(1_000, Math.ceil(bytes / TABLES.length / 250)))
    for (let from = 0; (await heapBytes(client)) < bytes; from += batch)
      for (const table of TABLES) await client.query(rowsSql(table, from, batch))
    await client.query('vacuum analyze')
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}

const rowsSql = (table: string, from: number, count: number) =>
  `insert into "${table}" (customer, at, path, agent, token)
   select 1 + (n * 7919) % 40000, timestamptz '2026-01-01' + n * interval '7.3 seconds',
     '/' || (array['products','orders','customers','search','cart','help'])[1 + n % 6] || '/' || (n * 31) % 10007 || '?from=' || (array['mail','home','list','advert'])[1 + (n / 7) % 4],
     (array['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36','Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5)','Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)'])[1 + (n * 13) % 3] || ' build ' || (n * 17) % 997,
     md5(n::text || '${table}')
   from generate_series(${from + 1}::bigint, ${from + count}::bigint) n`

async function heapBytes(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    `select sum(pg_relation_size(name::regclass)) as bytes from unnest($1::text[]) name`,
    [[...TABLES]],
  )
  return Number(rows[0]?.bytes ?? 0)
}
