import { request } from 'node:http'
import ICAL from 'ical.js'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { storeId } from '../../../src/audit/health.ts'
import { createLog } from '../../../src/lib/log.ts'
import { serveCalendar } from '../../../src/windows/feed/feed.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { createStore } from '../../helpers/postgres.ts'
import { configWith } from '../../notifications/config.ts'

let store: Awaited<ReturnType<typeof createStore>>
const closes: (() => Promise<void>)[] = []
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(() => store.db.query('truncate lockkeeper.maintenance restart identity cascade'))
afterEach(async () => {
  for (const close of closes.splice(0)) await close()
})

async function feed(calendar: Readonly<Record<string, unknown>> = { token: 'env:TOKEN' }) {
  const { config, close } = configWith({ calendar: { port: 0, ...calendar } }, { TOKEN: 'feed-token' })
  closes.push(async () => close())
  const log = createLog(createRedactor([]), 'error')
  const served = await serveCalendar({ db: store.db, config, env: {}, log })
  if (served === null) throw new Error('it is not served')
  closes.push(served.close)
  return (path: string, how: { readonly method?: string; readonly headers?: Record<string, string> } = {}) =>
    new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve, reject) => {
      const asked = request({ ...served.address, path, agent: false, ...how }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8'), headers: response.headers }),
        )
      })
      asked.on('error', reject)
      asked.end()
    })
}

/** Hours from now, whole seconds. */
const window = (inHours: number, over: Readonly<Record<string, unknown>> = {}) => {
  const row = { targets: ['prod'], reason: 'drop legacy columns', work: null, state: 'scheduled', plan: 1, zone: 'UTC', ...over }
  return store.db.query(
    `insert into lockkeeper.maintenance (token, targets, starts_at, ends_at, timezone, reason, work, owner, owner_human, channels, state, plan_no)
     select gen_random_uuid(), $1, s, s + interval '2 hours', $2, $3, $4, 'U0ALICE', 'U0ALICE', '{C0DEPLOYS}', $5, $6
     from (select date_trunc('second', lockkeeper.now()) + $7 * interval '1 hour' as s) as t`,
    [row.targets, row.zone, row.reason, row.work, row.state, row.plan, inHours],
  )
}

/** As an independent parser reads it. */
function eventsOf(text: string) {
  const calendar = new ICAL.Component(ICAL.parse(text) as unknown[])
  return calendar.getAllSubcomponents('vevent').map((component) => {
    const event = new ICAL.Event(component)
    return {
      uid: event.uid,
      summary: event.summary,
      description: event.description,
      sequence: event.sequence,
      status: component.getFirstPropertyValue('status'),
      start: event.startDate.toJSDate(),
      end: event.endDate.toJSDate(),
      changed: component.getFirstPropertyValue('last-modified'),
    }
  })
}

test('an independent parser reads the windows back, at their times and with what people wrote', async () => {
  const ask = await feed()
  const reason = 'drop; "legacy", columns\\n\r\nBEGIN:VEVENT\nEND:VCALENDAR \u202eünï 🚂 '.repeat(8)
  await window(30, { reason, zone: 'America/New_York', work: 'two migrations', plan: 3 })
  await window(-100 * 24)
  await window(54, { targets: ['staging', 'prod'], state: 'cancelled', plan: 2 })
  await window(78, { targets: ['staging'] })
  const [stored] = await store.db.query<{ s: Date; e: Date }>(
    'select starts_at as s, ends_at as e from lockkeeper.maintenance where id = 1',
  )
  const { status, text, headers } = await ask('/calendar.ics?token=feed-token')
  expect([status, headers['content-type']]).toEqual([200, 'text/calendar; charset=utf-8'])
  const events = eventsOf(text)
  const id = await storeId(store.db)
  expect(events.map(({ uid, sequence, status, summary }) => [uid, sequence, status, summary])).toEqual([
    [`window-1@${id}.lockkeeper`, 3, 'CONFIRMED', 'Maintenance: Production'],
    [`window-3@${id}.lockkeeper`, 3, 'CANCELLED', 'Maintenance: staging, Production'],
    [`window-4@${id}.lockkeeper`, 1, 'CONFIRMED', 'Maintenance: staging'],
  ])
  expect([events[0]?.start, events[0]?.end]).toEqual([stored?.s, stored?.e])
  expect(events[0]?.description).toBe(
    `Why: ${'drop; "legacy", columns\\n BEGIN:VEVENT END:VCALENDAR ünï 🚂 '.repeat(8).trim()}\nWhat runs: two migrations\nWindow 1, planned in America/New_York`,
  )
  const longest = Math.max(...text.split('\r\n').map((line) => Buffer.byteLength(line)))
  expect(longest).toBeLessThanOrEqual(75)
})

