import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { openStore, type Db } from '../../../src/store/pool.ts'
import { actOnDue } from '../../../src/store/due.ts'
import { createLog, type Log } from '../../../src/lib/log.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { refuse } from '../../../src/lib/refusal.ts'
import { createCronJobs, type Act, type Job, type CronJobs } from '../../../src/windows/jobs/cron-jobs.ts'
import { insertWindow, listWindows } from '../../../src/windows/store.ts'
import { occurrenceMessage, recurringJob, type OccurrenceNews, type WriteDown } from '../../../src/windows/jobs/recurring.ts'
import { weekMessage, type WeekNews } from '../../../src/windows/render/week.ts'
import { weekJob } from '../../../src/windows/jobs/week.ts'
import { createStore } from '../../helpers/postgres.ts'
import { until } from '../../helpers/until.ts'
import { configWith } from '../../notifications/config.ts'

let store: Awaited<ReturnType<typeof createStore>>
let other: Db
const started: CronJobs[] = []
const log: Log = createLog(createRedactor([]), 'silent')

beforeEach(async () => {
  store = await createStore()
  other = openStore(store.url, () => {})
})

afterEach(async () => {
  vi.useRealTimers()
  for (const cronJobs of started.splice(0)) await cronJobs.stop()
  await other.close()
  await store.close()
})

const HOUR = 3_600_000

/** Sets the store's clock. */
const setClock = (at: number) =>
  store.db.query(`update lockkeeper.store set clock_offset = to_timestamp($1::float8 / 1000) - clock_timestamp()`, [at])

function cronJobsOf(db: Db, jobs: readonly Job[]): CronJobs {
  const cronJobs = createCronJobs({ db, log }, jobs)
  started.push(cronJobs)
  return cronJobs
}

const nextAt = async (name: string) =>
  (await store.db.query<{ at: Date }>('select next_at as at from lockkeeper.rota where name = $1', [name]))[0]?.at.toISOString()

/** Monday, 09:00 in New York. */
const monday = Date.UTC(2026, 10, 30, 14)

/** Something that leaves a row, at 09:00 on Mondays. */
const noting = (name: string, act: Act = async () => {}): Job & { readonly done: number[] } => {
  const done: number[] = []
  return {
    name,
    cron: '0 9 * * Mon',
    timezone: 'America/New_York',
    done,
    async act(tx, times) {
      await act(tx, times)
      done.push(times.at)
    },
  }
}

test('node-cron wakes two replicas at the same moment, and the store lets one of them do it', async () => {
  await setClock(monday - 1_000)
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: monday - 1_000 })
  const asked: string[] = []
  const job = noting('digest')
  for (const [name, db] of [
    ['one', store.db],
    ['two', other],
  ] as const)
    await cronJobsOf(
      {
        ...db,
        query: async (sql, values) => {
          const rows = await db.query(sql, values)
          if (sql.includes('set lease')) asked.push(`${name} ${rows.length}`)
          return rows as never
        },
      },
      [job],
    ).start()
  expect(await nextAt('digest')).toBe('2026-11-30T14:00:00.000Z')
  await setClock(monday)
  await vi.advanceTimersByTimeAsync(1_200)
  vi.useRealTimers()
  await until('both were asked', () => asked.length === 2)
  await until('it was done', () => job.done.length > 0)
  expect(job.done).toEqual([monday])
  expect(asked.map((line) => line.slice(4)).toSorted()).toEqual(['0', '1'])
  expect(await nextAt('digest')).toBe('2026-12-07T14:00:00.000Z')
})

test('what nobody did at its time is done a minute later, by one of the replicas that look', async () => {
  await setClock(monday - HOUR)
  const job = noting('digest')
  const [one, two] = [cronJobsOf(store.db, [job]), cronJobsOf(other, [job])]
  await one.start()
  await two.start()
  await setClock(monday + 59_000)
  await actOnDue(store.db, [one.due])
  expect(job.done).toEqual([])
  await setClock(monday + 61_000)
  await Promise.all([actOnDue(store.db, [one.due]), actOnDue(other, [two.due])])
  expect(job.done).toEqual([monday])
  await Promise.all([actOnDue(store.db, [one.due]), actOnDue(other, [two.due])])
  expect(job.done).toEqual([monday])
})

