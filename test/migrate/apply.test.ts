import { mkdtempSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sha256 } from '../../src/plan/files.ts'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { fast, init, later, note, scene, SEED } from '../run/scene.ts'

const step = migrateStep(fast)

test('nothing pending is done without starting the tool', async () => {
  const { run } = await scene({ '1_init': init }, { baseline: ['1_init'] })
  expect(await step.inspect(run.context)).toEqual({
    kind: 'done',
    output: 'nothing to apply, the database is unchanged',
    data: { migrations: [] },
  })
})

test('what was rolled back before is run again, although the status of Prisma does not list it', async () => {
  const { run, sql } = await scene(
    { '1_init': init, '2_note': note },
    {
      before: `${SEED} insert into _prisma_migrations values ('2', '${sha256(note)}', null, '2_note', 'lock timeout', now(), now(), 0);`,
      baseline: ['1_init'],
    },
  )
  expect(await step.act(run.context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^1 migration in /) })
  expect(await sql('select name from tally')).toEqual([{ name: 'note' }])
})

test('an SQL error stops there, keeps what ran, and says what, why and what next', async () => {
  const { run, sql } = await scene({ '1_init': init, '2_again': 'CREATE TABLE "orders" ("id" int);\n', '3_note': note })
  expect(await step.act(run.context)).toMatchObject({
    kind: 'failed',
    output: 'already exists',
    data: { migrations: [{ state: 'done' }, { name: '2_again', state: 'failed', output: 'already exists' }, { state: 'pending' }] },
    outcome: {
      headline:
        '*`2_again` stopped: table or index `orders` already exists. 1 of 3 migrations is applied and kept.* The application was left as it was.',
      why: 'An earlier migration made it already, or something outside the migrations did: a change by hand, `db push`, or an earlier try that was not rolled back as a whole.',
      next: 'Compare it with what the migration would make. If that is all there already, mark the migration as applied (`npx prisma migrate resolve --applied 2_again`); if not, remove or rename it and mark the migration as rolled back (`npx prisma migrate resolve --rolled-back 2_again`). Then ask again.',
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
      known:
        '`1_init` is applied. It has a `COMMIT` inside, and what stands before it stays. Since its start the schema has got: `column orders.half`. Since its start no row of `orders` was inserted or updated; deleted ones do not show. No session of this run is alive.',
      notKnown: 'Whether all of `2_halves` took effect. The record says "started".',
    },
  })
})

test('a file that leaves its transaction open takes itself back while Prisma says that it succeeded, and that is what is told', async () => {
  const { run, sql } = await scene({ '1_init': init, '2_open': `BEGIN;\n${note}` })
  expect(await step.act(run.context)).toMatchObject({
    kind: 'unknown',
    outcome: {
      headline: '*Prisma says that it succeeded, but the record does not know the end of `2_open`. Lockkeeper will not guess.*',
      known:
        '`1_init` is applied. A file with a `BEGIN` and no `COMMIT` ends like this: the database takes it back when Prisma leaves. Prisma needs neither of them. Nothing in the schema is younger than its start. Since its start no row of `orders` and `tally` was inserted or updated; deleted ones do not show. No session of this run is alive.',
      notKnown: 'Whether all of `2_open` took effect. The record says "started".',
      excerpt: expect.stringContaining('All migrations have been successfully applied.'),
    },
  })
  expect(await sql('select name from tally')).toEqual([])
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
        /^\*Prisma says `test_\w+`, but its `migrate status` answered while this product held `public\._prisma_migrations` of the approved database, so it does not read that table\. The repository's configuration \(a driver adapter in `prisma\.config\.ts`\) leads it to another database or schema\. Nothing was started\. Lockkeeper will not guess\.\*$/,
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

test('an operator who wants what is compiled elsewhere says so', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'lockkeeper-compiled-'))
  later(async () => rmSync(elsewhere, { recursive: true }))
  const { run } = await scene({ '1_init': init }, { toolEnv: { NODE_COMPILE_CACHE: elsewhere } })
  expect(await step.act(run.context)).toMatchObject({ kind: 'done' })
  expect(existsSync(join(run.context.directory, 'compiled'))).toBe(false)
  expect(readdirSync(elsewhere)).not.toEqual([])
})
