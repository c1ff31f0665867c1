import { namedDays } from './named-days.ts'
import { clocksInFigures, lengthsInFigures } from './spoken.ts'
import { timeWords } from './time-words.ts'
import { addDays, isDay, isoDay, wallAt } from './zone.ts'

/**
 * What people write and chrono-node reads wrongly: dates in figures, `22h`, nights and midnights. What has one reading is rewritten so
 * that chrono-node has no choice; what has two gives both, and the person is asked.
 */

/** A text that chrono-node reads rightly, and the days by which what it reads has to be moved. */
export type Reading = { readonly text: string; readonly days?: number }

type Clock = { readonly now: number; readonly zone: string; readonly until?: true }

/** None: it looks like a date and is no day of the calendar. More than one: a question. */
export function readingsOf(text: string, clock: Clock & { readonly isZoned: boolean }): readonly Reading[] {
  return clocksInFigures(lengthsInFigures(text))
    .flatMap((said) => daysIn(said, clock))
    .flatMap((dated) => hoursOrSpan(dated, clock.isZoned).flatMap((one) => nightOrMidnight(one, clock)))
}

const daysIn = (text: string, clock: Clock): readonly string[] => datesInFigures(text, clock).flatMap((dated) => namedDays(dated, clock))

/** `24.12.2026` has one reading, `5.6.2027` two, and `26/12/01` may begin with its year. */
function datesInFigures(text: string, { now, zone }: Clock): readonly string[] {
  const [, year, month, day] = /(?:^|\s)(\d{4})[./-](\d{1,2})[./-](\d{1,2})(?=[\sT,]|$)/i.exec(text) ?? []
  // chrono-node takes the month for the day where that makes one
  if (year !== undefined) return isDay({ year: Number(year), month: Number(month), day: Number(day) }) ? [text] : []
  const whole = /(^|\s)(\d{1,2})([./-])(\d{1,2})\3(\d{4}|\d\d)(?=[\s,]|$)/.exec(text)
  if (whole !== null) {
    const [found, before = '', first = '', , second = '', third = ''] = whole
    const year = third.length === 2 ? 2000 + Number(third) : Number(third)
    const days = [
      { year, month: Number(second), day: Number(first) },
      { year, month: Number(first), day: Number(second) },
      { year: third.length === 2 ? 2000 + Number(first) : 0, month: Number(second), day: Number(third) },
    ].filter((day, index) => index < 2 || day.year >= wallAt(now, zone).year)
    return unique(days.filter(isDay).map((day) => text.replace(found, `${before}${isoDay(day)}`)))
  }
  // without a year: `24/12`, `24.12.`, and `24.12` only before a clock, since it may be one itself
  const short = /(^|\s)(\d{1,2})(?:\/(\d{1,2})|\.(\d{1,2})(?:\.|(?=\s.*\d:\d\d)))(?=[\s,]|$)/.exec(text)
  if (short === null) return [text]
  const [found, before = '', first = '', slashed, dotted] = short
  const second = slashed ?? dotted ?? ''
  const days = [
    { year: LEAP_YEAR, month: Number(second), day: Number(first) },
    { year: LEAP_YEAR, month: Number(first), day: Number(second) },
  ]
  return unique(days.filter(isDay).map(({ day, month }) => text.replace(found, `${before}${day} ${months[month - 1]}`)))
}

const LEAP_YEAR = 2028
const months = 'January February March April May June July August September October November December'.split(' ')

/** `22h` is the clock where something else says so: a day, a zone, `at`. Alone it may as well be counted from now. */
function hoursOrSpan(text: string, isZoned: boolean): readonly string[] {
  const [found, before = '', at, hour = '', minute = '00'] = /(^|\s)(at\s+)?(\d{1,2})\s?h(\d\d)?(?=[\s,]|$)/i.exec(text) ?? []
  if (/\bin \d+h[0-5]\d$/i.test(text)) return [`${text}m`]
  if (found === undefined || /^in\b|\bin\s+\d+\s?h|\bago$|\bfrom now$|\dh\s\d+\s?m/i.test(text)) return [text]
  const clock = text.replace(found, `${before}at ${hour.padStart(2, '0')}:${minute}`)
  const span = `in ${Number(hour)} hours${minute === '00' ? '' : ` ${minute} minutes`}`
  const isAlone = at === undefined && !isZoned && text.trim() === found.trim()
  if (!isAlone) return [clock]
  return Number(hour) > 24 || Number(minute) > 59 ? [span] : Number(hour) === 0 ? [clock] : [clock, span]
}

function nightOrMidnight(text: string, clock: Clock): readonly Reading[] {
  const at = /\b12\s+(?=(?:midnight|noon)\b)/i.exec(withoutDates(text))
  const named = at === null ? text : `${text.slice(0, at.index)}${text.slice(at.index + at[0].length)}`
  if (/\bmidnight\b/i.test(named)) return midnight(named)
  if (/(^|\s)24:00(:00)?(?=[\s,]|$)/.test(named)) return endOfThatDay(named)
  return /\b(to|at |this )?night\b/i.test(named) ? night(named, clock) : [{ text: named }]
}

/** The midnight of a day is its beginning for some and its end for others; that of today can only come. */
function midnight(text: string): readonly Reading[] {
  const day = besides(text, /\b(at\s+)?midnight\b/i)
  if (day === '') return [{ text: 'midnight' }]
  if (/^(today|tonight|this night)$/i.test(day)) return [{ text: 'today 00:00', days: 1 }]
  const begins = `${day.replace(/\s+night$/i, '')} 00:00`
  return [{ text: begins }, { text: begins, days: 1 }]
}

