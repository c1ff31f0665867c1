import cron from 'node-cron'
import { addDays, firstInstant, wallAt, type Day } from './zone.ts'

/**
 * Cron expressions without a clock that ticks. node-cron reads the expression and judges days (names, ranges, `Tue#3`, `L`); the times of
 * day become instants here, so that a clock that is put forward skips nothing and one that is put back repeats nothing.
 */
export type Cron = {
  readonly hours: readonly number[]
  readonly minute: number
  /** Day of the month, month and day of the week all have to fit. */
  readonly isDay: (day: Day) => boolean
}

export type CronFault = { readonly problem: string; readonly fix: string }

export const isCronFault = (value: Cron | CronFault): value is CronFault => 'problem' in value

/** Five fields, at most once an hour. */
export function readCron(text: string): Cron | CronFault {
  const fields = text.trim().split(/\s+/)
  if (fields.length === 6) return { problem: `"${text}" has six fields, so it could run every second`, fix: FIVE_FIELDS }
  if (fields.length !== 5) return { problem: `"${text}" is not a cron expression of five fields`, fix: FIVE_FIELDS }
  const { valid, fields: read, errors } = cron.validateDetailed(text.trim())
  if (!valid || read === undefined) return { problem: `"${text}" cannot be read: ${plainError(errors[0])}`, fix: FIVE_FIELDS }
  const [minute, second] = read.minute
  if (minute === undefined || second !== undefined)
    return { problem: `"${text}" runs more often than once an hour`, fix: `Give it one minute of the hour. ${FIVE_FIELDS}` }
  return { hours: read.hour.toSorted((a, b) => a - b), minute, isDay: daysOf(fields.slice(2).join(' ')) }
}

/** All times of an expression in [from, to), rising. Throws for one that `readCron` refuses, since the configuration was checked. */
export function occurrences(text: string, zone: string, from: number, to: number): number[] {
  const expression = readCron(text)
  if (isCronFault(expression)) throw new Error(`${expression.problem}. ${expression.fix}`)
  const { hours, minute, isDay } = expression
  const last = wallAt(to, zone)
  const found = new Set<number>()
  for (let day: Day = addDays(wallAt(from, zone), -1); !isAfter(day, last); day = addDays(day, 1)) {
    if (!isDay(day)) continue
    for (const hour of hours) found.add(firstInstant({ year: day.year, month: day.month, day: day.day, hour, minute }, zone))
  }
  return [...found].filter((at) => at >= from && at < to).toSorted((a, b) => a - b)
}

/** The first time at or after an instant, looking ten years ahead: a 29 February comes within eight. */
export function nextOccurrence(text: string, zone: string, from: number): number | undefined {
  for (let start = from, length = 32 * DAY_MS; start < from + 3_660 * DAY_MS; start += length, length *= 3) {
    const [first] = occurrences(text, zone, start, start + length)
    if (first !== undefined) return first
  }
  return undefined
}

const DAY_MS = 86_400_000

const FIVE_FIELDS = 'Write minute, hour, day of the month, month and day of the week, for example "0 2 * * Tue".'

const plainError = (error: { readonly field: string; readonly value?: string } | undefined): string =>
  error === undefined ? 'one of its fields means nothing' : `${fieldNames[error.field] ?? error.field} cannot be ${error.value ?? 'that'}`

const fieldNames: Readonly<Record<string, string>> = {
  minute: 'the minute',
  hour: 'the hour',
  dayOfMonth: 'the day of the month',
  month: 'the month',
  dayOfWeek: 'the day of the week',
}

/** A task of node-cron that never starts; asked about noon in UTC, only the day decides. */
function daysOf(fields: string): (day: Day) => boolean {
  const known = readDays.get(fields)
  if (known !== undefined) return known
  const task = cron.createTask(`0 12 ${fields}`, () => undefined, { timezone: 'UTC' })
  const isDay = (day: Day) => task.match(new Date(Date.UTC(day.year, day.month - 1, day.day, 12)))
  Promise.resolve(task.destroy()).catch(() => {}) // it was never started
  readDays.set(fields, isDay)
  return isDay
}

const readDays = new Map<string, (day: Day) => boolean>()

const isAfter = (day: Day, other: Day) => Date.UTC(day.year, day.month - 1, day.day) > Date.UTC(other.year, other.month - 1, other.day)
