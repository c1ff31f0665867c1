import { expect, test } from 'vitest'
import fc from 'fast-check'
import { readFreezePeriod } from '../../../commands/parse/freeze-period.ts'
import { readHours } from '../../../commands/windows/verbs.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { readLength, readWhen, type When } from '../../../src/calendar/when.ts'

// a Saturday noon in New York
const clock = { now: Date.UTC(2026, 10, 28, 17, 0), zone: 'America/New_York' }
const read = (text: string) => {
  const period = readFreezePeriod(text.split(' '), clock)
  return isRefusal(period) ? period.text : `${period.until === null ? 'no end' : new Date(period.until).toISOString()} | ${period.reason}`
}

test.each([
  ['until Monday 09:00 end of the quarter', '2026-11-30T14:00:00.000Z | end of the quarter'],
  ['until 2026-12-01 09:00 Europe/Berlin the fair', '2026-12-01T08:00:00.000Z | the fair'],
  ['until next Tue 9am', '2026-12-01T14:00:00.000Z | '],
  ['until tomorrow at 02:00 in the night nobody is here', '2026-11-29T07:00:00.000Z | in the night nobody is here'],
  ['for 2h restoring a table by hand', '2026-11-28T19:00:00.000Z | restoring a table by hand'],
  ['for 1h 30m', '2026-11-28T18:30:00.000Z | '],
  ['until Monday 09:00 marketing push', '2026-11-30T14:00:00.000Z | marketing push'],
  ['until Monday 09:00 May release', '2026-11-30T14:00:00.000Z | May release'],
  ['until Monday 09:00 Decimals are being rounded', '2026-11-30T14:00:00.000Z | Decimals are being rounded'],
  ['until Monday 09:00 Days of rest', '2026-11-30T14:00:00.000Z | Days of rest'],
  ['until Monday 09:00 a/b test of the checkout', '2026-11-30T14:00:00.000Z | a/b test of the checkout'],
  ['until Monday 09:00 2 tables are copied', '2026-11-30T14:00:00.000Z | 2 tables are copied'],
  ['until Monday 09:00 the 5th of many', '2026-11-30T14:00:00.000Z | the 5th of many'],
  ['until 09:00 tomorrow marketing push', '2026-11-29T14:00:00.000Z | marketing push'],
  ['until Monday 09:00, marketing push', '2026-11-30T14:00:00.000Z | marketing push'],
  ['until Tuesday, 1 December 2026 at 9 pm 3 tables', '2026-12-02T02:00:00.000Z | 3 tables'],
  ['until Monday 9:30 p.m. release night', '2026-12-01T02:30:00.000Z | release night'],
  ['until Monday 9 p.m.: release night', '2026-12-01T02:00:00.000Z | release night'],
  ['until Monday 9:30p.m. release night', '2026-12-01T02:30:00.000Z | release night'],
  ['until 9 at night we look', '2026-11-29T02:00:00.000Z | we look'],
  ['until tomorrow 9 in the morning in spring', '2026-11-29T14:00:00.000Z | in spring'],
  ['until 9am in 3 days in production', '2026-12-01T14:00:00.000Z | in production'],
  ['until 9am 2026/12/01 the fair', '2026-12-01T14:00:00.000Z | the fair'],
  ['until 9am 1-Dec-2026 the fair', '2026-12-01T14:00:00.000Z | the fair'],
  ['until 2026-12-01 09:00+01:00 the fair', '2026-12-01T08:00:00.000Z | the fair'],
  ['until 2026-12-01 09:00Z the fair', '2026-12-01T09:00:00.000Z | the fair'],
  ['until Monday 09:00: marketing push', '2026-11-30T14:00:00.000Z | marketing push'],
  ['until in 2 hours 3 tables are copied', '2026-11-28T19:00:00.000Z | 3 tables are copied'],
  ['until 90 minutes from now decide', '2026-11-28T18:30:00.000Z | decide'],
  ['until Monday 09:00 in Europe/Berlin in spring', '2026-11-30T08:00:00.000Z | in spring'],
  ['for two hours two people move', '2026-11-28T19:00:00.000Z | two people move'],
  ['for 2 hours marketing push', '2026-11-28T19:00:00.000Z | marketing push'],
  ['for 2 hours 30 minutes 5 people move', '2026-11-28T19:30:00.000Z | 5 people move'],
  ['for an hour and 30 minutes decide', '2026-11-28T18:30:00.000Z | decide'],
  ['for 1 day minutes are taken', '2026-11-29T17:00:00.000Z | minutes are taken'],
  ['for 2h 5 tables', '2026-11-28T19:00:00.000Z | 5 tables'],
  ['until Monday', '2026-11-30T05:00:00.000Z | '],
  ['until tomorrow the fair', '2026-11-29T05:00:00.000Z | the fair'],
  ['until Monday Europe/Berlin the fair', '2026-11-29T23:00:00.000Z | the fair'],
  ['until 24.12.2026 the fair', '2026-12-24T05:00:00.000Z | the fair'],
  ['until 24.12. the fair', '2026-12-24T05:00:00.000Z | the fair'],
  ['until end of day the fair', '2026-11-29T05:00:00.000Z | the fair'],
  ['until the end of the day fair', '2026-11-29T05:00:00.000Z | fair'],
  ['until EOD, the fair', '2026-11-29T05:00:00.000Z | the fair'],
  ['until Friday end of day fair', '2026-12-05T05:00:00.000Z | fair'],
  ['until end of Friday the fair', '2026-12-05T05:00:00.000Z | the fair'],
  ['until the end of the month we count', '2026-12-01T05:00:00.000Z | we count'],
  ['until next week we count', '2026-11-30T05:00:00.000Z | we count'],
  ['until the day after tomorrow we count', '2026-11-30T05:00:00.000Z | we count'],
  ['until in 3 days we count', '2026-12-01T17:00:00.000Z | we count'],
  ['until tonight 02:00 we ship', '2026-11-29T07:00:00.000Z | we ship'],
  ['until 02:00 UTC tomorrow we ship', '2026-11-29T02:00:00.000Z | we ship'],
  ['until tomorrow 22h we ship', '2026-11-30T03:00:00.000Z | we ship'],
  ['until in 1.5 hours we ship', '2026-11-28T18:30:00.000Z | we ship'],
  ['until further notice we count', 'no end | we count'],
  ['for 1.5 hours we count', '2026-11-28T18:30:00.000Z | we count'],
  ['for 1h30 we count', '2026-11-28T18:30:00.000Z | we count'],
  ['the fair is on', 'no end | the fair is on'],
  ['', 'no end | '],
])('%s', (text, expected) => {
  expect(read(text)).toBe(expected)
})

