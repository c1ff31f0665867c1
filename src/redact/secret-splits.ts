import { createSearch } from './secret-search.ts'

/**
 * Finds secrets that are written over several lines: wrapped at a width, indented, or each line with a prefix as a log has it. For the
 * redactor alone. It looks closely only where the characters around a line break stand side by side in some secret too, so that plain
 * output costs next to nothing.
 */
export type Splits = {
  /** Ranges of the text, in order, in which a secret stands that has this line break inside. */
  readonly ranges: (text: string, lineBreak: string) => readonly Range[]
  /** Where in the text a secret may have begun that goes on in a line to come; the text's length when none has. */
  readonly openFrom: (text: string) => number
  /** As much of the end of a text as a look at what follows it needs. Too little of a secret may stand in it to have been waited for. */
  readonly lastLines: (text: string) => string
}

type Range = { readonly from: number; readonly to: number }

/** Shorter ones would be found where two ordinary lines meet. */
const SHORTEST_SPLIT = 8
/** So much of a secret must stand before the text ends that the rest of it is waited for. */
const SHORTEST_OPEN = 4
/** Characters of a line that may be a log's and not the secret's. */
const LONGEST_PREFIX = 120
/** Characters around a line break that are looked up before anything else is. */
const GRAM = 6

export function createSplits(forms: readonly string[]): Splits {
  const squeezed = [...new Set(forms.map((form) => form.replace(/[\s\\]+/g, '')))].filter((form) => form.length >= SHORTEST_SPLIT)
  if (squeezed.length === 0) return { ranges: () => [], openFrom: (text) => text.length, lastLines: () => '' }
  const search = createSearch(squeezed)
  const longest = squeezed.reduce((most, form) => Math.max(most, form.length), 0)
  const grams = gramsOf(squeezed, GRAM)
  const openGrams = gramsOf(squeezed, SHORTEST_OPEN)
  const around = new Int32Array(2 * (GRAM - 1))

  function ranges(text: string, lineBreak: string): readonly Range[] {
    const found: Range[] = []
    let before = 0
    for (let at = text.indexOf(lineBreak); at !== -1; at = text.indexOf(lineBreak, at + lineBreak.length)) {
      const next = at + lineBreak.length
      for (const prefix of prefixesAt(text, before, next, at)) {
        const how = { lineBreak, prefix }
        if (!mayMeet(text, at, next, how, before)) continue
        found.push(...crossing(text, backFrom(text, at, how, longest, before), onFrom(text, next, how, longest)))
      }
      before = next
    }
    return merged(found)
  }

  /** Whether the characters around a break stand side by side in a secret. Called for each line, so it makes no objects. */
  function mayMeet(text: string, end: number, next: number, how: How, startOfLine: number): boolean {
    let left = GRAM - 1
    for (let at = end - 1; at >= startOfLine + how.prefix && left > 0; at--) {
      const code = text.charCodeAt(at)
      if (!isSpace(code)) around[--left] = code
    }
    let right = GRAM - 1
    for (let at = next + how.prefix; at < text.length && right < around.length; at++) {
      const code = text.charCodeAt(at)
      if (code === LINE_FEED) break
      if (!isSpace(code)) around[right++] = code
    }
    // a line that is shorter goes on in another one
    if (how.lineBreak !== '\n' || left > 0 || right < around.length) return mayMeetFar(text, end, next, how, startOfLine)
    for (let from = 0; from < GRAM - 1; from++) {
      let hash = 0
      for (let at = from; at < from + GRAM; at++) hash = mixed(hash, around[at] ?? 0)
      if (isMarked(grams, scattered(hash))) return true
    }
    return false
  }

  function mayMeetFar(text: string, end: number, next: number, how: How, startOfLine: number): boolean {
    const left = backFrom(text, end, how, GRAM - 1, startOfLine)
    const places = [...left, ...onFrom(text, next, how, GRAM - 1)]
    for (let from = 0; from < left.length && from + GRAM <= places.length; from++)
      if (isMarked(grams, hashOf(text, places, from, GRAM))) return true
    return false
  }

  function crossing(text: string, left: readonly number[], right: readonly number[]): readonly Range[] {
    const places = [...left, ...right]
    const chars = textAt(text, places)
    const ranges: Range[] = []
    for (let found = search.next(chars, 0); found !== null && found.at < left.length; found = search.next(chars, found.at + 1)) {
      const from = places[found.at]
      const to = places[found.at + found.length - 1]
      if (from !== undefined && to !== undefined && found.at + found.length > left.length) ranges.push({ from, to: to + 1 })
    }
    return ranges
  }

  function openFrom(text: string): number {
    const last = text.lastIndexOf('\n')
    if (last === -1) return text.length
    const above = text.lastIndexOf('\n', last - 1)
    const higher = above === -1 ? -1 : text.lastIndexOf('\n', above - 1)
    const prefixes = new Set([...prefixesAt(text, above + 1, last + 1), ...(above === -1 ? [] : prefixesAt(text, higher + 1, above + 1))])
    let from = text.length
    for (const prefix of prefixes)
      // the last line may be no more than the beginning of a prefix yet
      for (const end of [text.length, last])
        if (text.length - last <= LONGEST_PREFIX || end === text.length) from = Math.min(from, openIn(text, end, prefix))
    return from
  }

  function openIn(text: string, end: number, prefix: number): number {
    const how = { lineBreak: '\n', prefix }
    const tail = backFrom(text, end, how, SHORTEST_OPEN)
    if (tail.length < SHORTEST_OPEN || !isMarked(openGrams, hashOf(text, tail, 0, SHORTEST_OPEN))) return text.length
    const places = backFrom(text, end, how, longest)
    return places[search.openFrom(textAt(text, places), SHORTEST_OPEN)] ?? text.length
  }

  return { ranges, openFrom, lastLines }
}

