import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { allText, createRun } from '../helpers/application.ts'
import { onServer } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'
import { sha256 } from '../../src/plan/files.ts'
import { fast, later, scene } from './scene.ts'

const init = 'CREATE TABLE "orders" ("id" serial PRIMARY KEY, "total" int NOT NULL);\nCREATE TABLE "tally" ("name" text NOT NULL);\n'
const note = 'ALTER TABLE "orders" ADD COLUMN "note" text;\nINSERT INTO "tally" VALUES (\'note\');\n'
const index = 'CREATE INDEX CONCURRENTLY "orders_note_idx" ON "orders"("note");\n'
const step = migrateStep(fast)
const quietly = (error: Error) => void error // the session is ended by the test

test('pending migrations are applied in groups, each once, and each is told once', async () => {
  const { run, sql } = await scene(
    { '1_init': init, '2_note': note, '3_index': index, '4_more': `INSERT INTO "tally" VALUES ('more');\n` },
    { concurrently: ['3_index'] },
  )
  expect(await step.inspect(run.context)).toEqual({ kind: 'todo' })
  expect(await step.act(run.context)).toEqual({
    kind: 'done',
    output: expect.stringMatching(/^4 migrations in \d+(\.\d)? s$/),
    data: {
      migrations: ['1_init', '2_note', '3_index', '4_more'].map((name) => ({
        name,
        state: 'done',
        seconds: expect.any(Number),
        output: expect.stringMatching(/ s$/),
      })),
    },
  })
  expect(await sql('select name from tally order by 1')).toEqual([{ name: 'more' }, { name: 'note' }])
  expect(run.recorded.events.map((event) => event.kind === 'migration_done' && [event.data.name, event.data.at, event.data.of])).toEqual([
    ['1_init', 1, 4],
    ['2_note', 2, 4],
    ['3_index', 3, 4],
    ['4_more', 4, 4],
  ])
  expect(run.recorded.reports).toEqual(
    expect.arrayContaining([
      'Prisma 6.19.3, WebAssembly engine: each file is one transaction.',
      'Starting 2 migrations.',
      'Starting 3_index, outside a transaction.',
      'Starting 1 migration.',
    ]),
  )
  expect(await step.inspect(run.context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^4 migrations in /) })
  expect(run.recorded.events).toHaveLength(4)
})

test('nothing pending is done without starting the tool', async () => {
  const { run } = await scene({ '1_init': init }, { baseline: ['1_init'] })
  expect(await step.inspect(run.context)).toEqual({
    kind: 'done',
    output: 'Nothing to apply; the database is unchanged.',
    data: { migrations: [] },
  })
})

test('a package of a monorepo is migrated with the Prisma of the root', async () => {
  const { run } = await scene({ '1_init': init }, { inDirectory: 'packages/api' })
  expect(await step.act(run.context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^1 migration in /) })
})

test('an SQL error stops there, keeps what ran, and says what, why and what next', async () => {
  const { run, sql } = await scene({ '1_init': init, '2_again': 'CREATE TABLE "orders" ("id" int);\n', '3_note': note })
  expect(await step.act(run.context)).toMatchObject({
    kind: 'failed',
    output: 'already exists',
    data: { migrations: [{ state: 'done' }, { name: '2_again', state: 'failed', output: 'already exists' }, { state: 'pending' }] },
    outcome: {
      headline: '*`2_again` stopped: table or index `orders` already exists. 1 of 3 migrations is applied and kept.*',
      why: 'Something outside the recorded migrations made it: a change by hand, `db push`, or an earlier try that was not rolled back as a whole.',
      next: 'Compare it with what the migration would make. If it is the same, mark the migration as applied; if not, remove or rename it, mark the migration as rolled back and ask again.',
      excerpt: 'ERROR: relation "orders" already exists (42P07)\nCREATE TABLE "orders" ("id" int);',
    },
  })
  expect(await sql('select count(*)::int as n from tally')).toEqual([{ n: 0 }])
  expect(await step.inspect(run.context)).toEqual({ kind: 'todo' })
  expect(await step.act(run.context)).toMatchObject({ kind: 'failed', output: 'already exists' })
})

