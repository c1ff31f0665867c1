import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actOnDue } from '../../src/store/due.ts'
import { windowsOfRunsDue } from '../../src/request/window-sync.ts'
import { createStore } from '../helpers/postgres.ts'

let store: Awaited<ReturnType<typeof createStore>>
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  await store.db.query('truncate lockkeeper.request, lockkeeper.maintenance restart identity cascade')
  await store.db.query(`update lockkeeper.store set clock_offset = '2026-12-01T00:00:00Z'::timestamptz - clock_timestamp()`)
})

/** Three replicas look at once. */
const look = () => Promise.all([1, 2, 3].map(() => actOnDue(store.db, [windowsOfRunsDue(store.db)])))

const windowAt = (starts: string, ends: string) =>
  store.db.query(
    `insert into lockkeeper.maintenance (token, targets, starts_at, ends_at, timezone, reason, owner, owner_human, channels)
     values ('w', '{prod}', $1, $2, 'UTC', 'r', 'U0ALICE', 'U0ALICE', '{C1}')`,
    [starts, ends],
  )

const request = (state: string, notBefore: string, notAfter: string) =>
  store.db.query(
    `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state, not_before, not_after, maintenance_id, closes_at, grant_expires_at)
     values ('r', 'prod', 'U1', 'U1', 'C1', '{}', $1, $2, $3, 1, $3, $3)`,
    [state, notBefore, notAfter],
  )

async function turn() {
  const [row] = await store.db.query<{ from: Date; to: Date; grant: Date }>(
    'select not_before as from, not_after as to, grant_expires_at as grant from lockkeeper.request',
  )
  return [row?.from.toISOString(), row?.to.toISOString(), row?.grant.toISOString()]
}

const events = async () => (await store.db.query<{ kind: string }>('select kind from lockkeeper.event order by id')).map(({ kind }) => kind)

const change = (starts: string, ends: string, state = 'scheduled') =>
  store.db.query('update lockkeeper.maintenance set starts_at = $1, ends_at = $2, state = $3', [starts, ends, state])

test('a window that is made longer keeps the time that was asked for in it, and the approval lasts as long', async () => {
  await windowAt('2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z')
  await request('granted', '2026-12-01T03:00:00Z', '2026-12-01T04:00:00Z')
  await change('2026-12-01T02:00:00Z', '2026-12-01T05:00:00Z')
  await look()
  expect(await turn()).toEqual(['2026-12-01T03:00:00.000Z', '2026-12-01T05:00:00.000Z', '2026-12-01T05:00:00.000Z'])
  await look()
  expect(await events()).toEqual(['window_moved'])
})

test('a window that is moved takes what waits for it along', async () => {
  await windowAt('2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z')
  await request('granted', '2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z')
  await change('2026-12-02T02:00:00Z', '2026-12-02T04:00:00Z')
  await look()
  expect(await turn()).toEqual(['2026-12-02T02:00:00.000Z', '2026-12-02T04:00:00.000Z', '2026-12-02T04:00:00.000Z'])
})

test('a window that is opened by hand before its time, or moved earlier, starts what waits for its start, and not what has a time in it', async () => {
  await windowAt('2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z')
  await request('granted', '2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z')
  await change('2026-12-01T01:00:00Z', '2026-12-01T04:00:00Z', 'open')
  await look()
  expect((await turn())[0]).toBe('2026-12-01T02:00:00.000Z')
  await store.db.query('update lockkeeper.request set follows_start = true')
  await look()
  expect(await turn()).toEqual(['2026-12-01T01:00:00.000Z', '2026-12-01T04:00:00.000Z', '2026-12-01T04:00:00.000Z'])
  await change('2026-12-01T00:30:00Z', '2026-12-01T02:30:00Z')
  await look()
  await look()
  expect(await turn()).toEqual(['2026-12-01T00:30:00.000Z', '2026-12-01T02:30:00.000Z', '2026-12-01T02:30:00.000Z'])
  expect(await events()).toEqual(['window_moved', 'window_moved'])
})

test.each(['cancelled', 'completed'])('a window that is %s before its turn ends what waited for it', async (state) => {
  await windowAt('2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z')
  await request('granted', '2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z')
  await change('2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z', state)
  await look()
  const [row] = await store.db.query<{ over: boolean }>('select grant_expires_at <= lockkeeper.now() as over from lockkeeper.request')
  expect(row?.over).toBe(true)
})

test('a run that outlasts its window goes on, and that is told once for each end that the window has', async () => {
  await windowAt('2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z')
  await request('running', '2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z')
  await store.db.query(`update lockkeeper.store set clock_offset = clock_offset + interval '4 hours 1 minute'`)
  await look()
  await look()
  expect(await events()).toEqual(['overrun'])
  await change('2026-12-01T02:00:00Z', '2026-12-01T04:30:00Z', 'open')
  await look()
  expect(await events()).toEqual(['overrun'])
  await store.db.query(`update lockkeeper.store set clock_offset = clock_offset + interval '30 minutes'`)
  await look()
  await look()
  expect(await events()).toEqual(['overrun', 'overrun'])
  expect((await store.db.query<{ state: string }>('select state from lockkeeper.request'))[0]?.state).toBe('running')
})
