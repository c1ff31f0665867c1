import { durationText } from '../lib/text/text.ts'
import type { Span } from './span.ts'
import { onClock, wallAt } from './zone.ts'

/** Times as people read them: the reader's own by Slack, and the zone of the target in words. Never write a colon right after one. */

/** mrkdwn: `Dec 1, 2026 7:00 AM (Tue 1 Dec 02:00 America/New_York)`, where the first is the reader's own time. */
export const sayTime = (at: number | Date, zone: string): string =>
  `${slackDate(+at, '{date_short_pretty} {time}', zone)} (${zoneTime(at, zone)})`

/** mrkdwn: `Dec 1, 2026 7:00 AM to 9:00 AM (Tue 1 Dec 02:00 to 04:00 America/New_York)`. */
export function saySpan(span: Span, zone: string): string {
  const sameDay = dayText(span.from, zone) === dayText(span.to, zone)
  const start = slackDate(span.from, '{date_short_pretty} {time}', zone)
  return `${start} to ${slackDate(span.to, sameDay ? '{time}' : '{date_short_pretty} {time}', zone)} (${zoneSpan(span, zone)})`
}

/** Plain text: `Tue 1 Dec 02:00 America/New_York`. */
export const zoneTime = (at: number | Date, zone: string): string => `${dayText(+at, zone)} ${clockText(+at, zone)} ${clean(zone)}`

/** Plain text: `Tue 1 Dec 02:00 to 04:00 America/New_York`. */
export const zoneSpan = (span: Span, zone: string): string => `${wallSpan(span, zone)} ${clean(zone)}`

function wallSpan({ from, to }: Span, zone: string): string {
  const day = dayText(to, zone)
  return `${dayText(from, zone)} ${clockText(from, zone)} to ${day === dayText(from, zone) ? '' : `${day} `}${clockText(to, zone)}`
}

/**
 * The hours of a span below the name of a day, which is the one of `day` in the reader's zone: `hours` in mrkdwn and the reader's own
 * time, `there` as plain text in the zone of the target, which is only named where its clocks say the same.
 */
export function hoursOn(day: number, span: Span, { zone, reader }: { readonly zone: string; readonly reader: string }) {
  const own = (at: number) => slackDate(at, dayText(at, reader) === dayText(day, reader) ? '{time}' : '{date_short_pretty} {time}', reader)
  return {
    hours: `${own(span.from)} to ${own(span.to)}`,
    there: wallSpan(span, zone) === wallSpan(span, reader) ? clean(zone) : zoneSpan(span, zone),
  }
}

/**
 * Plain text with everything that a time has, which people can type as well: `Tue 1 Dec 2026 02:00 America/New_York`. An hour that comes
 * twice there is only named by UTC.
 */
export function fullTime(at: number, zone: string): string {
  const where = onClock(wallAt(at, zone), zone).kind === 'once' ? zone : 'UTC'
  return `${dayText(at, where)} ${String(wallAt(at, where).year).padStart(4, '0')} ${clockText(at, where)} ${clean(where)}`
}

/** Plain text for lists whose heading names the zone: `Tue 1 Dec 2026 02:00`. */
export const dateTime = (at: number, zone: string): string => `${dayText(at, zone)} ${wallAt(at, zone).year} ${clockText(at, zone)}`

/** mrkdwn, for whoever typed a time: what was understood of it, with the year and how far away it is. */
export const sayUnderstood = (at: number, zone: string, now: number): string =>
  `${slackDate(at, '{date_short_pretty} {time}', zone)} (${fullTime(at, zone)}, ${awayText(at, now)})`

/** The same for a span: `… (Tue 1 Dec 2026 02:00 to 04:00 America/New_York, in 2 d 16 h)`. */
export function sayUnderstoodSpan(span: Span, zone: string, now: number): string {
  const said = saySpan(span, zone)
  const isPlain = [span.from, span.to].every((at) => onClock(wallAt(at, zone), zone).kind === 'once')
  const sameDay = dayText(span.from, zone) === dayText(span.to, zone)
  const end = sameDay && isPlain ? clockText(span.to, zone) : fullTime(span.to, zone)
  const from = fullTime(span.from, zone)
  const full = sameDay && isPlain ? `${from.slice(0, -clean(zone).length)}to ${end} ${clean(zone)}` : `${from} to ${end}`
  return `${said.slice(0, said.lastIndexOf(' ('))} (${full}, ${awayText(span.from, now)})`
}

/** How far ahead of now: `in 2 d 16 h`. */
export const awayText = (at: number, now: number): string => (at <= now ? 'now' : `in ${durationText(at - now)}`)

/** Plain text with the year, which people can type: `2026-12-01 02:00`. */
export function typedTime(at: number, zone: string): string {
  const { year, month, day } = wallAt(at, zone)
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)} ${clockText(at, zone)}`
}

const slackDate = (at: number, format: string, zone: string): string =>
  `<!date^${Math.floor(at / 1000)}^${format}|${dayText(at, zone)} ${wallAt(at, zone).year} ${clockText(at, zone)} ${clean(zone)}>`

/** Plain text: `Tue 1 Dec`. */
export function dayText(at: number, zone: string): string {
  const { weekday, day, month } = wallAt(at, zone)
  return `${weekdayNames[weekday]} ${day} ${monthNames[month - 1]}`
}

/** Seconds only where there are some. */
function clockText(at: number, zone: string): string {
  const { hour, minute, second } = wallAt(at, zone)
  return `${two(hour)}:${two(minute)}${second === 0 ? '' : `:${two(second)}`}`
}

export const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

const two = (value: number): string => String(value).padStart(2, '0')
const clean = (zone: string): string => zone.replace(/[<>|^]/g, '')
