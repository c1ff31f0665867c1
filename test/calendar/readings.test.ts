import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal } from '../../src/lib/refusal.ts'
import { fullTime } from '../../src/calendar/say.ts'
import { readWhen } from '../../src/calendar/when.ts'

// Sunday, 10:00 in Berlin
const now = Date.UTC(2026, 10, 29, 9)
const zone = 'Europe/Berlin'

const read = (text: string, at = now, until?: true) => {
  const when = readWhen(text, { now: at, zone, ...(until === undefined ? {} : { until }) })
  return isRefusal(when) ? when.text : fullTime(when.at, when.zone)
}

test.each([
  // nights and midnights
  ['tonight 02:00', 'Mon 30 Nov 2026 02:00'],
  ['tonight 2am', 'Mon 30 Nov 2026 02:00'],
  ['tonight at 2', 'Mon 30 Nov 2026 02:00'],
  ['2:30 tonight', 'Mon 30 Nov 2026 02:30'],
  ['tonight 00:30', 'Mon 30 Nov 2026 00:30'],
  ['tonight 12:30', 'Mon 30 Nov 2026 00:30'],
  ['tonight at 12', 'Mon 30 Nov 2026 00:00'],
  ['this night at 3', 'Mon 30 Nov 2026 03:00'],
  ['tonight at 9', 'Sun 29 Nov 2026 21:00'],
  ['9:30 p.m. tonight', 'Sun 29 Nov 2026 21:30'],
  ['tonight 22:00', 'Sun 29 Nov 2026 22:00'],
  ['2 at night', 'Mon 30 Nov 2026 02:00'],
  ['tomorrow night at 9', 'Mon 30 Nov 2026 21:00'],
  ['tonight at midnight', 'Mon 30 Nov 2026 00:00'],
  ['midnight tonight', 'Mon 30 Nov 2026 00:00'],
  ['today at midnight', 'Mon 30 Nov 2026 00:00'],
  ['midnight', 'Mon 30 Nov 2026 00:00'],
  ['Dec 12 noon', 'Sat 12 Dec 2026 12:00'],
  ['2026-12-12 noon', 'Sat 12 Dec 2026 12:00'],
  ['12 Dec 12 noon', 'Sat 12 Dec 2026 12:00'],
  ['24:00', 'Mon 30 Nov 2026 00:00'],
  ['tomorrow 24:00', 'Tue 1 Dec 2026 00:00'],
  ['24 Dec 24:00', 'Fri 25 Dec 2026 00:00'],
  // dates without a year
  ['29 Nov 10:15', 'Sun 29 Nov 2026 10:15'],
  ['Nov 29 10:15', 'Sun 29 Nov 2026 10:15'],
  ['10:15 29 Nov', 'Sun 29 Nov 2026 10:15'],
  ['Sun 29 Nov 10:15', 'Sun 29 Nov 2026 10:15'],
  ['29.11. 10:15', 'Sun 29 Nov 2026 10:15'],
  ['11/29 10:15', 'Sun 29 Nov 2026 10:15'],
  ['1 Jan 00:30', 'Fri 1 Jan 2027 00:30'],
  // dates in figures that have one reading
  ['24.12.2026 02:00', 'Thu 24 Dec 2026 02:00'],
  ['24/12/2026 02:00', 'Thu 24 Dec 2026 02:00'],
  ['12/24/2026 02:00', 'Thu 24 Dec 2026 02:00'],
  ['24-12-2026 02:00', 'Thu 24 Dec 2026 02:00'],
  ['24.12.26 02:00', 'Thu 24 Dec 2026 02:00'],
  ['24.12. 02:00', 'Thu 24 Dec 2026 02:00'],
  ['24.12 02:00', 'Thu 24 Dec 2026 02:00'],
  ['5.5.2027 02:00', 'Wed 5 May 2027 02:00'],
  ['2026.12.24 02:00', 'Thu 24 Dec 2026 02:00'],
  // days named from today, a Sunday
  ['this Sat 02:00', 'Sat 5 Dec 2026 02:00'],
  ['next Sunday 02:00', 'Sun 6 Dec 2026 02:00'],
  ['the day after tomorrow at 2am', 'Tue 1 Dec 2026 02:00'],
  ['day after tomorrow 02:00', 'Tue 1 Dec 2026 02:00'],
  ['next Tue, 1 Dec 02:00', 'Tue 1 Dec 2026 02:00'],
  // hours with an h
  ['22h today', 'Sun 29 Nov 2026 22:00'],
  ['tomorrow 22h', 'Mon 30 Nov 2026 22:00'],
  ['tomorrow 22h30', 'Mon 30 Nov 2026 22:30'],
  ['at 22h', 'Sun 29 Nov 2026 22:00'],
  ['in 22h', 'Mon 30 Nov 2026 08:00'],
  ['22h from now', 'Mon 30 Nov 2026 08:00'],
  ['in 1h30', 'Sun 29 Nov 2026 11:30'],
  ['30h', 'Mon 30 Nov 2026 16:00'],
])('%s is %s', (text, expected) => {
  expect(read(text)).toBe(`${expected} Europe/Berlin`)
})

