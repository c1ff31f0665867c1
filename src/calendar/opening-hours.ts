import { isAllowFault, readAllow, type AllowRule } from './allow.ts'
import { occurrences } from './cron.ts'
import { holidaysOf, type Holiday } from './holidays.ts'
import type { Span } from './span.ts'
import { addDays, firstInstant, readWall, wallAt, weekdayOf, type Day } from './zone.ts'

/** When runs of a target may start: its weekly rules, without public holidays and freezes. Pure; ms since 1970. */
export type Calendar = {
  readonly zone: string
  /** As written in the configuration; null: at any time. */
  readonly allow: string | null
  readonly rules: readonly AllowRule[]
  readonly holidays: string | null
  readonly freezes: readonly Freeze[]
}

/** Something that keeps targets closed, whether it stands in the configuration or somebody set it. */
export type Freeze = {
  readonly name: string
  readonly reason: string
  readonly kind: 'freeze' | 'lock'
  /** Null: all targets. */
  readonly targets: readonly string[] | null
  /** Those that touch [from, to). One without an end ends at Infinity. */
  readonly spans: (from: number, to: number) => readonly Span[]
}

/** What is configured of a target's hours. */
export type Hours = {
  readonly name: string
  readonly timezone: string
  readonly windows: { readonly allow?: string | undefined; readonly holidays?: string | undefined }
}

/** One that stands in the configuration: wall-clock times in `timezone`, `length` in milliseconds. */
export type ConfiguredFreeze = {
  readonly name: string
  readonly reason: string
  readonly targets?: readonly string[] | undefined
  readonly timezone: string
} & ({ readonly cron: string; readonly length: number } | { readonly from: string; readonly until: string })

/** One that somebody has set; without `until` it lasts until it is lifted. */
export type SetFreeze = Pick<Freeze, 'kind' | 'reason' | 'targets'> & { readonly from: Date; readonly until: Date | null }

export type Status =
  /** `always`: there are no hours, and `span` ends where the next holiday or freeze begins, or where nobody looks any more. */
  | { readonly kind: 'open'; readonly span: Span; readonly always: boolean }
  /** `name`: the hours, the holiday or the freeze. `until`: the end of the holiday or freeze, null when nobody knows. */
  | {
      readonly kind: 'closed'
      readonly why: 'hours' | 'holiday' | 'frozen'
      readonly name: string
      readonly until: number | null
      readonly next: Span | null
    }

/** Those of `freezes` that are about the target. Throws for hours that `readAllow` refuses, since the configuration was checked. */
export function calendarOf(target: Hours, freezes: readonly Freeze[]): Calendar {
  const { allow, holidays } = target.windows
  const rules = allow === undefined ? [] : readAllow(allow, target.timezone)
  if (isAllowFault(rules)) throw new Error(`targets.${target.name}.windows.allow ${rules.problem}`)
  return {
    zone: target.timezone,
    allow: allow ?? null,
    rules,
    holidays: holidays ?? null,
    freezes: freezes.filter(({ targets }) => targets === null || targets.includes(target.name)),
  }
}

/** `freezes` of the configuration. */
export const configuredFreezes = (freezes: readonly ConfiguredFreeze[]): Freeze[] =>
  freezes.map((freeze) => ({
    name: freeze.name,
    reason: freeze.reason,
    kind: 'freeze',
    targets: freeze.targets ?? null,
    spans: 'cron' in freeze ? repeated(freeze.cron, freeze.length, freeze.timezone) : dated(freeze.from, freeze.until, freeze.timezone),
  }))

/** Freezes and locks that people have set. */
export const setFreezes = (rows: readonly SetFreeze[]): Freeze[] =>
  rows.map((row) => ({
    name: row.reason,
    reason: row.reason,
    kind: row.kind,
    targets: row.targets,
    spans: within({ from: row.from.getTime(), to: row.until?.getTime() ?? Number.POSITIVE_INFINITY }),
  }))

/** The times in [from, to) at which runs may start, rising and apart. */
export function openings(calendar: Calendar, from: number, to: number): Span[] {
  const holidays = calendar.holidays === null ? [] : holidaysOf(calendar.holidays, calendar.zone, { from: from - 2 * DAY_MS, to })
  const opened =
    calendar.rules.length === 0
      ? [{ from, to }]
      : weekly(calendar.rules, from, to).filter((span) => holidayAt(holidays, span.from) === undefined)
  const closed = [...holidays, ...calendar.freezes.flatMap(({ spans }) => spans(from, to))]
  return joined(opened)
    .flatMap((span) => without(span, closed))
    .map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) }))
    .filter((span) => span.from < span.to)
}

