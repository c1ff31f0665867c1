import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { readLength, readWhen } from '../../src/calendar/when.ts'

/** `until`: milliseconds since 1970; null when none was named. */
export type Limit = { readonly until: number | null; readonly reason: string }

/**
 * What stands after `freeze prod`: `until Monday 09:00 end of the quarter`, `for 2h restoring a table`, or a reason alone. The time ends
 * where words stop being about time.
 */
export function readLimit(words: readonly string[], clock: { readonly now: number; readonly zone: string }): Limit | Refusal {
  const all = words.flatMap((word) => word.split(/\s+/)).filter((word) => word !== '')
  const [first, ...rest] = all
  switch (first?.toLowerCase()) {
    case 'until':
    case 'till': {
      const length = timeWords(rest)
      const when = readWhen(rest.slice(0, Math.max(length, 1)).join(' '), clock)
      return isRefusal(when) ? nothingDone(when) : { until: when.at, reason: rest.slice(length).join(' ') }
    }
    case 'for': {
      const length = Math.max(
        rest.findIndex((word) => !LENGTH.test(word)),
        rest.every((word) => LENGTH.test(word)) ? rest.length : 0,
        0,
      )
      const ms = readLength(rest.slice(0, Math.max(length, 1)).join(' '))
      return isRefusal(ms)
        ? nothingDone(ms)
        : {
            until: ms % 60_000 === 0 ? Math.ceil((clock.now + ms) / 60_000) * 60_000 : clock.now + ms,
            reason: rest.slice(length).join(' '),
          }
    }
    default:
      return { until: null, reason: all.join(' ') }
  }
}

const LENGTH = /^\d+\s*(d|h|m|min|s)?(\d+\s*(d|h|m|min|s))*$/i

/** How many words from the beginning are about time; a connecting word at their end belongs to what follows. */
function timeWords(words: readonly string[]): number {
  let count = words.findIndex((word) => !TIME.test(word) && !CONNECTS.test(word))
  if (count < 0) count = words.length
  while (count > 0 && CONNECTS.test(words[count - 1] ?? '')) count--
  return count
}

const TIME = new RegExp(
  `^\\(?(${[
    '\\d+(st|nd|rd|th)?', // a day, an hour, a year
    '\\d{1,2}(:\\d\\d)?(:\\d\\d)?(am|pm)?',
    '(am|pm)',
    '\\d{4}-\\d\\d-\\d\\d([T ].*)?',
    '[\\d/.]+',
    '(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?',
    '(jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*',
    '(today|tonight|tomorrow|yesterday|noon|midnight|morning|evening|hours?|minutes?|days?|weeks?|months?)',
    '(utc|gmt)([+-][\\d:]+)?',
    '[+-]\\d\\d:?\\d\\d',
    '[A-Za-z][A-Za-z_]+/[A-Za-z0-9_+/-]+', // a zone
    '[ECMP][SD]T|BST|CES?T|[IJ]ST|A[EC][SD]T',
  ].join('|')})\\)?,?$`,
  'i',
)
const CONNECTS = /^(at|on|in|next|this|the|of)$/i

const nothingDone = (refusal: Refusal): Refusal => refuse(refusal.code, `${refusal.text} Nothing was changed.`)
