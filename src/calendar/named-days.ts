import { addDays, isoDay, wallAt, type Day } from './zone.ts'

/**
 * Days that are named from where somebody stands, as dates in figures: `next Fri`, `Tue this week`, `the weekend`, `the day after tomorrow`.
 * Where people mean different days by the same words, all of them: whether `next Friday` is the one of this week, and whether a week
 * begins on Sunday or on Monday.
 */
export function namedDays(text: string, { now, zone, until }: { readonly now: number; readonly zone: string; readonly until?: true }) {
  const today = wallAt(now, zone)
  const after = text.replace(/\b(?:the\s+)?day\s+after\s+tomorrow\b/gi, isoDay(addDays(today, 2)))
  if (hasDate(after)) return [after]
  return weekends(after, until).flatMap((one) => weekdays(one, today))
}

/** Until the weekend is until it begins. */
const weekends = (text: string, until?: true): readonly string[] =>
  (until === undefined ? ['Saturday', 'Sunday'] : ['Saturday']).map((day) => text.replace(/\bweekend\b/i, day)).filter(isFirst)

type Today = Day & { readonly weekday: number }

function weekdays(text: string, today: Today): readonly string[] {
  const [week, whose = ''] = /\b(?:of\s+)?(this|next)\s+week\b/i.exec(text) ?? []
  const [named, on, name = ''] = new RegExp(String.raw`\b(?:(this|next)\s+)?${WEEKDAY}\b`, 'i').exec(text) ?? []
  if (named === undefined) return [text]
  const weekday = NAMES.findIndex((each) => name.toLowerCase().startsWith(each))
  const days = (ahead: readonly number[]) => ahead.map((count) => isoDay(addDays(today, count)))
  if (week !== undefined) {
    const rest = text
      .replace(week, ' ')
      .replace(named, ' ')
      .replace(/[\s,]+/g, ' ')
      .trim()
    return days(inWeek(weekday, today, /next/i.test(whose) ? 7 : 0))
      .map((day) => `${day} ${rest}`)
      .filter(isFirst)
  }
  if (on === undefined) return [text]
  const nearest = (weekday - today.weekday + 7) % 7
  const meant = /this/i.test(on) ? [nearest] : [nearest === 0 ? 7 : nearest, ...inWeek(weekday, today, 7)]
  return days(meant)
    .map((day) => text.replace(named, day))
    .filter(isFirst)
}

/** Days from today to the weekday of a week, which begins on Monday for some and on Sunday for others. */
const inWeek = (weekday: number, today: Today, ahead: number): readonly number[] => [
  ahead + ((weekday + 6) % 7) - ((today.weekday + 6) % 7),
  ahead + weekday - today.weekday,
]

const NAMES = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const WEEKDAY = '((?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?)'

/** A date beside its weekday says by itself which one is meant. */
const hasDate = (text: string): boolean => /\d{4}-\d\d-\d\d|\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b/i.test(text)

const isFirst = (text: string, index: number, all: readonly string[]): boolean => all.indexOf(text) === index
