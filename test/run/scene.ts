import { sha256 } from '../../src/plan/files.ts'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { createApplication, createRun, type Application, type RunFixture } from '../helpers/application.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'

export const init = 'CREATE TABLE "orders" ("id" serial PRIMARY KEY, "total" int NOT NULL);\nCREATE TABLE "tally" ("name" text NOT NULL);\n'
export const note = 'ALTER TABLE "orders" ADD COLUMN "note" text;\nINSERT INTO "tally" VALUES (\'note\');\n'
export const index = 'CREATE INDEX CONCURRENTLY "orders_note_idx" ON "orders"("note");\n'

/**
 * Looks often and gives up early, so that tests are quick. What was cancelled needs a second to say how it ended where four tests share two
 * cores; less patience than that would end it before it has.
 */
export const fast = { pollMs: 50, pausesMs: [50], patienceMs: 3_000, silenceMs: 2_000 }

/** When the test that is running has ended; what came last goes first. */
export const later = (cleanup: () => unknown): void => onTestFinished(async () => void (await cleanup()))

export type Scene = {
  readonly application: Application
  readonly database: TestDatabase
  readonly run: RunFixture
  readonly sql: (text: string) => Promise<readonly Record<string, unknown>[]>
  /** A session that stays open until the test ends. */
  readonly session: (name: string) => Promise<pg.Client>
}

/** An application, its database, and a run of the migrate step. `before` is SQL that runs first. */
export async function scene(
  migrations: Readonly<Record<string, string>>,
  options: Partial<Parameters<typeof createRun>[0]> & {
    readonly before?: string
    readonly files?: Readonly<Record<string, string>>
    readonly inDirectory?: string
    readonly modules?: string
  } = {},
): Promise<Scene> {
  const database = await createDatabase()
  later(() => database.close())
  const session = async (name: string) => {
    const client = new pg.Client({ connectionString: database.url, application_name: name })
    client.on('error', () => {}) // the database is dropped under it
    await client.connect()
    later(() => client.end().catch(() => {}))
    return client
  }
  const sql = async (text: string) => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end()
    }
  }
  if (options.before !== undefined) await sql(options.before)
  const application = createApplication(migrations, {
    ...(options.files === undefined ? {} : { files: options.files }),
    ...(options.inDirectory === undefined ? {} : { directory: options.inDirectory }),
    ...(options.modules === undefined ? {} : { modules: options.modules }),
  })
  later(() => application.close())
  const run = await createRun({ application, url: database.url, ...options })
  later(() => run.close())
  return { application, database, run, sql, session }
}

/** As if the first migration had been applied before. */
export const SEED =
  `${init} create table _prisma_migrations (id varchar(36) primary key, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
  logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0);
  insert into _prisma_migrations values ('1', 'CHECKSUM', now(), '1_init', null, null, now(), 1);`.replace('CHECKSUM', sha256(init))

/** How many sessions of the database are in pg_sleep. */
export async function sleeping(sql: (text: string) => Promise<readonly Record<string, unknown>[]>): Promise<number> {
  const rows = await sql(`select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`)
  return rows.length
}
