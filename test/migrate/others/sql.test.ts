import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { until } from '../../helpers/until.ts'
import { later, sleeping } from '../../run/scene.ts'
import { made, otherScene, type OtherScene } from './scene.ts'
import pg from 'pg'

const ORDERS = 'CREATE TABLE orders (id serial PRIMARY KEY, total int NOT NULL);\n'
const NOTE = 'ALTER TABLE orders ADD COLUMN note text;\n'

const columns = async ({ sql }: OtherScene) =>
  (await sql(`select column_name as name from information_schema.columns where table_name = 'orders' order by ordinal_position`)).map(
    ({ name }) => name,
  )
const record = async ({ sql }: OtherScene) =>
  (await sql('select migration_name as name, finished_at is not null as done from lockkeeper_migrations order by id')).map(
    ({ name, done }) => `${String(name)} ${done === true ? 'done' : 'open'}`,
  )

async function holding({ database }: OtherScene, statement: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url, application_name: 'reporting' })
  client.on('error', () => {}) // the database is dropped under it
  await client.connect()
  later(() => client.end().catch(() => {}))
  await client.query('begin')
  await client.query(statement)
  return client
}

describe('plain SQL files', () => {
  test('are planned by their numbers, applied each in one transaction, and recorded', async () => {
    const scene = await otherScene('sql')
    await scene.commit({
      'migrations/2_note.sql': NOTE,
      'migrations/10_index.sql': 'CREATE INDEX ON orders (note);\n',
      'migrations/1_orders.sql': ORDERS,
    })
    const plan = made(await scene.plan())
    expect(plan.evidence.migrations.map(({ name, summary }) => `${name}: ${summary}`)).toEqual([
      '1_orders: creates table orders',
      '2_note: adds orders.note, nullable',
      '10_index: builds an index on orders',
    ])
    const run = scene.run(plan)
    expect(await run.migrate()).toMatchObject({ kind: 'done', output: expect.stringMatching(/^3 migrations in \d+\.\d s$/) })
    expect(await run.verify()).toMatchObject({ kind: 'done', output: '3 applied by the record, schema not compared' })
    expect(await record(scene)).toEqual(['1_orders done', '2_note done', '10_index done'])
    expect(await scene.compare(plan, 'after-migrate')).toEqual({ kind: 'same', applied: ['1_orders', '2_note', '10_index'] })
    expect(await run.inspect()).toMatchObject({ kind: 'done' })
  })

  test('one that fails has left nothing, the ones before it are kept, and its line is shown', async () => {
    const scene = await otherScene('sql')
    await scene.commit({
      'migrations/1_orders.sql': `${ORDERS}INSERT INTO orders (total) VALUES (1);\n`,
      'migrations/2_bad.sql': `${NOTE}ALTER TABLE orders ADD COLUMN owner text NOT NULL;\n`,
      'migrations/3_more.sql': 'CREATE TABLE more (id int);\n',
    })
    const run = scene.run(made(await scene.plan()))
    expect(await run.migrate()).toMatchObject({
      kind: 'failed',
      output: 'null values',
      data: { migrations: [{ state: 'done' }, { name: '2_bad', state: 'failed', output: 'null values' }, { state: 'pending' }] },
      outcome: {
        headline:
          '*`2_bad` stopped: column `owner` would be required, but rows have no value for it. 1 of 3 migrations is applied and kept.* The application was left as it was.',
        excerpt:
          'ERROR: column "owner" of relation "orders" contains null values (23502)\nline 2 of 2_bad.sql names it: ALTER TABLE orders ADD COLUMN owner text NOT NULL;',
      },
    })
    expect(await columns(scene)).toEqual(['id', 'total'])
    expect(await record(scene)).toEqual(['1_orders done'])
    await scene.commit({ 'migrations/2_bad.sql': NOTE })
    const again = made(await scene.plan())
    expect(again.plan.list.map(({ name }) => name)).toEqual(['2_bad', '3_more'])
    expect(await scene.run(again).migrate()).toMatchObject({ kind: 'done' })
  })

  test('one whose lock is held is tried again, and who holds it is said', async () => {
    const scene = await otherScene('sql', { lockTimeout: 300 })
    await scene.commit({ 'migrations/1_orders.sql': ORDERS })
    await scene.run(made(await scene.plan())).migrate()
    await scene.commit({ 'migrations/2_note.sql': NOTE })
    const holder = await holding(scene, 'select from orders')
    const run = scene.run(made(await scene.plan()))
    const ending = run.migrate()
    await until('a second try has begun', () => run.reports.some((text) => text.startsWith('Try 2 of')))
    await holder.query('rollback')
    expect(await ending).toMatchObject({ kind: 'done' })
    expect(run.reports.find((text) => text.startsWith('Lock timeout'))).toMatch(
      /^Lock timeout, try 1 of \d\. reporting \(pid \d+, running for .+\) was in the way\. Nothing was left behind; trying again in /,
    )
    expect(await record(scene)).toEqual(['1_orders done', '2_note done'])
  })

  test('what a file sets does not reach the record or the next file', async () => {
    const scene = await otherScene('sql')
    await scene.commit({
      'migrations/1_dump.sql': "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.a (id int);\n",
      'migrations/2_next.sql': 'CREATE TABLE b (id int);\n',
    })
    const plan = made(await scene.plan())
    expect(plan.evidence.migrations.flatMap(({ findings }) => findings)).toEqual([])
    expect(await scene.run(plan).migrate()).toMatchObject({ kind: 'done' })
    expect(await scene.sql(`select schemaname as s, tablename as t from pg_tables where tablename in ('a', 'b') order by 2`)).toEqual([
      { s: 'public', t: 'a' },
      { s: 'public', t: 'b' },
    ])
  })

  test('a baseline records what was approved as applied and nothing else, whatever tables there are', async () => {
    const scene = await otherScene({ sql: { baseline: '1_orders' } })
    await scene.commit({ 'migrations/1_orders.sql': ORDERS, 'migrations/2_note.sql': NOTE })
    await scene.sql('create table spatial_ref_sys (id int)') // of an extension, and no table of the application
    const plan = made(await scene.plan())
    expect(plan.plan.list.map(({ name }) => name)).toEqual(['1_orders', '2_note'])
    expect(await scene.run(plan).migrate()).toMatchObject({ kind: 'done' })
    expect(await columns(scene)).toEqual(['id', 'total', 'note'])
  })

  test('a directory that is written with a slash at its end is the same one', async () => {
    const scene = await otherScene({ sql: { directory: './migrations/' } })
    await scene.commit({ 'migrations/1_orders.sql': ORDERS })
    expect(await scene.run(made(await scene.plan())).migrate()).toMatchObject({ kind: 'done' })
  })

  test('names without a schema lead to the schema of the URL, which is made where it is not there', async () => {
    const scene = await otherScene('sql')
    Object.assign(scene.database, { url: `${scene.database.url}?schema=sales` })
    await scene.commit({ 'migrations/1_orders.sql': `${ORDERS}CREATE TABLE public.shared (id int);\n`, 'migrations/2_note.sql': NOTE })
    const plan = made(await scene.plan())
    expect(await scene.run(plan).migrate()).toMatchObject({ kind: 'done' })
    expect(await scene.compare(plan, 'after-migrate')).toMatchObject({ kind: 'same' })
    expect(
      await scene.sql(`select schemaname as s, tablename as t from pg_tables where schemaname in ('sales', 'public') order by 1, 2`),
    ).toEqual([
      { s: 'public', t: 'shared' },
      { s: 'sales', t: 'lockkeeper_migrations' },
      { s: 'sales', t: 'orders' },
    ])
  })

  test('a cancel ends the file that runs, which has left nothing, and keeps those before it', async () => {
    const scene = await otherScene('sql')
    await scene.commit({ 'migrations/1_orders.sql': ORDERS, 'migrations/2_slow.sql': `${NOTE}SELECT pg_sleep(60);\n` })
    const run = scene.run(made(await scene.plan()))
    const ending = run.migrate()
    await until('the second file is at work', async () => (await sleeping(scene.sql)) === 1)
    await until('it is reported', () => run.reports.some((text) => text.startsWith('Applying 2_slow, 2 of 2')))
    run.controls.cancelled = true
    run.controls.abort.abort()
    expect(await ending).toMatchObject({
      kind: 'cancelled',
      outcome: { headline: '*Cancelled while migrating. 1 of 2 migrations is applied and kept.* The application was left as it was.' },
    })
    expect(await columns(scene)).toEqual(['id', 'total'])
    expect(await record(scene)).toEqual(['1_orders done'])
  })

  test('a migrator that is killed has left nothing of its file, and the run goes on', async () => {
    const scene = await otherScene('sql')
    await scene.commit({ 'migrations/1_slow.sql': `${ORDERS}SELECT pg_sleep(case when exists (select from once) then 3 else 0 end);\n` })
    await scene.sql('create schema apart; create table apart.once (id int); insert into apart.once values (1)')
    await scene.sql(`alter database "${new URL(scene.database.url).pathname.slice(1)}" set search_path = public, apart`)
    const run = scene.run(made(await scene.plan()))
    const ending = run.migrate()
    await until('it is at work', async () => (await sleeping(scene.sql)) === 1)
    await scene.sql('delete from apart.once')
    const { pid } = JSON.parse(readFileSync(join(run.context.directory, 'migrator/0001/claim.json'), 'utf8')) as { pid: number }
    process.kill(-pid, 'SIGKILL')
    expect(await ending).toMatchObject({ kind: 'done' })
    expect(await columns(scene)).toEqual(['id', 'total'])
    expect(await record(scene)).toEqual(['1_slow done'])
  })

  test('an index that is built concurrently runs alone; half built it is dropped and tried again', async () => {
    const scene = await otherScene('sql')
    await scene.commit({
      'migrations/1_orders.sql': `${ORDERS}INSERT INTO orders (total) VALUES (1), (1);\n`,
      'migrations/2_unique.sql': 'CREATE UNIQUE INDEX CONCURRENTLY u ON orders (total);\n',
    })
    const run = scene.run(made(await scene.plan()))
    expect(await run.migrate()).toMatchObject({
      kind: 'failed',
      outcome: {
        next: expect.stringContaining(
          "update lockkeeper_migrations set rolled_back_at = now() where migration_name = '2_unique' and finished_at is null;",
        ),
      },
    })
    expect(await record(scene)).toEqual(['1_orders done', '2_unique open'])
  })
})

