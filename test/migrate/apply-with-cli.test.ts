import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { allText, createRun } from '../helpers/application.ts'
import { onServer } from '../helpers/postgres.ts'
import { useRealPrisma } from '../helpers/recorded-prisma/place.ts'
import { until } from '../helpers/until.ts'
import { fast, index, init, later, note, scene, SEED, sleeping } from '../run/scene.ts'

useRealPrisma() // the subject is what the CLI itself does, and what the contract of the recorded one does not hold it to

const step = migrateStep(fast)

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
      guard: expect.objectContaining({ cancelled: 0, queue: { count: 0, ms: 0 } }),
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
      "Prisma 6.19.3, WebAssembly engine: whether each file is one transaction is up to the application's driver adapter.",
      'Starting 2 migrations.',
      'Starting 3_index, outside a transaction.',
      'Starting 1 migration.',
    ]),
  )
  expect(await step.inspect(run.context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^4 migrations in /) })
  expect(run.recorded.events).toHaveLength(4)
})

test('numbers of other lengths and letters of other languages run in the order that was approved, whatever language the operator set', async () => {
  const make = (table: string) => `CREATE TABLE "${table}" ("id" int);\n`
  const { run, sql } = await scene(
    { '1_init': init, '2_b': make('b'), '10_c': make('c'), '4_change': make('d'), '4_create': make('e') },
    { toolEnv: { LC_ALL: 'cs_CZ.UTF-8', LANG: 'cs_CZ.UTF-8' } },
  )
  expect(await step.act(run.context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^5 migrations in /) })
  const rows = await sql('select migration_name as name from _prisma_migrations order by started_at')
  expect(rows).toEqual(['1_init', '10_c', '2_b', '4_change', '4_create'].map((name) => ({ name })))
})

test('a package of a monorepo is migrated with the Prisma of the root', async () => {
  const { run } = await scene({ '1_init': init }, { inDirectory: 'packages/api' })
  expect(await step.act(run.context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^1 migration in /) })
})

test('a try that was rolled back and whose file was removed is not in the way', async () => {
  const { run } = await scene(
    { '1_init': init, '3_note': note },
    {
      before: `${SEED} insert into _prisma_migrations values ('2', 'x', null, '2_gone', 'null values', now(), now(), 0);`,
      baseline: ['1_init'],
    },
  )
  expect(await step.act(run.context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^1 migration in /) })
})

test('a code block that commits by itself is unclear when it fails, though the catalogue shows nothing of it', async () => {
  const block = `DO $$ BEGIN INSERT INTO "tally" VALUES ('half'); COMMIT; PERFORM 1 / 0; END $$;\n`
  const { run, sql } = await scene({ '1_init': init, '2_block': block })
  expect(await step.act(run.context)).toMatchObject({
    kind: 'unknown',
    outcome: { notKnown: 'Whether all of `2_block` took effect. The record says "started".' },
  })
  expect(await sql('select name from tally')).toEqual([{ name: 'half' }])
})

test('what the first start of Prisma compiled serves the next one, of this run alone', async () => {
  const { run } = await scene({ '1_init': init })
  const compiled = join(run.context.directory, 'compiled')
  expect(existsSync(compiled)).toBe(false)
  expect(await step.act(run.context)).toMatchObject({ kind: 'done' })
  expect(readdirSync(compiled)).not.toEqual([])
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
