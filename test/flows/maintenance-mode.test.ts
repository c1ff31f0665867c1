import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { RequestState } from '../../src/request/request.ts'
import { startFlow, type Flow, type TargetOptions } from '../helpers/flow.ts'
import { startMaintained, type Maintained } from '../helpers/maintained.ts'
import { commitTo } from '../helpers/sample.ts'
import { applied, query } from '../helpers/target.ts'
import { until } from '../helpers/until.ts'

vi.setConfig({ testTimeout: 180_000 })

let flow: Flow
const apps = new Map<string, Maintained>()

const names = ['prod', 'broken', 'sick', 'slow', 'stuck', 'jammed', 'unwilling', 'oneway', 'quiet'] as const
type Name = (typeof names)[number]

const app = (name: Name): Maintained => {
  const found = apps.get(name)
  if (found === undefined) throw new Error(`no application ${name}`)
  return found
}

const withMigration =
  (name: string, sql: string): NonNullable<TargetOptions['prepare']> =>
  async ({ repository }) => {
    await commitTo(repository, { files: { [`prisma/migrations/${name}/migration.sql`]: sql }, subject: 'One more migration' })
  }

const maintained = (name: Name, more: Partial<TargetOptions> = {}, keys: (healthUrl: string) => object = () => ({})): TargetOptions => ({
  pending: 1,
  ...more,
  target: ({ healthUrl }) => ({ maintenance: app(name).settings, ...keys(healthUrl) }),
})

const failing = withMigration('20261121100000_split_names', 'ALTER TABLE "customers" ADD COLUMN "nickname" TEXT;\n')

beforeAll(async () => {
  for (const name of names) apps.set(name, await startMaintained())
  flow = await startFlow({
    ...maintained('prod'),
    targets: {
      broken: maintained('broken', { pending: 0, prepare: failing }),
      sick: maintained('sick', {}, (http) => ({ health: [{ http, within: '1s' }] })),
      slow: maintained('slow', {
        prepare: withMigration('20261121100000_backfill', 'ALTER TABLE "orders" ADD COLUMN "note" TEXT;\nSELECT pg_sleep(120);\n'),
      }),
      stuck: maintained('stuck'),
      jammed: maintained('jammed', { pending: 0, prepare: failing }),
      unwilling: maintained('unwilling'),
      oneway: maintained('oneway', {}, () => ({
        maintenance: { ...app('oneway').settings, off: [{ name: 'Page off', cwd: '/srv/not-there', run: ['node', 'switch.cjs', 'off'] }] },
      })),
      quiet: maintained('quiet', { pending: 0 }, () => ({ deploy: [] })),
    },
  })
})
afterAll(async () => {
  await flow?.close()
  for (const one of apps.values()) await one.close()
})

const told = (name: Name, text: string): string => text.replaceAll(app(name).directory, '{directory}')

/** The run ends in this state; in another one it says so at once. */
const ends = async (id: number, state: RequestState) => {
  const request = await flow.reaches(id, ['succeeded', 'failed', 'cancelled', 'needs_human'])
  expect({ state: request.state, outcome: request.outcome }).toEqual({ state, outcome: request.outcome })
}

const run = async (target: string, beforeApproval = async () => {}) => {
  const request = await flow.ask(`deploy ${target}`)
  await beforeApproval()
  await flow.approve(request.id)
  return request.id
}

/** Somebody makes the column by hand when the review has looked, so that the migration fails and nobody could know. */
const byHand = (target: string) => async () =>
  void (await query(flow.behind(target).database.url, 'alter table customers add column nickname text'))

