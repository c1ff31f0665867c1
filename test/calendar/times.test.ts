import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isCronFault, nextOccurrence, occurrences, readCron } from '../../src/calendar/cron.ts'
import { noticesOf } from '../../src/windows/notices/notice-schedule.ts'
import { saySpan, sayTime, sayUnderstood, sayUnderstoodSpan, zoneSpan } from '../../src/calendar/say.ts'
import { onClock, readWall, wallAt } from '../../src/calendar/zone.ts'
import { days, instantIn, zones } from './zones.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NY = 'America/New_York'

test('a time is said in the own zone of whoever reads it, and in that of the target', () => {
  expect(sayTime(Date.UTC(2026, 11, 1, 7), NY)).toBe(
    '<!date^1796108400^{date_short_pretty} {time}|Tue 1 Dec 2026 02:00 America/New_York> (Tue 1 Dec 02:00 America/New_York)',
  )
  expect(saySpan({ from: Date.UTC(2026, 11, 1, 7), to: Date.UTC(2026, 11, 1, 9) }, NY)).toBe(
    '<!date^1796108400^{date_short_pretty} {time}|Tue 1 Dec 2026 02:00 America/New_York> to <!date^1796115600^{time}|Tue 1 Dec 2026 04:00 America/New_York> (Tue 1 Dec 02:00 to 04:00 America/New_York)',
  )
  expect(zoneSpan({ from: Date.UTC(2026, 11, 6, 3), to: Date.UTC(2026, 11, 6, 7) }, NY)).toBe(
    'Sat 5 Dec 22:00 to Sun 6 Dec 02:00 America/New_York',
  )
})

test('what was understood of a typed time is said with its year and how far away it is', () => {
  const now = Date.UTC(2026, 10, 28, 12)
  const plain = (text: string) => text.replace(/<!date[^>]*>/g, '{own}')
  const span = (from: number, to: number) => plain(sayUnderstoodSpan({ from, to }, NY, now))
  expect(plain(sayUnderstood(Date.UTC(2026, 11, 1, 7), NY, now))).toBe('{own} (Tue 1 Dec 2026 02:00 America/New_York, in 2 d 19 h)')
  expect(plain(sayUnderstood(now, NY, now))).toBe('{own} (Sat 28 Nov 2026 07:00 America/New_York, now)')
  expect(span(Date.UTC(2026, 11, 1, 7), Date.UTC(2026, 11, 1, 9))).toBe(
    '{own} to {own} (Tue 1 Dec 2026 02:00 to 04:00 America/New_York, in 2 d 19 h)',
  )
  expect(span(Date.UTC(2027, 0, 1, 4), Date.UTC(2027, 0, 1, 6))).toBe(
    '{own} to {own} (Thu 31 Dec 2026 23:00 America/New_York to Fri 1 Jan 2027 01:00 America/New_York, in 33 d 16 h)',
  )
  // 01:30 comes twice on that day, so it is named by UTC
  expect(span(Date.UTC(2027, 10, 7, 6, 30), Date.UTC(2027, 10, 7, 8))).toBe(
    '{own} to {own} (Sun 7 Nov 2027 06:30 UTC to Sun 7 Nov 2027 03:00 America/New_York, in 343 d 19 h)',
  )
})

test('a wall clock is one instant, none or two, and an instant shows the clock that it came from', () => {
  expect(onClock(readWall('2027-03-14 02:30')!, NY)).toEqual({ kind: 'none', at: Date.UTC(2027, 2, 14, 7) })
  expect(onClock(readWall('2027-11-07 01:30')!, NY)).toEqual({
    kind: 'twice',
    at: Date.UTC(2027, 10, 7, 5, 30),
    again: Date.UTC(2027, 10, 7, 6, 30),
  })
  expect(readWall('2027-02-29 02:00')).toBeUndefined()
  expect(readWall('2028-02-29')).toEqual({ year: 2028, month: 2, day: 29, hour: 0, minute: 0 })
  fc.assert(
    fc.property(fc.constantFrom(...zones), days, fc.integer({ min: 0, max: 1439 }), (zone, day, minute) => {
      const at = instantIn(day, minute)
      const { weekday: _, ...wall } = wallAt(at, zone)
      const found = onClock(wall, zone)
      expect(found.kind === 'twice' ? [found.at, found.again] : [found.at]).toContain(at)
      expect(found.kind).not.toBe('none')
    }),
    { numRuns: 300 },
  )
})

const start = Date.UTC(2026, 11, 1, 7)
const minute = 60_000

test('people are told on each rung, every quarter of an hour while it lasts, and at both ends', () => {
  const plan = {
    startsAt: start,
    endsAt: start + HOUR,
    notices: [HOUR, 7 * DAY, 48 * HOUR, 24 * HOUR],
    during: 15 * minute,
    now: start - 10 * DAY,
  }
  expect(noticesOf(plan)).toEqual([
    { stage: `before:${7 * DAY}`, dueAt: start - 7 * DAY, usefulUntil: start - 48 * HOUR },
    { stage: `before:${48 * HOUR}`, dueAt: start - 48 * HOUR, usefulUntil: start - 24 * HOUR },
    { stage: `before:${24 * HOUR}`, dueAt: start - 24 * HOUR, usefulUntil: start - HOUR },
    { stage: `before:${HOUR}`, dueAt: start - HOUR, usefulUntil: start },
    { stage: 'start', dueAt: start, usefulUntil: start + 15 * minute },
    { stage: 'during:1', dueAt: start + 15 * minute, usefulUntil: start + 30 * minute },
    { stage: 'during:2', dueAt: start + 30 * minute, usefulUntil: start + 45 * minute },
    { stage: 'during:3', dueAt: start + 45 * minute, usefulUntil: start + 60 * minute },
    { stage: 'end', dueAt: start + HOUR, usefulUntil: start + HOUR + DAY },
  ])
  expect(noticesOf({ ...plan, now: start - 30 * HOUR }).map(({ stage }) => stage)).toEqual([
    `before:${24 * HOUR}`,
    `before:${HOUR}`,
    'start',
    'during:1',
    'during:2',
    'during:3',
    'end',
  ])
})

