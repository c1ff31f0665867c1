import { inFigures, lengthsInFigures } from './spoken.ts'
import { isNearZone, isZone } from './zone.ts'

/**
 * Where a time or a length ends in what people type: `Monday 09:00 marketing push` is a time of two words. A time has a day, a clock and a
 * zone, each at most once; the first word that is none of those still missing begins the reason, whatever it looks like. That is why this
 * is a grammar of its own: chrono-node takes `marketing` for March, and what it cannot place it drops.
 */

/** How many words from the beginning say a time; 0 when the first does not. */
export function timeWords(words: readonly string[]): number {
  const said = inFigures(words)
  return said.slice(0, partsAhead(said.map(({ word }) => word))).reduce((sum, { count }) => sum + count, 0)
}

function partsAhead(words: readonly string[]): number {
  const plain = words.map(withoutMarks)
  const span = spanAhead(plain)
  const seen = new Set<Part>(span?.parts)
  let at = span?.end ?? 0
  for (;;) {
    const next = nextPart(plain, at, seen)
    if (next === undefined) return at
    for (const part of next.parts) seen.add(part)
    at = next.end
  }
}

/** How many words from the beginning say a length: `2 hours`, `1h30m`, `an hour and 30 minutes`. Larger units come first. */
export function lengthWords(words: readonly string[]): number {
  const said = inFigures(words)
  return said.slice(0, lengthsAhead(said.map(({ word }) => word))).reduce((sum, { count }) => sum + count, 0)
}

function lengthsAhead(words: readonly string[]): number {
  let end = 0
  let smallest = Number.POSITIVE_INFINITY
  for (;;) {
    const from = end > 0 && /^and$/i.test(words[end] ?? '') ? end + 1 : end
    const one = [1, 2, 3].find((count) => from + count <= words.length && LENGTH.test(joined(words, from, count)))
    if (one === undefined) return end
    const units = partsOfLength(joined(words, from, one)).map(({ unitMs }) => unitMs)
    if (units.some((unit, index) => unit >= (units[index - 1] ?? smallest))) return end
    smallest = units.at(-1) ?? smallest
    end = from + one
  }
}

/** Without what people put behind a time before they say why. */
export const withoutMarks = (word: string): string => word.replace(/[,:;]+$/, '')

/** What a length is made of, as far as it is one. */
export function partsOfLength(text: string): readonly { readonly count: number; readonly unitMs: number }[] {
  return [
    ...lengthsInFigures(text)
      .replace(/(\dh[0-5]\d)(?!\w)/gi, '$1m')
      .matchAll(ONE_LENGTH),
  ].map(([, count = '', unit = '']) => ({
    count: countOf(count.trim().toLowerCase()),
    unitMs: unitMs[unit.charAt(0).toLowerCase()] ?? 0,
  }))
}

function countOf(count: string): number {
  if (count.startsWith('half')) return 0.5
  if (/^an?$/.test(count)) return 1
  const inWords = numberWords.indexOf(count) + 1
  return inWords > 0 ? inWords : (tens[count] ?? Number(count))
}

const numberWords = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']
const tens: Readonly<Record<string, number>> = { fifteen: 15, twenty: 20, thirty: 30, forty: 40, 'forty-five': 45, sixty: 60, ninety: 90 }
const NUMBER = `(?:${[...numberWords, ...Object.keys(tens)].toSorted((a, b) => b.length - a.length).join('|')})`

const unitMs: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 }
const UNIT = '(w|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)(?![a-z])'
const COMPACT_UNIT = '(w|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)(?=\\d|$|[^a-z])'
const ONE_LENGTH = new RegExp(`(\\d+(?:\\.\\d+)?\\s*|half an?\\s+|\\ban?\\s+|\\b${NUMBER}\\s+)${COMPACT_UNIT}`, 'gi')
const LENGTH = new RegExp(`^((\\d+(\\.\\d+)?\\s*${COMPACT_UNIT})+|\\d+h[0-5]\\d|(half an?|an?|${NUMBER})\\s+${UNIT})[,:;.]?$`, 'i')

type Part = 'day' | 'clock' | 'zone'
type Found = { readonly parts: readonly Part[]; readonly end: number }

