import { createRequire } from 'node:module'
import type { Chrono, ParsedResult } from 'chrono-node'
import { isRefusal, refuse, type Refusal } from '../lib/refusal.ts'
import { codeText, oneLine, truncate } from '../lib/text/text.ts'
import { endsOf, readingsOf, type Reading } from './readings.ts'
import { awayText, fullTime, typedTime, weekdayNames, zoneTime } from './say.ts'
import { lengthWords, partsOfLength, timeWords, withoutMarks } from './time-words.ts'
import { guessed } from './vocabulary.ts'
import { splitZone } from './zone-in-text.ts'
import { addDays, isDay, isoDay, isZone, nearestZone, nearZone, offsetAt, onClock, wallAt, weekdayOf, type Wall } from './zone.ts'

/** `isDayOnly`: no time of day was named, so it is the beginning of that day. */
export type When = { readonly at: number; readonly zone: string; readonly isDayOnly?: true }

/** `until`: something lasts until then, so that a day alone says enough: it lasts until that day begins. */
type Clock = { readonly now: number; readonly zone: string; readonly until?: true }

/** The time that words begin with, and what follows it. In quotation marks it is a word by itself, and nothing after it is about time. */
export function takeWhen(words: readonly string[], clock: Clock): (When & { readonly rest: readonly string[] }) | Refusal {
  const quoted = isSeveral(words[0]) ? readWhen(words[0], clock) : undefined
  if (quoted !== undefined && !isRefusal(quoted)) return { ...quoted, rest: words.slice(1) }
  const all = unquoted(words)
  const count = Math.max(timeWords(all), 1)
  const length = timeWords(all) === 0 ? all.slice(0, lengthWords(all)).join(' ') : ''
  if (length !== '') return no(`${shown(length)} is a length and not a time. Write for example \`in ${oneLine(length)}\`.`)
  const time = withoutMarks(all.slice(0, count).join(' '))
  const when = readWhen(time, clock)
  if (isRefusal(when)) return when
  const rest = all.slice(count)
  return when.isDayOnly === true && MAYBE_HOUR.test(rest[0] ?? '') ? hourOrReason(time, rest, when) : { ...when, rest }
}

/** Behind a day alone these were more likely meant as its hour or zone than as the reason. */
const MAYBE_HOUR =
  /^(\d.*|at|by|around|about|before|after|early|late|half|quarter|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|morning|afternoon|evening|night|lunch|lunchtime|cob|eob|[ECMP][SD]T|BST|CES?T|[IJ]ST|A[EC][SD]T)[,:;.]?$/i

const hourOrReason = (time: string, rest: readonly string[], { at, zone }: When): Refusal =>
  no(
    `${shown(rest.join(' '))} behind ${shown(time)} could be its hour, its zone or the reason. Write both as \`${typedTime(at, zone).slice(0, 10)} 09:00 ${zone}\`, or the reason as ${codeText(`--reason "${rest.join(' ').replaceAll('"', "'")}"`)}.`,
  )

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
export function readWhen(text: string, typed: Clock): When | Refusal | Unclear {
  const { now, zone: own } = typed
  const written = oneLine(text)
  const example = examplesOf(now, own)
  if (written === '') return no(`No time was given. ${example}`)
  if (written.length > LONGEST) return no(`A time has at most ${LONGEST} characters, and this one has ${countOf(text)}. ${example}`)
  const split = splitZone(written, own)
  if (split === undefined) return no(`${shown(written)} names more than one time zone. ${example}`)
  const { clock, zone } = split
  if (!isZone(zone)) return no(`${codeText(zone)} is not a time zone. ${nearestZone(zone)}`)

  const here = { now, zone, ...(typed.until === undefined ? {} : { until: typed.until }) }
  const readings = (here.until === undefined ? undefined : endsOf(clock, here)) ?? readingsOf(clock, { ...here, isZoned: split.isNamed })
  const found = readings.map((reading) => readOne(reading, { written, example, ...here }))
  // a weekday decides between two dates; what else is wrong with one of them does not make the other one meant
  const possible = found.filter((one) => !('notOn' in one))
  const [first = found[0]] = possible
  if (first === undefined) return no(`${shown(written)} is not a time that can be read, or not a day of the calendar. ${example}`)
  if ('notOn' in first) return first.notOn
  const refused = possible.find((one) => isRefusal(one))
  if (refused !== undefined) return refused
  if (isRefusal(first)) return first
  const several = possible.flatMap((one) => (isRefusal(one) || 'notOn' in one ? [] : [one]))
  if (several.some(({ at }) => at !== first.at)) return whichOf(written, several, here)

  const { at } = first
  if (at <= now) return no(`${withYear(at, here)} has passed${named(written)}. ${example}`)
  if (at > now + FARTHEST_MS) return no(`${yearTime(at, zone)} is more than two years ahead. ${example}`)
  return first
}

/** Its weekday is another one. */
type WrongDay = { readonly notOn: Refusal }

/** Wherever it lies; whether that is ahead is asked by the caller. */
function readOne(
  { text: clock, days = 0 }: Reading,
  { written, example, now, zone, until }: Clock & { readonly written: string; readonly example: string },
): When | Refusal | WrongDay {
  const found = readerOf().parse(clock, { instant: new Date(now), timezone: offsetAt(now, zone) }, { forwardDate: !BEHIND.test(clock) })
  const [first, second] = found
  if (first === undefined) return no(`${shown(written)} is not a time that can be read, or not a day of the calendar. ${example}`)
  if (first.end != null) return no(`${shown(written)} names more than one time. ${example}`)
  if (second !== undefined)
    return no(`${shown(written)} was read as more than one time: ${shown(first.text)} and ${shown(second.text)}. ${example}`)
  const rest = restOf(clock, first)
  if (rest !== '') return notUnderstood(written, first, rest, example)
  const guess = guessed(first)
  if (guess !== undefined) return no(`What ${codeText(guess)} means in ${shown(written)} is not certain. ${example}`)
  if (first.start.isCertain('hour')) {
    const at = instantOf(first, { now, zone, days })
    return typeof at === 'number' ? { at, zone } : at
  }
  const isDay = first.start.isCertain('day') || first.start.isCertain('weekday')
  if (until === undefined || !isDay || PART_OF_DAY.test(clock)) return no(`${shown(written)} names no time of day. ${example}`)
  return untilDay(first, { written, now, zone })
}

