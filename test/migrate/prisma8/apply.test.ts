import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { migrateStep } from '../../../src/run/steps/migrate.ts'
import { CONFIG, scene8 } from '../../helpers/prisma8/scene.ts'
import { createDatabase } from '../../helpers/postgres.ts'
import { CUSTOMERS, FIRST, NO_EMAIL, PHONE, signedDatabase, THIRD } from '../../plan/prisma8/application.ts'
import { fast, later } from '../../run/scene.ts'

const step = migrateStep(fast)
const marker = 'select core_hash from prisma_contract.marker'
const columns = `select string_agg(column_name, ', ' order by column_name) as columns from information_schema.columns where table_name = 'Customer'`

// proves deploy: 8.0.0-rc.19
test('all that is pending is applied in one transaction, and each migration is told', async () => {
  const { context, sql, reports, events } = await scene8()
  expect(await step.inspect(context)).toEqual({ kind: 'todo' })
  expect(await step.act(context)).toMatchObject({
    kind: 'done',
    output: expect.stringMatching(/^2 migrations in one transaction, in \d+(\.\d)? s$/),
    data: { migrations: [PHONE, NO_EMAIL].map((name) => ({ name, state: 'done', seconds: null, output: 'in one transaction' })) },
  })
  expect(reports.slice(0, 3)).toEqual([
    'Asking Prisma which database it would change, and what.',
    'Prisma 8.0.0-rc.19, a release candidate: all of it is one transaction.',
    'Starting 2 migrations in one transaction.',
  ])
  expect(events).toEqual([
    { kind: 'migration_done', data: { name: PHONE, output: 'in one transaction', at: 1, of: 2 } },
    { kind: 'migration_done', data: { name: NO_EMAIL, output: 'in one transaction', at: 2, of: 2 } },
  ])
  expect(await sql(marker)).toEqual([{ core_hash: THIRD }])
  expect(await sql(columns)).toEqual([{ columns: 'id, phone' }])
  expect(await step.inspect(context)).toMatchObject({ kind: 'done' })
})

test('an empty database gets everything, once the session of Prisma was seen in it', async () => {
  const { context, sql } = await scene8({ before: '' })
  expect(await step.act(context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^3 migrations in one transaction/) })
  expect(await sql('select migration_name from prisma_contract.ledger order by id')).toEqual(
    [CUSTOMERS, PHONE, NO_EMAIL].map((name) => ({ migration_name: name })),
  )
})

test('nothing pending is done without starting the tool', async () => {
  const { context } = await scene8()
  expect(await step.inspect({ ...context, plan: { ...context.plan, list: [] } })).toEqual({
    kind: 'done',
    output: 'nothing to apply, the database is unchanged',
    data: { migrations: [] },
  })
})

// proves deploy: 8.0.0-rc.19
test('an operation that fails takes all of them back, and that is what is told', async () => {
  const { context, sql } = await scene8({ meanwhile: 'create view emails as select email from "Customer"' })
  expect(await step.act(context)).toMatchObject({
    kind: 'failed',
    output: 'others depend',
    data: {
      migrations: [
        { name: PHONE, state: 'pending' },
        { name: NO_EMAIL, state: 'failed', output: 'others depend' },
      ],
    },
    outcome: {
      headline:
        '*`20261130T0319_no_email` stopped: the view `emails` depends on what it drops. None of the 2 migrations is applied.* The application was left as it was.',
      why: 'PostgreSQL drops nothing that something else still uses; `CASCADE` would drop that as well, with what it holds. Prisma 8 runs all that is pending in one transaction, and the database undid it: nothing of it stayed.',
      next: 'Bring the database to where the migration begins, or correct its `migration.ts`, write the package anew (`node migrations/app/20261130T0319_no_email/migration.ts`) and commit it. Then ask again.',
      excerpt: `MIGRATION.RUNNER_FAILED: Operation dropColumn.Customer.email failed during execution: drop column "email"
cannot drop column email of table "Customer" because other objects depend on it (2BP01)
DETAIL: view emails depends on column email of table "Customer"
ALTER TABLE "public"."Customer" DROP COLUMN "email"`,
    },
  })
  expect(await sql(marker)).toEqual([{ core_hash: FIRST }])
  expect(await sql(columns)).toEqual([{ columns: 'email, id' }])
  expect(await step.inspect(context)).toEqual({ kind: 'todo' })
  expect(await step.act(context)).toMatchObject({ kind: 'failed', output: 'others depend' })
  expect(readdirSync(join(context.directory, 'migrator')).filter((name) => /^\d+$/.test(name))).toEqual(['0001'])
})

