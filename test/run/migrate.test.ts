import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { createApplication, createRun, type Application, type RunFixture } from '../helpers/application.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'

const fast = { pollMs: 50, pausesMs: [50], patienceMs: 1_000, silenceMs: 2_000 }
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const shop = {
  '20260101_init': 'CREATE TABLE "orders" ("id" serial PRIMARY KEY, "total" int NOT NULL);\nCREATE TABLE "tally" ("name" text NOT NULL);\n',
  '20260102_note': 'ALTER TABLE "orders" ADD COLUMN "note" text;\nINSERT INTO "tally" VALUES (\'note\');\n',
  '20260103_index': 'CREATE INDEX CONCURRENTLY "orders_note_idx" ON "orders"("note");\n',
  '20260104_more': 'ALTER TABLE "orders" ADD COLUMN "more" text;\nINSERT INTO "tally" VALUES (\'more\');\n',
}

test('pending migrations are applied in groups, each once, and each is told once', async () => {
  const { run, sql } = await scene(shop, { concurrently: ['20260103_index'] })
  const step = migrateStep(fast)
  expect(await step.inspect(run.context)).toEqual({ kind: 'todo' })
  const end = await step.act(run.context)
  expect(end, JSON.stringify(end, null, 1) + run.recorded.reports.join('\n')).toMatchObject({ kind: 'done' })
  expect(await sql('select name from tally order by 1')).toEqual([{ name: 'more' }, { name: 'note' }])
  console.log(run.recorded, end)
})

async function scene(
  migrations: Readonly<Record<string, string>>,
  options: Partial<Parameters<typeof createRun>[0]> = {},
): Promise<{
  readonly application: Application
  readonly database: TestDatabase
  readonly run: RunFixture
  readonly sql: (text: string) => Promise<readonly unknown[]>
}> {
  const database = await createDatabase()
  cleanups.push(() => database.close())
  const application = createApplication(migrations)
  cleanups.push(() => application.close())
  const run = await createRun({ application, url: database.url, ...options })
  cleanups.push(() => run.close())
  const sql = async (text: string) => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      return (await client.query(text)).rows
    } finally {
      await client.end()
    }
  }
  return { application, database, run, sql }
}