test('a short ladder works like a long one', () => {
  expect(noticesOf({ startsAt: start, endsAt: start + 60_000, notices: [90_000, 30_000], during: 45_000, now: start - 60_000 })).toEqual([
    { stage: 'before:30000', dueAt: start - 30_000, usefulUntil: start },
    { stage: 'start', dueAt: start, usefulUntil: start + 45_000 },
    { stage: 'during:1', dueAt: start + 45_000, usefulUntil: start + 60_000 },
    { stage: 'end', dueAt: start + 60_000, usefulUntil: start + 60_000 + DAY },
  ])
})

test('whatever the ladder, stages are named once, each helps until the next one, and none is planned for the past', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 10_000 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 10, max: 500 }),
      fc.integer({ min: -12_000, max: 3_000 }),
      (notices, length, during, now) => {
        const planned = noticesOf({ startsAt: 0, endsAt: length, notices, during, now })
        expect(new Set(planned.map(({ stage }) => stage)).size).toBe(planned.length)
        for (const [index, { dueAt, usefulUntil }] of planned.entries()) {
          expect(dueAt).toBeGreaterThanOrEqual(now)
          expect(usefulUntil).toBeGreaterThan(dueAt)
          expect([planned[index + 1]?.dueAt, length + DAY]).toContain(usefulUntil)
        }
      },
    ),
  )
})

const shown = (at: number, zone: string) => {
  const { year, month, day, hour, minute } = wallAt(at, zone)
  return `${year}-${month}-${day} ${hour}:${String(minute).padStart(2, '0')}`
}

test('a cron expression is read in its zone: names, ranges, the third Tuesday, the last day, a leap day', () => {
  const from = Date.UTC(2026, 10, 28, 12)
  const next = (cron: string, zone = NY) => shown(nextOccurrence(cron, zone, from) ?? 0, zone)
  expect(next('0 2 * * Tue')).toBe('2026-12-1 2:00')
  expect(next('0 9 * * Mon', 'Europe/Berlin')).toBe('2026-11-30 9:00')
  expect(next('0 22 * * Tue#3')).toBe('2026-12-15 22:00')
  expect(next('30 23 L * *')).toBe('2026-11-30 23:30')
  expect(next('0 0 29 2 *')).toBe('2028-2-29 0:00')
  expect(next('0 0 28 3,6,9,12 *')).toBe('2026-12-28 0:00')
  expect(occurrences('0 0,12 * * Mon-Fri', 'UTC', Date.UTC(2026, 11, 5), Date.UTC(2026, 11, 8))).toEqual([
    Date.UTC(2026, 11, 7),
    Date.UTC(2026, 11, 7, 12),
  ])
})

test('a change of the clock neither skips an occurrence nor repeats one', () => {
  const year = [Date.UTC(2027, 0, 1), Date.UTC(2028, 0, 1)] as const
  const daily = occurrences('30 2 * * *', NY, ...year)
  expect(daily).toHaveLength(365)
  expect(daily.filter((at) => shown(at, NY).startsWith('2027-3-14')).map((at) => shown(at, NY))).toEqual(['2027-3-14 3:00'])
  expect(occurrences('30 1 * * *', NY, ...year).filter((at) => shown(at, NY).startsWith('2027-11-7 '))).toEqual([
    Date.UTC(2027, 10, 7, 5, 30),
  ])
})

test('in two years of five zones a daily expression comes once on each day and shows its hour, or the first after a gap', () => {
  for (const zone of zones)
    for (const hour of [0, 1, 2, 3]) {
      const all = occurrences(`15 ${hour} * * *`, zone, instantIn(0, 720), instantIn(730, 720))
      const walls = all.map((at) => wallAt(at, zone))
      expect(new Set(walls.map(({ year, month, day }) => `${year}-${month}-${day}`)).size).toBe(730)
      expect(all).toHaveLength(730)
      expect(walls.filter((wall) => wall.hour !== hour || wall.minute !== 15).length).toBeLessThanOrEqual(2)
    }
})

test.each([
  ['every second', '"every second" is not a cron expression of five fields'],
  ['* * * * * *', '"* * * * * *" has six fields, so it could run every second'],
  ['* * * * *', '"* * * * *" runs more often than once an hour'],
  ['*/30 2 * * *', '"*/30 2 * * *" runs more often than once an hour'],
  ['61 2 * * *', '"61 2 * * *" cannot be read: the minute cannot be 61'],
  ['0 2 * * Mars', '"0 2 * * Mars" cannot be read: the day of the week cannot be Mars'],
  ['0 2 31 2 *', '"0 2 31 2 *" cannot be read: the day of the month cannot be 31'],
  ['', '"" is not a cron expression of five fields'],
])('cron "%s" is refused', (text, problem) => {
  const cron = readCron(text)
  expect(isCronFault(cron) && cron.problem).toBe(problem)
  expect(isCronFault(cron) && cron.fix).toMatch(
    /Write minute, hour, day of the month, month and day of the week, for example "0 2 \* \* Tue"\.$/,
  )
})