describe('plain SQL files that few would write', () => {
  const ran = async (files: Readonly<Record<string, string>>) => {
    const scene = await otherScene('sql')
    await scene.commit(files)
    return { scene, end: await scene.run(made(await scene.plan())).migrate() }
  }

  test('names with spaces and quotation marks, an empty file, comments, CRLF, leading zeros and one number twice', async () => {
    const { scene, end } = await ran({
      'migrations/007 it\'s "here".sql': 'CREATE TABLE a (id int);\r\nCREATE TABLE b (id int);\r\n',
      'migrations/8_empty.sql': '',
      'migrations/0009_comment.sql': '-- nothing yet\n',
      'migrations/10_b.sql': 'CREATE TABLE d (id int REFERENCES c);\n',
      'migrations/10_a.sql': 'CREATE TABLE c (id int PRIMARY KEY);\n',
      'migrations/20261130094500123456789_long.sql': 'SELECT 1;\n',
    })
    expect(end).toMatchObject({ kind: 'done' })
    expect(await record(scene)).toEqual([
      `007 it's "here" done`,
      '8_empty done',
      '0009_comment done',
      '10_a done',
      '10_b done',
      '20261130094500123456789_long done',
    ])
  })

  test.each([
    [
      'a role and a session that they take',
      `CREATE ROLE lk_other_${process.pid} NOLOGIN; SET SESSION AUTHORIZATION lk_other_${process.pid};\n`,
    ],
    ['what cannot run in a transaction, alone in its file', 'VACUUM;\n'],
    ['timeouts of their own', 'SET lock_timeout = 0; SET statement_timeout = 0; CREATE TABLE t (id int);\n'],
  ])('%s', async (_what, sql) => {
    const { scene, end } = await ran({ 'migrations/1_x.sql': sql })
    await scene.sql(`drop role if exists lk_other_${process.pid}`)
    expect(end).toMatchObject({ kind: 'done' })
    expect(await record(scene)).toEqual(['1_x done'])
  })

  test.each([
    ['a block that commits', 'DO $$ BEGIN CREATE TABLE t (id int); COMMIT; END $$;\n'],
    ['one that drops the record of migrations', 'CREATE TABLE t (id int); DROP TABLE lockkeeper_migrations;\n'],
    ['one that makes the rest of its transaction read-only', 'CREATE TABLE t (id int); SET TRANSACTION READ ONLY;\n'],
  ])('%s is undone as a whole', async (_what, sql) => {
    const { scene, end } = await ran({ 'migrations/1_x.sql': sql })
    expect(end).toMatchObject({ kind: 'failed' })
    expect(await record(scene)).toEqual([])
    expect(await scene.sql(`select from pg_tables where tablename = 't'`)).toEqual([])
  })
})