test('a file with a COMMIT of its own that fails after it is not called failed but unclear, with what it left', async () => {
  const { run } = await scene({
    '1_init': init,
    '2_halves': 'BEGIN;\nALTER TABLE "orders" ADD COLUMN "half" text;\nCOMMIT;\nALTER TABLE "missing" ADD COLUMN "x" int;\n',
  })
  expect(await step.act(run.context)).toMatchObject({
    kind: 'unknown',
    output: 'does not exist',
    outcome: {
      headline:
        '*`2_halves` stopped: table or index `missing` does not exist. It may be applied in part: `2_halves`. Lockkeeper will not guess.*',
      known: '`1_init` is applied. Since its start the schema has got: `column orders.half`. No session of this run is alive.',
      notKnown: 'Whether all of `2_halves` took effect. The record says "started".',
    },
  })
})

test('a lock that is held is waited for in short tries, who holds it is named, and it goes on when it is free', async () => {
  const { run, session } = await scene({ '1_init': init, '2_note': note }, { lockTimeout: '300ms', before: SEED, baseline: ['1_init'] })
  const blocker = await session('reporting')
  await blocker.query('begin; lock table "orders" in access share mode')
  const ending = step.act(run.context)
  const retry = await until('a second try', () => run.recorded.reports.find((text) => text.startsWith('Lock timeout, try 2')))
  expect(retry).toMatch(
    /^Lock timeout, try 2 of 5\. reporting \(pid \d+, running for \d+ s\) was in the way\. Nothing was left behind; trying again in 0\.1 s\.$/,
  )
  await blocker.query('rollback')
  expect(await ending).toMatchObject({ kind: 'done' })
  expect(run.recorded.reports.find((text) => text.startsWith('Waiting'))).toMatch(
    /^Waiting 0\.\d s for a lock on orders that reporting \(pid \d+, running for \d+ s\) holds; nobody waits behind us\.$/,
  )
})

test('a lock that stays held ends as failed after five tries, with nothing left and the record free for the next run', async () => {
  const { run, session, sql } = await scene(
    { '1_init': init, '2_note': note, '3_index': index },
    { lockTimeout: '200ms', before: SEED, baseline: ['1_init'], concurrently: ['3_index'] },
  )
  const blocker = await session('reporting')
  const { rows } = await blocker
    .query<{ pid: number }>('begin; lock table "orders" in access share mode; select pg_backend_pid() as pid')
    .then((results) => (results as unknown as { rows: { pid: number }[] }[])[2] ?? { rows: [] })
  const end = await step.act(run.context)
  expect(end).toMatchObject({
    kind: 'failed',
    output: expect.stringMatching(/^lock timeout, 5 tries in \d+ s$/),
    outcome: {
      headline: '*`2_note` could not get its lock. None of the 2 migrations is applied.*',
      why: expect.stringMatching(
        new RegExp(
          `^It needs a lock on \`orders\` that \`reporting\` \\(pid ${rows[0]?.pid}, running for \\d+ s\\) holds\\. Waiting longer would have queued everybody else behind it\\.$`,
        ),
      ),
      next: 'Wait for that query or end it, then ask again: what has run is kept and not repeated.',
      excerpt: `ERROR: canceling statement due to lock timeout (55P03)\n${note.trim()}`,
    },
  })
  expect(
    await sql(
      "select count(*)::int as tries, count(rolled_back_at)::int as rolled_back from _prisma_migrations where migration_name = '2_note'",
    ),
  ).toEqual([{ tries: 5, rolled_back: 5 }])
})

test('a cancel in the middle undoes the running migration, keeps the others and leaves the record free', async () => {
  const { run, sql } = await scene({
    '1_init': init,
    '2_slow': `INSERT INTO "tally" VALUES ('slow');\nSELECT pg_sleep(60);\n`,
    '3_note': note,
  })
  const ending = step.act(run.context)
  await until('the slow migration', async () => (await sleeping(sql)) === 1)
  run.controls.cancelled = true
  run.controls.abort.abort()
  expect(await ending).toMatchObject({
    kind: 'cancelled',
    output: 'cancelled',
    outcome: {
      headline: '*Cancelled while migrating. 1 of 3 migrations is applied and kept.*',
      why: '`1_init` is applied. `2_slow` was running; the database undid it as a whole and it is marked as rolled back. Not started: `3_note`.',
      next: 'Ask again when the rest may run: what has run is kept and not repeated.',
    },
  })
  expect(await sql('select count(*)::int as n from tally')).toEqual([{ n: 0 }])
  expect(
    await sql(
      'select migration_name, finished_at is not null as done, rolled_back_at is not null as undone from _prisma_migrations order by 1',
    ),
  ).toEqual([
    { migration_name: '1_init', done: true, undone: false },
    { migration_name: '2_slow', done: false, undone: true },
  ])
})

