import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isAllowFault, readAllow } from '../../src/calendar/allow.ts'
import {
  calendarOf,
  configuredFreezes,
  nextOpening,
  openings,
  setFreezes,
  statusAt,
  type Freeze,
} from '../../src/calendar/opening-hours.ts'
import { placeProblem } from '../../src/calendar/holidays.ts'
import { zoneSpan } from '../../src/calendar/say.ts'
import { wallAt } from '../../src/calendar/zone.ts'
import { windowsSchema } from '../../src/config/window-schema.ts'
import { days, instantIn, zones } from './zones.ts'

const HOUR = 3_600_000
const NY = 'America/New_York'

const calendar = (windows: object, { freezes = [] as readonly Freeze[], timezone = NY } = {}) =>
  calendarOf({ name: 'prod', timezone, windows: windowsSchema.parse(windows) }, freezes)

/** In New York, in winter. */
const ny = (month: number, day: number, hour = 0, minute = 0, year = 2026) => Date.UTC(year, month - 1, day, hour + 5, minute)

const spansOf = (...args: Parameters<typeof openings>) => openings(...args).map((span) => zoneSpan(span, NY))

test('days, ranges of days, daily hours and nights over midnight are openings', () => {
  const week = [ny(11, 30), ny(12, 7)] as const
  expect(spansOf(calendar({ allow: 'Tue,Wed 02:00-04:00 America/New_York; Sat 22:00-02:00' }), ...week)).toEqual([
    'Tue 1 Dec 02:00 to 04:00 America/New_York',
    'Wed 2 Dec 02:00 to 04:00 America/New_York',
    'Sat 5 Dec 22:00 to Sun 6 Dec 02:00 America/New_York',
  ])
  expect(spansOf(calendar({ allow: 'Fri-Mon 12:00-13:00' }), ...week)).toEqual([
    'Mon 30 Nov 12:00 to 13:00 America/New_York',
    'Fri 4 Dec 12:00 to 13:00 America/New_York',
    'Sat 5 Dec 12:00 to 13:00 America/New_York',
    'Sun 6 Dec 12:00 to 13:00 America/New_York',
  ])
  expect(openings(calendar({ allow: 'daily 06:00-07:00 UTC' }), ...week)).toHaveLength(7)
  expect(spansOf(calendar({ allow: 'Wed 00:00-24:00; Thu 00:00-01:00' }), ...week)).toEqual([
    'Wed 2 Dec 00:00 to Thu 3 Dec 01:00 America/New_York',
  ])
  expect(openings(calendar({}), ...week)).toEqual([{ from: week[0], to: week[1] }])
})

test('what is open says until when, and what is closed says why and when it opens', () => {
  const target = calendar({ allow: 'Tue,Wed 02:00-04:00; Sat 22:00-02:00' })
  expect(statusAt(target, ny(12, 1, 3))).toEqual({ kind: 'open', always: false, span: { from: ny(12, 1, 2), to: ny(12, 1, 4) } })
  expect(statusAt(target, ny(12, 6, 1))).toEqual({ kind: 'open', always: false, span: { from: ny(12, 5, 22), to: ny(12, 6, 2) } })
  // the end does not belong to it
  expect(statusAt(target, ny(12, 1, 4))).toEqual({
    kind: 'closed',
    why: 'hours',
    name: 'Tue,Wed 02:00-04:00; Sat 22:00-02:00',
    until: null,
    next: { from: ny(12, 2, 2), to: ny(12, 2, 4) },
  })
  expect(statusAt(calendar({}), ny(12, 1))).toMatchObject({ kind: 'open', always: true })
})

test('on a public holiday no window opens, and one that is open ends', () => {
  const target = calendar({ allow: 'Thu 02:00-04:00; Wed 22:00-02:00; Thu 23:00-01:00', holidays: 'US' })
  expect(spansOf(target, ny(11, 25), ny(11, 29))).toEqual(['Wed 25 Nov 22:00 to Thu 26 Nov 00:00 America/New_York'])
  expect(statusAt(target, ny(11, 26, 3))).toEqual({
    kind: 'closed',
    why: 'holiday',
    name: 'Thanksgiving Day',
    until: ny(11, 27),
    next: { from: ny(12, 2, 22), to: ny(12, 3, 4) },
  })
  expect(statusAt(target, ny(11, 26, 12))).toMatchObject({ why: 'hours' })
  expect(statusAt(calendar({ holidays: 'DE-BY' }, { timezone: 'Europe/Berlin' }), Date.UTC(2027, 0, 6, 12))).toMatchObject({
    why: 'holiday',
    name: 'Epiphany',
    next: { from: Date.UTC(2027, 0, 6, 23) },
  })
  expect(statusAt(calendar({ holidays: 'DE-BE' }, { timezone: 'Europe/Berlin' }), Date.UTC(2027, 0, 6, 12))).toMatchObject({ kind: 'open' })
})