test.each([
  ['until Monday 9 end of the quarter'],
  ['until Monday morning'],
  ['until Monday EST'],
  ['until 3 days'],
  ['until 22h the fair'],
  ['until 5.6.2027 the fair'],
  ['until the launch'],
  ['until Monday 09:00 EST'],
  ['until Monday 9:00 in the evening shift'],
  ['until Monday 09:00 Europe/Berlim marketing push'],
  ['until yesterday 09:00'],
  ['for ever'],
  ['for 9d'],
  ['until 2027-03-14 02:30 spring'],
])('%s is refused with what works', (text) => {
  expect(read(text)).toMatchSnapshot()
})

test('a time in quotation marks ends with them, whatever the reason begins with', () => {
  const quoted = (words: readonly string[]) => readFreezePeriod(words, clock)
  const until = Date.UTC(2026, 10, 30, 14)
  expect(quoted(['until', 'Monday 09:00', 'UTC', 'is gone'])).toEqual({ until, reason: 'UTC is gone' })
  expect(quoted(['until', 'Monday 09:00', 'May 5 is the fair'])).toEqual({ until, reason: 'May 5 is the fair' })
  expect(quoted(['for', '2 hours', '30 minutes of fame'])).toEqual({ until: clock.now + 7_200_000, reason: '30 minutes of fame' })
  expect(quoted(['until Monday 09:00 marketing push'])).toEqual({ until, reason: 'marketing push' })
})