test('losing the store aborts nothing in the migrator', async () => {
  const { run, sql } = await scene({ '1_init': init, '2_slow': `INSERT INTO "tally" VALUES ('slow');\nSELECT pg_sleep(1.5);\n` })
  const ending = step.act(run.context)
  await until('the slow migration', async () => (await sleeping(sql)) === 1)
  run.controls.abort.abort()
  expect(await ending).toMatchObject({ kind: 'done' })
  expect(await sql('select name from tally')).toEqual([{ name: 'slow' }])
})

test('a bot killed in mid-migration leaves the migrator alone; its successor attaches and starts no second one', async () => {
  const { application, database, run, sql } = await scene({
    '1_init': init,
    '2_slow': `SELECT pg_sleep(3);\nINSERT INTO "tally" VALUES ('slow');\n`,
    '3_note': note,
  })
  const { requestId, directory } = run.context
  const bot = spawn(
    process.execPath,
    [join(import.meta.dirname, '../helpers/bot.ts'), JSON.stringify({ application, url: database.url, requestId, directory })],
    { stdio: 'inherit' },
  )
  const dead = new Promise((resolve) => bot.on('exit', resolve))
  await until('the slow migration', async () => (await sleeping(sql)) === 1)
  bot.kill('SIGKILL')
  await dead
  expect(await step.inspect(run.context)).toEqual({ kind: 'todo' })
  const seen = new Set<number>()
  const counting = setInterval(() => {
    sql(`select pid from pg_stat_activity where application_name = 'lockkeeper-${requestId}'`).then(
      (rows) => rows.forEach((row) => seen.add(Number(row['pid']))),
      quietly,
    )
  }, 50)
  const end = await step.act(run.context)
  clearInterval(counting)
  expect(end).toMatchObject({ kind: 'done', output: expect.stringMatching(/^3 migrations in /) })
  expect(await sql('select name from tally order by 1')).toEqual([{ name: 'note' }, { name: 'slow' }])
  expect(seen.size).toBe(1)
  expect(run.recorded.reports).not.toContain('Starting 3 migrations.')
})

test('a migrator that disappears leaves a question for a person, with what is known', async () => {
  const { run, sql } = await scene({ '1_init': init, '2_slow': `ALTER TABLE "orders" ADD COLUMN "slow" text;\nSELECT pg_sleep(60);\n` })
  const ending = step.act(run.context)
  await until('the slow migration', async () => (await sleeping(sql)) === 1)
  const claim: unknown = JSON.parse(readFileSync(join(run.context.directory, 'migrator/0001/claim.json'), 'utf8'))
  process.kill(-(claim as { pid: number }).pid, 'SIGKILL')
  await sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lockkeeper-${run.context.requestId}'`)
  const outcome = {
    headline: '*The migrator disappeared during `2_slow`. Lockkeeper will not guess.*',
    known: '`1_init` is applied. Nothing in the schema is younger than its start. No session of this run is alive.',
    notKnown: 'Whether all of `2_slow` took effect. The record says "started".',
    next: 'Compare the database with the file. If all of it is there, mark it as applied (`prisma migrate resolve --applied`); if nothing is, mark it as rolled back (`prisma migrate resolve --rolled-back`). Then cancel this request and ask again.',
  }
  expect(await ending).toMatchObject({ kind: 'unknown', output: 'unclear', outcome })
  expect(await step.inspect(run.context)).toMatchObject({ kind: 'unknown', outcome })
})