describe('of a file that failed is said what is true of plain SQL', () => {
  test.each([
    [
      'what is there already: nothing is recorded that could be marked',
      'CREATE TABLE a (id int);\n',
      {
        headline: '*`1_x` stopped: table or index `a` already exists. It is not applied.* The application was left as it was.',
        next: 'Compare it with what the migration would make. If it should stay, correct the file so that it finds it there (`IF NOT EXISTS`, or without that statement); if not, remove or rename it. Nothing of this try is recorded. Then ask again.',
      },
    ],
    [
      'what is not there',
      'ALTER TABLE gone ADD COLUMN x int;\n',
      {
        next: 'Find out where it went. Bring it back, or correct the migration in the repository; then ask again.',
      },
    ],
    [
      'what others depend on',
      'ALTER TABLE a DROP COLUMN id;\n',
      {
        next: 'In the same file, drop or change the view `v` before the `DROP`, and create it again after it, without what goes, where it is still needed. Then ask again.',
      },
    ],
    [
      'a block that commits',
      'DO $$ BEGIN COMMIT; END $$;\n',
      {
        headline:
          '*`1_x` stopped: a code block or procedure in it commits or rolls back. It is not applied.* The application was left as it was.',
        why: 'Lockkeeper applies a file in a transaction, which no block may end.',
        next: 'Take `COMMIT` and `ROLLBACK` out of the block or the procedure, or do that work outside of the migrations. Then ask again.',
      },
    ],
  ])('%s', async (_what, text, outcome) => {
    const scene = await otherScene({ sql: { baseline: '0_a' } })
    await scene.sql('create table a (id int); create view v as select id from a')
    await scene.commit({ 'migrations/0_a.sql': 'CREATE TABLE a (id int);\n', 'migrations/1_x.sql': text })
    expect(await scene.run(made(await scene.plan())).migrate()).toMatchObject({ kind: 'failed', outcome })
  })

  test('a migration lock that somebody else holds', async () => {
    const scene = await otherScene('sql', { lockTimeout: 200 })
    await scene.commit({ 'migrations/1_x.sql': 'CREATE TABLE a (id int);\n' })
    const plan = made(await scene.plan())
    await holding(scene, 'select pg_advisory_xact_lock(72707369)')
    expect(await scene.run(plan).migrate()).toMatchObject({
      kind: 'failed',
      outcome: {
        headline: expect.stringMatching(
          /^\*Another session holds the migration lock or the record on `\w+`, so no further file was started\. /,
        ),
        why: expect.stringMatching(
          /^Before each file Lockkeeper takes an advisory lock and reads `lockkeeper_migrations`\. It waited 0\.2 s for one of them, which `reporting` \(pid \d+[^)]*\) holds\.$/,
        ),
        next: 'Wait until that session has ended, or find out whose it is and end it; then ask again. What was applied before is kept.',
      },
    })
  })
})

