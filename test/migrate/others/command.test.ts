import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { otherTools } from '../../helpers/other-tools/installed.ts'
import { made, otherScene, type OtherScene } from './scene.ts'

let modules: string
beforeAll(async () => {
  modules = await otherTools()
})

const PACKAGE = { 'package.json': JSON.stringify({ name: 'shop', private: true, type: 'module' }), '.gitignore': 'node_modules\n' }

async function scene(tool: unknown): Promise<OtherScene> {
  const made = await otherScene(tool)
  symlinkSync(modules, join(made.origin.directory, 'node_modules'))
  return made
}

const tables = async ({ sql }: OtherScene) =>
  (await sql(`select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'pgmigrations' order by 1`)).map(
    ({ name }) => name,
  )

describe('node-pg-migrate 9.0.0', () => {
  const orders = `export const up = (pgm) => { pgm.createTable('orders', { id: 'id', total: 'int' }) }\n`
  const note = '-- Up Migration\nALTER TABLE orders ADD COLUMN note text;\n-- Down Migration\nALTER TABLE orders DROP COLUMN note;\n'

  test('is run in a copy of the checkout, and its record says what is applied', async () => {
    const app = await scene('node-pg-migrate')
    await app.commit({ ...PACKAGE, 'migrations/1700000000001_orders.js': orders, 'migrations/1700000000002_note.sql': note })
    const plan = made(await app.plan())
    expect(plan.plan.tool).toEqual({
      kind: 'command',
      name: 'node-pg-migrate',
      run: ['node_modules/.bin/node-pg-migrate', 'up'],
      applied: 'select name from public.pgmigrations order by run_on, id',
      undone: true,
    })
    expect(plan.evidence.migrations.map(({ name, class: kind, summary }) => `${name}, ${kind}: ${summary}`)).toEqual([
      '1700000000001_orders, unclear: is a program (.js), of which nobody knows what SQL it runs; read it yourself',
      '1700000000002_note, additive: adds orders.note, nullable',
    ])
    const run = app.run(plan)
    expect(await run.migrate()).toMatchObject({ kind: 'done', output: '2 migrations' })
    expect(await run.verify()).toMatchObject({ kind: 'done', output: '2 applied by the record, schema not compared' })
    expect(await app.compare(plan, 'after-migrate')).toEqual({ kind: 'same', applied: ['1700000000001_orders', '1700000000002_note'] })
    expect(await app.plan()).toMatchObject({ plan: { list: [] } })
  })

  test('an index that is built concurrently inside its transaction is told as that, and a path that a file empties is no refusal', async () => {
    const app = await scene('node-pg-migrate')
    await app.commit({
      ...PACKAGE,
      'migrations/1_a.sql': "SET search_path = '';\nCREATE TABLE public.a (id int);\n",
      'migrations/2_b.sql': 'CREATE INDEX CONCURRENTLY x ON public.a (id);\n',
    })
    expect(await app.run(made(await app.plan())).migrate()).toMatchObject({
      output: 'concurrently in transaction',
      outcome: {
        headline:
          '*The migration stopped: a `CONCURRENTLY` statement ran inside a transaction. A part of what it did may have stayed. Lockkeeper will not guess.*',
      },
    })
  })

  test('undoes all of them when one fails', async () => {
    const app = await scene('node-pg-migrate')
    await app.commit({
      ...PACKAGE,
      'migrations/1_orders.js': orders,
      'migrations/2_bad.js': `export const up = (pgm) => { pgm.sql('select 1/0') }\n`,
    })
    expect(await app.run(made(await app.plan())).migrate()).toMatchObject({
      kind: 'failed',
      outcome: {
        headline:
          '*The migration stopped. PostgreSQL says: `division by zero` (22012). None of the 2 migrations is applied.* The application was left as it was.',
      },
    })
    expect(await tables(app)).toEqual([])
  })

  test('and a migration that asks for no transaction is never taken as undone', async () => {
    const app = await scene('node-pg-migrate')
    await app.commit({
      ...PACKAGE,
      'migrations/1_bad.js': `export const up = (pgm) => { pgm.noTransaction(); pgm.sql('create table half (id int)'); pgm.sql('select 1/0') }\n`,
    })
    expect(await app.run(made(await app.plan())).migrate()).toMatchObject({
      kind: 'unknown',
      outcome: {
        headline:
          '*The migration stopped. PostgreSQL says: `division by zero` (22012). A part of what it did may have stayed. Lockkeeper will not guess.*',
      },
    })
    expect(await tables(app)).toEqual(['half'])
  })
})

