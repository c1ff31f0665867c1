import { createRequire } from 'node:module'
import type { Chrono, ParsedResult } from 'chrono-node'
import { isRefusal, refuse, type Refusal } from '../lib/refusal.ts'
import { codeText, oneLine, truncate } from '../lib/text/text.ts'
import { typedTime, weekdayNames, zoneTime } from './say.ts'
import { lengthWords, partsOfLength, timeWords, withoutMarks } from './time-words.ts'
import { addDays, isDay, isZone, nearestZone, offsetAt, onClock, wallAt, weekdayOf, type Wall } from './zone.ts'

export type When = { readonly at: number; readonly zone: string }

type Clock = { readonly now: number; readonly zone: string }

/** The time that words begin with, and what follows it. In quotation marks it is a word by itself, and nothing after it is about time. */
export function takeWhen(words: readonly string[], clock: Clock): (When & { readonly rest: readonly string[] }) | Refusal {
  const quoted = isSeveral(words[0]) ? readWhen(words[0], clock) : undefined
  if (quoted !== undefined && !isRefusal(quoted)) return { ...quoted, rest: words.slice(1) }
  const all = unquoted(words)
  const count = Math.max(timeWords(all), 1)
  const when = readWhen(withoutMarks(all.slice(0, count).join(' ')), clock)
  return isRefusal(when) ? when : { ...when, rest: all.slice(count) }
}

/** The length that words begin with, and what follows it. */
export function takeLength(words: readonly string[]): { readonly length: number; readonly rest: readonly string[] } | Refusal {
  const quoted = isSeveral(words[0]) ? readLength(words[0]) : undefined
  if (quoted !== undefined && !isRefusal(quoted)) return { length: quoted, rest: words.slice(1) }
  const all = unquoted(words)
  const count = Math.max(lengthWords(all), 1)
  const length = readLength(all.slice(0, count).join(' '))
  return isRefusal(length) ? length : { length, rest: all.slice(count) }
}

const isSeveral = (word: string | undefined): word is string => /\S\s+\S/.test(word ?? '')

/** Time and reason in one pair of quotation marks read like without. */
const unquoted = ([first = '', ...rest]: readonly string[]): readonly string[] => [
  ...first.split(/\s+/).filter((word) => word !== ''),
  ...rest,
]

/**
 * A time as people write it: `next Tue 02:00`, `2026-12-01 02:00 America/New_York`, `in 2 hours`. chrono-node reads the fields of the wall
 * clock; the zone is read here, since chrono drops whole names in silence and guesses at abbreviations. `zone` is meant where none is named.
 */
export function readWhen(text: string, { now, zone: own }: { readonly now: number; readonly zone: string }): When | Refusal {
  const written = oneLine(text)
  const example = examplesOf(now, own)
  if (written === '') return no(`No time was given. ${example}`)
  if (written.length > LONGEST) return no(`A time has at most ${LONGEST} characters, and this one has ${countOf(text)}. ${example}`)
  const { clock, zone } = splitZone(written, own)
  if (!isZone(zone)) return no(`${codeText(zone)} is not a time zone. ${nearestZone(zone)}`)
  if (BOTH_WAYS.test(clock)) return no(`${shown(written)} could be read with the day or the month first. ${example}`)

  const found = readerOf().parse(clock, { instant: new Date(now), timezone: offsetAt(now, zone) }, { forwardDate: !BEHIND.test(clock) })
  const [first, second] = found
  if (first === undefined) return no(`${shown(written)} is not a time that can be read, or not a day of the calendar. ${example}`)
  if (second !== undefined || first.end != null) return no(`${shown(written)} names more than one time. ${example}`)
  const rest = restOf(clock, first)
  if (rest !== '') return notUnderstood(written, first, rest, example)
  if (!first.start.isCertain('hour')) return no(`${shown(written)} names no time of day. ${example}`)

  const at = instantOf(first, zone, now)
  if (typeof at !== 'number') return at
  if (at <= now) return no(`${withYear(at, { now, zone })} has passed${named(written)}. ${example}`)
  if (at > now + FARTHEST_MS) return no(`${yearTime(at, zone)} is more than two years ahead. ${example}`)
  return { at, zone }
}

