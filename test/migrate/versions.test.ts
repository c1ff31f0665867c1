import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { verifySchemaStep } from '../../src/run/steps/verify-schema.ts'
import { prepareReal } from '../contract/prisma/sides.ts'
import { isRealAsked } from '../contract/prisma/transcripts.ts'
import { countingNode } from '../helpers/counting-node.ts'
import { versionFiles } from '../helpers/prisma-versions/files.ts'
import { prismaOf } from '../helpers/prisma-versions/modules.ts'
import { until } from '../helpers/until.ts'
import { fast, init, later, scene, SEED, sleeping } from '../run/scene.ts'

const MODELS = 'model orders {\n  id    Int @id\n  total Int @default(0)\n}\n'
const INIT = 'CREATE TABLE "orders" ("id" int NOT NULL, "total" int NOT NULL DEFAULT 0, CONSTRAINT "orders_pkey" PRIMARY KEY ("id"));\n'
/** One statement, which is undone as a whole whoever sends it. */
const NOTE = 'ALTER TABLE "orders" ADD COLUMN "note" text;\n'
const slow = (seconds: number) => `INSERT INTO "tally" SELECT 'slow' FROM pg_sleep(${seconds});\n`

const SCHEMA = 'prisma/schema.prisma'
const VERSIONS = [
  {
    version: '5.22.0',
    says: 'Prisma 5.22.0, native engine: each file is one transaction.',
    drift: `migrate diff --from-schema-datasource ${SCHEMA} --to-schema-datamodel ${SCHEMA} --exit-code`,
    failed: {
      kind: 'failed',
      headline:
        '*`2_more` stopped: table or index `orders` already exists. 1 of 2 migrations is applied and kept.* The application was left as it was.',
    },
  },
  {
    version: '6.19.3',
    says: "Prisma 6.19.3, WebAssembly engine: whether each file is one transaction is up to the application's driver adapter.",
    drift: `db pull --print --schema ${SCHEMA}`,
    failed: {
      kind: 'failed',
      headline:
        '*`2_more` stopped: table or index `orders` already exists. 1 of 2 migrations is applied and kept.* The application was left as it was.',
    },
  },
  {
    version: '7.10.1',
    says: 'Prisma 7.10.1, native engine: it may send a file statement by statement, so a file that fails may be applied in part.',
    drift: `migrate diff --from-config-datasource --to-schema ${SCHEMA} --exit-code`,
    failed: {
      kind: 'unknown',
      headline:
        '*`2_more` stopped: table or index `orders` already exists. It may be applied in part: `2_more`. Lockkeeper will not guess.*',
    },
  },
] as const

const step = migrateStep(fast)
type Options = NonNullable<Parameters<typeof scene>[1]>

beforeAll(prepareReal, 600_000)