test('the page is up while the migrations run, and off again at the end, seen by the probe', async () => {
  expect(await flow.answer('plan prod')).toMatchInlineSnapshot(`
    "Plan for *Production* (\`prod\`): \`{commit}\` from \`main\`, “Show the discount in the list of orders” by Alice Marsh
    1 migration would run, in this order:
    1. \`20261120084500_index_orders_discount\` additive: builds an index on orders, concurrently, about 50 rows
    • Steps: back up, maintenance on, migrate, verify, Switch, 1 health check, maintenance off
    • Way back: a rollback.sql beside each migration, and the backup
    • Approvals: 1 of <!subteam^S0DBA>, never the one who asks
    Plan \`{plan}\`. To ask for it: \`/migrate deploy prod\`"
  `)
  const request = await flow.ask('deploy prod')
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1
    <@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`.
    Migration | Class | What it does | Rows
    20261120084500_index_orders_discount | additive | builds an index on orders, concurrently | 50
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Show the discount in the list of orders, by Alice Marsh
    *Database*
    \`{database}\` on \`{host}\`
    *Risk*
    1 additive
    *Way back*
    rollback SQL for each migration, and the backup
    *Backup*
    the first of this target; the database has {size}
    *Maintenance mode*
    on before the migrations, off at the end
    *Application*
    Switch and 1 health check, after the migrations
    [Approve]
    [Reject]
    [Read the SQL]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. Expires {time}."
  `)
  await flow.approve(request.id)
  await ends(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1 done
    *1 migration applied and \`{commit}\` is live.*
    *Took*
    {duration}
    *Backup*
    {size} in {duration}, {size} on disk
    *Asked by*
    <@U0ALICE>
    *Approved by*
    <@U0BOB>
    *Maintenance mode.* It was on for {duration} and is off again: \`http://{host}/\` answers HTTP 200.
    \`/migrate show 1\` has the record · plan \`{plan}\`"
  `)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 1 migration (request-1-{plan}.sql)",
      "<@U0BOB> approved, 1 of 1. It may start.",
      "The run has started.",
      "*Preflight* · 16 checks; backups are on the database's own disk",
      "*Install* · {commit}, {duration}",
      "*Back up* · {size} in {duration}, {size} on disk",
      "*Verify the backup* · read in full in {duration}, 13 migration records",
      "*Maintenance on* · on, {duration}",
      "\`20261120084500_index_orders_discount\` applied, 1 of 1 · {duration}",
      "*Migrate* · 1 migration in {duration}",
      "*Verify the schema* · 14 applied, Prisma agrees, live schema as described",
      "*Switch* · {duration}",
      "*Health* · 1 check passed, {duration}",
      "*Maintenance off* · off again, {duration}, the probe says HTTP 200",
      "Deploy to Production · #1 done · *1 migration applied and \`{commit}\` is live.*
    *Maintenance mode.* It was on for {duration} and is off again: \`http://{host}/\` answers HTTP 200.
    Took {duration} · the log follows",
      "[file] The whole log (request-1-prod.log)",
    ]
  `)
  expect(app('prod').switched()).toEqual(['on', 'off'])
  expect(app('prod').isOn()).toBe(false)
})

test('a migration that fails: the page goes off before the run ends, and both are told', async () => {
  const id = await run('broken', byHand('broken'))
  await ends(id, 'failed')
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to broken · #2 stopped
    *\`20261121100000_split_names\` stopped: column \`nickname\` of table \`customers\` already exists. It is not applied.* The application was left as it was.
    Stopped after {duration}
    complete | Maintenance on | on, {duration}
    error | 20261121100000_split_names | already exists
    complete | Maintenance off | off again, {duration}, the probe says HTTP 200
    *Why.* An earlier migration made it already, or something outside the migrations did: a change by hand, \`db push\`, or an earlier try that was not rolled back as a whole.
    *Maintenance mode.* It was on for {duration} and is off again: \`http://{host}/\` answers HTTP 200.
    *Next.* Compare it with what the migration would make. If that is all there already, mark the migration as applied (\`npx prisma migrate resolve --applied 20261121100000_split_names\`); if not, remove or rename it and mark the migration as rolled back (\`npx prisma migrate resolve --rolled-back 20261121100000_split_names\`). Then ask again.
    ERROR: column "nickname" of relation "customers" already exists (42701)
    ALTER TABLE "customers" ADD COLUMN "nickname" TEXT;
    Backup \`{backup}\` is kept · log in the thread · plan \`{plan}\`"
  `)
  expect(flow.thread(id).slice(-5)).toMatchInlineSnapshot(`
    [
      "*\`20261121100000_split_names\` stopped: column \`nickname\` of table \`customers\` already exists. It is not applied.* The application was left as it was. Maintenance mode is switched off now, then this run ends.",
      "*Maintenance off* · off again, {duration}, the probe says HTTP 200",
      "Deploy to broken · #2 stopped · *\`20261121100000_split_names\` stopped: column \`nickname\` of table \`customers\` already exists. It is not applied.* The application was left as it was.
    Why, and what comes next, is in the thread.",
      "*Why.* An earlier migration made it already, or something outside the migrations did: a change by hand, \`db push\`, or an earlier try that was not rolled back as a whole.
    *Maintenance mode.* It was on for {duration} and is off again: \`http://{host}/\` answers HTTP 200.
    *Next.* Compare it with what the migration would make. If that is all there already, mark the migration as applied (\`npx prisma migrate resolve --applied 20261121100000_split_names\`); if not, remove or rename it and mark the migration as rolled back (\`npx prisma migrate resolve --rolled-back 20261121100000_split_names\`). Then ask again.
    ERROR: column "nickname" of relation "customers" already exists (42701)
    ALTER TABLE "customers" ADD COLUMN "nickname" TEXT;
    Took {duration} · backup \`{backup}\` is kept · the log follows",
      "[file] The whole log (request-2-broken.log)",
    ]
  `)
  expect(app('broken').switched()).toEqual(['on', 'off'])
  expect(app('broken').isOn()).toBe(false)
})