describe('plain SQL files are refused while planning', () => {
  const refusal = async (files: Readonly<Record<string, string>>, tool: unknown = 'sql') => {
    const scene = await otherScene(tool)
    await scene.commit(files)
    return scene.plan()
  }

  test.each([
    [
      'without a number',
      { 'migrations/1_a.sql': 'select 1;', 'migrations/orders.sql': ORDERS },
      'repository_unfit: `migrations/orders.sql` has no number in front, so it is not certain when it runs. Give it one (`001_create_orders.sql`), commit and ask again.',
    ],
    [
      'with a transaction of their own',
      { 'migrations/1_a.sql': `BEGIN;\n${ORDERS}COMMIT;\n` },
      'repository_unfit: `migrations/1_a.sql` has `BEGIN` inside. Lockkeeper applies each file and records it in one transaction of its own. Take it out and ask again.',
    ],
    [
      'with a command of psql',
      { 'migrations/1_a.sql': '\\i other.sql\n' },
      'repository_unfit: `migrations/1_a.sql`, line 1, column 1: `\\i` is a command of psql, which PostgreSQL refuses (42601): a migration goes to the server as it is. Put the SQL of the other file here and ask again.',
    ],
    [
      'with an ending in capitals, which would never run',
      { 'migrations/1_a.sql': ORDERS, 'migrations/2_b.SQL': NOTE },
      'repository_unfit: `migrations/2_b.SQL` ends in capitals, so nothing would run it. Rename it to end in `.sql`, commit and ask again.',
    ],
    [
      'that stand in folders alone',
      { 'migrations/2026/1_a.sql': ORDERS },
      expect.stringMatching(
        /^repository_unfit: Commit `\w{10}` has no migrations \(`\*\.sql`\) in `migrations` itself, and those of its folders \(`migrations\/2026\/1_a\.sql`\) are not read\. Correct /,
      ),
    ],
    [
      'where there are none',
      { 'db/1_a.sql': ORDERS },
      expect.stringMatching(
        /^repository_unfit: Commit `\w{10}` has no migrations \(`\*\.sql`\) in `migrations`\. Correct `source\.directory` or the directory of `tool` of `prod` in lockkeeper\.yaml\.$/,
      ),
    ],
  ])('%s', async (_what, files, text) => {
    expect(await refusal(files)).toEqual(text)
  })

  test('on a database that has tables and no record, unless a baseline says what is there', async () => {
    const scene = await otherScene('sql')
    const files = { 'migrations/1_orders.sql': ORDERS, 'migrations/2_note.sql': NOTE }
    await scene.commit(files)
    await scene.sql(ORDERS)
    expect(await scene.plan()).toBe(
      'target_unfit: `prod` has tables but no record of migrations (`lockkeeper_migrations`), so nobody can say which of the files they come from. Name the last file that is in it already (`tool: { sql: { baseline: … } }` of this target in lockkeeper.yaml) and ask again.',
    )
    const adopted = await otherScene({ sql: { baseline: '1_orders' } })
    await adopted.commit(files)
    await adopted.sql(ORDERS)
    const plan = made(await adopted.plan())
    expect(plan.plan).toMatchObject({
      baseline: [{ name: '1_orders' }],
      list: [{ name: '2_note' }],
      tool: { kind: 'sql', baseline: '1_orders' },
    })
    expect(await adopted.run(plan).migrate()).toMatchObject({ kind: 'done' })
    expect(await record(adopted)).toEqual(['1_orders done', '2_note done'])
    expect(await columns(adopted)).toEqual(['id', 'total', 'note'])
  })

  test('on such a database when the baseline names no file, with its ending for instance', async () => {
    const scene = await otherScene({ sql: { baseline: '1_orders.sql' } })
    await scene.commit({ 'migrations/1_orders.sql': ORDERS, 'migrations/2_note.sql': NOTE })
    await scene.sql(ORDERS)
    expect(await scene.plan()).toBe(
      'target_unfit: `prod` has tables but no record of migrations (`lockkeeper_migrations`), and this commit has no file that `tool.sql.baseline` of this target in lockkeeper.yaml names: `1_orders.sql`. Write the name of the last file that is in it already, without `.sql`, and ask again.',
    )
  })

  test('on a database whose only table is divided into partitions', async () => {
    const scene = await otherScene('sql')
    await scene.commit({ 'migrations/1_orders.sql': ORDERS })
    await scene.sql('create table orders (id int) partition by range (id)')
    expect(await scene.plan()).toMatch(/^target_unfit: `prod` has tables but no record of migrations/)
  })

  test('where a table has the name of the record and is none', async () => {
    const scene = await otherScene('sql')
    await scene.commit({ 'migrations/1_orders.sql': ORDERS })
    await scene.sql('create table lockkeeper_migrations (id int)')
    expect(await scene.plan()).toBe(
      'target_unfit: The record of migrations of `prod` cannot be read: column m.migration_name does not exist. A table of that name is there and is no record of migrations. Rename it, or let the URL name another schema, and ask again; nothing was changed.',
    )
  })

  test('when one was edited after it was applied', async () => {
    const scene = await otherScene('sql')
    await scene.commit({ 'migrations/1_orders.sql': ORDERS })
    await scene.run(made(await scene.plan())).migrate()
    await scene.commit({ 'migrations/1_orders.sql': `${ORDERS}-- more\n`, 'migrations/2_note.sql': NOTE })
    expect(await scene.plan()).toBe(
      'target_unfit: `1_orders` was applied to `prod` with another content than this commit has. An applied migration is never edited: restore the file as it was applied and put the change into a new migration.',
    )
  })
})