/** ISO 8601 writes the end of a day so. */
function endOfThatDay(text: string): readonly Reading[] {
  const day = besides(text, /\b(at\s+)?24:00(:00)?/i)
  return day === '' ? [{ text: 'midnight' }] : [{ text: `${day === 'tonight' ? 'today' : day} 00:00`, days: 1 }]
}

const besides = (text: string, clock: RegExp): string =>
  text
    .replace(clock, ' ')
    .replace(/[\s,]+/g, ' ')
    .replace(/^ ?(on |at )?/i, '')
    .trim()

/** A night begins in the evening of its day and ends in the morning of the next one. */
function night(text: string, { now, zone }: Clock): readonly Reading[] {
  const noon = text.replace(/\bnoon\b/i, '12pm')
  const [clock, hour = '', minute = '00', half = ''] =
    /(?:\bat\s+)?\b(\d{1,2})(?:[:.](\d\d))?\s*(?:([ap])\.?m\b\.?)?(?![\w:.-])/i.exec(withoutDates(noon)) ?? []
  if (clock === undefined || /\bin\s+(\d|an?\b|half)|\bago\b/i.test(text) || Number(hour) > 24) return [{ text }]
  const day = besides(noon.replace(clock, ' '), /\b(to|at |this |in the )?night\b/i)
  const isTonight = /\b(to|this )night\b/i.test(text)
  const at = (value: number) => `${String(value).padStart(2, '0')}:${minute}`
  const on = day === '' || /^(today|this)$/i.test(day) ? 'today' : day
  if (!isTonight && day === '') return hoursOfNight(hour, half).map(([value]) => ({ text: at(value) }))
  const here = wallAt(now, zone)
  return hoursOfNight(hour, half).flatMap(([value, isNext]): readonly Reading[] => {
    const that = { text: `${on} ${at(value)}` }
    const next = { ...that, days: 1 }
    if (!isNext) return [that]
    // before dawn `tonight` may be the night that is not over
    const isAhead = here.hour < DAWN && value * 60 + Number(minute) > here.hour * 60 + here.minute
    if (isTonight) return isAhead ? [that, next] : [next]
    return [that, next]
  })
}

const DAWN = 6
const DUSK = 17

/** Each hour that may be meant, and whether it lies behind midnight. Only `05` and more than 12 are surely of 24 hours. */
function hoursOfNight(written: string, half: string): readonly (readonly [hour: number, isNext: boolean])[] {
  const hour = half === '' ? Number(written) % 24 : (Number(written) % 12) + (half.toLowerCase() === 'p' ? 12 : 0)
  const other = (hour + 12) % 24
  if (hour >= DUSK || (hour < DAWN - 1 && (half !== '' || hour !== 12))) return [[hour, hour < DAWN]]
  if (half === '' && hour === 12) return [[0, true]]
  if (hour < DAWN && (half !== '' || written.startsWith('0'))) return [[hour, true]]
  if (half === '' && hour >= DAWN && hour < 12 && !written.startsWith('0')) return [[other, false]]
  return [
    [hour, hour < 12],
    [other, other < 12],
  ]
}

/** Of the same length, so that figures of a date are not taken for a clock. */
const withoutDates = (text: string): string =>
  text.replace(
    /\d{4}-\d\d-\d\d|\b\d{1,2}(st|nd|rd|th)?\s+(of\s+)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(\s+\d{4})?|\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\s+\d{1,2}(st|nd|rd|th)?\b(?!:)/gi,
    (date) => '_'.repeat(date.length),
  )

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)]

/** For what lasts until a day: when it ends, in words of a day that chrono-node reads. Undefined when no end of anything is named. */
export function endsOf(text: string, clock: Clock): readonly Reading[] | undefined {
  const today = wallAt(clock.now, clock.zone)
  const first = (year: number, month: number): Reading => ({
    text: `${isoDay({ year: year + Math.floor(month / 12), month: (month % 12) + 1, day: 1 })} 00:00`,
  })
  const ahead = (weekday: number): Reading => ({ text: `${isoDay(addDays(today, ((weekday - today.weekday + 6) % 7) + 1))} 00:00` })
  const asked = text
    .toLowerCase()
    .replace(/\b(the|this|on|at|by|current)\s+/g, '')
    .replace(/\bend of day\b(?! after)/, 'eod')
    .trim()
  switch (asked) {
    case 'eod':
    case 'eod today':
    case 'today eod':
    case 'end of today':
      return [{ text: 'today 00:00', days: 1 }]
    case 'end of week':
      return today.weekday === 6 || today.weekday === 0 ? [ahead(1)] : [ahead(6), ahead(1)]
    case 'end of weekend':
    case 'next week':
      return [ahead(1)]
    case 'end of month':
    case 'next month':
      return [first(today.year, today.month)]
    case 'end of next month':
      return [first(today.year, today.month + 1)]
    case 'end of quarter':
    case 'next quarter':
      return [first(today.year, Math.ceil(today.month / 3) * 3)]
    case 'end of year':
    case 'next year':
      return [first(today.year, 12)]
  }
  const day = /^(?:eod|end of)\s+(.+)$/.exec(asked)?.[1] ?? /^(.+)\s+eod$/.exec(asked)?.[1]
  if (day === undefined) return undefined
  const month = day.length < 3 ? -1 : months.findIndex((each) => each.toLowerCase().startsWith(day))
  if (month >= 0) return [first(today.year + (month + 1 < today.month ? 1 : 0), month + 1)]
  if (timeWords(day.split(/\s+/)) === 0) return undefined
  return daysIn(day, clock).map((one) => ({ text: `${one} 00:00`, days: 1 }))
}