const PART_OF_DAY = /\b(morning|noon|afternoon|evening|night|tonight)\b/i

/** Until a day: until it begins. Until today can only be until its end, and until a Sunday on a Sunday may be either. */
function untilDay(found: ParsedResult, { written, now, zone }: Clock & { readonly written: string }): When | Refusal | WrongDay {
  // `in 3 days` is counted from now
  const isCounted = /\bin\s|from now\b/i.test(found.text)
  const at = instantOf(found, { now, zone, days: 0 }, isCounted ? { second: 0 } : { hour: 0, minute: 0, second: 0 })
  if (typeof at !== 'number' || isCounted) return typeof at === 'number' ? { at, zone } : at
  const today = wallAt(now, zone)
  const tomorrow = onClock({ ...addDays(today, 1), hour: 0, minute: 0 }, zone).at
  const isToday = isoDay(wallAt(at, zone)) === isoDay(today)
  if (isToday) return { at: tomorrow, zone }
  const isWeekdayAlone = !found.start.isCertain('day') && !/\bnext\b/i.test(found.text)
  if (isWeekdayAlone && found.start.get('weekday') === today.weekday)
    return whichOf(
      written,
      [
        { at: tomorrow, zone },
        { at, zone },
      ],
      { now, zone },
    )
  return { at, zone, isDayOnly: true }
}

/** More than one time may be meant; each of `readings` is read as that one alone, and lies ahead. */
export type Unclear = Refusal & { readonly readings: readonly string[] }

/** Each can be copied as it stands. */
function whichOf(written: string, found: readonly When[], { now, zone }: Clock): Unclear {
  const times = [...new Set(found.map(({ at }) => at))].toSorted((a, b) => Number(a <= now) - Number(b <= now) || a - b)
  const all = times.map((at) => `${codeText(fullTime(at, zone))} (${at <= now ? 'which has passed' : awayText(at, now)})`)
  const text = `${shown(written)} can be read in ${['two', 'three', 'four', 'five', 'six'][all.length - 2] ?? all.length} ways: ${all.slice(0, -1).join(', ')} or ${all.at(-1)}. Write the one that is meant.`
  return { ...no(text), readings: times.filter((at) => at > now).map((at) => fullTime(at, zone)) }
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
  const length = Math.round(partsOfLength(written).reduce((sum, { count, unitMs }) => sum + count * unitMs, 0))
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
  const near = word ? nearZone(rest) : undefined
  if (near !== undefined) return no(`${codeText(rest)} is not a time zone. ${near}`)
  return no(`${codeText(text)} was understood in ${shown(written)}, but not ${shown(rest)}. ${example}`)
}

function instantOf(
  { start, text }: Pick<ParsedResult, 'start' | 'text'>,
  { now, zone, days }: Pick<Clock, 'now' | 'zone'> & { readonly days: number },
  clock?: Partial<Pick<Wall, 'hour' | 'minute' | 'second'>>,
): number | Refusal | WrongDay {
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
    ...clock,
  }
  if (wall.year < 1 || wall.year > 9999) return no(`${codeText(text)} is not a year that can be planned. ${examplesOf(now, zone)}`)
  const meant = onThisSide({ ...wall, ...addDays(wall, days) }, { start, text }, { now, zone, days })
  const named = addDays(meant, -days)
  const weekday = start.isCertain('weekday') ? start.get('weekday') : null
  if (weekday !== null && start.isCertain('day') && weekday !== weekdayOf(named)) {
    const mismatch = `${isoDay(named)} is a ${weekdayNames[weekdayOf(named)]} and not a ${weekdayNames[weekday]}`
    return { notOn: no(`${mismatch}. ${examplesOf(now, zone)}`) }
  }
  const found = onClock(meant, zone)
  if (clock !== undefined) return found.at // nobody named this hour
  if (found.kind === 'none') return inGap(meant, found.at, zone)
  return found.kind === 'twice' ? comesTwice(found, zone) : found.at
}

/** A weekday or an hour alone is the next one; a date without a year that was a moment ago is not meant for next year. */
function onThisSide(
  wall: Wall,
  { start, text }: Pick<ParsedResult, 'start' | 'text'>,
  { now, zone, days }: Pick<Clock, 'now' | 'zone'> & { readonly days: number },
): Wall {
  if (start.isCertain('year')) return wall
  if (!start.isCertain('month')) {
    const before = { ...wall, ...addDays(wall, -7) }
    if (days > 0 && start.isCertain('weekday') && !start.isCertain('day') && onClock(before, zone).at > now) return before
    const passed = !BEHIND.test(text) && !start.isCertain('day') && onClock(wall, zone).at <= now
    return passed ? { ...wall, ...addDays(wall, start.isCertain('weekday') ? 7 : 1) } : wall
  }
  const before = { ...wall, year: wall.year - 1 }
  // chrono-node takes a date of today for one of next year, whatever its hour
  return isDay(before) && now - onClock(before, zone).at < 60 * 86_400_000 ? before : wall
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