test('what fails stays due, and what is missed for weeks is done once', async () => {
  await setClock(monday - HOUR)
  const faults = [new Error('the disk is full')]
  const job = noting('digest', async () => {
    const fault = faults.pop()
    if (fault !== undefined) throw fault
  })
  const cronJobs = cronJobsOf(store.db, [job])
  await cronJobs.start()
  await setClock(monday + 21 * 24 * HOUR)
  await expect(actOnDue(store.db, [cronJobs.due])).rejects.toThrow('cron jobs: the disk is full')
  await actOnDue(store.db, [cronJobs.due])
  await actOnDue(store.db, [cronJobs.due])
  expect(job.done).toEqual([monday])
  expect(await nextAt('digest')).toBe('2026-12-28T14:00:00.000Z')
})

test('a restart keeps what is still to be done, and another expression counts from then on', async () => {
  await setClock(monday - HOUR)
  const job = noting('digest')
  await cronJobsOf(store.db, [job]).start()
  await setClock(monday + HOUR)
  await cronJobsOf(store.db, [job]).start()
  expect(await nextAt('digest')).toBe('2026-11-30T14:00:00.000Z')
  await cronJobsOf(store.db, [{ ...job, timezone: 'UTC' }]).start()
  expect(await nextAt('digest')).toBe('2026-12-07T09:00:00.000Z')
})

const rule = { name: 'releases', cron: '0 2 * * Tue', length: '2h', reason: 'Releases of the week', ahead: '14d' }

function configure(rest: object = {}, windows: object = { recurring: [rule], manage: ['group:S0OPS', 'user:U0OWNER'] }): Config {
  const { config, close } = configWith(rest as Readonly<Record<string, unknown>>, {}, { prod: { timezone: 'America/New_York', windows } })
  close()
  return config
}

const writeDown: WriteDown = (tx, window, target) =>
  insertWindow(tx, { ...window, targets: [target.name], channels: [target.channel], timezone: target.timezone })

const audit = () => store.db.query('select act, target, result, data from lockkeeper.audit order by id')

test('recurring windows are written down two weeks ahead, once, with any number of replicas', async () => {
  await setClock(monday)
  const config = configure()
  const all = [store.db, other].map((db) => cronJobsOf(db, [recurringJob(config, writeDown)]))
  const look = async () => {
    await Promise.all(all.map((cronJobs, index) => actOnDue(index === 0 ? store.db : other, [cronJobs.due])))
    const windows = await listWindows(store.db, { limit: 10 })
    return windows.map(({ name, targets, startsAt, endsAt, timezone, owner, reason }) =>
      [name, ...targets, startsAt.toISOString(), endsAt.toISOString(), timezone, owner, reason].join(' '),
    )
  }
  await Promise.all(all.map((cronJobs) => cronJobs.start()))
  const first = [
    'releases prod 2026-12-01T07:00:00.000Z 2026-12-01T09:00:00.000Z America/New_York U0OWNER Releases of the week',
    'releases prod 2026-12-08T07:00:00.000Z 2026-12-08T09:00:00.000Z America/New_York U0OWNER Releases of the week',
  ]
  expect(await look()).toEqual(first)
  // a restart looks again, and finds them; so does a cancelled one stay cancelled
  await store.db.query(`update lockkeeper.maintenance set state = 'cancelled' where id = 1`)
  await all[0]?.start()
  expect(await look()).toEqual(first)
  await setClock(Date.UTC(2026, 11, 1, 6, 2))
  expect(await look()).toEqual([
    ...first,
    'releases prod 2026-12-15T07:00:00.000Z 2026-12-15T09:00:00.000Z America/New_York U0OWNER Releases of the week',
  ])
  expect(await audit()).toEqual(
    ['2026-12-01', '2026-12-08', '2026-12-15'].map((day, index) => ({
      act: 'schedule',
      target: 'prod',
      result: 'scheduled',
      data: { window: index + 1, occurrence: `prod:releases:${day}T07:00:00.000Z` },
    })),
  )
})

