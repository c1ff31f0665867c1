import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { plannedSteps } from '../../src/deploy/planned.ts'
import { readIdentity, type Identity } from '../../src/database/identity.ts'
import { readUrl } from '../../src/database/connect.ts'
import { assertSteps } from '../../src/run/assertions/step.ts'
import type { RunContext, StepEnd } from '../../src/request/step.ts'
import { temporaryDirectory } from '../helpers/backup.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { contextFor, planFor, targetFor } from '../helpers/run-context.ts'

let database: TestDatabase
let client: pg.Client
let identity: Identity
let directory: Awaited<ReturnType<typeof temporaryDirectory>>

beforeAll(async () => {
  ;[database, directory] = await Promise.all([createDatabase(), temporaryDirectory()])
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  identity = await readIdentity(client, readUrl(database.url))
  await client.query('create table orders (id int primary key, total numeric(10, 2), state text)')
})
beforeEach(async () => {
  await client.query(`truncate orders; insert into orders values (1, 10.50, 'paid'), (2, 4, 'open'), (3, null, 'open')`)
})
afterAll(async () => {
  await client.end()
  await Promise.all([database.close(), directory.remove()])
})

const totals = { name: 'Every order has a total', sql: 'select id, state from orders where total is null', when: 'both', expect: [] }
const sums = { name: 'Orders keep their totals', sql: 'select id, total from orders', equal: true }

/** The two steps of a run with these assertions. `data`: what the first one has left. */
function steps(assert: readonly object[], over: Partial<RunContext> = {}, change: Record<string, unknown> = {}) {
  const target = targetFor(directory.path, { assert, ...change })
  const plan = planFor(identity, {
    list: [
      { name: '2_totals', sha256: 'b'.repeat(64), bytes: 1, rollbackSha256: null, concurrently: false },
      { name: '3_states', sha256: 'c'.repeat(64), bytes: 1, rollbackSha256: 'd'.repeat(64), concurrently: false },
    ],
    steps: plannedSteps(target),
  })
  const { before, after } = assertSteps(plan)
  const act = async (which: typeof before, data?: unknown): Promise<StepEnd> => {
    const [step] = which
    if (step === undefined) throw new Error('there is no such step')
    const { context } = contextFor({
      directory: directory.path,
      plan,
      target,
      secrets: { 'env:PROD_DATABASE_URL': database.url },
      over: { dataOf: (name) => (name === 'assert-before' ? data : undefined), ...over },
    })
    return step.act(context)
  }
  return { before: () => act(before), after: (data?: unknown) => act(after, data), names: [...before, ...after].map(({ name }) => name) }
}

const kept = (end: StepEnd): unknown => JSON.parse(JSON.stringify('data' in end ? end.data : null))

test('what holds is told with a count, and a run without migrations asks nothing', async () => {
  const one = steps([
    { ...totals, expect: [[3, 'open']] },
    { name: 'Three orders', sql: 'select count(*) from orders', expect: 3 },
  ])
  expect(one.names).toEqual(['assert-before', 'assert-after'])
  expect(await one.before()).toMatchObject({ kind: 'done', output: expect.stringMatching(/^1 assertion held, 0\.\d s$/) })
  expect(await one.after()).toMatchObject({ kind: 'done', output: expect.stringMatching(/^2 assertions held, 0\.\d s$/) })
  const plan = planFor(identity, { steps: plannedSteps(targetFor(directory.path, { assert: [totals] })) })
  expect(assertSteps(plan)).toEqual({ before: [], after: [] })
})

test('one that does not hold before the migrations stops the run, with its rows shown and nothing touched', async () => {
  expect(await steps([totals]).before()).toMatchObject({
    kind: 'failed',
    output: '1 of 1 assertion failed',
    outcome: {
      headline:
        '*"Every order has a total" does not hold before the migrations.* Nothing was touched: no migration ran, and the application was not changed.',
      why: 'Expected `no rows`, and it gave `one row`.',
      next: 'Put the data right, or correct `assert` in lockkeeper.yaml, and ask again with `/migrate deploy prod`.',
      excerpt: 'Every order has a total\nid | state\n3  | open',
    },
  })
})

test('what was the same before and after holds, also where the process changed in between', async () => {
  const one = steps([sums])
  const before = await one.before()
  await client.query('delete from orders where id = 1; insert into orders values (1, 10.5)')
  expect(await one.after(kept(before))).toMatchObject({ kind: 'done' })
})

