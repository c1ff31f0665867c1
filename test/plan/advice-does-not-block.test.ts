import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { reviewDefaults } from '../../src/config/keys/review.ts'
import { weighFiles } from '../../src/plan/weighed/weighed.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import type { Finding } from '../../src/sql/weigh/finding.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'

/**
 * Each way that the review advises, run on a real server beside an application that reads and writes. A file either takes no lock that keeps
 * anybody from that, and is run while a writing transaction is open; or it takes one for a moment only, and then reads and writes no row.
 */

let database: TestDatabase
let migrator: pg.Client
let application: pg.Client
let other: pg.Client

beforeAll(async () => {
  database = await createDatabase()
  ;[migrator, application, other] = await Promise.all([connect('migrator'), connect('application'), connect('other')])
})
afterAll(async () => {
  await Promise.all([migrator, application, other].map((client) => client.end()))
  await database.close()
})
async function connect(name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url, application_name: name, options: '-c lock_timeout=5000' })
  await client.connect()
  return client
}

const TABLES = `
  create table "customer" ("id" int primary key);
  create table "orders" ("id" int primary key, "customer_id" int, "total" int, "note" text);
  create table "log" ("at" int);
  create table "events" ("at" int, "note" text) partition by range ("at");
  create table "events_1" partition of "events" for values from (0) to (1000);
  create table "events_2" partition of "events" for values from (1000) to (3000);
  create index "orders_note_idx" on "orders" ("note");`

beforeEach(async () => {
  await migrator.query(
    `drop schema public cascade; drop schema if exists direct cascade; create schema direct; set search_path to direct; ${TABLES} create schema public; set search_path to public; ${TABLES}
     insert into "customer" select generate_series(1, 20); insert into "orders" select g, g % 20 + 1, g, 'n' || g from generate_series(1, 2000) g;
     insert into "log" select generate_series(1, 2000);
     insert into "events" select g, 'x' from generate_series(1, 2000) g; analyze "orders", "log", "customer"`,
  )
})

test.each([
  ['index-build', 'CREATE INDEX "orders_total_idx" ON "orders"("total")', 'orders'],
  ['index-build', 'CREATE UNIQUE INDEX IF NOT EXISTS "orders_total_key" ON "orders" ("total")', 'orders'],
  [
    'foreign-key',
    'ALTER TABLE "orders" ADD CONSTRAINT "orders_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer"("id") ON DELETE SET NULL ON UPDATE CASCADE',
    'orders',
  ],
  ['scan-under-lock', 'ALTER TABLE "orders" ADD CONSTRAINT "positive" CHECK ("total" > 0)', 'orders'],
  ['scan-under-lock', "ALTER TABLE orders ADD CHECK (total > 0 AND note <> ',')", 'orders'],
  ['index-build', 'ALTER TABLE "orders" ADD CONSTRAINT "orders_total_key" UNIQUE ("total")', 'orders'],
  ['index-build', 'ALTER TABLE "log" ADD PRIMARY KEY ("at")', 'log'],
  ['scan-under-lock', 'ALTER TABLE "orders" ALTER COLUMN "note" SET NOT NULL', 'orders'],
  ['required-column', 'ALTER TABLE "orders" ADD COLUMN "code" varchar(20) NOT NULL', 'orders'],
  ['rewrite', 'ALTER TABLE "orders" ADD COLUMN "key" uuid NOT NULL DEFAULT gen_random_uuid()', 'orders'],
  ['data-loss', 'ALTER TABLE "orders" DROP COLUMN "note"', 'orders'],
  ['data-loss', 'DROP TABLE "log"', 'log'],
  ['rename', 'ALTER TABLE "orders" RENAME COLUMN "total" TO "sum"', 'orders'],
  ['rename', 'ALTER TABLE "log" RENAME TO "journal"', 'log'],
  ['rewrite', 'ALTER TABLE "orders" ALTER COLUMN "total" TYPE bigint', 'orders'],
  ['rewrite', 'ALTER TABLE "events" ADD COLUMN "key" uuid NOT NULL DEFAULT gen_random_uuid()', 'events'],
] as const)('%s: %s', async (code, sql, table) => {
  const finding = await advisedFor(sql, code)
  const files = (finding.advice?.files ?? []).map((file) => file.sql.replace('/* the value */', "'x'"))
  expect(files.length).toBeGreaterThan(0)
  for (const file of files) await runBeside(file, table)
  await migrator.query(`set search_path to direct; ${sql}; set search_path to public`)
  expect(await shapeOf('public')).toEqual(await shapeOf('direct'))
})

test('an index of a partitioned table is built for each partition, and ends with the same definitions', async () => {
  const { advice } = await advisedFor('CREATE INDEX "events_at_idx" ON "events" USING btree ("at" DESC) WHERE "at" > 5', 'index-build')
  for (const { sql } of advice?.files ?? [])
    await (sql.includes('CONCURRENTLY') ? runConcurrently(sql, /ON "(events_\d)"/.exec(sql)?.[1] ?? '') : migrator.query(sql))
  const { rows } = await migrator.query<{ index: string }>(
    `select pg_get_indexdef(indexrelid) || ' ' || indisvalid as index from pg_index where indrelid::regclass::text ~ '^events' order by 1`,
  )
  expect(rows.map(({ index }) => index)).toEqual([
    'CREATE INDEX events_1_events_at_idx ON public.events_1 USING btree (at DESC) WHERE (at > 5) true',
    'CREATE INDEX events_2_events_at_idx ON public.events_2 USING btree (at DESC) WHERE (at > 5) true',
    'CREATE INDEX events_at_idx ON ONLY public.events USING btree (at DESC) WHERE (at > 5) true',
  ])
})

