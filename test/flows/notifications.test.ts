import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import ICAL from 'ical.js'
import { Webhook } from 'standardwebhooks'
import { CHANNEL, freePort, readAloud, startFlow, steady, type Flow } from '../helpers/flow.ts'
import { smtpServer, webhookReceiver, type Post } from '../helpers/receivers.ts'
import { until } from '../helpers/until.ts'
import { passTo, setClock, settled } from '../helpers/windows.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const SECRET = `whsec_${Buffer.from('a secret of twenty-four!').toString('base64')}`

let flow: Flow
let mail: Awaited<ReturnType<typeof smtpServer>>
let status: Awaited<ReturnType<typeof webhookReceiver>>
let pager: Awaited<ReturnType<typeof webhookReceiver>>
let calendarPort: number

beforeAll(async () => {
  ;[mail, status, pager, calendarPort] = await Promise.all([smtpServer(), webhookReceiver(), webhookReceiver(), freePort()])
  flow = await startFlow({
    pending: 1,
    target: () => ({
      timezone: 'America/New_York',
      windows: {
        notices: ['1h'],
        during: '1h',
        mail: ['ops@example.com'],
        webhooks: [{ url: 'env:STATUS_URL', secret: 'env:STATUS_SECRET' }],
      },
      deploy: [{ name: 'Break', run: ['false'] }],
    }),
    targets: { sick: { pending: 0, target: ({ healthUrl }) => ({ health: [{ http: healthUrl, within: '1s' }] }) } },
    settings: {
      mail: { url: 'env:MAIL_URL', from: 'Lockkeeper <lockkeeper@shop.example>' },
      calendar: { port: calendarPort, token: 'env:CALENDAR_TOKEN' },
      oncall: { webhook: 'env:PAGER_URL', secret: 'env:STATUS_SECRET', people: ['user:U0CAROL'] },
    },
    env: () => ({
      MAIL_URL: `smtp://127.0.0.1:${mail.port}`,
      STATUS_URL: status.url,
      STATUS_SECRET: SECRET,
      CALENDAR_TOKEN: 'feed-token',
      PAGER_URL: pager.url,
    }),
  })
  await setClock(flow.store, '2026-12-06T12:00:00Z')
})
afterAll(async () => {
  await flow?.close()
  await Promise.all([mail.close(), status.close(), pager.close()])
})

/** What an independent implementation of the specification takes it for. */
const verified = ({ headers, body }: Post) =>
  new Webhook(SECRET).verify(body, {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  }) as { readonly type: string; readonly data: Readonly<Record<string, unknown>> }

async function calendar() {
  const response = await fetch(`http://127.0.0.1:${calendarPort}/calendar.ics?token=feed-token`)
  const parsed = new ICAL.Component(ICAL.parse(await response.text()) as unknown[])
  return parsed.getAllSubcomponents('vevent').map((component) => {
    const event = new ICAL.Event(component)
    return {
      uid: event.uid,
      summary: event.summary,
      start: event.startDate.toJSDate().toISOString(),
      sequence: event.sequence,
      status: component.getFirstPropertyValue('status'),
    }
  })
}

const subjects = () => mail.received.map(({ headers }) => headers.get('Subject'))
const told = () => status.received.map((post) => verified(post).type)

test('a window is told by mail, by signed webhook and in the calendar: planned, moved, begun and over', async () => {
  await flow.answer('/maintenance schedule prod "2026-12-08 02:00" 2h "drop legacy columns"')
  await settled(flow.store)
  await until('the plan is told', () => subjects().length === 1 && told().length === 1)
  const [planned] = await calendar()
  expect(planned).toMatchObject({ summary: 'Maintenance: Production', start: '2026-12-08T07:00:00.000Z', status: 'CONFIRMED' })
  expect(verified(status.received[0] as Post).data).toMatchObject({
    window: 1,
    plan: 1,
    targets: ['prod'],
    startsAt: '2026-12-08T07:00:00.000Z',
    endsAt: '2026-12-08T09:00:00.000Z',
    timezone: 'America/New_York',
    reason: 'drop legacy columns',
  })

  await flow.answer('/maintenance reschedule 1 "2026-12-09 03:00"')
  await settled(flow.store)
  await until('the move is told', () => subjects().length === 2 && told().length === 2)
  const [moved] = await calendar()
  expect(moved).toMatchObject({ uid: planned?.uid, start: '2026-12-09T08:00:00.000Z' })
  expect(moved?.sequence).toBeGreaterThan(planned?.sequence ?? Infinity)

  await passTo(flow, '2026-12-09T07:00:01Z')
  await until('the hour before is told', () => subjects().length === 3 && told().length === 3)
  await passTo(flow, '2026-12-09T08:00:01Z')
  await until('the beginning is told', () => subjects().length === 4 && told().length === 4)
  await passTo(flow, '2026-12-09T10:00:01Z')
  await until('the end is told', () => subjects().length === 5 && told().length === 5)
  expect(subjects()).toEqual([
    'Maintenance of Production is planned',
    'Maintenance of Production has another time',
    'Maintenance of Production in 1 h',
    'Maintenance of Production begins',
    'Maintenance of Production has ended',
  ])
  expect(told()).toEqual([
    'maintenance.scheduled',
    'maintenance.rescheduled',
    'maintenance.reminder',
    'maintenance.started',
    'maintenance.ended',
  ])
})

