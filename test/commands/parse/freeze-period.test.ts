import { expect, test } from 'vitest'
import fc from 'fast-check'
import { readLimit } from '../../../commands/parse/freeze-period.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'

// a Saturday noon in New York
const clock = { now: Date.UTC(2026, 10, 28, 17, 0), zone: 'America/New_York' }
const read = (text: string) => {
  const limit = readLimit(text.split(' '), clock)
  return isRefusal(limit) ? limit.text : `${limit.until === null ? 'no end' : new Date(limit.until).toISOString()} | ${limit.reason}`
}

test.each([
  ['until Monday 09:00 end of the quarter', '2026-11-30T14:00:00.000Z | end of the quarter'],
  ['until 2026-12-01 09:00 Europe/Berlin the fair', '2026-12-01T08:00:00.000Z | the fair'],
  ['until next Tue 9am', '2026-12-01T14:00:00.000Z | '],
  ['until tomorrow at 02:00 in the night nobody is here', '2026-11-29T07:00:00.000Z | in the night nobody is here'],
  ['for 2h restoring a table by hand', '2026-11-28T19:00:00.000Z | restoring a table by hand'],
  ['for 1h 30m', '2026-11-28T18:30:00.000Z | '],
  ['the fair is on', 'no end | the fair is on'],
  ['', 'no end | '],
])('%s', (text, expected) => {
  expect(read(text)).toBe(expected)
})

test.each([
  ['until Monday'],
  ['until the launch'],
  ['until Monday 09:00 EST'],
  ['until yesterday 09:00'],
  ['for ever'],
  ['for 9d'],
  ['until 2027-03-14 02:30 spring'],
])('%s is refused with what works', (text) => {
  expect(read(text)).toMatchSnapshot()
})

test('whatever is typed is a limit or a refusal, and words are never lost', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('until', 'for', 'Monday', '09:00', '2h', 'at', 'the', 'fair', 'UTC', '2026-12-24', 'EST', '5'), {
        maxLength: 8,
      }),
      (words) => {
        const limit = readLimit(words, clock)
        if (isRefusal(limit)) return
        expect(limit.until === null || limit.until > clock.now).toBe(true)
        expect(words.join(' ').endsWith(limit.reason)).toBe(true)
      },
    ),
  )
})
