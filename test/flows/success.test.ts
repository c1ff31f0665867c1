import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { createDatabase, onServer } from '../helpers/postgres.ts'
import { git, installCommand } from '../helpers/sample.ts'
import { placesOf } from '../helpers/secrets.ts'
import { applied, fingerprint, query } from '../helpers/target.ts'
import { useRealPrisma } from '../helpers/recorded-prisma/place.ts'

useRealPrisma() // the subject is what Prisma does

/** A whole run starts a dozen real programs; two of them on a busy machine take longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000 })

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    store: createDatabase, // an empty one, as at the very first start
    target: ({ repository }) => ({ source: { repository, install: [...installCommand] } }),
    targets: {
      staging: {},
      archive: { pending: 0 },
    },
  })
})
afterAll(() => flow?.close())

test('asked, approved, backed up, migrated, deployed, healthy: from the command to the proof in the thread', async () => {
  const request = await flow.ask('deploy prod --reason "Checkout needs discounts"')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1
    <@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`.
    > Checkout needs discounts
    Migration | Class | What it does | Rows
    20261118102000_create_discounts | additive | creates table discounts | new
    20261119093000_add_orders_discount_id | additive | adds orders.discount_id, nullable | 50
    20261120084500_index_orders_discount | additive | builds an index on orders, concurrently | 50
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Show the discount in the list of orders, by Alice Marsh
    *Database*
    \`{database}\` on \`{host}\`
    *Risk*
    3 additive
    *Way back*
    rollback SQL for each migration, and the backup
    *Backup*
    the first of this target; the database has {size}
    *Application*
    Switch and 1 health check, after the migrations
    [Approve]
    [Reject]
    [Read the SQL]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. Expires {time}."
  `)
  expect(flow.slack.directMessages('U0BOB').map((message) => message.text)).toHaveLength(1)
  expect(await flow.approve(request.id)).toMatchInlineSnapshot(`"the window closed"`)
  const done = await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1 done
    *3 migrations applied and \`{commit}\` is live.*
    *Took*
    {duration}
    *Backup*
    {size} in {duration}, {size} on disk
    *Asked by*
    <@U0ALICE>
    *Approved by*
    <@U0BOB>
    \`/migrate show 1\` has the record · plan \`{plan}\`"
  `)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 3 migrations (request-1-{plan}.sql)",
      "<@U0BOB> approved, 1 of 1. It may start.",
      "The run has started.",
      "*Preflight* · 16 checks; backups are on the database's own disk",
      "*Install* · {commit}, {duration}",
      "*Back up* · {size} in {duration}, {size} on disk",
      "*Verify the backup* · read in full in {duration}, 11 migration records",
      "\`20261118102000_create_discounts\` applied, 1 of 3 · {duration}",
      "\`20261119093000_add_orders_discount_id\` applied, 2 of 3 · {duration}",
      "\`20261120084500_index_orders_discount\` applied, 3 of 3 · {duration}",
      "*Migrate* · 3 migrations in {duration}",
      "*Verify the schema* · 14 applied, Prisma agrees, live schema as described",
      "*Switch* · {duration}",
      "*Health* · 1 check passed, {duration}",
      "Deploy to Production · #1 done · *3 migrations applied and \`{commit}\` is live.*
    Took {duration} · the log follows",
      "[file] The whole log (request-1-prod.log)",
    ]
  `)
  expect(flow.tail(request.id)).toBe('While it ran, its output stood here. All of it is in the log at the end of this thread.')
  expect(await flow.behind('prod').live()).toBe(done.plan?.commit)
  expect((await applied(flow.database.url)).slice(-3)).toEqual(done.plan?.list.map(({ name }) => name))
  const [backup] = await flow.store.query<{ name: string; state: string }>(
    'select name, state from lockkeeper.backup where request_id = $1',
    [request.id],
  )
  expect(backup?.state).toBe('verified')
  const place = join(flow.directory, 'backups', backup?.name ?? '')
  expect((await stat(place)).mode & 0o777).toBe(0o700)
  expect(await readdir(join(flow.directory, 'backups'))).toEqual([backup?.name])
  const sql = flow.slack.files().find((file) => file.name.endsWith('.sql'))?.content
  expect(sql).toContain('CREATE TABLE "discounts"')
  expect(flow.slack.files().find((file) => file.name.endsWith('.log'))?.content).toContain('All migrations have been successfully applied.')
})

/** As a careful administrator sets them: what the run holds open or leaves idle on purpose has to last longer. */
const LIMITS = { idle_in_transaction_session_timeout: '300ms', idle_session_timeout: '3s', statement_timeout: '3s', lock_timeout: '300ms' }