test.each([
  ['02:00 UTC tomorrow', 'Mon 30 Nov 2026 02:00 UTC'],
  ['02:00Z tomorrow', 'Mon 30 Nov 2026 02:00 UTC'],
  ['02:00 America/New_York tomorrow', 'Mon 30 Nov 2026 02:00 America/New_York'],
  ['02:00, Asia/Kolkata, Tuesday', 'Tue 1 Dec 2026 02:00 Asia/Kolkata'],
  ['noon UTC Monday', 'Mon 30 Nov 2026 12:00 UTC'],
  ['02:00 (UTC) on 24 Dec', 'Thu 24 Dec 2026 02:00 UTC'],
  ['02:00+02:00 tomorrow', 'Mon 30 Nov 2026 01:00 Europe/Berlin'],
  ['02:00 UTC+2 tomorrow', 'Mon 30 Nov 2026 01:00 Europe/Berlin'],
  ['22h UTC', 'Sun 29 Nov 2026 22:00 UTC'],
  ['midnight UTC', 'Mon 30 Nov 2026 00:00 UTC'],
])('the zone may stand in the middle: %s', (text, expected) => {
  expect(read(text)).toBe(expected)
})

const either = (text: string, first: string, second: string) =>
  `\`${text}\` can be read in two ways: ${first} or ${second}. Write the one that is meant.`

