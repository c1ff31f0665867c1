import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { queueNotifications, subjectOf, textOf, type Announcement } from '../../../src/windows/notices/announce.ts'
import { spanIn } from '../../../src/windows/notices/plain-time.ts'
import type { WindowRow } from '../../../src/windows/window.ts'
import { createStore } from '../../helpers/postgres.ts'
import { configWith } from '../../notifications/config.ts'

let store: Awaited<ReturnType<typeof createStore>>
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(() => store.db.query('truncate lockkeeper.delivery restart identity'))

const { config, close } = configWith(
  { mail: { url: 'env:SMTP', from: 'Lockkeeper <lockkeeper@shop.example>' } },
  { SMTP: 'smtp://127.0.0.1:1', STATUS: 'https://status.example/hook', SECRET: 'signing' },
  {
    prod: { windows: { mail: ['ops@example.com', 'cto@example.com'], webhooks: [{ url: 'env:STATUS', secret: 'env:SECRET' }] } },
    staging: { windows: { mail: ['ops@example.com'] } },
  },
)
afterAll(close)
const targets = [...config.targets.values()]

const window: WindowRow = {
  id: 12,
  token: 'w_1',
  name: null,
  targets: ['prod', 'staging'],
  startsAt: new Date('2026-12-01T07:00:00Z'),
  endsAt: new Date('2026-12-01T09:00:00Z'),
  timezone: 'America/New_York',
  reason: 'drop legacy\ncolumns',
  work: null,
  owner: 'U0ALICE',
  ownerHuman: 'U0ALICE',
  channels: ['C0DEPLOYS'],
  state: 'scheduled',
  standby: null,
  standbyConfirmedAt: null,
  openedAt: null,
  closedAt: null,
  outcome: null,
  planNo: 1,
  createdAt: new Date('2026-11-20T08:00:00Z'),
  revision: 1,
}

const announce = (over: Partial<Announcement> & { readonly row?: Partial<WindowRow> } = {}): Announcement => {
  const { row, ...rest } = over
  return { window: { ...window, ...row }, targets, stage: 'before:86400000', ...rest }
}

const written = () =>
  store.db.query<{ key: string; state: string; payload: { type?: string; data?: unknown; subject?: string; ics?: string } }>(
    'select key, state, payload from lockkeeper.delivery order by id',
  )