test('an occurrence that something is in the way of is told once and tried until it fits', async () => {
  await setClock(monday)
  let isFrozen = true
  const config = configure({}, { recurring: [{ ...rule, ahead: '2d' }] })
  const cronJobs = cronJobsOf(store.db, [
    recurringJob(config, async (tx, window, target) => (isFrozen ? refuse('frozen', 'Frozen then.') : writeDown(tx, window, target))),
  ])
  for (let starts = 0; starts < 2; starts++) {
    await cronJobs.start()
    await actOnDue(store.db, [cronJobs.due])
  }
  const refused = {
    act: 'schedule',
    target: 'prod',
    result: 'frozen',
    data: { text: 'Frozen then.', occurrence: 'prod:releases:2026-12-01T07:00:00.000Z' },
  }
  expect(await audit()).toEqual([refused])
  const [told, ...more] = await store.db.query<{ channel: string; kind: string; data: OccurrenceNews }>(
    'select channel, kind, data from lockkeeper.bulletin',
  )
  expect([told?.channel, told?.kind, more]).toEqual(['C0DEPLOYS', 'occurrence', []])
  expect(told === undefined ? '' : occurrenceMessage(told.data).text).toMatchInlineSnapshot(
    `"The recurring window \`releases\` of Production is not planned for <!date^1796108400^{date_short_pretty} {time}|Tue 1 Dec 2026 02:00 America/New_York> to <!date^1796115600^{time}|Tue 1 Dec 2026 04:00 America/New_York> (Tue 1 Dec 02:00 to 04:00 America/New_York). Frozen then. It is tried again each hour."`,
  )
  isFrozen = false
  await setClock(monday + HOUR + 61_000)
  await actOnDue(store.db, [cronJobs.due])
  expect(await audit()).toMatchObject([refused, { result: 'scheduled' }])
  expect(await listWindows(store.db, { limit: 10 })).toMatchObject([{ owner: 'lockkeeper', state: 'scheduled' }])
})

const weekly = (config: Config) => {
  const { digest } = config.file
  if (digest === undefined) throw new Error('no digest is configured')
  return weekJob(digest, config, async () => [
    { id: 1, kind: 'lock', targets: ['staging'], reason: 'Replica is <rebuilt>', setBy: 'U1', from: new Date(monday - HOUR), until: null },
  ])
}

const channelPosts = () =>
  store.db.query<{ channel: string; kind: string; data: WeekNews }>('select channel, kind, data from lockkeeper.bulletin')