test('an index that is built concurrently waits longer than the lock timeout for an old transaction, and is watched', async () => {
  const { run, session } = await scene(
    { '1_init': init, '3_index': 'CREATE INDEX CONCURRENTLY "orders_total_idx" ON "orders"("total");\n' },
    { lockTimeout: '200ms', before: SEED, baseline: ['1_init'], concurrently: ['3_index'] },
  )
  const old = await session('reporting')
  await old.query('begin; select * from "orders"; insert into "orders" (total) values (1)')
  const ending = step.act(run.context)
  const told = await until('the wait', () => run.recorded.reports.find((text) => text.startsWith('Index, waiting')))
  expect(told).toMatch(
    /^Index, waiting for older transactions to end, 0 of 1 gone\. It waits for reporting \(pid \d+, running for \d+ s\)\. Nobody is waiting behind it\.$/,
  )
  await until('more than the timeout', () => run.recorded.reports.filter((text) => text.startsWith('Index, waiting')).length > 8)
  await old.query('rollback')
  expect(await ending).toMatchObject({ kind: 'done' })
})

test('an index that cannot be built concurrently is named as invalid', async () => {
  const { run, sql } = await scene(
    { '1_init': init, '3_index': 'CREATE UNIQUE INDEX CONCURRENTLY "orders_total_key" ON "orders"("total");\n' },
    { before: `${SEED} insert into "orders" (total) values (7), (7)`, baseline: ['1_init'], concurrently: ['3_index'] },
  )
  expect(await step.act(run.context)).toMatchObject({
    kind: 'failed',
    output: 'duplicate rows',
    outcome: {
      headline: '*`3_index` stopped: rows that must be unique are not. It is not applied.*',
      next: expect.stringMatching(
        /^The index `orders_total_key` is invalid: unfinished, unused by queries and paid for by writes\. Drop it with `DROP INDEX CONCURRENTLY` first\. /,
      ),
    },
  })
  expect(await sql(`select indisvalid from pg_index where indexrelid = '"orders_total_key"'::regclass`)).toEqual([{ indisvalid: false }])
})

test('a concurrent file that runs for longer than the guard allows is stopped, and its invalid index is named', async () => {
  const { run, session } = await scene(
    { '1_init': init, '3_index': 'CREATE INDEX CONCURRENTLY "orders_total_idx" ON "orders"("total");\n' },
    { before: SEED, baseline: ['1_init'], concurrently: ['3_index'] },
  )
  const old = await session('reporting')
  await old.query('begin; insert into "orders" (total) values (1)')
  expect(await migrateStep({ ...fast, concurrentMaximumMs: 1_500 }).act(run.context)).toMatchObject({
    kind: 'failed',
    outcome: {
      headline: '*`3_index` was stopped after 1.5 s, the longest that a file without timeouts may run. It is not applied.*',
      next: expect.stringContaining('The index `orders_total_idx` is invalid'),
    },
  })
})

test('a configuration that leads Prisma to another database is found before anything starts, whatever the Datasource line says', async () => {
  const other = await scene({ '1_init': init })
  const config = readFileSync(join(import.meta.dirname, '../../examples/shop/prisma.config.ts'), 'utf8')
  const { run, sql } = await scene(
    { '1_init': init, '2_note': note },
    {
      before: SEED,
      baseline: ['1_init'],
      files: { 'prisma.config.ts': config.replace(/database: .*/, `database: '${other.database.name}',`) },
    },
  )
  expect(await step.act(run.context)).toMatchObject({
    kind: 'unknown',
    output: 'not started',
    outcome: {
      headline: expect.stringMatching(
        /^\*Prisma says `test_\w+`, but its connection does not reach the approved database: the repository's configuration \(a driver adapter in `prisma\.config\.ts`\) leads it elsewhere\. Nothing was started\. Lockkeeper will not guess\.\*$/,
      ),
    },
  })
  expect(await other.sql(`select to_regclass('"orders"') as t`)).toEqual([{ t: null }])
  expect(await sql('select count(*)::int as n from _prisma_migrations')).toEqual([{ n: 1 }])
})

test('on an empty database a stray migrator is stopped or found out by what the approved database lacks', async () => {
  const other = await scene({ '1_init': init })
  const config = readFileSync(join(import.meta.dirname, '../../examples/shop/prisma.config.ts'), 'utf8')
  const { run } = await scene(
    { '1_init': `${init}SELECT pg_sleep(2);\n` },
    { files: { 'prisma.config.ts': config.replace(/database: .*/, `database: '${other.database.name}',`) } },
  )
  expect(await step.act(run.context)).toMatchObject({
    kind: 'unknown',
    output: 'stopped: another database',
    outcome: {
      headline: `*The migrator was at work in the database \`${other.database.name}\`, which was not approved, and was stopped. Lockkeeper will not guess.*`,
    },
  })
  expect(await other.sql(`select to_regclass('"orders"') as t`)).toEqual([{ t: null }])
})

