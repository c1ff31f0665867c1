import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Target } from '../../../src/config/config.ts'
import { targetSchema } from '../../../src/config/schema.ts'
import { openStore, type Db } from '../../../src/store/pool.ts'
import { actOnDue } from '../../../src/store/due.ts'
import { knownItemsDue, itemsOf } from '../../../src/windows/checklist.ts'
import { drawNotices } from '../../../src/windows/render/window.ts'
import { overtakenIn, type NoticeDigest } from '../../../src/windows/notices/notice-digest.ts'
import { noticesDue } from '../../../src/windows/jobs/notify.ts'
import { windowById, windowEventsOf } from '../../../src/windows/store.ts'
import { storeNow } from '../../../src/store/now.ts'
import { scheduleWindow } from '../../../src/windows/schedule/schedule.ts'
import { createStore } from '../../helpers/postgres.ts'
import { setClock } from '../../helpers/windows.ts'

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
  const [channelPosts] = await db.query<{ counted: number; posts: number }>(
    `select (select sum((data->>'count')::int) from lockkeeper.bulletin)::int as counted,
       (select coalesce(sum(jsonb_array_length(data->'channels')), 0) from lockkeeper.maintenance_event)::int as posts`,
  )
  expect((channelPosts?.counted ?? 0) + (channelPosts?.posts ?? 0)).toBe(40)
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

test('whoever is named for a window with two crowded channels is told once, by one of the lists', async () => {
  const start = (await storeNow(db)) + 2 * HOUR_MS
  const both: [Target, Target] = [{ ...one, windows: { ...one.windows, people: ['user:U0DAVE'] } }, two]
  for (let index = 0; index < 4; index++)
    await db.transaction((tx) =>
      scheduleWindow(
        tx,
        { startsAt: start + index, endsAt: start + HOUR_MS, reason: 'both', work: null, owner: 'U0ALICE', ownerHuman: 'U0ALICE' },
        both,
      ),
    )
  await setClock(db, '2026-12-01T01:00:10Z')
  const known = new Map(both.map((target) => [target.name, target] as const))
  await actOnDue(db, [noticesDue({ db, targets: known })])
  expect(
    await db.query(`select channel, (data->>'count')::int as count, data->'people' as people from lockkeeper.bulletin order by channel`),
  ).toEqual([
    { channel: 'C0ONE', count: 4, people: ['U0DAVE'] },
    { channel: 'C0TWO', count: 4, people: [] },
  ])
  expect(await db.query(`select distinct data->'people' as people from lockkeeper.maintenance_event where kind = 'notice'`)).toEqual([
    { people: [] },
  ])
})

test('a list that waited says which of its windows have changed since', async () => {
  const start = (await storeNow(db)) + 2 * HOUR_MS
  for (let index = 0; index < 4; index++) await plan(one, start)
  await setClock(db, '2026-12-01T01:00:10Z')
  await act()
  await db.query(`update lockkeeper.maintenance set state = 'cancelled' where id = 2`)
  await db.query(`update lockkeeper.maintenance set plan_no = 2 where id = 3`)
  const [row] = await db.query<{ data: NoticeDigest }>('select data from lockkeeper.bulletin')
  const overtaken = row === undefined ? new Set<number>() : await overtakenIn(db, row.data)
  expect([...overtaken].toSorted((a, b) => a - b)).toEqual([2, 3])
  const { message } = drawNotices({ data: row?.data }, { titleOf: (name) => name, command: '/maintenance' }, overtaken)
  expect(JSON.stringify(message.blocks)).toContain('one · _changed since_ · `/maintenance show 2`')
  expect(JSON.stringify(message.blocks).match(/starts in 1 h/g)).toHaveLength(2)
})

test('an announcement that waits to be ticked off keeps its place when the next notice comes, and new ones come behind it', async () => {
  const start = (await storeNow(db)) + 2 * HOUR_MS
  for (let index = 0; index < 6; index++) await plan(one, start)
  await db.query(`update lockkeeper.maintenance set draw_after = 'infinity', drawn_revision = revision`)
  const places = async () =>
    (await db.query<{ at: Date }>('select draw_after as at from lockkeeper.maintenance order by id')).map(({ at }) => at.getTime())
  await setClock(db, '2026-12-01T01:00:10Z')
  await act()
  const first = await places()
  expect(first.slice(1).map((at, index) => Math.round((at - (first[index] ?? 0)) / 100))).toEqual([15, 15, 15, 15, 15])
  await setClock(db, '2026-12-01T01:58:31Z')
  await act()
  expect(await places()).toEqual(first)
})

test('an item for the window or after it is ticked by a run of each target that began in it, also after its end', async () => {
  const checklist = { ...one.windows.checklist, 'T+2h': [{ text: 'Health green', knows: 'health' as const }] }
  const both: [Target, Target] = [{ ...one, windows: { ...one.windows, checklist } }, two]
  const startsAt = (await storeNow(db)) + HOUR_MS
  const row = await db.transaction((tx) =>
    scheduleWindow(tx, { startsAt, endsAt: startsAt + HOUR_MS, reason: 'r', work: null, owner: 'U0ALICE', ownerHuman: 'U0ALICE' }, both),
  )
  const id = row?.id ?? 0
  const ran = (target: string, token: string) =>
    db.query(
      `with run as (
         insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state, started_at)
         values ($2, $1, 'U0ALICE', 'U0ALICE', 'C0ONE', '{}', 'succeeded', lockkeeper.now()) returning id)
       insert into lockkeeper.step (request_id, ordinal, name, title, state) select id, 1, 'health', 'Health', 'done' from run`,
      [target, token],
    )
  const done = async () => (await itemsOf(db, [id])).filter(({ phase }) => phase === 'T+2h').map(({ doneBy }) => doneBy)
  await ran('one', 'r_before')
  await ran('two', 'r_before_2')
  await act()
  expect(await done()).toEqual([null])
  await setClock(db, '2026-12-01T01:00:10Z')
  await act()
  await ran('one', 'r_in')
  await setClock(db, '2026-12-01T02:00:10Z')
  await act()
  expect([(await windowById(db, id))?.state, await done()]).toEqual(['completed', [null]])
  await ran('two', 'r_after')
  await act()
  expect(await done()).toEqual(['lockkeeper'])
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
