import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { takeLength, takeWhen } from '../../src/calendar/when.ts'

/** `until`: milliseconds since 1970; null when none was named. `isDayOnly`: a day was named without its hour. */
export type FreezePeriod = { readonly until: number | null; readonly reason: string; readonly isDayOnly?: true }

/**
 * What stands after `freeze prod`: `until Monday 09:00 end of the quarter`, `for 2 hours restoring a table`, or a reason alone. The time
 * ends where a word says nothing more about it, and the reason is kept as it was typed.
 */
export function readFreezePeriod(words: readonly string[], clock: { readonly now: number; readonly zone: string }): FreezePeriod | Refusal {
  const [first, ...rest] = separated(words)
  switch (first?.toLowerCase()) {
    case 'until':
    case 'till': {
      if (/^further notice\b/i.test(rest.slice(0, 2).join(' '))) return { until: null, reason: rest.slice(2).join(' ') }
      // a day alone is taken: whoever typed `until Monday` goes away and believes that it holds
      const when = takeWhen(rest, { ...clock, until: true })
      if (isRefusal(when)) return nothingDone(when)
      const period = { until: when.at, reason: when.rest.join(' ') }
      return when.isDayOnly === true ? { ...period, isDayOnly: true } : period
    }
    case 'for': {
      const taken = takeLength(rest)
      if (isRefusal(taken)) return nothingDone(taken)
      const until = clock.now + taken.length
      return { until: taken.length % MINUTE_MS === 0 ? Math.ceil(until / MINUTE_MS) * MINUTE_MS : until, reason: taken.rest.join(' ') }
    }
    default:
      return { until: null, reason: words.join(' ').trim() }
  }
}

const MINUTE_MS = 60_000

/** All of it in one pair of quotation marks reads like without them. */
function separated(words: readonly string[]): readonly string[] {
  const [first = '', ...rest] = words.filter((word) => word.trim() !== '')
  const [, keyword, more] = /^\s*(until|till|for)\s+(\S[^]*)$/i.exec(first) ?? []
  return keyword === undefined || more === undefined ? [first.trim(), ...rest] : [keyword, ...more.trim().split(/\s+/), ...rest]
}

const nothingDone = (refusal: Refusal): Refusal => refuse(refusal.code, `${refusal.text} Nothing was changed.`)