test('an application that does not become healthy: the page goes off all the same', async () => {
  flow.behind('sick').health.status = 503
  const id = await run('sick')
  await ends(id, 'failed')
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to sick · #3 stopped
    *The application is not healthy after the deploy.* The migration of this run is applied.
    Stopped after {duration}
    complete | Maintenance on | on, {duration}
    complete | 20261120084500_index_orders_discount | {duration}
    error | Health | HTTP 503 instead of 200
    complete | Maintenance off | off again, {duration}, the probe says HTTP 200
    *Why.* \`http://{host}/health\`: It did not answer well 5 times in a row within {duration} (last: HTTP 503 instead of 200).
    *Maintenance mode.* It was on for {duration} and is off again: \`http://{host}/\` answers HTTP 200.
    *Next.* Look at the application's log. When it is mended, \`/migrate deploy sick\` runs the steps again. To go back to the old code, revert it on \`main\`, but keep everything below \`prisma/migrations\` (a commit without what is applied is refused), and \`/migrate deploy sick\` again. The old code then has to fit the new schema.
    {"ok":true}
    Backup \`{backup}\` is kept · log in the thread · plan \`{plan}\`"
  `)
  expect(app('sick').switched()).toEqual(['on', 'off'])
})

test('cancelled in mid-migration: the cancel does not stop the switch from being set', async () => {
  const id = await run('slow')
  await until(
    'the migration sleeps',
    async () => {
      const rows = await query(
        flow.behind('slow').database.url,
        `select 1 from pg_stat_activity where query like '%pg_sleep(120)%' and wait_event = 'PgSleep'`,
      )
      return rows.length > 0
    },
    120_000,
  )
  expect(app('slow').isOn()).toBe(true)
  await flow.answer(`cancel ${id}`)
  await ends(id, 'cancelled')
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to slow · #4 cancelled
    *Cancelled while migrating. 1 of 2 migrations is applied and kept.* The application was left as it was.
    Cancelled after {duration}
    complete | Maintenance on | on, {duration}
    complete | 20261120084500_index_orders_discount | {duration}
    error | 20261121100000_backfill | cancelled
    complete | Maintenance off | off again, {duration}, the probe says HTTP 200
    *Why.* \`20261120084500_index_orders_discount\` is applied. \`20261121100000_backfill\` was running; the database undid it as a whole and it is marked as rolled back.
    *Maintenance mode.* It was on for {duration} and is off again: \`http://{host}/\` answers HTTP 200.
    *Next.* Ask again when the rest may run: what has run is kept and not repeated.
    Backup \`{backup}\` is kept · log in the thread · plan \`{plan}\`"
  `)
  expect(flow.thread(id).slice(-4)).toMatchInlineSnapshot(`
    [
      "*Cancelled while migrating. 1 of 2 migrations is applied and kept.* The application was left as it was. Maintenance mode is switched off now, then this run ends.",
      "*Maintenance off* · off again, {duration}, the probe says HTTP 200",
      "Deploy to slow · #4 cancelled · *Cancelled while migrating. 1 of 2 migrations is applied and kept.* The application was left as it was.
    *Why.* \`20261120084500_index_orders_discount\` is applied. \`20261121100000_backfill\` was running; the database undid it as a whole and it is marked as rolled back.
    *Maintenance mode.* It was on for {duration} and is off again: \`http://{host}/\` answers HTTP 200.
    *Next.* Ask again when the rest may run: what has run is kept and not repeated.
    Took {duration} · backup \`{backup}\` is kept · the log follows",
      "[file] The whole log (request-4-slow.log)",
    ]
  `)
  expect(app('slow').switched()).toEqual(['on', 'off'])
  expect(app('slow').isOn()).toBe(false)
})