/** Each line may hold as little as one character of a secret. Of a long line both ends count: its prefix, and how a secret begins. */
function lastLines(text: string): string {
  const lines: string[] = []
  let end = text.length
  while (lines.length <= SHORTEST_OPEN && end >= 0) {
    const start = end === 0 ? 0 : text.lastIndexOf('\n', end - 1) + 1
    const line = text.slice(start, end)
    lines.unshift(line.length <= 2 * LONGEST_PREFIX ? line : line.slice(0, LONGEST_PREFIX) + line.slice(-LONGEST_PREFIX))
    end = start - 1
  }
  return lines.join('\n')
}

/**
 * Two bits for each run of so many characters in a secret. Others may share both, few enough that a second look costs nothing. With two
 * the table is an eighth of what it would be with one, and stays in the processor's cache.
 */
function gramsOf(forms: readonly string[], length: number): Uint32Array {
  const grams = new Uint32Array(MARKS / 32)
  const mark = (at: number) => (grams[at >>> 5] = (grams[at >>> 5] ?? 0) | (1 << (at & 31)))
  for (const form of forms) {
    const places = Array.from({ length: form.length }, (_, at) => at)
    for (let at = 0; at + length <= form.length; at++) {
      const hash = hashOf(form, places, at, length)
      mark(firstMark(hash))
      mark(secondMark(hash))
    }
  }
  return grams
}

const BITS = 21
const MARKS = 1 << BITS
const firstMark = (hash: number): number => hash >>> (32 - BITS)
const secondMark = (hash: number): number => Math.imul(hash, 0x9e3779b1) >>> (32 - BITS)
const isSet = (grams: Uint32Array, at: number): boolean => (((grams[at >>> 5] ?? 0) >>> (at & 31)) & 1) === 1
const isMarked = (grams: Uint32Array, hash: number): boolean => isSet(grams, firstMark(hash)) && isSet(grams, secondMark(hash))

