import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agoText, clockTime, dayKey, dayLabel, formatSlackDate, fullTime } from '../../../playground/page/text/dates.ts'

const MOMENT = Date.parse('2026-11-20T09:00:00Z')
const seconds = MOMENT / 1000
const paris = { zone: 'Europe/Paris', now: Date.parse('2026-11-20T19:00:00Z') }
const tokyo = { zone: 'Asia/Tokyo', now: paris.now }

describe('a date in a message', () => {
  test.each([
    ['{date_num}', '2026-11-20'],
    ['{date}', 'November 20th, 2026'],
    ['{date_short}', 'Nov 20, 2026'],
    ['{date_long} at {time}', 'Friday, November 20th, 2026 at 10:00 AM'],
    ['{date_short_pretty} at {time}', 'today at 10:00 AM'],
    ['{time_secs}', '10:00:00 AM'],
    ['{ago}', '10 hours ago'],
    ['{unknown}', '{unknown}'],
  ])('%s reads %s in Paris', (format, expected) => {
    expect(formatSlackDate(seconds, format, paris)).toBe(expected)
  })
  test('each reader sees his own zone, and with it his own day', () => {
    expect(formatSlackDate(seconds, '{date_short_pretty} at {time}', tokyo)).toBe('yesterday at 6:00 PM')
  })
  test('another day of this year is named without the year, of another year with it', () => {
    expect(formatSlackDate(seconds - 86_400 * 7, '{date_pretty}', paris)).toBe('November 13th')
    expect(formatSlackDate(seconds - 86_400 * 400, '{date_short_pretty}', paris)).toBe('Oct 16, 2025')
  })
  test('a zone that nobody knows reads as UTC', () => {
    expect(clockTime(MOMENT, { zone: 'Moon/Base', now: MOMENT })).toBe('9:00 AM')
  })
})

test('the line between days says today, yesterday or the day', () => {
  expect(dayLabel(MOMENT, paris)).toBe('Today')
  expect(dayLabel(MOMENT - 86_400_000, paris)).toBe('Yesterday')
  expect(dayLabel(MOMENT - 86_400_000 * 8, paris)).toBe('Thursday, November 12th')
})

test('the tooltip names the zone', () => {
  expect(fullTime(MOMENT, { zone: 'America/New_York', now: MOMENT })).toBe('Friday, November 20th, 2026 at 4:00:00 AM EST')
})

test('ordinals follow English', () => {
  const on = (day: string): string => formatSlackDate(Date.parse(`2026-05-${day}T12:00:00Z`) / 1000, '{date_long_full}', paris)
  expect(['01', '02', '03', '04', '11', '12', '13', '21', '22', '23', '31'].map(on).map((text) => text.slice(4, -6))).toEqual([
    '1st',
    '2nd',
    '3rd',
    '4th',
    '11th',
    '12th',
    '13th',
    '21st',
    '22nd',
    '23rd',
    '31st',
  ])
})

test('time that passed and time to come are told apart', () => {
  expect(agoText(MOMENT - 60_000, MOMENT)).toBe('1 minute ago')
  expect(agoText(MOMENT + 7_200_000, MOMENT)).toBe('in 2 hours')
  expect(agoText(MOMENT, MOMENT)).toBe('0 seconds ago')
})

test('the day key is the calendar day in the zone, at every moment', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }), (date) => {
      expect(dayKey(date.getTime(), 'UTC')).toBe(date.toISOString().slice(0, 10))
    }),
  )
})