test('an applied file that differs from the approved one, or one that nobody approved, is not passed over', async () => {
  const edited = await scene({ '1_init': init, '2_note': note }, { before: SEED, baseline: ['1_init'] })
  await edited.sql(`update _prisma_migrations set checksum = 'other'`)
  expect(await step.inspect(edited.run.context)).toMatchObject({
    kind: 'unknown',
    outcome: {
      headline:
        '*The database departs from the plan: applied with another content than the approved commit has: `1_init`. Nothing more was started. Lockkeeper will not guess.*',
    },
  })
  await edited.sql(`update _prisma_migrations set migration_name = '0_strange'`)
  expect(await step.inspect(edited.run.context)).toMatchObject({
    kind: 'unknown',
    outcome: {
      headline:
        '*The database departs from the plan: applied, but not part of what was approved: `0_strange`. Nothing more was started. Lockkeeper will not guess.*',
    },
  })
})

test('what an install step wrote over a migration does not run: the approved bytes do', async () => {
  const { application, run, sql } = await scene({ '1_init': init })
  writeFileSync(join(application.directory, 'prisma/migrations/1_init/migration.sql'), 'CREATE TABLE "smuggled" ("id" int);\n')
  expect(await step.act(run.context)).toMatchObject({ kind: 'done' })
  expect(await sql(`select to_regclass('"smuggled"') as smuggled, to_regclass('"orders"') is not null as orders`)).toEqual([
    { smuggled: null, orders: true },
  ])
})

test('a hostile environment does not reach the migrator, and an .env file beside it is not read', async () => {
  const hostile = {
    ...process.env,
    NODE_OPTIONS: '--require /nowhere.js',
    LD_PRELOAD: '/nowhere.so',
    PGOPTIONS: '-c nonsense=1',
    PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK: '1',
    DATABASE_URL: 'postgresql://evil/evil',
  }
  const { application, run } = await scene(
    { '1_init': init },
    {
      env: hostile,
      toolEnv: { DATABASE_URL: 'postgresql://evil/evil', NODE_OPTIONS: '--require /nowhere.js', PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK: '1' },
    },
  )
  writeFileSync(join(application.directory, '.env'), 'DATABASE_URL=postgresql://evil/evil\nDIRECT_URL=postgresql://evil/evil\n')
  expect(await step.act(run.context)).toMatchObject({ kind: 'done' })
})

test('the password is in no file, no argument list and no text', async () => {
  const password = 'canary-8c1f0d2e'
  const role = `canary_${process.pid}`
  later(() => onServer(`drop role ${role}`))
  const { application, database, run, sql } = await scene({
    '1_init': init,
    '2_slow': 'SELECT pg_sleep(1);\n',
    '3_wrong': `SELECT '${password}' FROM "nowhere";\n`,
  })
  await onServer(`create role ${role} superuser login password '${password}'`)
  const url = new URL(database.url)
  url.username = role
  url.password = password
  const canary = await createRun({ application, url: url.href, directory: run.context.directory })
  const ending = step.act(canary.context)
  await until('the slow migration', async () => (await sleeping(sql)) === 1)
  const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  const end = await ending
  expect(end).toMatchObject({ kind: 'failed', output: 'does not exist' })
  rmSync(join(run.context.directory, 'layout'), { recursive: true }) // the file of this test says it itself
  for (const text of [processes, JSON.stringify([end, canary.recorded]), allText(run.context.directory)])
    expect(text).not.toContain(password)
})

/** As if the first migration had been applied before. */
const SEED =
  `${init} create table _prisma_migrations (id varchar(36) primary key, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
  logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0);
  insert into _prisma_migrations values ('1', 'CHECKSUM', now(), '1_init', null, null, now(), 1);`.replace('CHECKSUM', sha256(init))

async function sleeping(sql: (text: string) => Promise<readonly Record<string, unknown>[]>): Promise<number> {
  const rows = await sql(`select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`)
  return rows.length
}