/** `in 2 hours`, `in 3 days` and then perhaps a clock, `90 minutes from now`. */
function spanAhead(words: readonly string[]): Found | undefined {
  const from = /^in$/i.test(words[0] ?? '') ? 1 : 0
  const count = lengthsAhead(words.slice(from))
  if (count === 0) return undefined
  const after = joined(words, from + count, 2)
  const end = from + count + (/^from now$/i.test(after) ? 2 : 0)
  if (from === 0 && end === count) return undefined
  const isLong = /\b(d|w|days?|weeks?)$/i.test(joined(words, from, count))
  return { parts: isLong ? ['day'] : ['day', 'clock', 'zone'], end }
}

/** The next part that is still missing, with the words that lead to it: `at 9`, `on the 1st of December`, `in Europe/Berlin`. */
function nextPart(words: readonly string[], from: number, seen: ReadonlySet<Part>): Found | undefined {
  for (let at = from; at < words.length; at++) {
    for (const look of [dayAndClock, daysAhead, ending, day, clock, zone]) {
      const found = look(words, at, seen)
      if (found !== undefined && found.parts.every((part) => !seen.has(part))) return found
    }
    if (!LEADS.test(words[at] ?? '')) return undefined
  }
  return undefined
}

const LEADS = /^(at|on|in|the|this|morning|afternoon|evening|night)$/i

type Look = (words: readonly string[], at: number, seen: ReadonlySet<Part>) => Found | undefined

const dayAndClock: Look = (words, at) => {
  const [found, zoned] = /^\d{4}-\d\d-\d\dt\d\d:\d\d(?::\d\d(?:\.\d+)?)?(z|[+-]\d\d:?\d\d)?$/i.exec(words[at] ?? '') ?? []
  if (found === undefined) return undefined
  return { parts: zoned === undefined ? ['day', 'clock'] : ['day', 'clock', 'zone'], end: at + 1 }
}

/** `9am in 3 days`: behind a clock as well as before it. */
const daysAhead: Look = (words, at) => {
  const found = /^in$/i.test(words[at] ?? '') ? spanAhead(words.slice(at)) : undefined
  return found?.parts.join() === 'day' ? { parts: found.parts, end: at + found.end } : undefined
}

/** `end of day`, before its day or behind it, and the end of what is longer. */
const ending: Look = (words, at) => {
  if (/^eod$/i.test(words[at] ?? '')) return { parts: ['clock'], end: at + 1 }
  if (!/^end of$/i.test(joined(words, at, 2))) return undefined
  const from = /^(the|this)$/i.test(words[at + 2] ?? '') ? at + 3 : at + 2
  if (/^day$/i.test(words[from] ?? '')) return { parts: ['clock'], end: from + 1 }
  if (/^(week|weekend|month|quarter|year)$/i.test(words[from] ?? '') || MONTH.test(words[from] ?? ''))
    return { parts: ['day', 'clock'], end: from + 1 }
  const found = day(words, from, new Set())
  return found === undefined ? undefined : { parts: ['day', 'clock'], end: found.end }
}

const day: Look = (words, at, seen) => {
  if (/^day after tomorrow$/i.test(joined(words, at, 3))) return { parts: ['day'], end: at + 3 }
  const from = /^(next|this|coming|last|past)$/i.test(words[at] ?? '') ? at + 1 : at
  const word = words[from] ?? ''
  if (WEEKDAY.test(word)) return { parts: ['day'], end: dateAfter(words, from + 1, seen) ?? from + 1 }
  if (NAMED_DAY.test(word) || (from > at && /^(week|month|quarter|year)$/i.test(word))) return { parts: ['day'], end: from + 1 }
  const end = from > at ? undefined : dateAt(words, at, seen)
  return end === undefined ? undefined : { parts: ['day'], end }
}

const WEEKDAY = /^(mon|tues?|wed(nes)?|thu(rs?)?|fri|sat(ur)?|sun)(day)?$/i
const NAMED_DAY = /^(today|tonight|tomorrow|yesterday|weekend)$/i

/** `Monday 1 December`, `Tuesday next week`. */
function dateAfter(words: readonly string[], at: number, seen: ReadonlySet<Part>): number | undefined {
  if (/^(next|this) week$/i.test(joined(words, at, 2))) return at + 2
  return dateAt(words, /^the$/i.test(words[at] ?? '') ? at + 1 : at, seen)
}