test('the digest of the week lists its windows and freezes, once', async () => {
  await setClock(monday - HOUR)
  const config = configure({
    digest: { channel: 'C0TEAM', timezone: 'America/New_York' },
    freezes: [
      {
        name: 'Stocktaking',
        reason: 'Counting',
        from: '2026-12-04 17:00',
        until: '2026-12-06',
        timezone: 'America/New_York',
        targets: ['prod'],
      },
    ],
  })
  const all = [store.db, other].map((db) => cronJobsOf(db, [weekly(config)]))
  await Promise.all(all.map((cronJobs) => cronJobs.start()))
  const window = {
    name: null,
    targets: ['prod'],
    timezone: 'America/New_York',
    reason: 'Drop <!channel> columns',
    work: null,
    owner: 'U0OWNER',
    ownerHuman: 'U0OWNER',
    channels: ['C0DEPLOYS'],
  }
  await insertWindow(store.db, { ...window, startsAt: monday + 17 * HOUR, endsAt: monday + 19 * HOUR })
  await insertWindow(store.db, { ...window, startsAt: monday + 8 * 24 * HOUR, endsAt: monday + 8 * 24 * HOUR + HOUR })
  await setClock(monday + 61_000)
  await Promise.all(all.map((cronJobs, index) => actOnDue(index === 0 ? store.db : other, [cronJobs.due])))
  const posted = await channelPosts()
  expect(posted).toMatchObject([{ channel: 'C0TEAM', kind: 'week' }])
  const news = posted[0]!.data
  expect(weekMessage({ ...news, from: monday, to: monday + 7 * 24 * HOUR }, '/maintenance')).toEqual({
    text: 'Maintenance this week: 1 window, 2 freezes',
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: 'Maintenance this week', emoji: false } },
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: '• *Production* #1, <!date^1796108400^{date_short_pretty} {time}|Tue 1 Dec 2026 02:00 America/New_York> to <!date^1796115600^{time}|Tue 1 Dec 2026 04:00 America/New_York> (Tue 1 Dec 02:00 to 04:00 America/New_York) · Drop &lt;!channel&gt; columns · <@U0OWNER>',
        },
      },
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: [
            '*Nothing starts*',
            '• staging, from <!date^1796043600^{date_short_pretty} {time}|Mon 30 Nov 2026 08:00 America/New_York> (Mon 30 Nov 08:00 America/New_York) until somebody lifts it · lock “Replica is &lt;rebuilt&gt;”',
            '• Production, <!date^1796421600^{date_short_pretty} {time}|Fri 4 Dec 2026 17:00 America/New_York> to <!date^1796533200^{date_short_pretty} {time}|Sun 6 Dec 2026 00:00 America/New_York> (Fri 4 Dec 17:00 to Sun 6 Dec 00:00 America/New_York) · freeze “Stocktaking”',
          ].join('\n'),
        },
      },
      {
        type: 'context',
        elements: [
          { type: 'mrkdwn', text: 'Mon 30 Nov 09:00 to Mon 7 Dec 09:00 America/New_York · what changes after that: `/maintenance list`' },
        ],
      },
    ],
  })
  expect(await audit()).toEqual([{ act: 'digest', target: null, result: 'posted', data: { windows: 1, freezes: 2 } }])
})

test('a digest that is a day late is recorded as missed and not posted, and an empty week says so', async () => {
  await setClock(monday - HOUR)
  const config = configure({ digest: { channel: 'C0TEAM', timezone: 'America/New_York' } })
  const cronJobs = cronJobsOf(store.db, [weekly(config)])
  await cronJobs.start()
  await setClock(monday + 25 * HOUR)
  await actOnDue(store.db, [cronJobs.due])
  expect(await channelPosts()).toEqual([])
  expect(await audit()).toEqual([{ act: 'digest', target: null, result: 'missed', data: { at: '2026-11-30T14:00:00.000Z' } }])
  const empty = weekMessage({ from: monday, to: monday + HOUR, zone: 'UTC', windows: [], freezes: [] }, '/maintenance')
  expect(empty.text).toBe('Maintenance this week: 0 windows, 0 freezes')
  expect(JSON.stringify(empty.blocks)).toContain('No maintenance window is planned.')
})

test('a week with more than fits says how many are left out', () => {
  const one = {
    id: 1,
    titles: ['Production'],
    span: { from: monday, to: monday + HOUR },
    zone: 'UTC',
    reason: 'x'.repeat(300),
    owner: 'U1',
    isOpen: true,
  }
  const frozen = { kind: 'freeze' as const, name: 'Quarter end', titles: null, from: monday, to: monday + HOUR }
  const message = weekMessage(
    {
      from: monday,
      to: monday + HOUR,
      zone: 'UTC',
      windows: Array.from({ length: 15 }, () => one),
      freezes: Array.from({ length: 8 }, () => frozen),
    },
    '/maintenance',
  )
  const text = JSON.stringify(message.blocks)
  expect(text.match(/, open now/g)).toHaveLength(12)
  expect(text).toContain('and 3 more windows')
  expect(text).toContain('• All targets, ')
  expect(text).toContain('and 2 more')
})