/** The first opening that has not ended, which may be open now; null: none within a year. */
export function nextOpening(calendar: Calendar, now: number): Span | null {
  for (const days of [16, 64, 400]) {
    const horizon = now + days * DAY_MS
    const next = openings(calendar, now - LONGEST_MS, horizon).find(({ to }) => to > now)
    // one that reaches the horizon may go on behind it
    if (next !== undefined && (next.to < horizon || days === 400)) return next
  }
  return null
}

export function statusAt(calendar: Calendar, now: number): Status {
  const next = nextOpening(calendar, now)
  if (next !== null && next.from <= now) return { kind: 'open', span: next, always: calendar.rules.length === 0 }
  const frozen = calendar.freezes.flatMap(({ name, spans }) => spans(now, now + 1).map(({ to }) => ({ name, to })))
  const last = frozen.toSorted((a, b) => b.to - a.to)[0]
  if (last !== undefined) return { kind: 'closed', why: 'frozen', name: last.name, until: Number.isFinite(last.to) ? last.to : null, next }
  const holiday =
    calendar.holidays === null ? undefined : holidayAt(holidaysOf(calendar.holidays, calendar.zone, { from: now, to: now + 1 }), now)
  // on a holiday at an hour that is closed anyway, the hours are the reason
  if (holiday !== undefined && openings({ ...calendar, holidays: null }, now, now + 1).length > 0)
    return { kind: 'closed', why: 'holiday', name: holiday.name, until: holiday.to, next }
  return { kind: 'closed', why: 'hours', name: calendar.allow ?? '', until: null, next }
}

const DAY_MS = 86_400_000
/** No weekly rule lasts longer than a day; joined ones may, and so looking back shows their beginning. */
const LONGEST_MS = 8 * DAY_MS

const within =
  (span: Span) =>
  (from: number, to: number): readonly Span[] =>
    span.from < to && span.to > from ? [span] : []

const repeated = (cron: string, length: number, zone: string) => (from: number, to: number) =>
  occurrences(cron, zone, from - length + 1, to).map((at) => ({ from: at, to: at + length }))

function dated(from: string, until: string, zone: string) {
  const [start, end] = [readWall(from), readWall(until)]
  if (start === undefined || end === undefined) throw new Error(`a freeze from "${from}" until "${until}" was not checked`)
  return within({ from: firstInstant(start, zone), to: firstInstant(end, zone) })
}

const weekly = (rules: readonly AllowRule[], from: number, to: number): Span[] =>
  rules.flatMap(({ days, from: opens, to: closes, zone }) => {
    const spans: Span[] = []
    const last = dayNumber(wallAt(to, zone))
    for (let day: Day = addDays(wallAt(from, zone), -2); dayNumber(day) <= last; day = addDays(day, 1))
      if (days.has(weekdayOf(day)))
        spans.push({ from: minuteOf(day, opens, zone), to: minuteOf(closes > opens ? day : addDays(day, 1), closes, zone) })
    return spans.filter((span) => span.from < span.to)
  })

/** 24:00 is the midnight after it. */
function minuteOf(day: Day, minutes: number, zone: string): number {
  const { year, month, day: date } = minutes === 24 * 60 ? addDays(day, 1) : day
  return firstInstant({ year, month, day: date, hour: Math.floor(minutes / 60) % 24, minute: minutes % 60 }, zone)
}

const dayNumber = (day: Day): number => Date.UTC(day.year, day.month - 1, day.day)

const holidayAt = (holidays: readonly Holiday[], at: number): Holiday | undefined => holidays.find(({ from, to }) => from <= at && at < to)

/** Those that touch become one. */
function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = []
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last !== undefined && span.from <= last.to) result[result.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
    else result.push({ from: span.from, to: span.to })
  }
  return result
}

function without(span: Span, closed: readonly Span[]): Span[] {
  let rest: Span[] = [span]
  for (const gap of closed)
    rest = rest.flatMap(({ from, to }) =>
      [
        { from, to: Math.min(to, gap.from) },
        { from: Math.max(from, gap.to), to },
      ].filter((part) => part.from < part.to),
    )
  return rest
}