/** Where a date ends that begins here. One without its year in figures (`1/2`) is one only as long as no clock was named. */
function dateAt(words: readonly string[], at: number, seen: ReadonlySet<Part>): number | undefined {
  const word = words[at] ?? ''
  if (WHOLE_DATE.test(word)) return at + 1
  if (/^\d{1,2}(\/\d{1,2}|\.\d{1,2}\.)$/.test(word) && !seen.has('clock')) return at + 1
  // `24.12 02:00`: a clock itself, but for the one behind it
  if (/^\d{1,2}\.\d{1,2}$/.test(word) && !seen.has('clock') && /^\d{1,2}:\d\d/.test(words[at + 1] ?? '')) return at + 1
  const of = /^of$/i.test(words[at + 1] ?? '') ? at + 2 : at + 1
  const end =
    DAY.test(word) && MONTH.test(words[of] ?? '') ? of + 1 : MONTH.test(word) && DAY.test(words[at + 1] ?? '') ? at + 2 : undefined
  return end === undefined ? undefined : /^20[2-9]\d$/.test(words[end] ?? '') ? end + 1 : end
}

/** In one word; one that can be read in two ways counts too, so that it is asked about. */
const WHOLE_DATE = /^(\d{4}([-/])\d{1,2}\2\d{1,2}|\d{1,2}([/.-])\d{1,2}\3(\d{4}|\d\d)|\d{1,2}-[a-z]{3}-\d{4})$/i
const DAY = /^\d{1,2}(st|nd|rd|th)?$/i
const MONTH = /^(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)$/i

const clock: Look = (words, at) => {
  const word = words[at] ?? ''
  const next = words[at + 1] ?? ''
  if (/^\d{1,2}[:.]\d\d(:\d\d)?(z|[+-]\d\d:?\d\d)$/i.test(word)) return { parts: ['clock', 'zone'], end: at + 1 }
  if (/^\d{1,2}[:.]\d\d(:\d\d)?$/.test(word)) return { parts: ['clock'], end: MERIDIEM.test(next) ? at + 2 : partOfDay(words, at + 1) }
  if (/^(\d{1,2}([:.]\d\d)?(:\d\d)?[ap]\.?m\.?|\d{1,2}h(\d\d)?|noon|midnight)$/i.test(word)) return { parts: ['clock'], end: at + 1 }
  if (!/^\d{1,2}$/.test(word)) return undefined
  if (MERIDIEM.test(next)) return { parts: ['clock'], end: at + 2 }
  const end = partOfDay(words, /^o['’]clock$/i.test(next) ? at + 2 : at + 1)
  return end > at + 1 || /^at$/i.test(words[at - 1] ?? '') ? { parts: ['clock'], end } : undefined
}

const MERIDIEM = /^[ap]\.?m\.?$/i

/** `9 in the evening`: left to the reason, the hour would be one of the morning. */
function partOfDay(words: readonly string[], at: number): number {
  if (/^at night$/i.test(joined(words, at, 2))) return at + 2
  return /^in the (morning|afternoon|evening)$/i.test(joined(words, at, 3)) ? at + 3 : at
}

/** Only behind a clock. One that is mistyped or an abbreviation counts too, so that it is asked about and not taken for a reason. */
const zone: Look = (words, at, seen) => {
  const word = (words[at] ?? '').replace(/^\(|\)$/g, '')
  const isMeant = OFFSET.test(word) || ABBREVIATION.test(word) || (word.includes('/') && (isZone(word) || isNearZone(word)))
  const isBehind = seen.has('clock') || (seen.has('day') && /\/|^(utc|gmt)$/i.test(word))
  return isBehind && isMeant ? { parts: ['zone'], end: at + 1 } : undefined
}

const OFFSET = /^((utc|gmt)([+-]\d{1,2}(:?\d\d)?)?|[+-]\d\d:?\d\d)$/i
const ABBREVIATION = /^([ECMP][SD]T|BST|CES?T|[IJ]ST|A[EC][SD]T)$/i

const joined = (words: readonly string[], from: number, count: number): string => words.slice(from, from + count).join(' ')