test('a ref takes the migrations up to it, and the rest comes later without the application', async () => {
  const { name } = flow.behind('staging').database
  for (const [limit, value] of Object.entries(LIMITS)) await onServer(`alter database ${name} set ${limit} = '${value}'`)
  const [discounts] = (await git(flow.behind('staging').repository, ['log', '--format=%H', '--grep=Add discount codes', 'main']))
    .trim()
    .split('\n')
  const first = await flow.ask(`deploy staging --ref ${discounts?.slice(0, 12)}`)
  expect(flow.cardText(first.id)).toMatchInlineSnapshot(`
    "Deploy to staging · #2
    <@U0ALICE> asks to run *1 migration* and deploy \`{commit}\`.
    Migration | Class | What it does | Rows
    20261118102000_create_discounts | additive | creates table discounts | new
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Add discount codes, by Alice Marsh
    *Database*
    \`{database}\` on \`{host}\`
    *Risk*
    1 additive
    *Way back*
    rollback SQL for each migration, and the backup
    *Backup*
    the first of this target; the database has {size}
    *Application*
    Switch and 1 health check, after the migrations
    [Approve]
    [Reject]
    [Read the SQL]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. main is 3 commits ahead, with other migrations. Expires {time}."
  `)
  await flow.approve(first.id)
  await flow.reaches(first.id, 'succeeded')
  expect(await flow.behind('staging').live()).toBe(discounts)
  expect((await applied(flow.behind('staging').database.url)).at(-1)).toBe('20261118102000_create_discounts')

  const second = await flow.ask('deploy staging --skip-app')
  expect(flow.cardText(second.id)).toMatchInlineSnapshot(`
    "Deploy to staging · #3
    <@U0ALICE> asks to run *2 migrations* of \`{commit}\` from \`main\`. The application is left alone.
    Migration | Class | What it does | Rows
    20261119093000_add_orders_discount_id | additive | adds orders.discount_id, nullable | 50
    20261120084500_index_orders_discount | additive | builds an index on orders, concurrently | 50
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Show the discount in the list of orders, by Alice Marsh
    *Commits*
    3 since the live \`{commit}\`, by Alice Marsh (2) and Bob Okafor (1)
    *Database*
    \`{database}\` on \`{host}\`
    *Risk*
    2 additive
    *Way back*
    rollback SQL for each migration, and the backup
    *Backup*
    about {duration}, {size}, like the last one
    [Approve]
    [Reject]
    [Read the SQL]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. Expires {time}."
  `)
  await flow.approve(second.id)
  await flow.reaches(second.id, 'succeeded')
  await flow.drawn(second.id)
  expect(flow.cardText(second.id)).toMatchInlineSnapshot(`
    "Deploy to staging · #3 done
    *2 migrations applied.* The application was left alone, as asked.
    *Took*
    {duration}
    *Backup*
    {size} in {duration}, {size} on disk
    *Asked by*
    <@U0ALICE>
    *Approved by*
    <@U0BOB>
    \`/migrate show 3\` has the record · plan \`{plan}\`"
  `)
  expect(await flow.behind('staging').live()).toBe(discounts)
  expect((await applied(flow.behind('staging').database.url)).at(-1)).toBe('20261120084500_index_orders_discount')
})