/** What lies in another year is not taken for a day of this one. */
const withYear = (at: number, { now, zone }: { readonly now: number; readonly zone: string }): string =>
  wallAt(at, zone).year === wallAt(now, zone).year ? zoneTime(at, zone) : yearTime(at, zone)

/** How long: `2h`, `90 minutes`, `1h30m`. More than nothing and less than a week. */
export function readLength(text: string): number | Refusal {
  const written = oneLine(text)
  if (written.length > LONGEST) return no(`A length has at most ${LONGEST} characters, and this one has ${countOf(text)}. ${LENGTHS}`)
  const words = written.split(' ')
  if (written === '' || lengthWords(words) < words.length)
    return no(`${written === '' ? 'No length was given' : `${shown(written)} is not a length`}. ${LENGTHS}`)
  const length = partsOfLength(written).reduce((sum, { count, unitMs }) => sum + count * unitMs, 0)
  if (length === 0) return no(`A length of ${codeText(written)} is no time at all. ${LENGTHS}`)
  if (length >= WEEK_MS) return no(`${codeText(written)} is too long: nothing here lasts a week or more. ${LENGTHS}`)
  return length
}

const LONGEST = 200
const MINUTE_MS = 60_000
const WEEK_MS = 7 * 86_400_000
const FARTHEST_MS = 2 * 366 * 86_400_000
const LENGTHS = 'Write for example `2h`, `90m` or `1h30m`.'

/**
 * Without its zones by abbreviation: `EST` and `IST` mean several, and what is left over is asked about. Loaded by the first time that
 * somebody types, in about 50 ms, and in English alone: all languages take 5 MB more.
 */
function readerOf(): Chrono {
  if (reader !== undefined) return reader
  const { casual } = createRequire(import.meta.url)('chrono-node/en') as { readonly casual: Chrono } // `require` has no types
  reader = casual.clone()
  reader.refiners = reader.refiners.filter((refiner) => refiner.constructor.name !== 'ExtractTimezoneAbbrRefiner')
  return reader
}
let reader: Chrono | undefined

const BEHIND = /\b(last|past)\b/i

const BOTH_WAYS = /(^|\s)\d{1,2}([/.])\d{1,2}\2\d{2,4}(\s|$)|(^|\s)\d{1,2}\/\d{1,2}(\s|$)/

/** A name with a slash, or UTC, at the end or in brackets there. */
function splitZone(text: string, own: string): { readonly clock: string; readonly zone: string } {
  const iso = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?Z$/i.exec(text)
  if (iso?.[1] !== undefined) return { clock: iso[1], zone: 'UTC' }
  const [, clock, zone] = /^(.*?)[\s,]*(?:\bin\s+)?\(?\b([a-z][a-z_]*(?:\/[a-z0-9_+-]+)+|UTC|GMT)\)?$/i.exec(text) ?? []
  if (clock === undefined || zone === undefined) return { clock: text, zone: own }
  return { clock, zone: /^(utc|gmt)$/i.test(zone) ? 'UTC' : zoneAsNamed(zone) }
}

const zoneAsNamed = (zone: string): string =>
  Intl.supportedValuesOf('timeZone').find((known) => known.toLowerCase() === zone.toLowerCase()) ?? zone