const times = [
  'Monday 09:00',
  'on Monday at 9',
  'next Tue 9am',
  'tomorrow noon',
  'tomorrow morning 9 am',
  '2026-12-01 09:00',
  '2026-12-01T09:00',
  'Dec 24th 22:00',
  'the 24th of December 2026 at 22:00',
  'Tuesday next week 02:00',
  '09:00 tomorrow',
  'in 3 days at 09:00',
  '9 p.m. in 3 days',
  'Monday 9:30 p.m.',
  '2026/12/01 09:00',
]
const zonedTimes = [
  ...times.map((time) => `${time} Europe/Berlin`),
  'Monday 09:00 (UTC)',
  '2026-12-01T09:00+02:00',
  'in 2 hours',
  '90 minutes from now',
]
const lengths = ['2h', '90m', '1h30m', '2 hours', '1 hour and 30 minutes', 'half an hour', '1 day 2 hours', '45 s']

/** What people say, more often than chance would have it something that looks like a time. */
const word = fc.oneof(
  fc
    .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
    .map((text) => text.replace(/\s/g, ''))
    .filter((text) => text !== ''),
  fc.constantFrom(
    'Mar',
    'marketing',
    'May',
    'Dec',
    'Day',
    'Days',
    'a/b',
    '5',
    '12/1',
    '1.2',
    '2026',
    '09:00',
    'Monday',
    'at',
    'on',
    'the',
    'in',
    'noon',
    'am',
    'next',
    'hours',
    'for',
    'until',
    'and',
    'week',
  ),
)
const reasons = fc.array(word, { maxLength: 6 })
const reasonOf = (words: readonly string[]) => {
  const period = readFreezePeriod(words, clock)
  return isRefusal(period) ? period.text : period.reason
}

test('after a time with its zone any reason comes back whole', () => {
  fc.assert(
    fc.property(fc.constantFrom(...zonedTimes), reasons, (time, reason) => {
      expect(reasonOf(['until', ...time.split(' '), ...reason])).toBe(reason.join(' '))
    }),
    { numRuns: 400 },
  )
})

const saysHalf = /^([ap]\.?m|o['’]clock)[,:;]*$/i

test('after a time without its zone any reason comes back whole that begins with no zone', () => {
  fc.assert(
    fc.property(fc.constantFrom(...times), reasons, (time, reason) => {
      fc.pre(!saysHalf.test(reason[0] ?? ''))
      expect(reasonOf(['until', ...time.split(' '), ...reason])).toBe(reason.join(' '))
    }),
    { numRuns: 400 },
  )
})

test('after a length any reason comes back whole that begins with no length', () => {
  fc.assert(
    fc.property(fc.constantFrom(...lengths), reasons, (length, reason) => {
      fc.pre(!/^(and )?(\d+|an?|half an?) ?[dhms]/i.test(reason.join(' ')))
      expect(reasonOf(['for', ...length.split(' '), ...reason])).toBe(reason.join(' '))
    }),
    { numRuns: 400 },
  )
})

test('a window with its time, its length and any reason keeps all three apart', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...times, ...zonedTimes),
      fc.constantFrom(...lengths),
      fc.boolean(),
      reasons,
      (time, length, hasFor, reason) => {
        fc.pre(!/^(and )?(\d+|an?|half an?) ?[dhms]/i.test(reason.join(' ')))
        const hours = readHours([...time.split(' '), ...(hasFor ? ['for'] : []), ...length.split(' '), ...reason], clock)
        const alone = [readWhen(time, clock), readLength(length)]
        expect(hours).toEqual({ startsAt: (alone[0] as When).at, length: alone[1], rest: reason })
      },
    ),
    { numRuns: 400 },
  )
})

test('whatever is typed is a period or a refusal, and words are never lost', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('until', 'for', 'Monday', '09:00', '2h', 'at', 'the', 'fair', 'UTC', '2026-12-24', 'EST', '5'), {
        maxLength: 8,
      }),
      (words) => {
        const period = readFreezePeriod(words, clock)
        if (isRefusal(period)) return
        expect(period.until === null || period.until > clock.now).toBe(true)
        expect(words.join(' ').endsWith(period.reason)).toBe(true)
      },
    ),
  )
})