async function advisedFor(sql: string, code: string): Promise<Finding> {
  const { findings } = await weighFiles(migrator, [{ name: 'm1', content: Buffer.from(`${sql};\n`) }], {
    thresholds: reviewDefaults,
    schema: 'public',
    host: 'db.example',
    redactor: createRedactor([]),
    today: '2026-11-30',
    order: 'migrate-first',
    isOneTransaction: true,
  })
  const found = findings.find((one) => one.code === code && one.advice !== null)
  if (found === undefined) throw new Error(`no advice: ${JSON.stringify(findings)}`)
  return found
}

/** One file as the migrator sends it, beside a session that has written and not yet committed. */
async function runBeside(file: string, table: string): Promise<void> {
  const { rows } = await migrator.query<{ there: string | null }>(`select to_regclass($1)::text as there`, [`public.${table}`])
  if (rows[0]?.there === null || /^DROP (TABLE|VIEW)/.test(file)) {
    await migrator.query(file) // nobody uses it any more
    return
  }
  if (/CONCURRENTLY/.test(file)) return runConcurrently(file, table)
  if (file.startsWith('DO ')) return withWriter(table, () => migrator.query(file).then(() => {}))
  const strongest = await strongestLock(file)
  const isForAMoment = { holdsOff: true, rowsRead: 0, isRewritten: false }
  expect(strongest.holdsOff ? strongest : isForAMoment).toEqual(isForAMoment)
  if (strongest.holdsOff) await migrator.query(file)
  else await withWriter(table, () => migrator.query(file).then(() => {}))
}

/** It waits for whoever writes already, and keeps nobody else from writing meanwhile. */
async function runConcurrently(file: string, table: string): Promise<void> {
  let running: Promise<unknown> = Promise.resolve()
  await withWriter(table, async () => {
    running = migrator.query(file)
    await until('it waits for the writer', async () => {
      const { rowCount } = await other.query(
        `select from pg_stat_activity where application_name = 'migrator' and datname = current_database() and wait_event_type = 'Lock'`,
      )
      return rowCount === 1
    })
    await other.query(
      `begin; set local lock_timeout = 200; update "${table}" set ${/^(log|events)/.test(table) ? '"at" = "at"' : '"id" = "id"'}; select count(*) from "${table}"; rollback`,
    )
  })
  await running
}

async function withWriter(table: string, work: () => Promise<void>): Promise<void> {
  await application.query(`begin; lock table "${table}" in row exclusive mode; select count(*) from "${table}"`)
  try {
    await work()
  } finally {
    await application.query('rollback')
  }
}

const READ = `select coalesce(sum(seq_tup_read), 0) from pg_stat_xact_user_tables where schemaname = 'public'`

const FILES = `array(select pg_relation_filenode(oid) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r')`

async function strongestLock(file: string) {
  await migrator.query('begin')
  try {
    // what earlier transactions read may not be counted as theirs yet
    const before = await migrator.query<{ files: readonly number[]; read: string }>(`select ${FILES} as files, (${READ}) as read`)
    await migrator.query(file)
    const { rows } = await migrator.query<{ modes: readonly string[]; read: string; files: readonly number[] }>(
      `select array(select distinct mode from pg_locks l join pg_class c on c.oid = l.relation where l.pid = pg_backend_pid() and c.relname ~ '^(_deprecated_)?(orders|customer|log|journal|events.*)$') as modes,
          (${READ}) as read,
          ${FILES} as files`,
    )
    const [row] = rows
    return {
      holdsOff: row?.modes.some((mode) => /^(Share|ShareRowExclusive|Exclusive|AccessExclusive)Lock$/.test(mode)) === true,
      rowsRead: Number(row?.read) - Number(before.rows[0]?.read),
      isRewritten: before.rows[0]?.files.some((one) => row?.files.includes(one) !== true) !== false,
    }
  } finally {
    await migrator.query('rollback')
  }
}

/** Columns, constraints and indexes, in no order, without the name of the schema. */
async function shapeOf(schema: string) {
  const { rows } = await migrator.query<{ shape: string }>(
    `select replace(shape, $1 || '.', '') as shape from (
        select format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) as shape
          from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where c.relnamespace = $1::regnamespace and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v')
        union all select format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint where connamespace = $1::regnamespace and contype <> 'n'
        union all select pg_get_indexdef(indexrelid) || ' ' || indisvalid from pg_index join pg_class c on c.oid = indexrelid where c.relnamespace = $1::regnamespace
        union all select tgname from pg_trigger join pg_class c on c.oid = tgrelid where c.relnamespace = $1::regnamespace and not tgisinternal
        union all select proname from pg_proc where pronamespace = $1::regnamespace
      ) all_of order by 1`,
    [schema],
  )
  return rows.map(({ shape }) => shape)
}