function hashOf(text: string, places: readonly number[], from: number, length: number): number {
  let hash = 0
  for (let next = from; next < from + length; next++) hash = mixed(hash, text.charCodeAt(places[next] ?? 0))
  return scattered(hash)
}

const mixed = (hash: number, code: number): number => Math.imul(hash, 0x01000193) ^ code
/** Over all bits, and alike texts far apart. */
function scattered(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return Math.imul(once ^ (once >>> 15), 0x45d9f3b)
}

const textAt = (text: string, places: readonly number[]): string => places.map((at) => text[at]).join('')

/**
 * How many characters at the beginning of a line may be no content: none, or what the line above begins with too, digits counted as
 * equal since times and numbers change, up to a character that can end a prefix. The first few and the last few such places: the
 * secret itself may hold what ends a prefix, and may look alike on both lines.
 */
function prefixesAt(text: string, above: number, line: number, endOfAbove = line - 1): readonly number[] {
  let ends: number[] | undefined
  for (let length = 0; length < LONGEST_PREFIX && above + length < endOfAbove && line + length < text.length; length++) {
    const code = text.charCodeAt(line + length)
    if (!isSame(text.charCodeAt(above + length), code)) break
    if (!DELIMITERS.has(code)) continue
    ends ??= [0]
    if (ends.at(-1) === length && length > 0) ends.pop()
    ends.push(length + 1)
  }
  if (ends === undefined) return NO_PREFIX
  return ends.length <= MOST_PREFIXES ? ends : [...ends.slice(0, MOST_PREFIXES - 2), ...ends.slice(-2)]
}

const MOST_PREFIXES = 6
const NO_PREFIX: readonly number[] = [0]
const DELIMITERS = new Set(Array.from(' \t|>]', (char) => char.charCodeAt(0)))
const isDigit = (code: number): boolean => code >= 48 && code <= 57
const isSame = (one: number, other: number): boolean => one === other || (isDigit(one) && isDigit(other))

type How = { readonly lineBreak: string; readonly prefix: number }

/** Where the last so many characters before a place stand, without white space and what begins each line. */
function backFrom(text: string, end: number, { lineBreak, prefix }: How, most: number, startOfLine?: number): readonly number[] {
  const places: number[] = []
  let lineEnd = end
  for (let lines = 0; places.length < most && lineEnd >= 0 && lines <= most; lines++) {
    const known = lines === 0 ? startOfLine : undefined
    const lineStart = known ?? startOfLineAt(text, lineEnd, lineBreak)
    const stop = lineStart + prefix
    for (let at = lineEnd - 1; at >= stop && places.length < most; at--) if (!isSpace(text.charCodeAt(at))) places.push(at)
    lineEnd = lineStart === 0 ? -1 : lineStart - lineBreak.length
  }
  return places.reverse()
}

function startOfLineAt(text: string, end: number, lineBreak: string): number {
  const at = end < lineBreak.length ? -1 : text.lastIndexOf(lineBreak, end - lineBreak.length)
  return at === -1 ? 0 : at + lineBreak.length
}

/** Where the first so many characters from the beginning of a line stand, likewise. */
function onFrom(text: string, start: number, { lineBreak, prefix }: How, most: number): readonly number[] {
  const places: number[] = []
  let at = start + prefix
  for (let lines = 0; places.length < most && at < text.length && lines <= most;) {
    if (text.startsWith(lineBreak, at)) {
      at += lineBreak.length + prefix
      lines++
      continue
    }
    if (!isSpace(text.charCodeAt(at))) places.push(at)
    at++
  }
  return places
}

const LINE_FEED = 10

/** With the backslash, which ends a line that goes on and stands before what a program escapes. */
const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 92

/** Overlapping ranges become one. */
function merged(ranges: readonly Range[]): readonly Range[] {
  const result: Range[] = []
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last !== undefined && range.from < last.to) result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
    else result.push(range)
  }
  return result
}