test.each([
  ['22h', '`Sun 29 Nov 2026 22:00 Europe/Berlin` (in 12 h)', '`Mon 30 Nov 2026 08:00 Europe/Berlin` (in 22 h)'],
  ['22 h', '`Sun 29 Nov 2026 22:00 Europe/Berlin` (in 12 h)', '`Mon 30 Nov 2026 08:00 Europe/Berlin` (in 22 h)'],
  ['22h30', '`Sun 29 Nov 2026 22:30 Europe/Berlin` (in 12 h 30 min)', '`Mon 30 Nov 2026 08:30 Europe/Berlin` (in 22 h 30 min)'],
  ['2h', '`Sun 29 Nov 2026 12:00 Europe/Berlin` (in 2 h)', '`Mon 30 Nov 2026 02:00 Europe/Berlin` (in 16 h)'],
  ['05-06-2027 02:00', '`Thu 6 May 2027 02:00 Europe/Berlin` (in 157 d 15 h)', '`Sat 5 Jun 2027 02:00 Europe/Berlin` (in 187 d 15 h)'],
  ['5.6.2027 02:00', '`Thu 6 May 2027 02:00 Europe/Berlin` (in 157 d 15 h)', '`Sat 5 Jun 2027 02:00 Europe/Berlin` (in 187 d 15 h)'],
  ['5/6 02:00', '`Thu 6 May 2027 02:00 Europe/Berlin` (in 157 d 15 h)', '`Sat 5 Jun 2027 02:00 Europe/Berlin` (in 187 d 15 h)'],
  ['26-12-01 02:00', '`Tue 1 Dec 2026 02:00 Europe/Berlin` (in 1 d 16 h)', '`Wed 26 Dec 2001 02:00 Europe/Berlin` (which has passed)'],
  ['26/12/01 02:00', '`Tue 1 Dec 2026 02:00 Europe/Berlin` (in 1 d 16 h)', '`Wed 26 Dec 2001 02:00 Europe/Berlin` (which has passed)'],
  ['27.01.28 02:00', '`Thu 28 Jan 2027 02:00 Europe/Berlin` (in 59 d 16 h)', '`Thu 27 Jan 2028 02:00 Europe/Berlin` (in 423 d 16 h)'],
  ['next Fri 02:00', '`Fri 4 Dec 2026 02:00 Europe/Berlin` (in 4 d 16 h)', '`Fri 11 Dec 2026 02:00 Europe/Berlin` (in 11 d 16 h)'],
  ['Mon next week 02:00', '`Mon 30 Nov 2026 02:00 Europe/Berlin` (in 16 h)', '`Mon 7 Dec 2026 02:00 Europe/Berlin` (in 7 d 16 h)'],
  ['Sat this week 02:00', '`Sat 5 Dec 2026 02:00 Europe/Berlin` (in 5 d 16 h)', '`Sat 28 Nov 2026 02:00 Europe/Berlin` (which has passed)'],
  ['at the weekend at 2am', '`Sat 5 Dec 2026 02:00 Europe/Berlin` (in 5 d 16 h)', '`Sun 6 Dec 2026 02:00 Europe/Berlin` (in 6 d 16 h)'],
  ['Friday at midnight', '`Fri 4 Dec 2026 00:00 Europe/Berlin` (in 4 d 14 h)', '`Sat 5 Dec 2026 00:00 Europe/Berlin` (in 5 d 14 h)'],
  ['Sunday midnight', '`Mon 30 Nov 2026 00:00 Europe/Berlin` (in 14 h)', '`Sun 6 Dec 2026 00:00 Europe/Berlin` (in 6 d 14 h)'],
  [
    'midnight on 24.12.2026',
    '`Thu 24 Dec 2026 00:00 Europe/Berlin` (in 24 d 14 h)',
    '`Fri 25 Dec 2026 00:00 Europe/Berlin` (in 25 d 14 h)',
  ],
  ['Friday night at 2', '`Fri 4 Dec 2026 02:00 Europe/Berlin` (in 4 d 16 h)', '`Sat 5 Dec 2026 02:00 Europe/Berlin` (in 5 d 16 h)'],
  ['tonight at 5', '`Sun 29 Nov 2026 17:00 Europe/Berlin` (in 7 h)', '`Mon 30 Nov 2026 05:00 Europe/Berlin` (in 19 h)'],
  ['tonight 14:00', '`Sun 29 Nov 2026 14:00 Europe/Berlin` (in 4 h)', '`Mon 30 Nov 2026 02:00 Europe/Berlin` (in 16 h)'],
])('%s is a question', (text, first, second) => {
  expect(read(text)).toBe(either(text, first, second))
})

test('a weekday decides between two dates, and nothing else does', () => {
  expect(read('Sat 5.6.2027 02:00')).toBe('Sat 5 Jun 2027 02:00 Europe/Berlin')
  expect(read('Thu 5.6.2027 02:00')).toBe('Thu 6 May 2027 02:00 Europe/Berlin')
  expect(read('Mon 5.6.2027 02:00')).toMatch(/^2027-06-05 is a Sat and not a Mon\. /)
  // one of the two comes twice, or not at all: the other one is not taken for that
  expect(read('7.11.2027 01:30 America/New_York')).toMatch(/^2027-11-07 01:30 comes twice in America\/New_York/)
  expect(read('3.10.2027 02:15 Australia/Lord_Howe')).toMatch(/^2027-10-03 02:15 does not exist in Australia\/Lord_Howe/)
})