const restOf = (clock: string, { index, text }: ParsedResult): string =>
  `${clock.slice(0, index)} ${clock.slice(index + text.length)}`
    .replace(/(^|\s)(at|on|the)(?=\s|$)|[,;.]/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim()

/** One word after a time was meant as its zone; anything else is named as it stands. */
function notUnderstood(written: string, { text }: ParsedResult, rest: string, example: string): Refusal {
  const word = /^[a-z]{2,}$/i.test(rest) && written.endsWith(rest)
  if (word && rest.length <= 5 && rest === rest.toUpperCase())
    return no(
      `${codeText(rest)} is an abbreviation that several time zones share. Write the whole name, for example ${codeText(`${text} America/New_York`)}.`,
    )
  if (word) return no(`${codeText(rest)} is not a time zone. ${nearestZone(rest)}`)
  return no(`${codeText(text)} was understood in ${shown(written)}, but not ${shown(rest)}. ${example}`)
}

function instantOf({ start, text }: ParsedResult, zone: string, now: number): number | Refusal {
  // `in 2 hours` and `+02:00` are instants by themselves; nobody means the seconds of the moment in which he writes
  if (start.isCertain('timezoneOffset')) {
    const at = start.date().getTime()
    return /\ds|sec/i.test(text) ? at : Math.ceil(at / MINUTE_MS) * MINUTE_MS
  }
  const field = (name: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second') => start.get(name) ?? 0
  const wall = {
    year: field('year'),
    month: field('month'),
    day: field('day'),
    hour: field('hour'),
    minute: field('minute'),
    second: field('second'),
  }
  if (wall.year < 1 || wall.year > 9999) return no(`${codeText(text)} is not a year that can be planned. ${examplesOf(now, zone)}`)
  const weekday = start.isCertain('weekday') ? start.get('weekday') : null
  if (weekday !== null && start.isCertain('day') && weekday !== weekdayOf(wall))
    return no(
      `${typedTime(Date.UTC(wall.year, wall.month - 1, wall.day), 'UTC').slice(0, 10)} is a ${weekdayNames[weekdayOf(wall)]} and not a ${weekdayNames[weekday]}. ${examplesOf(now, zone)}`,
    )
  const meant = onThisSide(wall, { start, text }, zone, now)
  const found = onClock(meant, zone)
  if (found.kind === 'none') return inGap(meant, found.at, zone)
  return found.kind === 'twice' ? comesTwice(found, zone) : found.at
}

/** A weekday or an hour alone is the next one; a date without a year that was a moment ago is not meant for next year. */
function onThisSide(wall: Wall, { start, text }: Pick<ParsedResult, 'start' | 'text'>, zone: string, now: number): Wall {
  if (start.isCertain('year')) return wall
  if (!start.isCertain('month')) {
    const passed = !BEHIND.test(text) && !start.isCertain('day') && onClock(wall, zone).at <= now
    return passed ? { ...wall, ...addDays(wall, start.isCertain('weekday') ? 7 : 1) } : wall
  }
  const before = { ...wall, year: wall.year - 1 }
  const passed = isDay(before) ? now - onClock(before, zone).at : -1
  return passed >= 0 && passed < 60 * 86_400_000 ? before : wall
}

function inGap(wall: Wall, after: number, zone: string): Refusal {
  const two = (value: number) => String(value).padStart(2, '0')
  const written = `${wall.year}-${two(wall.month)}-${two(wall.day)} ${two(wall.hour)}:${two(wall.minute)}`
  const from = typedTime(after, zone)
  return no(
    `${written} does not exist in ${zone}, since clocks are put forward to ${from.slice(11)} then. Write for example \`${from} ${zone}\`.`,
  )
}

const comesTwice = ({ at, again }: { readonly at: number; readonly again: number }, zone: string): Refusal =>
  no(
    `${typedTime(at, zone)} comes twice in ${zone}, since clocks are put back then. Write \`${typedTime(at, 'UTC')} UTC\` for the first or \`${typedTime(again, 'UTC')} UTC\` for the second.`,
  )

const no = (text: string): Refusal => refuse('bad_arguments', text)

const countOf = (text: string): string => text.length.toLocaleString('en-US')

const shown = (text: string): string => codeText(truncate(text, 60))

const named = (written: string): string => (written.length <= 60 ? ` (read from ${codeText(written)})` : '')

const yearTime = (at: number, zone: string): string => `${typedTime(at, zone)} ${zone}`

/** Two ways of writing that work now. */
function examplesOf(now: number, zone: string): string {
  const day = addDays(wallAt(now, zone), 3)
  return `Write for example \`${weekdayNames[weekdayOf(day)]} 02:00\` or \`${typedTime(Date.UTC(day.year, day.month - 1, day.day), 'UTC').slice(0, 10)} 02:00 ${zone}\`.`
}