test('a page that stays although it was switched off needs a person, who reads what to do by hand, though all else is done', async () => {
  app('stuck').breakOff('does nothing')
  const id = await run('stuck')
  await ends(id, 'needs_human')
  await flow.drawn(id)
  expect(told('stuck', flow.cardInShort(id))).toMatchInlineSnapshot(`
    "Deploy to stuck · #5 needs a person
    *Maintenance mode could NOT be switched off.*
    *Known.* All else is done. 1 migration applied and \`{commit}\` is live.
    *Why.* The command that switches it off has succeeded, but \`http://{host}/\` does not answer as it should. It did not answer well 5 times in a row within {duration} (last: HTTP 503 instead of 200).
    *What you can do.* Users may still see the maintenance page. Switch it off by hand: \`node switch.cjs off\` in \`{directory}\`. \`http://{host}/\` must answer HTTP 200 then. \`/migrate cancel 5\` closes this request.
    Back in a few minutes.
    [Close this request]
    Nothing else starts on stuck until this is closed · Backup \`{backup}\` is kept · log in the thread"
  `)
  expect(
    flow
      .thread(id)
      .slice(-3)
      .map((post) => told('stuck', post)),
  ).toMatchInlineSnapshot(`
    [
      "Deploy to stuck · #5 needs a person · *Maintenance mode could NOT be switched off.*
    What is known, what is not and what you can do is in the thread.",
      "*Known.* All else is done. 1 migration applied and \`{commit}\` is live.
    *Why.* The command that switches it off has succeeded, but \`http://{host}/\` does not answer as it should. It did not answer well 5 times in a row within {duration} (last: HTTP 503 instead of 200).
    *What you can do.* Users may still see the maintenance page. Switch it off by hand: \`node switch.cjs off\` in \`{directory}\`. \`http://{host}/\` must answer HTTP 200 then. \`/migrate cancel 5\` closes this request.
    Back in a few minutes.
    Took {duration} · backup \`{backup}\` is kept · the log follows",
      "[file] The log until now (request-5-stuck-until-now.log)",
    ]
  `)
  expect((await applied(flow.behind('stuck').database.url)).at(-1)).toBe('20261120084500_index_orders_discount')
  expect(await flow.answer(`cancel ${id}`, 'U0BOB')).toMatchInlineSnapshot(
    `"#5 is closed, and the record says that you took over. Lockkeeper changes nothing about what it found: make sure of the state of \`stuck\` before the next run, which is possible now."`,
  )
  await ends(id, 'cancelled')
  expect(app('stuck').switched()).toEqual(['on', 'off'])
})