test.each([
  // Monday evening, a Wednesday and a Friday in New York, the first and the last on the next day of UTC
  [Date.UTC(2026, 11, 1, 3), 'next Fri 02:00', 'Fri 4 Dec 2026 02:00', 'Fri 11 Dec 2026 02:00'],
  [Date.UTC(2026, 11, 1, 3), 'next Mon 02:00', 'Mon 7 Dec 2026 02:00'],
  [Date.UTC(2026, 11, 2, 15), 'this week Fri 02:00', 'Fri 4 Dec 2026 02:00'],
  [Date.UTC(2026, 11, 2, 15), 'Fri 02:00 next week', 'Fri 11 Dec 2026 02:00'],
  [Date.UTC(2026, 11, 2, 15), 'Sunday next week 02:00', 'Sun 6 Dec 2026 02:00', 'Sun 13 Dec 2026 02:00'],
  [Date.UTC(2026, 11, 5, 4, 59, 59), 'next Friday 02:00', 'Fri 11 Dec 2026 02:00'],
  [Date.UTC(2026, 11, 5, 4, 59, 59), 'the day after tomorrow at 2am', 'Sun 6 Dec 2026 02:00'],
  [Date.UTC(2026, 11, 5, 4, 59, 59), 'tomorrow at 2am', 'Sat 5 Dec 2026 02:00'],
])('counted from %i, %s', (at, text, ...days) => {
  const when = readWhen(text, { now: at, zone: 'America/New_York' })
  const said = isRefusal(when) ? [...when.text.matchAll(/`([^`]+)` \(in/g)].map(([, one]) => one) : [fullTime(when.at, when.zone)]
  expect(said).toEqual(days.map((day) => `${day} America/New_York`))
})

test('this Monday on a Monday, and a day of this week that is over, have passed', () => {
  const wednesday = Date.UTC(2026, 11, 2, 15)
  expect(read('Tue of this week 02:00', wednesday)).toMatch(/^Tue 1 Dec 02:00 Europe\/Berlin has passed \(read from /)
  expect(read('this Wed 02:00', wednesday)).toMatch(/^Wed 2 Dec 02:00 Europe\/Berlin has passed \(read from /)
})

test('two ways to one instant are no question, and a day begins after the gap where clocks are put forward at midnight', () => {
  expect(read('22h', Date.UTC(2026, 10, 28, 23))).toBe('Sun 29 Nov 2026 22:00 Europe/Berlin')
  const when = readWhen('Sunday', { now: Date.UTC(2027, 8, 1, 12), zone: 'America/Santiago', until: true })
  expect(isRefusal(when) ? when.text : fullTime(when.at, when.zone)).toBe('Sun 5 Sep 2027 01:00 America/Santiago')
})

test('before dawn tonight is the night that is not over, the next one, or a question', () => {
  const early = Date.UTC(2026, 10, 29, 0) // 01:00
  expect(read('tonight 02:00', early)).toBe(
    either('tonight 02:00', '`Sun 29 Nov 2026 02:00 Europe/Berlin` (in 1 h)', '`Mon 30 Nov 2026 02:00 Europe/Berlin` (in 1 d 1 h)'),
  )
  expect(read('tonight 00:15', early)).toBe('Mon 30 Nov 2026 00:15 Europe/Berlin')
  expect(read('tonight 22:00', early)).toBe('Sun 29 Nov 2026 22:00 Europe/Berlin')
})

test.each([
  ['32.13.2026 02:00', '`32.13.2026 02:00` is not a time that can be read, or not a day of the calendar. '],
  ['31.02.2027 02:00', '`31.02.2027 02:00` is not a time that can be read, or not a day of the calendar. '],
  ['Tue 02:00 UTC Europe/Berlin', '`Tue 02:00 UTC Europe/Berlin` names more than one time zone. '],
  ['Mon 29 Nov 10:15', '2026-11-29 is a Sun and not a Mon. '],
  ['29 Nov 09:59', 'Sun 29 Nov 09:59 Europe/Berlin has passed (read from `29 Nov 09:59`). '],
  ['end of day', '`end of day` is not a time that can be read, or not a day of the calendar. '],
])('%s is refused', (text, expected) => {
  expect(read(text)).toBe(`${expected}Write for example \`Wed 02:00\` or \`2026-12-02 02:00 Europe/Berlin\`.`)
})