test('a result that is not what the contract describes is undone, and says what differs', async () => {
  const { context, sql } = await scene8({ meanwhile: 'alter table "Customer" add column phone int' })
  expect(await step.act(context)).toMatchObject({
    kind: 'failed',
    output: 'other result',
    outcome: {
      headline:
        '*What the migrations made is not what the contract describes. None of the 2 migrations is applied.* The application was left as it was.',
      why: 'At the end Prisma compared the database with the contract and found `mismatch: database/public/Customer/column:phone`. The database had something of that name already, or a package does not do what its contract says. Prisma 8 runs all that is pending in one transaction, and the database undid it: nothing of it stayed.',
      next: 'Compare that with the database. Change what is there by hand, or correct the migration, commit it and ask again.',
    },
  })
  expect(await sql(columns)).toEqual([{ columns: 'email, id, phone' }])
})

test('a database that others led to another contract meanwhile goes to a person, and nothing is started', async () => {
  const { context } = await scene8({ meanwhile: `update prisma_contract.marker set core_hash = '${'e'.repeat(64)}'` })
  expect(await step.inspect(context)).toMatchObject({
    kind: 'unknown',
    outcome: {
      headline:
        '*The database departs from the plan: it has the contract `eeeeeeeeeeee` now, and had the contract `d61aaa75cc15` when this was approved. Nothing more was started. Lockkeeper will not guess.*',
      notKnown: 'Who changed it, and whether what was approved still fits.',
      next: 'Look at `/migrate status` and find out who migrated this database. Then cancel this request and ask again for what is there now.',
    },
  })
  expect(await step.act(context)).toMatchObject({ kind: 'unknown', output: 'not what was approved' })
})

test('what an install step wrote over the migrations and the contract does not run: the approved bytes do', async () => {
  const { context, sql } = await scene8()
  const place = (path: string) => join(context.checkout, path)
  const ops = place(`migrations/app/${PHONE}/ops.json`)
  writeFileSync(ops, readFileSync(ops, 'utf8').replaceAll('phone', 'smuggled'))
  rmSync(place(`migrations/app/${NO_EMAIL}`), { recursive: true })
  writeFileSync(place('src/prisma/contract.json'), '{}')
  rmSync(place(`migrations/snapshots/${THIRD}`), { recursive: true })
  expect(await step.act(context)).toMatchObject({ kind: 'done' })
  expect(await sql(columns)).toEqual([{ columns: 'id, phone' }])
})

test('an install that brings another version than was approved runs nothing', async () => {
  const { context } = await scene8()
  const prisma8 = { ...context.plan.prisma8, version: '8.0.0-rc.20' } as NonNullable<typeof context.plan.prisma8>
  expect(await step.act({ ...context, plan: { ...context.plan, prisma8 } })).toEqual({
    kind: 'failed',
    output: 'not started',
    outcome: {
      headline: '*The install brought Prisma 8.0.0-rc.19, and `8.0.0-rc.20` was approved. Nothing was changed.*',
      next: 'See why the install brings another one (a lock file that it does not read, a cached `node_modules`), then ask again.',
    },
  })
})

