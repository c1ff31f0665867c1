/** Times and lengths as they are spoken, in figures: `half past nine`, `quarter to ten`, `two and a half hours`, `a fortnight`. */

/** `in two and a half hours` as `in 2.5 hours`; what is no such length stays. */
export function lengthsInFigures(text: string): string {
  return text
    .replace(OF_AN_HOUR, (_found, count: string | undefined) => `${15 * (count === undefined ? 1 : numberOf(count))} minutes`)
    .replace(PART_BEFORE, (_found, count: string, part: string, unit: string) => `${numberOf(count) + partOf(part)} ${unit}`)
    .replace(
      PART_BEHIND,
      (_found, count: string, unit: string, part: string) => `${numberOf(count) + partOf(part)} ${unit.replace(/s?$/, 's')}`,
    )
    .replace(FORTNIGHTS, (_found, count: string) => `${numberOf(count) * 14} days`)
}

/**
 * `tomorrow at half past nine` as `tomorrow at 09:30` and as `tomorrow at 21:30`, unless something says which half of the day is meant;
 * `half nine` is half past eight for some and half past nine for others, and `two o'clock` may be that of the night or of the day.
 */
export function clocksInFigures(text: string): readonly string[] {
  const past = PAST.exec(text)
  if (past !== null) {
    const [found, amount = '', way = '', hour = '', half = ''] = past
    const minutes = (/^(past|after)$/i.test(way) ? 1 : -1) * minutesOf(amount)
    return replaced(text, found, [hoursOf(hour) * 60 + minutes], half, hour)
  }
  const [whole, oClock = '', ofDay = ''] = WHOLE.exec(text) ?? []
  if (whole !== undefined) return replaced(text, whole, [hoursOf(oClock) * 60], ofDay, oClock)
  const [found, hour = '', half = ''] = HALF.exec(text) ?? []
  if (found === undefined) return [text]
  return replaced(text, found, [hoursOf(hour) * 60 - 30, hoursOf(hour) * 60 + 30], half, hour)
}

/** The words, those that are spoken as one, and how many of the words that were typed each of them stands for. */
export function inFigures(words: readonly string[]): readonly { readonly word: string; readonly count: number }[] {
  const found: { readonly word: string; readonly count: number }[] = []
  for (let at = 0; at < words.length;) {
    const one = spokenAt(words, at)
    found.push(one ?? { word: words[at] ?? '', count: 1 })
    at += one?.count ?? 1
  }
  return found
}

function spokenAt(words: readonly string[], at: number): { readonly word: string; readonly count: number } | undefined {
  for (let count = Math.min(MOST_WORDS, words.length - at); count > 1; count--) {
    const text = words.slice(at, at + count).join(' ')
    const isWhole = (pattern: RegExp) => pattern.exec(text)?.[0].length === text.replace(/[,:;.]+$/, '').length
    if (isWhole(PAST) || isWhole(HALF) || isWhole(WHOLE)) return { word: '9:30', count }
    if ([OF_AN_HOUR, PART_BEFORE, PART_BEHIND, FORTNIGHTS].some((pattern) => new RegExp(`^(?:${pattern.source})$`, 'i').test(text)))
      return { word: lengthsInFigures(text).replace(' ', ''), count }
  }
  return undefined
}

const MOST_WORDS = 7

const NAMES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']
const HOUR = `(?:${NAMES.toReversed().join('|')}|\\d{1,2}|noon|midnight)`
const COUNT = `an?|${NAMES.toReversed().join('|')}|\\d{1,2}`
const UNIT = 'weeks?|days?|hours?|hrs?|minutes?|mins?'
const HALF_DAY = String.raw`(?:\s*o['’]clock)?(?:\s*([ap])\.?m\b\.?)?(?![\w:])`
const AMOUNT = String.raw`half|quarter|(?:five|ten|twenty[ -]five|twenty|\d{1,2})(?:\s+minutes?)?`
const PAST = new RegExp(String.raw`(?<![\w:])(?:an?\s+)?(${AMOUNT})\s+(past|after|to|till)\s+(${HOUR})${HALF_DAY}`, 'i')
const HALF = new RegExp(String.raw`(?<![\w:]|\band a )half\s+(${HOUR})${HALF_DAY}(?!\s+(?:${UNIT})\b)`, 'i')
const WHOLE = new RegExp(String.raw`(?<![\w:]|\b(?:past|after|to|till|half)\s)(${HOUR})\s*o['’]?clock(?:\s*([ap])\.?m\b\.?)?(?![\w:])`, 'i')
const OF_AN_HOUR = /\b(?:(a|one|three)\s+)?quarters?\s+(?:of\s+)?an\s+hour\b/gi
const PART_BEFORE = new RegExp(String.raw`\b(${COUNT})\s+and\s+a\s+(half|quarter)\s+(${UNIT})\b`, 'gi')
const PART_BEHIND = new RegExp(String.raw`\b(${COUNT})\s+(${UNIT})\s+and\s+a\s+(half|quarter)\b`, 'gi')
const FORTNIGHTS = new RegExp(String.raw`\b(${COUNT})\s+fortnights?\b`, 'gi')

const numberOf = (word: string): number => (/^an?$/i.test(word) ? 1 : NAMES.indexOf(word.toLowerCase()) + 1 || Number(word))
const partOf = (word: string): number => (/half/i.test(word) ? 0.5 : 0.25)
const hoursOf = (word: string): number => (/noon/i.test(word) ? 12 : /midnight/i.test(word) ? 24 : numberOf(word))

function minutesOf(amount: string): number {
  if (/^half/i.test(amount)) return 30
  if (/^quarter/i.test(amount)) return 15
  const [first = '', second] = amount
    .toLowerCase()
    .replace(/\s+minutes?$/, '')
    .split(/[ -]/)
  return first === 'twenty' ? (second === undefined ? 20 : 25) : numberOf(first)
}

function replaced(text: string, found: string, times: readonly number[], half: string, hour: string): readonly string[] {
  if (times.some((time) => time < 0 || time >= 25 * 60)) return [text]
  const written = /noon|midnight/i.test(hour) || hoursOf(hour) > 12 || half !== ''
  const part = /\bin the (morning|afternoon|evening)\b/i.exec(text)
  const besides = text.replace(found, '')
  if (/midnight/i.test(hour) && times.some((time) => time >= 24 * 60) && besides.trim() !== '') return [text] // of which day
  const write = (time: number) => `${String(Math.floor(time / 60) % 24).padStart(2, '0')}:${String(time % 60).padStart(2, '0')}`
  const at = (clock: string, from = text) => from.replace(found, clock)
  if (written) return times.map((time) => at(write(half === '' ? time : onHalf(time, /p/i.test(half)))))
  if (part !== null) return times.map((time) => at(write(onHalf(time, !/morning/i.test(part[1] ?? ''))), text.replace(part[0], '')).trim())
  // as figures, by which the rest of the text says what is meant
  if (/\b(morning|afternoon|evening|night|tonight)\b/i.test(besides))
    return times.map((time) => at(`${Math.floor(time / 60) || 12}:${String(time % 60).padStart(2, '0')}`))
  return times.flatMap((time) => [time % 720, (time % 720) + 720]).map((time) => at(write(time)))
}

/** The hour of twelve is the first of its half, and what is before one o'clock belongs to the half before. */
const onHalf = (time: number, isSecond: boolean): number => (time % 720) + (isSecond ? 720 : 0)