describe.each(VERSIONS)('a run with Prisma $version', { timeout: 60_000 }, ({ version, says, drift, failed }) => {
  /** The real CLI as often as the contract of the recorded one asks it. */
  async function application(title: string, migrations: Readonly<Record<string, string>>, options: Options = {}) {
    const directory = mkdtempSync(join(tmpdir(), 'lockkeeper-node-'))
    later(() => rmSync(directory, { recursive: true }))
    const node = countingNode(directory)
    const { modules, env } = await prismaOf(version, isRealAsked({ version, topic: 'run', title }) ? 'real' : 'recorded')
    const files = versionFiles(version, 'shop')
    const schema = { [SCHEMA]: `${files[SCHEMA] ?? ''}${MODELS}` }
    // 5 reads no configuration, but a file that is there already is written over
    const given = { 'prisma.config.ts': 'export {}\n', ...files, ...schema }
    const made = await scene(migrations, { modules, files: given, toolEnv: env, env: { ...process.env, PATH: node.path }, ...options })
    return { ...made, toolEnv: env, started: node.prisma }
  }

  // proves deploy: 5.22.0, 6.19.3, 7.10.1
  // proves drift: 5.22.0, 6.19.3, 7.10.1
  test('starts it three times: for what it would do, to do it, and for the live schema', async () => {
    const { run, started } = await application('three starts', { '1_init': INIT })
    expect(await step.act(run.context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^1 migration in /) })
    expect(run.recorded.reports).toContain(says)
    expect(await verifySchemaStep({ keepSchema: async () => {} }).act(run.context)).toEqual({
      kind: 'done',
      output: '1 applied, Prisma agrees, live schema as described',
      data: { applied: 1, invalid: [], drift: 'same', prisma: version },
    })
    expect(started()).toEqual([`migrate status --schema ${SCHEMA}`, `migrate deploy --schema ${SCHEMA}`, drift])
  })

  // proves deploy: 5.22.0, 6.19.3, 7.10.1
  test('says of a file that fails whether it was undone for certain', async () => {
    const { run, sql } = await application('failed', {
      '1_init': INIT,
      '2_more': 'alter table orders add column note text; create table orders (id int);\n',
    })
    const end = await step.act(run.context)
    expect(end).toMatchObject({ kind: failed.kind, outcome: { headline: failed.headline } })
    expect(await sql('select migration_name as name, finished_at is null as open from _prisma_migrations order by 1')).toEqual([
      { name: '1_init', open: false },
      { name: '2_more', open: true },
    ])
  })

  // proves lock: 5.22.0, 6.19.3, 7.10.1
  // proves resolve: 5.22.0, 6.19.3, 7.10.1
  test('waits for a lock in short tries, marks each as rolled back, and goes on when it is free', async () => {
    const { run, session, sql, started } = await application(
      'lock',
      { '1_init': init, '2_note': NOTE },
      { lockTimeout: '300ms', before: SEED, baseline: ['1_init'] },
    )
    const blocker = await session('reporting')
    await blocker.query('begin; lock table "orders" in access share mode')
    const ending = step.act(run.context)
    const retry = await until('a second try', () => run.recorded.reports.find((text) => text.startsWith('Lock timeout, try 2')))
    expect(retry).toMatch(
      /^Lock timeout, try 2 of 5\. reporting \(pid \d+, running for \d+ s\) was in the way\. Nothing was left behind; trying again in 0\.1 s\.$/,
    )
    await blocker.query('rollback')
    expect(await ending).toMatchObject({ kind: 'done' })
    expect(started()).toContain(`migrate resolve --rolled-back 2_note --schema ${SCHEMA}`)
    expect(
      await sql(
        `select finished_at is not null as done, rolled_back_at is not null as undone from _prisma_migrations where migration_name = '2_note' order by 1 desc limit 1`,
      ),
    ).toEqual([{ done: true, undone: false }])
  })

  // proves cancel: 5.22.0, 6.19.3, 7.10.1
  test('that is cancelled undoes the running migration, keeps the others and leaves the record free', async () => {
    const { run, sql } = await application('cancel', { '1_init': init, '2_slow': slow(60), '3_note': NOTE })
    const ending = step.act(run.context)
    await until('the slow migration', async () => (await sleeping(sql)) === 1)
    run.controls.cancelled = true
    run.controls.abort.abort()
    expect(await ending).toMatchObject({
      kind: 'cancelled',
      output: 'cancelled',
      outcome: {
        headline: '*Cancelled while migrating. 1 of 3 migrations is applied and kept.* The application was left as it was.',
        why: '`1_init` is applied. `2_slow` was running; the database undid it as a whole and it is marked as rolled back. Not started: `3_note`.',
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

  // proves crash: 5.22.0, 6.19.3, 7.10.1
  test('whose bot is killed is gone on with by its successor, which starts no second migrator', async () => {
    const {
      application: made,
      database,
      run,
      sql,
      started,
      toolEnv,
    } = await application('crash', {
      '1_init': init,
      '2_slow': slow(3),
      '3_note': NOTE,
    })
    const { requestId, directory, env } = run.context
    const bot = spawn(
      process.execPath,
      [join(import.meta.dirname, '../helpers/bot.ts')],
      // its password must not stand in an argument list
      {
        stdio: 'inherit',
        env: { ...process.env, BOT: JSON.stringify({ application: made, url: database.url, requestId, directory, toolEnv, env }) },
      },
    )
    const dead = new Promise((resolve) => bot.on('exit', resolve))
    await until('the slow migration', async () => (await sleeping(sql)) === 1)
    bot.kill('SIGKILL')
    await dead
    expect(await step.inspect(run.context)).toEqual({ kind: 'todo' })
    expect(await step.act(run.context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^3 migrations in /) })
    expect(await sql('select name from tally')).toEqual([{ name: 'slow' }])
    expect(started()).toEqual([`migrate status --schema ${SCHEMA}`, `migrate deploy --schema ${SCHEMA}`])
  })
})
