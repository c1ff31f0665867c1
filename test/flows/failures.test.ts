import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startFlow, type Flow, type TargetOptions } from '../helpers/flow.ts'
import { commitTo } from '../helpers/sample.ts'
import { placesOf } from '../helpers/secrets.ts'
import { applied, holding, query } from '../helpers/target.ts'
import { until } from '../helpers/until.ts'

/** A whole run starts a dozen real programs; two of them on a busy machine take longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000 })

let flow: Flow

const withMigration =
  (name: string, sql: string): NonNullable<TargetOptions['prepare']> =>
  async ({ repository }) => {
    await commitTo(repository, { files: { [`prisma/migrations/${name}/migration.sql`]: sql }, subject: 'One more migration' })
  }

beforeAll(async () => {
  flow = await startFlow({
    prepare: withMigration('20261121100000_split_names', 'ALTER TABLE "customers" ADD COLUMN "nickname" TEXT;\n'),
    targets: {
      locked: {
        pending: 2,
        target: () => ({
          database: { url: 'env:LOCKED_DATABASE_URL', lockTimeout: '1s' },
          guard: { pauses: ['100ms', '200ms', '300ms', '400ms'] },
        }),
      },
      sick: { pending: 1, target: ({ healthUrl }) => ({ health: [{ http: healthUrl, within: '1s' }] }) },
      dump: { pending: 1 },
      slow: {
        pending: 1,
        prepare: withMigration('20261121100000_backfill', 'ALTER TABLE "orders" ADD COLUMN "note" TEXT;\nSELECT pg_sleep(120);\n'),
      },
      step: {
        pending: 0,
        target: ({ directory }) => ({
          deploy: [
            {
              name: 'Restart',
              cwd: directory,
              run: [
                'node',
                '-e',
                'require("fs").writeFileSync("restarting", ""); console.log("waiting for workers"); setTimeout(() => {}, 120000)',
              ],
            },
          ],
        }),
      },
    },
  })
})
afterAll(() => flow?.close())

const run = async (target: string) => {
  const request = await flow.ask(`deploy ${target}`)
  await flow.approve(request.id)
  return request.id
}
const stepRuns = (id: number, name: string) =>
  until(`step ${name} of #${id} runs`, async () => {
    const rows = await flow.store.query(`select 1 from lockkeeper.step where request_id = $1 and name = $2 and state = 'running'`, [
      id,
      name,
    ])
    return rows.length === 1
  })

test('an SQL error is explained with the next step and the backup, and the old version stays up', async () => {
  const { id } = await flow.ask('deploy prod')
  await query(flow.database.url, 'alter table customers add column nickname text') // by hand, when the review has looked
  await flow.approve(id)
  await flow.reaches(id, 'failed')
  await flow.drawn(id)
  expect(flow.cardText(id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1 stopped
    *\`20261121100000_split_names\` stopped: column \`nickname\` of table \`customers\` already exists. 3 of 4 migrations are applied and kept.* The application was left as it was.
    Stopped after {duration}
    complete | Preflight | 16 checks; backups are on the database's own disk
    complete | Install | {commit}, {duration}
    complete | Back up | {size} in {duration}, {size} on disk
    complete | Verify the backup | read in full in {duration}, 11 migration records
    complete | 20261118102000_create_discounts | {duration}
    complete | 20261119093000_add_orders_discount_id | {duration}
    complete | 20261120084500_index_orders_discount | {duration}
    error | 20261121100000_split_names | already exists
    pending | Verify the schema | not started
    pending | Switch | not started
    pending | Health | not started
    *Why.* An earlier migration made it already, or something outside the migrations did: a change by hand, \`db push\`, or an earlier try that was not rolled back as a whole.
    *Next.* Compare it with what the migration would make. If that is all there already, mark the migration as applied (\`npx prisma migrate resolve --applied 20261121100000_split_names\`); if not, remove or rename it and mark the migration as rolled back (\`npx prisma migrate resolve --rolled-back 20261121100000_split_names\`). Then ask again.
    ERROR: column "nickname" of relation "customers" already exists (42701)
    ALTER TABLE "customers" ADD COLUMN "nickname" TEXT;
    Backup \`{backup}\` is kept · log in the thread · plan \`{plan}\`"
  `)
  expect(flow.thread(id).slice(-3)).toMatchInlineSnapshot(`
    [
      "Deploy to Production · #1 stopped · *\`20261121100000_split_names\` stopped: column \`nickname\` of table \`customers\` already exists. 3 of 4 migrations are applied and kept.* The application was left as it was.
    Why, and what comes next, is in the thread.",
      "*Why.* An earlier migration made it already, or something outside the migrations did: a change by hand, \`db push\`, or an earlier try that was not rolled back as a whole.
    *Next.* Compare it with what the migration would make. If that is all there already, mark the migration as applied (\`npx prisma migrate resolve --applied 20261121100000_split_names\`); if not, remove or rename it and mark the migration as rolled back (\`npx prisma migrate resolve --rolled-back 20261121100000_split_names\`). Then ask again.
    ERROR: column "nickname" of relation "customers" already exists (42701)
    ALTER TABLE "customers" ADD COLUMN "nickname" TEXT;
    Took {duration} · backup \`{backup}\` is kept · the log follows",
      "[file] The whole log (request-1-prod.log)",
    ]
  `)
  expect((await applied(flow.database.url)).at(-1)).toBe('20261120084500_index_orders_discount')
  expect(await flow.behind('prod').live()).toBe(null)
  expect(await flow.answer('status prod')).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): 14 applied, nothing pending.
    • Failed: \`20261121100000_split_names\`. No other migration runs until it is resolved.
    • Last: #1, failed {time}
    • \`_prisma_migrations\`, the last 10 of 15 rows, times in UTC
        ◦ \`20261121100000_split_names\` started {time}, not finished
        ◦ \`20261120084500_index_orders_discount\` applied {time}, took {duration}
        ◦ \`20261119093000_add_orders_discount_id\` applied {time}, took {duration}
        ◦ \`20261118102000_create_discounts\` applied {time}, took {duration}
        ◦ \`20260915101000_index_open_orders\` applied {time}, took {duration}
        ◦ \`20260728091000_require_orders_total_cents\` applied {time}, took {duration}
        ◦ \`20260721094500_check_orders_total_cents\` applied {time}, took {duration}
        ◦ \`20260714093000_add_orders_total_cents\` applied {time}, took {duration}
        ◦ \`20260630080000_add_order_status_returned\` applied {time}, took {duration}
        ◦ \`20260616110500_add_orders_shipped_at\` applied {time}, took {duration}"
  `)
  const again = await flow.ask('deploy prod')
  await flow.drawn(again.id)
  expect(flow.cardInShort(again.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #2 refused
    *\`20261121100000_split_names\`, started {time}, failed on \`prod\` and blocks every other (P3009).* Look at what it left in the database, put that right, and record the outcome by hand: \`npx prisma migrate resolve --rolled-back 20261121100000_split_names\` if nothing of it is there, or \`npx prisma migrate resolve --applied 20261121100000_split_names\` if all of it is. Then ask again.
    Asked by <@U0ALICE>"
  `)
  expect(flow.thread(again.id)).toMatchInlineSnapshot(`
    [
      "*\`20261121100000_split_names\`, started {time}, failed on \`prod\` and blocks every other (P3009).* Look at what it left in the database, put that right, and record the outcome by hand: \`npx prisma migrate resolve --rolled-back 20261121100000_split_names\` if nothing of it is there, or \`npx prisma migrate resolve --applied 20261121100000_split_names\` if all of it is. Then ask again.",
    ]
  `)
})

test('a migration that cannot get its lock gives up, names who holds it, and holds nobody up', async () => {
  const id = await run('locked')
  // not before: on a slow machine the check of running transactions would warn of it, or not
  await until('the checks are done', async () => {
    const rows = await flow.store.query(`select 1 from lockkeeper.step where request_id = $1 and name = 'preflight' and state = 'done'`, [
      id,
    ])
    return rows.length === 1
  })
  const reader = await holding(flow.behind('locked').database.url, 'select count(*) from orders', 'reporting')
  await flow.reaches(id, 'failed')
  await reader.release()
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to locked · #3 stopped
    *\`20261119093000_add_orders_discount_id\` could not get its lock. None of the 2 migrations is applied.* The application was left as it was.
    Stopped after {duration}
    error | 20261119093000_add_orders_discount_id | lock timeout, 5 tries in {duration}
    *Why.* It needs a lock on \`orders\` that \`reporting\` (pid {pid}, running for {duration}) holds. Waiting longer would have queued everybody else behind it.
    *Next.* Wait for that query or end it, then ask again: what has run is kept and not repeated.
    ERROR: canceling statement due to lock timeout (55P03)
    ALTER TABLE "orders" ADD COLUMN "discount_id" INTEGER CONSTRAINT "orders_discount_id_fkey" REFERENCES "discounts"("id") ON DELETE SET NULL ON UPDATE CASCADE;
    Backup \`{backup}\` is kept · log in the thread · plan \`{plan}\`"
  `)
  expect(flow.thread(id).slice(-4)).toMatchInlineSnapshot(`
    [
      "Try 4 of 5: it waited {duration} for a lock on \`orders\` that \`reporting\` (pid {pid}, running for {duration}) holds, and gave up so that nobody waits behind it any longer; nothing was left. Next try in {duration}.",
      "Deploy to locked · #3 stopped · *\`20261119093000_add_orders_discount_id\` could not get its lock. None of the 2 migrations is applied.* The application was left as it was.
    Why, and what comes next, is in the thread.",
      "*Why.* It needs a lock on \`orders\` that \`reporting\` (pid {pid}, running for {duration}) holds. Waiting longer would have queued everybody else behind it.
    *Next.* Wait for that query or end it, then ask again: what has run is kept and not repeated.
    ERROR: canceling statement due to lock timeout (55P03)
    ALTER TABLE "orders" ADD COLUMN "discount_id" INTEGER CONSTRAINT "orders_discount_id_fkey" REFERENCES "discounts"("id") ON DELETE SET NULL ON UPDATE CASCADE;
    Took {duration} · backup \`{backup}\` is kept · the log follows",
      "[file] The whole log (request-3-locked.log)",
    ]
  `)
})

test('an application that does not become healthy is told, with what is live and the way back', async () => {
  flow.behind('sick').health.status = 503
  const id = await run('sick')
  await flow.reaches(id, 'failed')
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to sick · #4 stopped
    *The application is not healthy after the deploy.* The migration of this run is applied.
    Stopped after {duration}
    complete | 20261120084500_index_orders_discount | {duration}
    error | Health | HTTP 503 instead of 200
    *Why.* \`http://{host}/health\`: It did not answer well 5 times in a row within {duration} (last: HTTP 503 instead of 200).
    *Next.* Look at the application's log. When it is mended, \`/migrate deploy sick\` runs the steps again. To go back to the old code, revert it on \`main\`, but keep everything below \`prisma/migrations\` (a commit without what is applied is refused), and \`/migrate deploy sick\` again. The old code then has to fit the new schema.
    {"ok":true}
    Backup \`{backup}\` is kept · log in the thread · plan \`{plan}\`"
  `)
  expect(flow.thread(id).slice(-3)).toMatchInlineSnapshot(`
    [
      "Deploy to sick · #4 stopped · *The application is not healthy after the deploy.* The migration of this run is applied.
    Why, and what comes next, is in the thread.",
      "*Why.* \`http://{host}/health\`: It did not answer well 5 times in a row within {duration} (last: HTTP 503 instead of 200).
    *Next.* Look at the application's log. When it is mended, \`/migrate deploy sick\` runs the steps again. To go back to the old code, revert it on \`main\`, but keep everything below \`prisma/migrations\` (a commit without what is applied is refused), and \`/migrate deploy sick\` again. The old code then has to fit the new schema.
    {"ok":true}
    Took {duration} · backup \`{backup}\` is kept · the log follows",
      "[file] The whole log (request-4-sick.log)",
    ]
  `)
})

test('cancelled in the dump: pg_dump is stopped and nothing was changed', async () => {
  const { database } = flow.behind('dump')
  const before = await applied(database.url)
  const id = await run('dump')
  await stepRuns(id, 'install')
  const holder = await holding(database.url, 'lock table payments in access exclusive mode', 'psql')
  await until('pg_dump waits for the table', async () => {
    const rows = await query(
      database.url,
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and application_name like 'lockkeeper-backup-%'`,
    )
    return rows.length > 0
  })
  expect(await flow.answer(`cancel ${id}`)).toMatchInlineSnapshot(
    `"#5 is being cancelled. It stops where that is safe, and its card says where that was."`,
  )
  await flow.reaches(id, 'cancelled')
  await holder.release()
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to dump · #5 cancelled
    *Cancelled during the backup.* Nothing was changed, and what had been written was removed.
    Cancelled after {duration}
    error | Back up | stopped, nothing kept
    log in the thread · plan \`{plan}\`"
  `)
  expect(flow.thread(id).slice(-3)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asked to cancel. It stops at the next safe point.",
      "Deploy to dump · #5 cancelled · *Cancelled during the backup.* Nothing was changed, and what had been written was removed.
    Took {duration} · the log follows",
      "[file] The whole log (request-5-dump.log)",
    ]
  `)
  expect(await applied(database.url)).toEqual(before)
})

test('cancelled in a migration: the database undoes it, and it runs again when it is asked again', async () => {
  const { database } = flow.behind('slow')
  const id = await run('slow')
  await until('the migration sleeps', async () => {
    const rows = await query(database.url, `select 1 from pg_stat_activity where query like '%pg_sleep(120)%' and wait_event = 'PgSleep'`)
    return rows.length > 0
  })
  expect(await flow.decide(id, 'cancel', 'U0BOB')).toMatchInlineSnapshot(`"the window closed"`)
  await flow.reaches(id, 'cancelled')
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to slow · #6 cancelled
    *Cancelled while migrating. 1 of 2 migrations is applied and kept.* The application was left as it was.
    Cancelled after {duration}
    complete | 20261120084500_index_orders_discount | {duration}
    error | 20261121100000_backfill | cancelled
    *Why.* \`20261120084500_index_orders_discount\` is applied. \`20261121100000_backfill\` was running; the database undid it as a whole and it is marked as rolled back.
    *Next.* Ask again when the rest may run: what has run is kept and not repeated.
    Backup \`{backup}\` is kept · log in the thread · plan \`{plan}\`"
  `)
  expect(flow.thread(id).slice(-4)).toMatchInlineSnapshot(`
    [
      "\`20261120084500_index_orders_discount\` applied, 1 of 2 · {duration}",
      "<@U0BOB> asked to cancel. It stops at the next safe point.",
      "Deploy to slow · #6 cancelled · *Cancelled while migrating. 1 of 2 migrations is applied and kept.* The application was left as it was.
    *Why.* \`20261120084500_index_orders_discount\` is applied. \`20261121100000_backfill\` was running; the database undid it as a whole and it is marked as rolled back.
    *Next.* Ask again when the rest may run: what has run is kept and not repeated.
    Took {duration} · backup \`{backup}\` is kept · the log follows",
      "[file] The whole log (request-6-slow.log)",
    ]
  `)
  expect(
    await query(database.url, `select 1 from information_schema.columns where table_name = 'orders' and column_name = 'note'`),
  ).toEqual([])
  expect(await flow.answer('status slow')).toMatchInlineSnapshot(`
    "*slow*: 14 applied, 1 pending.
    • Rolled back: \`20261121100000_backfill\`. Pending again; it runs with the next deploy: \`/migrate deploy slow\`.
    • Last: #6, cancelled {time}
    • \`_prisma_migrations\`, the last 10 of 15 rows, times in UTC
        ◦ \`20261121100000_backfill\` started {time}, rolled back {time}
        ◦ \`20261120084500_index_orders_discount\` applied {time}, took {duration}
        ◦ \`20261119093000_add_orders_discount_id\` applied {time}, took {duration}
        ◦ \`20261118102000_create_discounts\` applied {time}, took {duration}
        ◦ \`20260915101000_index_open_orders\` applied {time}, took {duration}
        ◦ \`20260728091000_require_orders_total_cents\` applied {time}, took {duration}
        ◦ \`20260721094500_check_orders_total_cents\` applied {time}, took {duration}
        ◦ \`20260714093000_add_orders_total_cents\` applied {time}, took {duration}
        ◦ \`20260630080000_add_order_status_returned\` applied {time}, took {duration}
        ◦ \`20260616110500_add_orders_shipped_at\` applied {time}, took {duration}"
  `)
})

test('cancelled in a deploy step: it is stopped, and what is live is told', async () => {
  const id = await run('step')
  await until('the step has begun', () => existsSync(join(flow.directory, 'restarting')))
  await flow.answer(`cancel ${id}`)
  await flow.reaches(id, 'cancelled')
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to step · #7 cancelled
    *Stopped in the middle of "Restart".* The application answers, but its health answer does not say which version it is.
    Cancelled after {duration}
    complete | Migrate | nothing to apply, the database is unchanged
    error | Restart | stopped
    *Why.* \`node -e require("fs").writeFileSync("restarting", ""); console.log("waiting for…\` was stopped after {duration}.
    *Next.* \`/migrate deploy step\` runs the steps again.
    waiting for workers
    log in the thread · plan \`{plan}\`"
  `)
  expect(flow.tail(id)).toBe('While it ran, its output stood here. All of it is in the log at the end of this thread.')
  expect(flow.thread(id).slice(-2)).toMatchInlineSnapshot(`
    [
      "Deploy to step · #7 cancelled · *Stopped in the middle of "Restart".* The application answers, but its health answer does not say which version it is.
    *Why.* \`node -e require("fs").writeFileSync("restarting", ""); console.log("waiting for…\` was stopped after {duration}.
    *Next.* \`/migrate deploy step\` runs the steps again.
    waiting for workers
    Took {duration} · the log follows",
      "[file] The whole log (request-7-step.log)",
    ]
  `)
})

test('no password or token stands in any message, log line, row, file or argument list', async () => {
  const password = new URL(flow.env['PROD_DATABASE_URL'] ?? '').password
  expect(password).not.toBe('')
  expect(await placesOf(flow, [password, flow.slack.tokens.bot, flow.slack.tokens.app, flow.slack.tokens.signingSecret])).toEqual([])
})
