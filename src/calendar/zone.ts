import { closest, distance } from 'fastest-levenshtein'
import { Temporal } from 'temporal-polyfill'

/** Time zones and the clocks on their walls. Instants are ms since 1970; a wall clock has no zone by itself. */

export type Wall = {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second?: number
}

/** What a wall clock means in a zone: one instant, none (clocks were put forward over it at `at`), or two. */
export type OnClock =
  | { readonly kind: 'once'; readonly at: number }
  | { readonly kind: 'none'; readonly at: number }
  | { readonly kind: 'twice'; readonly at: number; readonly again: number }

/** `wall` has to be a day of the calendar; `isDay` asks. */
export function onClock(wall: Wall, zone: string): OnClock {
  const plain = Temporal.PlainDateTime.from({ ...wall })
  const earlier = plain.toZonedDateTime(zone, { disambiguation: 'earlier' })
  const later = plain.toZonedDateTime(zone, { disambiguation: 'later' })
  const at = earlier.epochMilliseconds
  if (at === later.epochMilliseconds) return { kind: 'once', at }
  if (earlier.toPlainDateTime().equals(plain)) return { kind: 'twice', at, again: later.epochMilliseconds }
  return { kind: 'none', at: earlier.getTimeZoneTransition('next')?.epochMilliseconds ?? later.epochMilliseconds }
}

/** For rules that repeat: the first instant of that time, and where there is none the first one after the gap. */
export const firstInstant = (wall: Wall, zone: string): number => onClock(wall, zone).at

export function wallAt(at: number, zone: string): Required<Wall> & { readonly weekday: number } {
  const { year, month, day, hour, minute, second, dayOfWeek } = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)
  return { year, month, day, hour, minute, second, weekday: dayOfWeek % 7 }
}

/** Minutes that the zone is ahead of UTC at an instant. */
export const offsetAt = (at: number, zone: string): number =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).offsetNanoseconds / 60_000_000_000

export type Day = Pick<Wall, 'year' | 'month' | 'day'>

export function addDays(day: Day, days: number): Day {
  const moved = new Date(Date.UTC(day.year, day.month - 1, day.day + days))
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() }
}

export const isoDay = ({ year, month, day }: Day): string =>
  `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`

/** 0 is Sunday. */
export const weekdayOf = ({ year, month, day }: Day): number => new Date(Date.UTC(year, month - 1, day)).getUTCDay()

export const isDay = (day: Day): boolean => day.month >= 1 && day.month <= 12 && day.day >= 1 && addDays(day, 0).day === day.day

/** `2026-12-18 17:00` or `2026-12-18`, as the configuration writes times. */
export function readWall(text: string): Wall | undefined {
  const [, year, month, day, hour = '0', minute = '0'] = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d))?$/.exec(text.trim()) ?? []
  const wall = { year: Number(year), month: Number(month), day: Number(day), hour: Number(hour), minute: Number(minute) }
  return year !== undefined && isDay(wall) && wall.hour < 24 && wall.minute < 60 ? wall : undefined
}

export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false // RangeError: there is no such zone
  }
}

/** Whether somebody who writes this meant a zone. */
export const isNearZone = (name: string): boolean => distance(name, closest(name, Intl.supportedValuesOf('timeZone'))) <= 3

/** A sentence that helps: people leave out the continent (`Berlin`) as often as they mistype. */
export const nearestZone = (name: string): string => nearZone(name) ?? 'Write a name such as America/New_York, Europe/Berlin or UTC.'

/** Undefined where no zone is like it. */
export function nearZone(name: string): string | undefined {
  const zones = Intl.supportedValuesOf('timeZone')
  const whole = closest(name, zones)
  if (distance(name, whole) <= 3) return `Did you mean ${whole}?`
  const city = closest(
    name,
    zones.map((zone) => cityOf(zone)),
  )
  const near = distance(name.toLowerCase(), city.toLowerCase()) <= Math.max(1, name.length / 3)
  return near ? `Did you mean ${zones.find((zone) => cityOf(zone) === city)}?` : undefined
}

const cityOf = (zone: string) => zone.slice(zone.lastIndexOf('/') + 1)