test('telemetry is off, and the URL is in the environment and in no argument and no log', async () => {
  const { context, database } = await scene8({
    files: {
      'prisma.config.ts': `${CONFIG}console.log(process.env['DO_NOT_TRACK'], process.env['PRISMA_DISABLE_TELEMETRY'], ...process.argv.slice(2), process.env['DATABASE_URL'])\n`,
    },
  })
  expect(await step.act(context)).toMatchObject({ kind: 'done' })
  const log = readFileSync(context.spool, 'utf8')
  const password = decodeURIComponent(new URL(database.url).password)
  expect(password).not.toBe('')
  expect(log).not.toContain(password)
  expect(log.split('\n').filter((line) => line.startsWith('1 1 '))).toEqual([
    expect.stringMatching(`^1 1 db migrate --show --to ${THIRD} \\[redacted\\]`),
    expect.stringMatching(`^1 1 db migrate --to ${THIRD} \\[redacted\\]`),
  ])
})

/** A signed database beside the approved one. */
async function another() {
  const { withTarget } = await import('../../../src/database/connect.ts')
  const other = await createDatabase()
  later(() => other.close())
  await withTarget({ url: other.url, applicationName: 'test' }, (client) => client.query(signedDatabase()))
  return other
}

const leading = (connection: string) => CONFIG.replace(/connection: .*/, `connection: ${connection} },`)
const elsewhere = (name: string) => leading(`process.env['DATABASE_URL']!.replace(/\\/[^/?]+\\?/, '/${name}?')`)

test('a configuration that leads Prisma to another database is found before anything starts', async () => {
  const other = await another()
  const { context, database, sql } = await scene8({ files: { 'prisma.config.ts': elsewhere(other.name) } })
  expect(await step.act(context)).toMatchObject({
    kind: 'unknown',
    output: 'not started',
    outcome: {
      headline: `*Prisma said what it would run while this product held \`prisma_contract.marker\` of \`${database.name}\`, so it does not read that table. The repository's \`prisma.config.ts\` leads it to another database. Nothing was started. Lockkeeper will not guess.*`,
      next: 'Compare the repository and the configuration with the target. Then cancel this request, mend it and ask again.',
    },
  })
  expect(await sql(marker)).toEqual([{ core_hash: FIRST }])
})

test('on an empty database too, since no session of Prisma is seen there', async () => {
  const other = await another()
  const { context, database } = await scene8({ before: '', files: { 'prisma.config.ts': elsewhere(other.name) } })
  expect(await step.act(context)).toMatchObject({
    kind: 'unknown',
    output: 'not started',
    outcome: {
      headline: `*No session of Prisma with the \`application_name\` of its URL was seen in \`${database.name}\` while it looked what it would run. The repository's \`prisma.config.ts\` leads it to another database, or drops the name, by which it is watched and stopped: let it pass the URL on as it is. Nothing was started. Lockkeeper will not guess.*`,
    },
  })
})

/** Leads `db migrate` elsewhere, and `--show` not. */
const onlyThen = (name: string) =>
  leading(
    `process.argv.includes('--show') ? process.env['DATABASE_URL']! : process.env['DATABASE_URL']!.replace(/\\/[^/?]+\\?/, '/${name}?')`,
  )