test('nothing pending is a success that leaves the database as it is, says so, and still deploys', async () => {
  const { database } = flow.behind('archive')
  const before = await fingerprint(database.url)
  const request = await flow.ask('deploy archive')
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to archive · #4
    <@U0ALICE> asks to deploy \`{commit}\` from \`main\`. *No migration is pending.*
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Show the discount in the list of orders, by Alice Marsh
    *Database*
    \`{database}\` on \`{host}\`
    *Application*
    Switch and 1 health check
    [Approve]
    [Reject]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. Expires {time}."
  `)
  await flow.approve(request.id)
  const done = await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to archive · #4 done
    *Nothing was pending, so the database is unchanged; \`{commit}\` is live.*
    *Took*
    {duration}
    *Asked by*
    <@U0ALICE>
    *Approved by*
    <@U0BOB>
    \`/migrate show 4\` has the record · plan \`{plan}\`"
  `)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "<@U0BOB> approved, 1 of 1. It may start.",
      "The run has started.",
      "*Preflight* · 12 checks, nothing to report",
      "*Install* · {commit}, dependencies unchanged, {duration}",
      "*Migrate* · nothing to apply, the database is unchanged",
      "*Switch* · {duration}",
      "*Health* · 1 check passed, {duration}",
      "Deploy to archive · #4 done · *Nothing was pending, so the database is unchanged; \`{commit}\` is live.*
    Took {duration}",
    ]
  `)
  expect(await fingerprint(database.url)).toEqual(before)
  expect(await flow.behind('archive').live()).toBe(done.plan?.commit)
  expect(await flow.store.query('select 1 from lockkeeper.backup where request_id = $1', [request.id])).toEqual([])
})

test('history, show and status tell of what has run', async () => {
  expect(await flow.answer('history')).toMatchInlineSnapshot(`
    "*Last requests, newest first*
    • #4 \`archive\` finished {time} · asked by <@U0ALICE>
    • #3 \`staging\` finished {time} · asked by <@U0ALICE>
    • #2 \`staging\` finished {time} · asked by <@U0ALICE>
    • #1 \`prod\` finished {time} · asked by <@U0ALICE>
    Details: \`/migrate show 4\`"
  `)
  expect(await flow.answer('show 1')).toMatchInlineSnapshot(`
    "*#1* \`prod\`: finished {time}
    *3 migrations applied and \`{commit}\` is live.*
    Asked by <@U0ALICE> {time}: “Checkout needs discounts”
    Commit \`{commit}\` from \`main\`, plan \`{plan}\`
    3 migrations: \`20261118102000_create_discounts\`, \`20261119093000_add_orders_discount_id\`, \`20261120084500_index_orders_discount\`
    Approvals 1 of 1: <@U0BOB>
    • Preflight: done, 16 checks; backups are on the database's own disk
    • Install: done, {commit}, {duration}
    • Back up: done, {size} in {duration}, {size} on disk
    • Verify the backup: done, read in full in {duration}, 11 migration records
    • Migrate: done, 3 migrations in {duration}
    • Verify the schema: done, 14 applied, Prisma agrees, live schema as described
    • Switch: done, {duration}
    • Health: done, 1 check passed, {duration}"
  `)
  expect(await flow.answer('status prod')).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): 14 applied, nothing pending.
    • Live: commit \`{commit}\`, deployed last from here by #1
    • Schema: as #1 left it ({time}).
    • Last: #1, finished {time}
    • \`_prisma_migrations\`, the last 10 of 14 rows, times in UTC
        ◦ \`20261120084500_index_orders_discount\` applied {time}, took {duration}
        ◦ \`20261119093000_add_orders_discount_id\` applied {time}, took {duration}
        ◦ \`20261118102000_create_discounts\` applied {time}, took {duration}
        ◦ \`20260915101000_index_open_orders\` applied {time}, took {duration}
        ◦ \`20260728091000_require_orders_total_cents\` applied {time}, took {duration}
        ◦ \`20260721094500_check_orders_total_cents\` applied {time}, took {duration}
        ◦ \`20260714093000_add_orders_total_cents\` applied {time}, took {duration}
        ◦ \`20260630080000_add_order_status_returned\` applied {time}, took {duration}
        ◦ \`20260616110500_add_orders_shipped_at\` applied {time}, took {duration}
        ◦ \`20260519084000_index_orders_customer\` applied {time}, took {duration}"
  `)
})

test('no run leaves a session in the database', async () => {
  expect(
    await query(
      flow.database.url,
      `select application_name from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    ),
  ).toEqual([])
})

test('no password or token stands in any message, log line, row, file or argument list', async () => {
  const password = new URL(flow.env['PROD_DATABASE_URL'] ?? '').password
  expect(password).not.toBe('')
  expect(await placesOf(flow, [password, flow.slack.tokens.bot, flow.slack.tokens.app, flow.slack.tokens.signingSecret])).toEqual([])
})
