import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal } from '../../src/lib/refusal.ts'
import { fullTime } from '../../src/calendar/say.ts'
import { readLength, readWhen, takeLength, takeWhen } from '../../src/calendar/when.ts'

// Sunday, 10:00 in Berlin
const now = Date.UTC(2026, 10, 29, 9)
const clock = { now, zone: 'Europe/Berlin' }

const read = (text: string) => {
  const when = readWhen(text, clock)
  return isRefusal(when) ? ('readings' in when ? when.readings : when.text) : fullTime(when.at, when.zone).replace(' Europe/Berlin', '')
}

test.each([
  ['tonight at half past nine', 'Sun 29 Nov 2026 21:30'],
  ['half past nine tonight', 'Sun 29 Nov 2026 21:30'],
  ['tomorrow evening at half past nine', 'Mon 30 Nov 2026 21:30'],
  ['tomorrow morning at a quarter to ten', 'Mon 30 Nov 2026 09:45'],
  ['half past nine in the evening', 'Sun 29 Nov 2026 21:30'],
  ['Friday half past nine pm', 'Fri 4 Dec 2026 21:30'],
  ['twenty-five to seven p.m. tomorrow', 'Mon 30 Nov 2026 18:35'],
  ['a quarter to one pm tomorrow', 'Mon 30 Nov 2026 12:45'],
  ['quarter past noon', 'Sun 29 Nov 2026 12:15'],
  ['quarter to midnight', 'Sun 29 Nov 2026 23:45'],
  ['half past midnight', 'Mon 30 Nov 2026 00:30'],
  ['half past 14', 'Sun 29 Nov 2026 14:30'],
  ["nine o'clock pm", 'Sun 29 Nov 2026 21:00'],
  ['9 o’clock tonight', 'Sun 29 Nov 2026 21:00'],
  ["Thu two o'clock in the morning", 'Thu 3 Dec 2026 02:00'],
  ["tomorrow 14 o'clock", 'Mon 30 Nov 2026 14:00'],
  ['in two and a half hours', 'Sun 29 Nov 2026 12:30'],
  ['in an hour and a half', 'Sun 29 Nov 2026 11:30'],
  ['in three quarters of an hour', 'Sun 29 Nov 2026 10:45'],
  ['in a fortnight at 02:00', 'Sun 13 Dec 2026 02:00'],
])('%s is %s', (text, time) => {
  expect(read(text)).toBe(time)
})

test.each([
  ['half past nine', ['Sun 29 Nov 2026 21:30 Europe/Berlin', 'Mon 30 Nov 2026 09:30 Europe/Berlin']],
  ["2 o'clock", ['Sun 29 Nov 2026 14:00 Europe/Berlin', 'Mon 30 Nov 2026 02:00 Europe/Berlin']],
  ['two o’clock tomorrow', ['Mon 30 Nov 2026 02:00 Europe/Berlin', 'Mon 30 Nov 2026 14:00 Europe/Berlin']],
  ["12 o'clock", ['Sun 29 Nov 2026 12:00 Europe/Berlin', 'Mon 30 Nov 2026 00:00 Europe/Berlin']],
  ['tomorrow at quarter to ten', ['Mon 30 Nov 2026 09:45 Europe/Berlin', 'Mon 30 Nov 2026 21:45 Europe/Berlin']],
  [
    'half nine', // half past eight in German
    [
      'Sun 29 Nov 2026 20:30 Europe/Berlin',
      'Sun 29 Nov 2026 21:30 Europe/Berlin',
      'Mon 30 Nov 2026 08:30 Europe/Berlin',
      'Mon 30 Nov 2026 09:30 Europe/Berlin',
    ],
  ],
])('%s is asked about, the earliest first', (text, readings) => {
  expect(read(text)).toEqual(readings)
})

test('which night is not certain behind a day', () => {
  expect(read('tomorrow half past midnight')).toContain('Write for example `Wed 02:00`')
})

test.each([
  ['two and a half hours', 150],
  ['2 and a half hours', 150],
  ['an hour and a half', 90],
  ['two hours and a quarter', 135],
  ['a quarter of an hour', 15],
  ['three quarters of an hour', 45],
  ['a day and a half', 2160],
])('%s lasts %i minutes', (text, minutes) => {
  expect(readLength(text)).toBe(minutes * 60_000)
})

test('a fortnight is understood, and too long', () => {
  expect(readLength('a fortnight')).toMatchObject({
    text: expect.stringMatching(/^`a fortnight` is too long: nothing here lasts a week or more\./),
  })
})

test('the reason begins where they end', () => {
  const rest = (text: string) => {
    const taken = takeWhen(text.split(' '), clock)
    return isRefusal(taken) ? taken.text : taken.rest.join(' ')
  }
  expect(rest('tonight at half past nine half the shop is closed')).toBe('half the shop is closed')
  expect(rest('in two and a half hours ten to twelve of us are there')).toBe('ten to twelve of us are there')
  expect(rest('Monday 09:00 half past nine is too late')).toBe('half past nine is too late')
  expect(takeLength('an hour and a half and then some'.split(' '))).toEqual({ length: 90 * 60_000, rest: ['and', 'then', 'some'] })
})

test('a spoken time is one of those that it is asked about', () => {
  const hours = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']
  const amounts: Readonly<Record<string, number>> = { five: 5, ten: 10, quarter: 15, twenty: 20, 'twenty-five': 25 }
  fc.assert(
    fc.property(fc.constantFrom(...hours), fc.constantFrom(...Object.keys(amounts)), fc.boolean(), (hour, amount, isPast) => {
      const minute = (hours.indexOf(hour) + 1) * 60 + (isPast ? 1 : -1) * (amounts[amount] ?? 0)
      const clocks = [minute % 720, (minute % 720) + 720].map(
        (at) => `Tue 1 Dec 2026 ${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')} Europe/Berlin`,
      )
      expect(read(`1 December ${amount} ${isPast ? 'past' : 'to'} ${hour}`)).toEqual(clocks)
    }),
  )
})