const quarter = { name: 'quarter end', reason: 'Books are closed', cron: '0 0 28 3,6,9,12 *', length: 96 * HOUR, timezone: NY }
const company = {
  name: 'holidays',
  reason: 'Nobody is here',
  from: '2026-12-18 17:00',
  until: '2027-01-04',
  timezone: NY,
  targets: ['prod'],
}

test('freezes of the configuration close their targets, whether dated or again and again', () => {
  const freezes = configuredFreezes([quarter, company])
  const target = calendar({ allow: 'daily 02:00-04:00' }, { freezes })
  expect(statusAt(target, ny(12, 20, 3))).toMatchObject({
    why: 'frozen',
    name: 'holidays',
    until: ny(1, 4, 0, 0, 2027),
    next: { from: ny(1, 4, 2, 0, 2027) },
  })
  expect(statusAt(target, ny(12, 18, 17))).toMatchObject({ why: 'frozen' })
  expect(statusAt(target, ny(12, 18, 16, 59))).toMatchObject({ why: 'hours', next: { from: ny(1, 4, 2, 0, 2027) } })
  const staging = calendarOf({ name: 'staging', timezone: NY, windows: windowsSchema.parse({}) }, freezes)
  expect(statusAt(staging, ny(12, 20))).toEqual({ kind: 'open', always: true, span: { from: ny(12, 12), to: ny(12, 28) } })
  expect(statusAt(staging, ny(12, 31))).toMatchObject({ why: 'frozen', name: 'quarter end', until: ny(1, 1, 0, 0, 2027) })
})

test('a freeze or lock that somebody set counts the same, and one without an end leaves no opening', () => {
  const row = { id: 1, targets: ['prod'], reason: 'Replica is rebuilt', setBy: 'U1', from: new Date(ny(12, 1, 2, 30)), until: null }
  const locked = calendar({ allow: 'daily 02:00-04:00' }, { freezes: setFreezes([{ ...row, kind: 'lock' }]) })
  expect(statusAt(locked, ny(12, 2, 3))).toEqual({ kind: 'closed', why: 'frozen', name: 'Replica is rebuilt', until: null, next: null })
  expect(nextOpening(locked, ny(12, 1, 1))).toEqual({ from: ny(12, 1, 2), to: ny(12, 1, 2, 30) })
  const other = calendar({}, { freezes: setFreezes([{ ...row, kind: 'freeze', targets: ['staging'] }]) })
  expect(statusAt(other, ny(12, 2))).toMatchObject({ kind: 'open' })
})

test('hours that lie in a change of the clock keep to the clock on the wall', () => {
  // 02:00 to 03:00 does not exist on 14 March 2027, and 01:00 to 02:00 comes twice on 7 November
  const hours = (allow: string, from: number) =>
    openings(calendar({ allow }), from, from + 24 * HOUR).map(({ from, to }) => (to - from) / HOUR)
  const spring = ny(3, 14, 0, 0, 2027)
  expect(hours('daily 02:00-04:00', spring)).toEqual([1])
  expect(hours('daily 02:15-02:45', spring)).toEqual([])
  expect(hours('daily 01:00-02:30', spring)).toEqual([1])
  const autumn = ny(11, 7, -1, 0, 2027)
  expect(hours('daily 01:00-02:00', autumn)).toEqual([2])
  expect(hours('daily 01:15-01:45', autumn)).toEqual([0.5])
})

test('inside an opening the clock on the wall shows its hours, on both changes in every zone', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      days,
      fc.integer({ min: 0, max: 1439 }),
      fc.integer({ min: 0, max: 95 }),
      fc.integer({ min: 1, max: 95 }),
      (timezone, day, minute, opens, quarters) => {
        const [from, to] = [opens * 15, ((opens + quarters) % 96) * 15]
        const at = instantIn(day, minute)
        const target = calendar({ allow: `daily ${clock(from)}-${clock(to)}` }, { timezone })
        const status = statusAt(target, at)
        const wall = wallAt(at, timezone)
        const shown = wall.hour * 60 + wall.minute
        const inHours = from < to ? shown >= from && shown < to : shown >= from || shown < to
        const asShown = status.kind === (inHours ? 'open' : 'closed')
        const around = status.kind === 'open' ? status.span.from <= at && at < status.span.to : (status.next?.from ?? 0) > at
        // while an hour repeats itself, hours that touch it are open for a part of it only
        return around && (asShown || changes(at, timezone) !== 0)
      },
    ),
    { numRuns: 200 },
  )
})

