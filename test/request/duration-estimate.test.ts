import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { mayNotEnd } from '../../src/request/duration-estimate.ts'
import { createStore } from '../helpers/postgres.ts'

let store: Awaited<ReturnType<typeof createStore>>
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(() => store.db.query('truncate lockkeeper.request restart identity cascade'))

const from = Date.parse('2026-12-01T07:00:00Z')
const MINUTE_MS = 60_000
const until = (minutes: number) =>
  mayNotEnd(store.db, { target: 'prod', zone: 'America/New_York', from, until: from + minutes * MINUTE_MS })

const ran = (minutes: number, state = 'succeeded') =>
  store.db.query(
    `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state, started_at, ended_at)
     select gen_random_uuid(), 'prod', 'U1', 'U1', 'C1', '{}', $2, lockkeeper.now() - $1 * interval '1 minute', lockkeeper.now()`,
    [minutes, state],
  )

test('a run that took longer than is left of the window is warned of, with both times', async () => {
  await ran(50)
  expect(await until(30)).toMatchInlineSnapshot(
    `"It may not end before its window closes <!date^1796110200^{date_short_pretty} {time}|Tue 1 Dec 2026 02:30 America/New_York> (Tue 1 Dec 02:30 America/New_York): the last run took 50 min, and 30 min are left. A run that has begun goes on."`,
  )
  expect(await until(60)).toBeNull()
})

test('of several runs the median counts, and those that failed do not', async () => {
  for (const minutes of [10, 12, 55]) await ran(minutes)
  await ran(300, 'failed')
  expect(await until(11)).toMatchInlineSnapshot(
    `"It may not end before its window closes <!date^1796109060^{date_short_pretty} {time}|Tue 1 Dec 2026 02:11 America/New_York> (Tue 1 Dec 02:11 America/New_York): the last 3 runs took about 12 min, and 11 min are left. A run that has begun goes on."`,
  )
  expect(await until(13)).toBeNull()
})

test('where nothing ran yet or nothing closes, nobody is warned', async () => {
  expect(await until(1)).toBeNull()
  await ran(50)
  expect(await mayNotEnd(store.db, { target: 'prod', zone: 'UTC', from, until: null })).toBeNull()
})