describe('Drizzle Kit 0.31.11', () => {
  const config =
    "import { defineConfig } from 'drizzle-kit'\nexport default defineConfig({ dialect: 'postgresql', out: './drizzle', dbCredentials: { url: process.env.DATABASE_URL! } })\n"
  const journal = (...tags: readonly string[]) =>
    JSON.stringify({
      version: '7',
      dialect: 'postgresql',
      entries: tags.map((tag, idx) => ({ idx, version: '7', when: 1_700_000_000_000 + idx, tag, breakpoints: true })),
    })
  const files = { ...PACKAGE, 'drizzle.config.ts': config, 'drizzle/0000_orders.sql': 'CREATE TABLE "orders" ("id" serial PRIMARY KEY);' }

  test('is known by the SHA-256 of its files', async () => {
    const app = await scene('drizzle')
    await app.commit({ ...files, 'drizzle/meta/_journal.json': journal('0000_orders') })
    expect(await app.run(made(await app.plan())).migrate()).toMatchObject({ kind: 'done', output: '1 migration' })
    await app.commit({
      'drizzle/0001_note.sql': 'ALTER TABLE "orders" ADD COLUMN "note" text;',
      'drizzle/meta/_journal.json': journal('0000_orders', '0001_note'),
    })
    const plan = made(await app.plan())
    expect(plan.plan).toMatchObject({ baseline: [{ name: '0000_orders' }], list: [{ name: '0001_note' }] })
    const run = app.run(plan)
    expect(await run.migrate()).toMatchObject({ kind: 'done' })
    expect(await run.verify()).toMatchObject({ kind: 'done', output: '2 applied by the record, schema not compared' })
  })

  test.each([
    [
      'without its journal',
      null,
      'There is no `drizzle/meta/_journal.json`, without which Drizzle Kit applies nothing. Commit it and ask again.',
    ],
    [
      'with one that is none',
      '{}',
      '`drizzle/meta/_journal.json` is no journal of Drizzle Kit, so nobody can say what it would apply. Restore it, commit it and ask again.',
    ],
    [
      'with a file that it does not list',
      journal(),
      '`0000_orders` does not stand in `drizzle/meta/_journal.json`, so Drizzle Kit would leave it out. Commit the journal that was generated with it and ask again.',
    ],
    [
      'with one that lists a file too many',
      journal('0000_orders', '0001_note'),
      '`drizzle/meta/_journal.json` lists `0001_note`, of which this commit has no file. Commit it and ask again.',
    ],
  ])('is refused %s', async (_what, text, why) => {
    const app = await scene('drizzle')
    await app.commit({ ...files, ...(text === null ? {} : { 'drizzle/meta/_journal.json': text }) })
    expect(await app.plan()).toBe(`repository_unfit: ${why}`)
  })

  test('fails without a word of the database, which is said', async () => {
    const app = await scene('drizzle')
    await app.commit({ ...files, 'drizzle/0001_bad.sql': 'SELECT 1/0;', 'drizzle/meta/_journal.json': journal('0000_orders', '0001_bad') })
    expect(await app.run(made(await app.plan())).migrate()).toMatchObject({
      kind: 'failed',
      outcome: {
        headline:
          '*Drizzle Kit ended with code 1 and did not say what the database said. None of the 2 migrations is applied.* The application was left as it was.',
        next: "The server's own log of that moment has the error. Correct the migration and ask again.",
        excerpt: expect.not.stringContaining('\u001b'),
      },
    })
    expect(await tables(app)).toEqual([])
  })
})