test('a cancelled window says so everywhere, once', async () => {
  const before = subjects().length
  await flow.answer('/maintenance schedule prod "2026-12-15 02:00" 1h "rebuild an index"')
  await settled(flow.store)
  await until('the plan is told', () => subjects().length === before + 1 && told().length === before + 1)
  await flow.answer('/maintenance cancel 2 "not ready"')
  await settled(flow.store)
  await until('the end of it is told', () => subjects().length === before + 2 && told().length === before + 2)
  expect(subjects().at(-1)).toBe('Maintenance of Production is cancelled')
  expect(mail.received.at(-1)?.body).toContain('Note:   not ready')
  expect((await calendar()).find(({ start }) => start === '2026-12-15T07:00:00.000Z')?.status).toBe('CANCELLED')
})

test('the feed is nothing for whoever does not know its token', async () => {
  const response = await fetch(`http://127.0.0.1:${calendarPort}/calendar.ics?token=wrong`)
  expect([response.status, await response.text()]).toEqual([404, 'There is nothing here.\n'])
})

test('on-call is paged when a run fails, again after ten minutes, and no more once somebody has acknowledged', async () => {
  const request = await flow.ask('deploy prod')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'failed')
  await until('on-call is paged', () => pager.received.length === 1)
  expect(verified(pager.received[0] as Post)).toMatchObject({
    type: 'page',
    data: { request: request.id, target: 'prod', reason: 'failed', count: 1, acknowledge: `/migrate ack ${request.id}` },
  })
  const direct = () =>
    flow.slack
      .directMessages('U0CAROL')
      .map((message) => steady(readAloud(message), flow.directory))
      .filter((text) => text.includes('paged'))
  await until('and told', () => direct().length === 1)
  await flow.store.query(`update lockkeeper.store set clock_offset = clock_offset + interval '10 minutes'`)
  await until('again', () => pager.received.length === 2)
  const post = await until('there is a button', () =>
    flow.slack.messages(CHANNEL).find((message) => JSON.stringify(message.blocks).includes('"acknowledge"')),
  )
  await flow.slack.as('U0CAROL').click({ channel: CHANNEL, ts: post.ts }, 'acknowledge')
  await until('it is acknowledged', async () => {
    const [page] = await flow.store.query<{ by: string | null }>('select acknowledged_by as by from lockkeeper.page')
    return page?.by === 'U0CAROL'
  })
  await until('whoever was paged hears it', () => pager.received.length === 3)
  expect(verified(pager.received[2] as Post).type).toMatch(/^page\./)
  await flow.store.query(`update lockkeeper.store set clock_offset = clock_offset + interval '1 hour'`)
  expect(await flow.answer(`ack ${request.id}`)).toContain('acknowledged')
  await settled(flow.store)
  expect(pager.received).toHaveLength(3)
})

test('lost health pages too, and is acknowledged by a command in any channel', async () => {
  const before = pager.received.length
  flow.behind('sick').health.status = 503
  const request = await flow.ask('deploy sick')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'failed')
  const page = await until('on-call is paged', () => pager.received[before])
  expect(verified(page)).toMatchObject({ type: 'page', data: { request: request.id, target: 'sick', reason: 'health_lost', count: 1 } })
  expect(await flow.answer(`ack ${request.id}`, 'U0CAROL')).toMatchInlineSnapshot(
    `"You have acknowledged the page about #2, and the record names you. Nobody is paged any more."`,
  )
  const end = await until('whoever was paged hears it', () => pager.received[before + 1])
  expect(verified(end)).toMatchObject({ type: 'page.acknowledged', data: { request: request.id } })
  expect(await flow.answer(`ack ${request.id}`, 'U0BOB')).toMatchInlineSnapshot(
    `"<@U0CAROL> acknowledged the page about #2 {time} already. Nobody is paged any more."`,
  )
})