/** Minutes by which clocks change within three hours. */
const changes = (at: number, zone: string) => {
  const minutes = (when: number) => {
    const wall = wallAt(when, zone)
    return Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute)
  }
  return Math.abs(minutes(at + 3 * HOUR) - minutes(at - 3 * HOUR) - 6 * HOUR) / 60_000
}

const clock = (minutes: number) => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`

test('openings are apart and rising, never touch a freeze, and the next one is the first of them', () => {
  fc.assert(
    fc.property(
      days,
      fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 1, max: 5_000 })), { maxLength: 5 }),
      (day, freezes) => {
        const at = instantIn(day, 0)
        const rows = freezes.map(([start, length], index) => ({
          id: index,
          kind: 'freeze' as const,
          targets: null,
          reason: 'x',
          setBy: 'U1',
          from: new Date(at + start * 60_000),
          until: new Date(at + (start + length) * 60_000),
        }))
        const target = calendar({ allow: 'Mon-Fri 22:00-03:00; Tue 02:00-05:00; Sat 09:00-10:00' }, { freezes: setFreezes(rows) })
        const found = openings(target, at, at + 14 * 24 * HOUR)
        for (const [index, span] of found.entries()) {
          expect(span.from).toBeLessThan(span.to)
          expect(found[index + 1]?.from ?? Infinity).toBeGreaterThan(span.to)
          expect(rows.every(({ from, until }) => span.to <= +from || span.from >= +until)).toBe(true)
        }
        expect(nextOpening(target, at)?.to).toBe(found[0]?.to)
      },
    ),
    { numRuns: 50 },
  )
})

test.each([
  ['Mars 02:00-04:00', '"Mars" is not a day of the week', 'Write Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily.'],
  ['Tue 02:00-04:00 Mars', '"Mars" is not a time zone', 'Write a name such as America/New_York, Europe/Berlin or UTC.'],
  ['Tue 02:00-04:00 America/New_Yrok', '"America/New_Yrok" is not a time zone', 'Did you mean America/New_York?'],
  ['Tue 02:00', '"Tue 02:00" does not say from when until when', EXAMPLE()],
  ['Tue 25:00-26:00', '"25:00" is not a time of day', EXAMPLE()],
  ['Tue 24:00-02:00', '"24:00" is not a time of day', EXAMPLE()],
  ['Tue 02:00-02:60', '"02:60" is not a time of day', EXAMPLE()],
  ['Tue 02:00-02:00', '"Tue 02:00-02:00" ends when it begins', 'For a whole day write 00:00-24:00.'],
  ['Tue 02:00-04:00;', 'has nothing between two semicolons', EXAMPLE()],
  ['always', '"always" does not say from when until when', EXAMPLE()],
])('hours "%s" are refused', (allow, problem, fix) => {
  const rules = readAllow(allow, 'UTC')
  expect(isAllowFault(rules) ? rules : undefined).toEqual({ problem, fix })
})

function EXAMPLE() {
  return 'Write for example "Tue,Wed 02:00-04:00 America/New_York; Sat 22:00-02:00".'
}

test.each([
  ['US', undefined],
  ['US-NY', undefined],
  ['DE-BY-A', undefined],
  ['UK', 'Did you mean GB (United Kingdom)? Write a country, or country and region, for example US or US-NY.'],
  ['USA', 'Did you mean US (United States of America)? Write a country, or country and region, for example US or US-NY.'],
  ['GBR', 'Did you mean GB (United Kingdom)? Write a country, or country and region, for example US or US-NY.'],
  ['DEU', 'Did you mean DE (Germany)? Write a country, or country and region, for example US or US-NY.'],
  ['AUT', 'Did you mean AT (Austria)? Write a country, or country and region, for example US or US-NY.'],
  ['POL', 'Did you mean PL (Poland)? Write a country, or country and region, for example US or US-NY.'],
  ['swe', 'Did you mean SE (Sweden)? Write a country, or country and region, for example US or US-NY.'],
  ['USA-NY', 'Did you mean US (United States of America)? Write a country, or country and region, for example US or US-NY.'],
  ['Deutschland', 'Did you mean DE (Germany)?'],
  ['United States', 'Did you mean US (United States of America)?'],
  ['Germany', 'Did you mean DE (Germany)?'],
  ['de-by', 'Did you mean DE (Germany)? Write a country, or country and region, for example US or US-NY.'],
  ['US-New York', 'Did you mean US-NY (New York)?'],
  ['US-NX', 'Did you mean US-NE (Nebraska)?'],
])('holidays of %s', (place, fix) => {
  expect(placeProblem(place)?.fix).toBe(fix)
})
