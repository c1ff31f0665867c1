import type { ParsedResult } from 'chrono-node'

/**
 * The words that chrono-node guesses at or passes over: `in a few hours` is three for it, `before 02:00` is 02:00, `next month` is this day
 * of the next one, and in `evening of 8 Dec at 8` the date is lost. Undefined when nothing is guessed.
 */
export function guessed({ text, start }: Pick<ParsedResult, 'text' | 'start'>): string | undefined {
  const period = /\b(?:this|next)\s+(?:week|month|quarter|year|day|hour|minute|\d+|one|two|three|four|five|six)\b/i.exec(text)?.[0]
  if (period !== undefined) return period
  const month = /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b/i.exec(text)?.[0]
  if (month !== undefined && !start.isCertain('month')) return month
  // an offset behind a day alone: midnight there, which nobody writes so
  if (/\d-\d\d-\d\d\s?[+-]/.test(text)) return text
  return text.match(/[a-z]+/gi)?.find((word) => !KNOWN.has(word.toLowerCase()))
}

const KNOWN: ReadonlySet<string> = new Set(
  [
    'mon monday tue tues tuesday wed wednes wednesday thu thur thurs thursday fri friday sat satur saturday sun sunday',
    'jan january feb february mar march apr april may jun june jul july aug august sep sept september oct october nov november dec december',
    'today tonight tomorrow tmr tmrw yesterday overmorrow now noon midday midnight morning afternoon evening night',
    'am pm a p m t z utc gmt st nd rd th o clock at on in of the and an half this next last past from ago later end day',
    'one two three four five six seven eight nine ten eleven twelve',
    'w week weeks wk wks d days h hr hrs hour hours min mins minute minutes s sec secs second seconds',
    'mo month months quarter quarters y yr yrs year years',
  ].flatMap((line) => line.split(' ')),
)