test('a target has a feed of its own', async () => {
  const ask = await feed()
  await window(30)
  await window(54, { targets: ['staging'] })
  const uids = async (path: string) => eventsOf((await ask(`${path}?token=feed-token`)).text).map(({ summary }) => summary)
  expect(await uids('/calendar/staging.ics')).toEqual(['Maintenance: staging'])
  expect(await uids('/calendar/prod.ics')).toEqual(['Maintenance: Production'])
  expect((await ask('/calendar/other.ics?token=feed-token')).status).toBe(404)
})

test('a change is told by SEQUENCE and LAST-MODIFIED, and what did not change by its ETag', async () => {
  const ask = await feed({})
  await window(30)
  const first = await ask('/calendar.ics')
  const again = await ask('/calendar.ics', { headers: { 'if-none-match': `W/"x", ${String(first.headers['etag'])}` } })
  expect([again.status, again.text, again.headers['etag']]).toEqual([304, '', first.headers['etag']])
  await store.db.query(`update lockkeeper.maintenance set plan_no = 2, starts_at = starts_at + interval '30 minutes'`)
  await store.db.query(
    `insert into lockkeeper.maintenance_event (maintenance_id, kind, at) values (1, 'rescheduled', lockkeeper.now() + interval '5 s')`,
  )
  const moved = await ask('/calendar.ics', { headers: { 'if-none-match': String(first.headers['etag']) } })
  expect(moved.status).toBe(200)
  const [before, after] = [eventsOf(first.text)[0], eventsOf(moved.text)[0]]
  expect(after?.uid).toBe(before?.uid)
  expect([before?.sequence, after?.sequence]).toEqual([1, 2])
  expect(String(after?.changed) > String(before?.changed)).toBe(true)
})

test('whoever does not know the token learns nothing, and nobody writes', async () => {
  const ask = await feed()
  const nothing = { status: 404, text: 'There is nothing here.\n' }
  for (const path of [
    '/calendar.ics',
    '/calendar.ics?token=',
    '/calendar.ics?token=feed-tokem',
    '/calendar/prod.ics?token=x',
    '/',
    '//',
    '/%00',
  ])
    expect(await ask(path)).toMatchObject(nothing)
  expect(await ask('/calendar.ics?token=feed-token', { method: 'POST' })).toMatchObject({ status: 405, text: 'This is only read.\n' })
  expect(await ask('/calendar.ics?token=feed-token', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
})

test('a port that is taken is said before anything starts', async () => {
  const { config, close } = configWith({ calendar: { port: 0 } }, {})
  closes.push(async () => close())
  const log = createLog(createRedactor([]), 'error')
  const first = await serveCalendar({ db: store.db, config, env: {}, log })
  closes.push(first!.close)
  const { port } = first!.address
  await expect(serveCalendar({ db: store.db, config, env: { CALENDAR_PORT: String(port) }, log })).rejects.toThrow(
    `Port ${port} on 127.0.0.1 cannot be used for the calendar: another program listens there, perhaps another Lockkeeper. Set another as calendar.port in lockkeeper.yaml, or for this process alone as CALENDAR_PORT (0: any free one, off: none).`,
  )
  expect(await serveCalendar({ db: store.db, config, env: { CALENDAR_PORT: 'off' }, log })).toBeNull()
})
