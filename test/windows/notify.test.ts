import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Target } from '../../src/config/config.ts'
import { targetSchema } from '../../src/config/schema.ts'
import { openStore, type Db } from '../../src/db/pool.ts'
import { actOnDue } from '../../src/due.ts'
import { knownItemsDue, itemsOf } from '../../src/windows/checklist.ts'
import { noticesDue } from '../../src/windows/notify.ts'
import { windowById, windowEventsOf } from '../../src/windows/rows.ts'
import { storeNow } from '../../src/db/now.ts'
import { scheduleWindow } from '../../src/windows/schedule.ts'
import { createStore } from '../helpers/postgres.ts'
import { setClock } from '../helpers/windows.ts'

const HOUR_MS = 3_600_000

let store: Awaited<ReturnType<typeof createStore>>
let db: Db
const replicas: Db[] = []

const targetOf = (name: string, channel: string): Target => ({
  ...targetSchema.parse({
    channel,
    source: { repository: '/srv/shop.git' },
    database: { url: 'env:PROD_DATABASE_URL' },
    tool: 'prisma',
    approvals: { from: ['user:U0BOB'] },
    windows: {
      notices: ['1h', '90s'],
      during: '1h',
      checklist: {
        during: [
          { text: 'Backup verified', knows: 'backup' },
          { text: 'Health green', knows: 'health' },
        ],
      },
    },
  }),
  name,
  title: name,
})
const targets = new Map(['one', 'two'].map((name) => [name, targetOf(name, `C0${name.toUpperCase()}`)] as const))
const [one, two] = [...targets.values()] as [Target, Target]

beforeEach(async () => {
  store = await createStore()
  db = store.db
  await setClock(db, '2026-12-01T00:00:00Z')
})
afterEach(async () => {
  await Promise.all(replicas.splice(0).map((each) => each.close()))
  await store.close()
})

const act = (on: Db = db) => actOnDue(on, [noticesDue({ db: on, targets }), knownItemsDue(on)])

async function plan(target: Target, startsAt: number, length = HOUR_MS): Promise<number> {
  const row = await db.transaction((tx) =>
    scheduleWindow(tx, { startsAt, endsAt: startsAt + length, reason: 'upgrade', work: null, owner: 'U0ALICE', ownerHuman: 'U0ALICE' }, [
      target,
    ]),
  )
  return row?.id ?? 0
}

test('three replicas that look at once decide about each notice once, and gather many of a channel', async () => {
  const start = (await storeNow(db)) + 2 * HOUR_MS
  for (let index = 0; index < 40; index++) await plan(index % 10 === 0 ? two : one, start + index)
  replicas.push(...[1, 2, 3].map(() => openStore(store.url, () => {})))
  await setClock(db, '2026-12-01T01:00:10Z')
  await Promise.all(replicas.map((replica) => act(replica)))
  await act() // what one of them had skipped since another one held it
  expect(
    await db.query(`select maintenance_id as id, count(*)::int as n from lockkeeper.maintenance_event group by 1 having count(*) <> 1`),
  ).toEqual([])
  expect(await db.query(`select 1 from lockkeeper.maintenance_event`)).toHaveLength(40)
  const [bulletins] = await db.query<{ counted: number; posts: number }>(
    `select (select sum((data->>'count')::int) from lockkeeper.bulletin)::int as counted,
       (select coalesce(sum(jsonb_array_length(data->'channels')), 0) from lockkeeper.maintenance_event)::int as posts`,
  )
  expect((bulletins?.counted ?? 0) + (bulletins?.posts ?? 0)).toBe(40)
  expect(await db.query(`select state, count(*) from lockkeeper.notice where stage = 'before:3600000' group by state`)).toEqual([
    { state: 'sent', count: 40 },
  ])
})

test('what becomes due while a list waits for its turn joins it, and the list after one that was sent gathers for a while', async () => {
  const start = (await storeNow(db)) + 2 * HOUR_MS
  for (const minutes of [0, 0, 0, 0, 1, 1, 2]) await plan(one, start + minutes * 10_000)
  const lists = () =>
    db.query(
      `select (data->>'count')::int as count, jsonb_array_length(data->'shown') as shown,
         draw_after between clock_timestamp() + interval '10 seconds' and clock_timestamp() + interval '20 seconds' as gathers from lockkeeper.bulletin order by id`,
    )
  await setClock(db, '2026-12-01T01:00:01Z')
  await act()
  expect(await lists()).toEqual([{ count: 4, shown: 4, gathers: false }])
  await setClock(db, '2026-12-01T01:00:11Z')
  await act()
  expect(await lists()).toEqual([{ count: 6, shown: 6, gathers: false }])
  await db.query(
    `insert into lockkeeper.message (key, bulletin_id, channel, intent, state, ts) select 'k', id, channel, gen_random_uuid(), 'sent', '1.1' from lockkeeper.bulletin`,
  )
  await db.query(`update lockkeeper.bulletin set draw_after = 'infinity', drawn_revision = revision`)
  await setClock(db, '2026-12-01T01:00:21Z')
  await act()
  expect(await lists()).toEqual([
    { count: 6, shown: 6, gathers: false },
    { count: 1, shown: 1, gathers: true },
  ])
})

test('a window opens and completes by its rows also when nobody could be told in time', async () => {
  const id = await plan(one, (await storeNow(db)) + 2 * HOUR_MS)
  await setClock(db, '2026-12-05T00:00:00Z')
  await act()
  expect(await windowById(db, id)).toMatchObject({ state: 'completed', outcome: { runs: [] } })
  expect(await windowEventsOf(db, id)).toEqual([])
  expect(await db.query(`select distinct state from lockkeeper.notice`)).toEqual([{ state: 'missed' }])
})

test('an item that Lockkeeper knows about is ticked when a run of the target has shown it', async () => {
  const id = await plan(one, (await storeNow(db)) + HOUR_MS)
  await setClock(db, '2026-12-01T01:00:10Z')
  await act()
  await db.query(
    `with run as (
       insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state, started_at)
       values ('r_1', 'one', 'U0ALICE', 'U0ALICE', 'C0ONE', '{}', 'running', lockkeeper.now()) returning id)
     insert into lockkeeper.step (request_id, ordinal, name, title, state) select id, 1, 'verify-backup', 'Verify the backup', 'done' from run`,
  )
  await act()
  expect((await itemsOf(db, [id])).map(({ text, doneBy }) => [text, doneBy])).toEqual([
    ['Backup verified', 'lockkeeper'],
    ['Health green', null],
  ])
})

test('the same occurrence of a recurring window is written down once', async () => {
  const startsAt = (await storeNow(db)) + HOUR_MS
  const write = () =>
    db.transaction((tx) =>
      scheduleWindow(
        tx,
        {
          startsAt,
          endsAt: startsAt + HOUR_MS,
          reason: 'weekly',
          work: null,
          owner: 'lockkeeper',
          ownerHuman: 'lockkeeper',
          occurrence: 'one weekly',
        },
        [one],
      ),
    )
  const written = await Promise.all([write(), write(), write()])
  expect(written.filter((row) => row !== undefined)).toHaveLength(1)
})
