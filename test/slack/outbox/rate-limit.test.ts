import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openStore, type Db } from '../../../src/store/pool.ts'
import { createRateLimit, type Order, type RateLimit } from '../../../src/slack/outbox/rate-limit.ts'
import { createStore } from '../../helpers/postgres.ts'

const post = (channel: string): Order => ({ kind: 'post', channel, isUrgent: false })
const update = (isUrgent: boolean): Order => ({ kind: 'update', channel: 'C1', isUrgent })

/** In these sessions the database's clock stands still until it is moved: a function of the test's own is found before the server's. */
const CLOCK = `
create schema stopped;
create table stopped.clock as select timestamptz '2026-11-21 09:00Z' as now;
create function stopped.clock_timestamp() returns timestamptz language sql volatile as 'select now from stopped.clock'`

let store: Awaited<ReturnType<typeof createStore>>
const replicas: Db[] = []
let rateLimit: RateLimit
let rateLimitOfOther: RateLimit
beforeAll(async () => {
  store = await createStore()
  await store.db.query(CLOCK)
  const url = new URL(store.url)
  url.searchParams.set('options', '-c search_path=stopped,pg_catalog')
  replicas.push(
    openStore(url.href, () => {}),
    openStore(url.href, () => {}),
  )
  ;[rateLimit, rateLimitOfOther] = replicas.map(createRateLimit) as [RateLimit, RateLimit]
})
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.close()))
  await store.close()
})
beforeEach(() => store.db.query('truncate lockkeeper.pace'))

const pass = (ms: number) => store.db.query(`update stopped.clock set now = now + $1 * interval '1 millisecond'`, [ms])

async function takes(orders: readonly Order[], by = rateLimit): Promise<readonly number[]> {
  const waits: number[] = []
  for (const order of orders) waits.push(await by.take(order))
  return waits
}

/** Takes until it has to wait; how many went. */
async function exhaust(order: Order): Promise<number> {
  for (let count = 0; ; count++) if ((await rateLimit.take(order)) > 0) return count
}

test('a channel takes a short burst, then one post a second; other channels are not held up', async () => {
  expect(await takes([1, 2, 3, 4].map(() => post('C1')))).toEqual([0, 0, 0, 1_000])
  expect(await rateLimit.take(post('C2'))).toBe(0)
  await pass(400)
  expect(await rateLimit.take(post('C1'))).toBe(600)
  await pass(600)
  expect(await takes([post('C1'), post('C1')])).toEqual([0, 1_000])
  await pass(60_000)
  expect(await exhaust(post('C1'))).toBe(3)
})

test('two replicas on one store have one bucket, also when they ask at the same moment', async () => {
  const waits = await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? rateLimit : rateLimitOfOther).take(post('C1'))))
  expect(waits.filter((wait) => wait === 0)).toHaveLength(3)
  await pass(1_000)
  expect(await takes([post('C1'), post('C1')], rateLimitOfOther)).toEqual([0, 1_000])
  expect(await rateLimit.take(post('C1'))).toBe(1_000)
})

test('edits of all runs and replicas together stay at 40 a minute', async () => {
  let sent = 0
  for (let second = 0; second < 180; second++) {
    for (const by of [rateLimit, rateLimitOfOther, rateLimit]) if ((await by.take(update(false))) === 0) sent++
    await pass(1_000)
  }
  expect(sent).toBe(7 + (180 * 40) / 60 - 1) // those that may be used at once, then 40 a minute
})

test('progress leaves some edits to decisions and ends', async () => {
  expect(await exhaust(update(false))).toBe(7)
  expect(await takes([1, 2, 3, 4, 5, 6].map(() => update(true)))).toEqual([0, 0, 0, 0, 0, 1_500])
  expect(await rateLimit.take(update(false))).toBe(9_000)
})

test('what Slack says counts for every replica, for that kind of call alone', async () => {
  await rateLimit.limited(post('C1'), 30_000)
  expect(await rateLimitOfOther.take(post('C1'))).toBe(30_000)
  expect(await rateLimit.take(post('C2'))).toBe(0)
  expect(await rateLimit.take(update(false))).toBe(0)
  await pass(30_000)
  expect(await rateLimitOfOther.take(post('C1'))).toBe(0)
})

test('a clock that is put back gives no burst away, and holds nothing up', async () => {
  await exhaust(post('C1'))
  await rateLimit.limited(update(false), 30_000)
  await pass(-86_400_000)
  expect(await takes([post('C1'), post('C1')])).toEqual([0, 1_000])
  await pass(1_000)
  expect(await takes([post('C1'), post('C1')])).toEqual([0, 1_000])
  expect(await rateLimit.take(update(false))).toBe(0)
})