describe('a command of the configuration', () => {
  const tool = {
    command: {
      name: 'our script',
      directory: 'db',
      applied: 'select version from public.versions order by version',
      run: ['sh', 'migrate.sh'],
      undone: true,
    },
  }
  /** As teams write them: psql, a transaction a file, a table of numbers. */
  const script = `set -eu
psql "$DATABASE_URL" -qXc 'create table if not exists versions (version text primary key)' 2>/dev/null
for file in db/*.sql; do
  number=$(basename "$file" | sed 's/_.*//')
  [ -z "$(psql "$DATABASE_URL" -qXAtc "select 1 from versions where version = '$number'")" ] || continue
  sed '/^-- migrate:down/,$d' "$file" | psql "$DATABASE_URL" -qX1v ON_ERROR_STOP=1 -f - -c "insert into versions values ('$number')"
done
`
  const files = {
    'migrate.sh': script,
    'db/001_orders.sql': '-- migrate:up\nCREATE TABLE orders (id int);\n-- migrate:down\nDROP TABLE orders;\n',
  }

  test('is known by the numbers of its files, of which the way back is not reviewed', async () => {
    const app = await otherScene(tool)
    await app.commit({ ...files, 'db/002_bad.sql': '-- migrate:up\nSELECT 1/0;\n' })
    const plan = made(await app.plan())
    expect(plan.evidence.migrations.map(({ name, summary }) => `${name}: ${summary}`)[0]).toBe('001_orders: creates table orders')
    expect(await app.run(plan).migrate()).toMatchObject({
      kind: 'failed',
      outcome: {
        headline:
          '*The migration stopped. PostgreSQL says: `division by zero`. 1 of 2 migrations is applied and kept.* The application was left as it was.',
      },
    })
    await app.commit({ 'db/002_bad.sql': '-- migrate:up\nSELECT 1;\n' })
    const again = made(await app.plan())
    expect(again.plan).toMatchObject({ baseline: [{ name: '001_orders' }], list: [{ name: '002_bad' }] })
    expect(await app.run(again).migrate()).toMatchObject({ kind: 'done', output: '1 migration' })
  })

  test.each([
    [
      ['node_modules/.bin/none', 'up'],
      'failed',
      '*`node_modules/.bin/none` could not be started: `spawn node_modules/.bin/none ENOENT`. It is not applied.* The application was left as it was.',
    ],
    [
      ['true'],
      'unknown',
      '*our script says that it applied its migrations, but the approved database does not have them. Lockkeeper will not guess.*',
    ],
    [
      ['sh', '-c', 'exit 3'],
      'unknown',
      '*our script ended with code 3 and did not say what the database said. A part of what it did may have stayed. Lockkeeper will not guess.*',
    ],
    [
      ['sh', '-c', 'kill -9 $$'],
      'unknown',
      '*our script was ended by SIGKILL and did not say what the database said. A part of what it did may have stayed. Lockkeeper will not guess.*',
    ],
  ])('that comes to nothing is told by how it ended: %s', async (run, kind, headline) => {
    const app = await otherScene({ command: { ...tool.command, run, undone: false } })
    await app.commit({ 'db/1_a.sql': 'SELECT 1;\n' })
    expect(await app.run(made(await app.plan())).migrate()).toMatchObject({ kind, outcome: { headline } })
  })

  test.each([
    ['select nothing from public.versions', 'column "nothing" does not exist (42703)'],
    ['select version, version from public.versions', 'it gives more than one column, or no name'],
    ['set lock_timeout = 0', 'it gives no column'],
    ['select version, version from public.versions where false', 'it gives more than one column, or no name'],
    ['commit; drop table public.versions; select 1', 'cannot insert multiple commands into a prepared statement (42601)'],
    ['drop table public.versions', 'cannot execute DROP TABLE in a read-only transaction (25006)'],
  ])('a query that cannot be used is refused while planning: %s', async (applied, why) => {
    const app = await otherScene({ command: { ...tool.command, applied } })
    await app.commit(files)
    await app.sql("create table versions (version text); insert into versions values ('1')")
    expect(await app.plan()).toBe(
      `target_unfit: What is applied to \`prod\` cannot be read by the query \`${applied}\`: ${why}. Correct \`applied\` of its tool in lockkeeper.yaml and ask again; nothing was changed.`,
    )
    expect(await app.sql('select version from versions')).toEqual([{ version: '1' }])
  })
})