test('a migrator that is seen at work in another database of the server is stopped', async () => {
  const other = await another()
  const holder = new pg.Client({ connectionString: other.url })
  await holder.connect()
  later(() => holder.end())
  await holder.query('begin; lock table "Customer" in access share mode')
  const { context, sql } = await scene8({ lockTimeout: 60_000, files: { 'prisma.config.ts': onlyThen(other.name) } })
  expect(await step.act(context)).toMatchObject({
    kind: 'unknown',
    output: 'stopped: another database',
    outcome: {
      headline: `*The migrator was at work in the database \`${other.name}\`, which was not approved, and was stopped. Lockkeeper will not guess.*`,
      notKnown: `What it changed in \`${other.name}\`.`,
    },
  })
  expect(await sql(marker)).toEqual([{ core_hash: FIRST }])
  const left = await holder.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where application_name like 'lockkeeper-${context.requestId}-%'`,
  )
  expect(left.rows).toEqual([{ n: 0 }])
})

test('a migrator that says that it succeeded, while the marker stands still, was elsewhere', async () => {
  const other = await another()
  // without its name it is not found there while it works
  const nameless = onlyThen(other.name).replace(
    `/${other.name}?')`,
    `/${other.name}?').replace(/application_name=[^&]*/, 'application_name=shop')`,
  )
  const { context, sql } = await scene8({ files: { 'prisma.config.ts': nameless } })
  expect(await step.act(context)).toMatchObject({
    kind: 'unknown',
    output: 'unclear',
    outcome: {
      headline:
        '*Prisma says that it applied its migrations, but the approved database does not have the contract. Lockkeeper will not guess.*',
      notKnown: 'Which database has it now.',
      next: "Look at the log in the thread and at the repository's `prisma.config.ts`: it may lead Prisma to another database. Then cancel this request.",
      excerpt: 'Applied 2 migration(s) (3 operation(s)) across 1 contract space(s)',
    },
  })
  expect(await sql(marker)).toEqual([{ core_hash: FIRST }])
})

test('a configuration that drops the name of the session is refused, since Prisma could not be watched', async () => {
  const { context } = await scene8({
    files: { 'prisma.config.ts': leading(`process.env['DATABASE_URL']!.replace(/application_name=[^&]*/, 'application_name=shop')`) },
  })
  expect(await step.act(context)).toMatchObject({
    kind: 'unknown',
    output: 'not started',
    outcome: {
      headline: expect.stringMatching(
        /^\*While Prisma looked what it would run, no session with the `application_name` of its URL \(`lockkeeper-\d+-\w+-show`\) was seen to wait for `prisma_contract\.marker` of `test_\w+`; `shop` \(pid \d+, role `\w+`\) did\. If one of them is Prisma, the repository's `prisma\.config\.ts` drops the name, by which it is watched and stopped: let it pass the URL on as it is\. If not, it leads Prisma elsewhere\. Nothing was started\. Lockkeeper will not guess\.\*$/,
      ),
    },
  })
})

test.each([
  [
    'throws',
    `throw new Error('no ' + process.env['DATABASE_URL'])\n`,
    /^Prisma says: prisma\.config\.ts could not be evaluated: no \[redacted\]/,
  ],
  [
    'is one of Prisma 7',
    `export default { schema: 'x', datasource: { url: process.env['DATABASE_URL'] } }\n`,
    /^Prisma says: prisma\.config\.ts was not written for this version of the Prisma CLI, so it cannot be used\.$/,
  ],
  [
    'reads a network that does not answer',
    `await fetch('http://127.0.0.1:1/config')\n${CONFIG}`,
    /^Prisma says: prisma\.config\.ts could not be evaluated: fetch failed\.$/,
  ],
])('a configuration that %s runs nothing, and the reason is told without a secret', async (_, config, why) => {
  const { context, database, sql } = await scene8({ files: { 'prisma.config.ts': config } })
  const end = await step.act(context)
  expect(end).toMatchObject({
    kind: 'failed',
    output: 'not started',
    outcome: {
      headline:
        "*Prisma cannot use the repository's `prisma.config.ts`. None of the 2 migrations is applied.* The application was left as it was.",
      why: expect.stringMatching(why),
      next: 'Correct it, or name what it reads (`tool.prisma.urls` for the URL, `tool.prisma.env` for the rest), then ask again.',
    },
  })
  expect(JSON.stringify(end)).not.toContain(decodeURIComponent(new URL(database.url).password))
  expect(await sql(marker)).toEqual([{ core_hash: FIRST }])
})

test('a marker that cannot be held in time is no reason to refuse: then the session of Prisma is looked for', async () => {
  const { context, session } = await scene8()
  const reader = await session('reporting')
  await reader.query('begin; select * from prisma_contract.marker') // an ACCESS SHARE that lasts keeps our hold away, and Prisma not
  expect(await step.act(context)).toMatchObject({ kind: 'done' })
})