describe('what is told of a window outside of Slack', () => {
  test('says what, when in both zones, how long, why and who', () => {
    expect(textOf(announce({ who: 'Alice Adams' }))).toBe(`Maintenance of Production and staging in 1 d.

When:   Tue 1 Dec 2026 02:00 to 04:00 (America/New_York)
        Tue 1 Dec 2026 07:00 to 09:00 (UTC)
Length: 2 h
Why:    drop legacy columns
Who:    Alice Adams

This is window 12, told by Lockkeeper.`)
  })

  test('says at the end what ran', () => {
    const runs = [
      {
        id: 41,
        target: 'prod',
        state: 'succeeded',
        durationMs: 194_000,
        commit: 'abc1234def',
        from: 'fed4321abc',
        subject: 'Drop\nthem',
        migrations: ['1_drop', '2_index'],
      },
      { id: 42, target: 'staging', state: 'failed', durationMs: null, commit: null, from: null, subject: null, migrations: [] },
    ]
    const row = { targets: ['prod'], timezone: 'UTC', work: 'two migrations', outcome: { runs } }
    expect(textOf(announce({ stage: 'end', row }))).toBe(`Maintenance of Production has ended.

When:   Tue 1 Dec 2026 07:00 to 09:00 (UTC)
Length: 2 h
Why:    drop legacy columns
What:   two migrations
Who:    U0ALICE

#41 prod: succeeded in 3 min 14 s, commit abc1234 after fed4321, "Drop them", 2 migrations (1_drop, 2_index)
#42 staging: failed, 0 migrations

This is window 12, told by Lockkeeper.`)
    expect(textOf(announce({ stage: 'end', row: { outcome: { runs: [] } } }))).toContain('\nNothing ran in it.\n')
  })

  test('names each stage', () => {
    const stages = ['scheduled', 'before:90000', 'start', 'end', 'rescheduled', 'cancelled']
    expect(stages.map((stage) => subjectOf(announce({ stage, row: { targets: ['prod'] } })))).toEqual([
      'Maintenance of Production is planned',
      'Maintenance of Production in 1 min 30 s',
      'Maintenance of Production begins',
      'Maintenance of Production has ended',
      'Maintenance of Production has another time',
      'Maintenance of Production is cancelled',
    ])
  })

  test('goes once to each address and each receiver of its targets, with an event for calendars where the plan is new', async () => {
    await queueNotifications(store.db, [announce({ stage: 'scheduled' })])
    await queueNotifications(store.db, [announce({ stage: 'scheduled' })])
    const rows = await written()
    expect(rows.map(({ key }) => key)).toEqual([
      'window:12:1:scheduled:mail:cto@example.com',
      'window:12:1:scheduled:mail:ops@example.com',
      'window:12:1:scheduled:webhook:env:STATUS',
    ])
    expect(rows[0]?.payload.ics).toContain('\r\nSEQUENCE:1\r\n')
    expect(rows[2]?.payload).toEqual({
      type: 'maintenance.scheduled',
      data: {
        window: 12,
        plan: 1,
        title: 'Maintenance of Production and staging',
        targets: ['prod', 'staging'],
        startsAt: '2026-12-01T07:00:00.000Z',
        endsAt: '2026-12-01T09:00:00.000Z',
        timezone: 'America/New_York',
        reason: 'drop legacy\ncolumns',
        work: null,
        note: null,
        startsInMs: null,
        outcome: null,
      },
    })
    expect(JSON.stringify(rows)).not.toMatch(/status\.example|signing/)
  })

  test('the start withdraws reminders that have not gone out yet, and the end everything before it', async () => {
    const stages = async (...of: string[]) => {
      for (const stage of of)
        await queueNotifications(store.db, [announce({ stage, row: { targets: ['staging'] }, targets: targets.slice(1) })])
      return (await written()).map(({ key, state }) => `${key.split(':').slice(3, -2).join(':')} ${state}`)
    }
    expect(await stages('before:86400000', 'before:3600000', 'start')).toEqual([
      'before:86400000 withdrawn',
      'before:3600000 withdrawn',
      'start pending',
    ])
    expect((await stages('end')).slice(2)).toEqual(['start withdrawn', 'end pending'])
  })

  test('a new plan and a cancellation withdraw what has not gone out yet', async () => {
    await queueNotifications(store.db, [announce({ row: { targets: ['staging'] }, targets: targets.slice(1) })])
    await queueNotifications(store.db, [announce({ row: { targets: ['staging'], id: 120 }, targets: targets.slice(1) })])
    await queueNotifications(store.db, [
      announce({ stage: 'cancelled', note: 'not this week', row: { targets: ['staging'], planNo: 2 }, targets: targets.slice(1) }),
    ])
    expect((await written()).map(({ key, state }) => `${key} ${state}`)).toEqual([
      'window:12:1:before:86400000:mail:ops@example.com withdrawn',
      'window:120:1:before:86400000:mail:ops@example.com pending',
      'window:12:2:cancelled:mail:ops@example.com pending',
    ])
    expect((await written())[2]?.payload.ics).toContain('\r\nSTATUS:CANCELLED\r\n')
  })
})

test('a span over midnight, over a change of the clocks and with seconds is said as it is', () => {
  const from = Date.UTC(2026, 9, 25, 0, 30, 30)
  expect(spanIn({ from, to: from + 3 * 3_600_000 }, 'Europe/Berlin')).toBe('Sun 25 Oct 2026 02:30:30 to 04:30:30 (Europe/Berlin)')
  expect(spanIn({ from: from - 3_600_000, to: from }, 'UTC')).toBe('Sat 24 Oct 2026 23:30:30 to Sun 25 Oct 2026 00:30:30 (UTC)')
})