test('after a failed migration a switch that is stuck is tried three times, and comes first in what is told', async () => {
  app('jammed').breakOff('fails')
  const id = await run('jammed', byHand('jammed'))
  await ends(id, 'needs_human')
  await flow.drawn(id)
  expect(told('jammed', flow.cardInShort(id))).toMatchInlineSnapshot(`
    "Deploy to jammed · #6 needs a person
    *Maintenance mode could NOT be switched off.* *\`20261121100000_split_names\` stopped: column \`nickname\` of table \`customers\` already exists. It is not applied.* The application was left as it was.
    *Why.* An earlier migration made it already, or something outside the migrations did: a change by hand, \`db push\`, or an earlier try that was not rolled back as a whole.
    *Maintenance mode.* \`node switch.cjs off\` ended with exit code 3 after {duration}. It was tried 3 times.
    *What you can do.* Users may still see the maintenance page. Switch it off by hand: \`node switch.cjs off\` in \`{directory}\`. \`http://{host}/\` must answer HTTP 200 then. \`/migrate cancel 6\` closes this request. Compare it with what the migration would make. If that is all there already, mark the migration as applied (\`npx prisma migrate resolve --applied 20261121100000_split_names\`); if not, remove or rename it and mark the migration as rolled back (\`npx prisma migrate resolve --rolled-back 20261121100000_split_names\`). Then ask again.
    ERROR: column "nickname" of relation "customers" already exists (42701)
    ALTER TABLE "customers" ADD COLUMN "nickname" TEXT;
    [Close this request]
    Nothing else starts on jammed until this is closed · Backup \`{backup}\` is kept · log in the thread"
  `)
  expect(app('jammed').switched()).toEqual(['on', 'off', 'off', 'off'])
})

test('a page that cannot be switched on: nothing is migrated, it is switched off, and the run fails', async () => {
  const { database } = flow.behind('unwilling')
  const before = await applied(database.url)
  app('unwilling').breakOn()
  const id = await run('unwilling')
  await ends(id, 'failed')
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to unwilling · #7 stopped
    *Maintenance mode could not be switched on.* No migration ran, and the application was not changed.
    Stopped after {duration}
    error | Maintenance on | failed
    complete | Maintenance off | off again, {duration}, the probe says HTTP 200
    *Why.* \`node switch.cjs on\` ended with exit code 3 after {duration}.
    *Maintenance mode.* It is off: \`http://{host}/\` answers HTTP 200.
    *Next.* Mend that, and ask again with \`/migrate deploy unwilling\`.
    the switch is stuck
    Backup \`{backup}\` is kept · log in the thread · plan \`{plan}\`"
  `)
  expect(app('unwilling').switched()).toEqual(['on', 'off'])
  expect(await applied(database.url)).toEqual(before)
})

test('what cannot be switched off is not switched on', async () => {
  const id = await run('oneway')
  await ends(id, 'failed')
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to oneway · #8 stopped
    *Maintenance mode was not switched on, since it could not be switched off again.* No migration ran, and the application was not changed.
    Stopped after {duration}
    error | Maintenance on | not started
    *Why.* The directory \`/srv/not-there\`, where \`node switch.cjs off\` should run, does not exist.
    *Next.* Correct \`maintenance.off\` in lockkeeper.yaml, or what it runs, and ask again.
    Backup \`{backup}\` is kept · log in the thread · plan \`{plan}\`"
  `)
  expect(app('oneway').switched()).toEqual([])
})

test('nothing pending and nothing to deploy needs no maintenance page', async () => {
  const id = await run('quiet')
  await ends(id, 'succeeded')
  await flow.drawn(id)
  expect(flow.cardText(id)).not.toContain('aintenance')
  expect(app('quiet').switched()).toEqual([])
})

test('without the application, the page is still up around the migrations', async () => {
  await commitTo(flow.behind('quiet').repository, {
    files: { 'prisma/migrations/20261121100000_note/migration.sql': 'ALTER TABLE "orders" ADD COLUMN "remark" TEXT;\n' },
    subject: 'A remark',
  })
  const { id } = await flow.ask('deploy quiet --skip-app')
  await flow.approve(id)
  await ends(id, 'succeeded')
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to quiet · #10 done
    *1 migration applied.* The application was left alone, as asked.
    *Took*
    {duration}
    *Backup*
    {size} in {duration}, {size} on disk
    *Asked by*
    <@U0ALICE>
    *Approved by*
    <@U0BOB>
    *Maintenance mode.* It was on for {duration} and is off again: \`http://{host}/\` answers HTTP 200.
    \`/migrate show 10\` has the record · plan \`{plan}\`"
  `)
  expect(app('quiet').switched()).toEqual(['on', 'off'])
})