test('what became another after the migrations fails, says what is applied and what can be done', async () => {
  const one = steps([sums, totals], {}, { deploy: [{ run: ['true'] }] })
  const before = await one.before()
  await client.query('update orders set total = 7 where id = 2; delete from orders where id = 3')
  expect(await one.after(kept(before))).toMatchObject({
    kind: 'failed',
    output: '1 of 2 assertions failed',
    outcome: {
      headline: '*"Orders keep their totals" does not hold after the migrations.* The 2 migrations of this run are applied.',
      why: 'Before the migrations it gave `3 rows`, and now `2 rows`. What the application has written in between counts as well.',
      next: 'The deploy steps were not started, so the application that was live runs on the new schema. Look at the rows. If the data is right, correct `assert` in lockkeeper.yaml; `/migrate deploy prod` then finds nothing pending and runs only the steps. If it is wrong, put it right with a new migration; to go back there is rollback SQL beside 1 of them, and the backup.',
      excerpt:
        'Orders keep their totals: only before\nid | total\n2  | 4.00\n3  | NULL\n\nOrders keep their totals: only now\nid | total\n2  | 7.00',
    },
  })
})

test('several that fail are counted, and each says why', async () => {
  const end = await steps([totals, { name: 'No orders', sql: 'select count(*) from orders', when: 'before', expect: 0 }]).before()
  expect(end).toMatchObject({
    output: '2 of 2 assertions failed',
    outcome: {
      headline: expect.stringMatching(/^\*2 of 2 assertions do not hold before the migrations\.\* Nothing was touched/),
      why: '"Every order has a total": Expected `no rows`, and it gave `one row`.\n"No orders": Expected `0`, and it gave `3`.',
    },
  })
})

describe('what cannot be asked fails with a sentence', () => {
  test.each([
    ['select pg_sleep(5)', '100ms', 'It did not answer within its timeout of 0.1 s and was ended.'],
    [
      'select note from orders',
      '1s',
      'It names what is not there: `column "note" does not exist`. What the migrations make is asked with `when: after`.',
    ],
    ["select nextval('numbers')", '1s', 'It would write, and assertions only read: `cannot execute nextval() in a read-only transaction`.'],
    ['select 1 / 0', '1s', 'PostgreSQL refused it: division by zero.'],
    ['delete from orders', '1s', 'It is no SELECT, VALUES, TABLE or WITH.'],
  ])('%s', async (sql, timeout, why) => {
    await client.query('create sequence if not exists numbers')
    const end = await steps([{ name: 'Odd', sql, timeout, when: 'before', expect: 0 }, totals]).before()
    expect(end).toMatchObject({ kind: 'failed', outcome: { why: expect.stringContaining(`"Odd": ${why}`) } })
    // what comes after it is asked all the same
    expect(end).toMatchObject({ outcome: { why: expect.stringContaining('"Every order has a total": Expected') } })
    const { rows } = await client.query('select count(*)::int as left from orders')
    expect(rows).toEqual([{ left: 3 }])
  })

  test('too much to compare with', async () => {
    const end = await steps([{ name: 'Many', sql: 'select generate_series(1, 1000000000)', equal: true }]).before()
    expect(end).toMatchObject({
      outcome: { why: 'It gives more than 200 rows, which are too many to compare with afterwards. Let it count them, or give a sum.' },
    })
  })

  test('another database behind the same name', async () => {
    const other = { ...identity, databaseOid: 1 }
    const target = targetFor(directory.path, { assert: [totals] })
    const plan = planFor(other, {
      list: [{ name: '2_totals', sha256: 'b'.repeat(64), bytes: 1, rollbackSha256: null, concurrently: false }],
      steps: plannedSteps(target),
    })
    const { context } = contextFor({ directory: directory.path, plan, target, secrets: { 'env:PROD_DATABASE_URL': database.url } })
    expect(await assertSteps(plan).before[0]?.act(context)).toMatchObject({
      kind: 'failed',
      outcome: { why: expect.stringContaining('It is no longer the same database') },
    })
  })

  test('what was seen before and is lost', async () => {
    expect(await steps([sums]).after()).toMatchObject({ outcome: { why: 'What it gave before the migrations was not kept.' } })
  })
})

test('a cancel stops it in the middle, and says how far it was', async () => {
  const stop = new AbortController()
  const one = steps([{ name: 'Slow', sql: 'select pg_sleep(20)', expect: 0 }], {
    signal: stop.signal,
    isCancelled: () => true,
    report: () => stop.abort(new Error('cancelled')),
  })
  expect(await one.after()).toEqual({
    kind: 'cancelled',
    output: 'stopped',
    outcome: {
      headline: '*Cancelled while the assertions after the migrations were asked.* The 2 migrations of this run are applied.',
    },
  })
})