test.each([
  ['tomorrow', 'Mon 30 Nov 2026'],
  ['Monday', 'Mon 30 Nov 2026'],
  ['24.12.2026', 'Thu 24 Dec 2026'],
  ['24 Dec', 'Thu 24 Dec 2026'],
  ['the day after tomorrow', 'Tue 1 Dec 2026'],
  ['today', 'Mon 30 Nov 2026'],
  ['end of day', 'Mon 30 Nov 2026'],
  ['EOD', 'Mon 30 Nov 2026'],
  ['the end of Friday', 'Sat 5 Dec 2026'],
  ['Friday EOD', 'Sat 5 Dec 2026'],
  ['end of day tomorrow', 'Tue 1 Dec 2026'],
  ['end of 24.12.2026', 'Fri 25 Dec 2026'],
  ['the end of the month', 'Tue 1 Dec 2026'],
  ['end of next month', 'Fri 1 Jan 2027'],
  ['end of January', 'Mon 1 Feb 2027'],
  ['the weekend', 'Sat 5 Dec 2026'],
  ['the end of the weekend', 'Mon 30 Nov 2026'],
  ['end of the day after tomorrow', 'Wed 2 Dec 2026'],
  ['end of the quarter', 'Fri 1 Jan 2027'],
  ['end of year', 'Fri 1 Jan 2027'],
  ['next week', 'Mon 30 Nov 2026'],
])('what lasts until %s ends as %s begins', (text, day) => {
  expect(read(text, now, true)).toBe(`${day} 00:00 Europe/Berlin`)
})

test('until the day that it is, and until the end of a week, may be two times', () => {
  expect(read('Sunday', now, true)).toBe(
    either('Sunday', '`Mon 30 Nov 2026 00:00 Europe/Berlin` (in 14 h)', '`Sun 6 Dec 2026 00:00 Europe/Berlin` (in 6 d 14 h)'),
  )
  expect(read('end of week', now + 2 * 86_400_000, true)).toBe(
    either('end of week', '`Sat 5 Dec 2026 00:00 Europe/Berlin` (in 3 d 14 h)', '`Mon 7 Dec 2026 00:00 Europe/Berlin` (in 5 d 14 h)'),
  )
})

const two = (value: number) => String(value).padStart(2, '0')
const hour = fc.integer({ min: 0, max: 23 })
const minute = fc.constantFrom(0, 15, 30, 59)
const clocks = fc.oneof(
  fc.tuple(hour, minute).map(([h, m]) => `${two(h)}:${two(m)}`),
  fc.tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom('am', ' pm', ' p.m.')).map(([h, half]) => `${h}${half}`),
  fc.tuple(hour, fc.constantFrom('', '30')).map(([h, m]) => `${h}h${m}`),
  fc.constantFrom('noon', 'midnight', '24:00', 'at 9'),
)
const dated = fc.tuple(fc.integer({ min: 1, max: 28 }), fc.integer({ min: 1, max: 12 }), fc.constantFrom('.', '/', '-'))
const dayNames = fc.oneof(
  fc.constantFrom(
    '',
    'today',
    'tonight',
    'tomorrow',
    'Monday',
    'next Fri',
    'Tue next week',
    'the weekend',
    'Sunday night',
    '29 Nov',
    'Dec 24th',
    'in 3 days',
  ),
  dated.map(([day, month, sign]) => `${two(day)}${sign}${month}${sign}2027`),
  dated.map(([day, month]) => `${day}/${month}`),
)
const spelledZones = fc.constantFrom('', 'UTC', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/New_York')
const sentences = fc
  .tuple(dayNames, clocks, spelledZones, fc.boolean())
  .map(([day, clock, named, isFirst]) => (isFirst ? [day, clock, named] : [clock, named, day]).filter((part) => part !== '').join(' '))

test('every time that is said back, alone or as one of several, is that instant when it is typed', () => {
  let understood = 0
  let asked = 0
  fc.assert(
    fc.property(
      sentences,
      fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'),
      fc.integer({ min: 0, max: 500 * 24 * 60 }),
      (text, where, minutes) => {
        const clock = { now: Date.UTC(2026, 10, 29) + minutes * 60_000, zone: where }
        const when = readWhen(text, clock)
        if (isRefusal(when) && !when.text.includes('can be read in')) return
        const said = isRefusal(when)
          ? [...when.text.matchAll(/`([^`]+)` \(in/g)].map(([, one = '']) => one)
          : [fullTime(when.at, when.zone)]
        if (isRefusal(when)) asked++
        else understood++
        for (const one of said) {
          const again = readWhen(one, clock)
          expect(isRefusal(again) ? again.text : fullTime(again.at, again.zone)).toBe(one)
          expect(isRefusal(when) || isRefusal(again) || again.at === when.at).toBe(true)
        }
      },
    ),
    { numRuns: 500 },
  )
  expect(understood).toBeGreaterThan(100)
  expect(asked).toBeGreaterThan(30)
})
