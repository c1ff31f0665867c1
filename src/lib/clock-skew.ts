import type { Clock } from './clock.ts'

/** One clock beside this process's: how far ahead it is, in milliseconds, and how wrong that may be either way. */
export type Reading = { readonly whose: string; readonly aheadMs: number; readonly errorMs: number }

/** Which clocks are off, by how much, and what that means. `stop`: nothing may run. */
export type ClockVerdict = { readonly level: 'stop' | 'warn'; readonly text: string }

/** Expiry, due dates and signatures lose their meaning beyond this. */
export const STOP_MS = 15 * 60_000
/** Clocks that are kept by NTP stay far below. */
export const WARN_MS = 30_000

/** This machine's own clock, which all others are compared with. */
export const ownReading: Reading = { whose: "this machine's clock", aheadMs: 0, errorMs: 0 }

/**
 * Asks for a time and takes the middle of the way there and back as the moment at which it was read; the truth lies within half of it.
 * `errorMs`: how wrong the answer itself may be either way. Undefined when there was no answer.
 */
export async function readClock(
  whose: string,
  ask: () => Promise<number | undefined>,
  clock: Clock,
  errorMs = 0,
): Promise<Reading | undefined> {
  const before = clock.now()
  const began = performance.now()
  const answer = await ask()
  const half = (performance.now() - began) / 2
  if (answer === undefined || !Number.isFinite(answer)) return undefined
  return { whose, aheadMs: answer - (before + half), errorMs: half + errorMs }
}

/** Compares all with all. The clock that disagrees with most of the others is the one that is called wrong. */
export function judgeClocks(readings: readonly Reading[]): ClockVerdict | null {
  const worst = worstPair(readings)
  if (worst === undefined || worst.apartMs <= WARN_MS) return null
  const level = worst.apartMs > STOP_MS ? 'stop' : 'warn'
  const off = wrongOnes(readings, level === 'stop' ? STOP_MS : WARN_MS)
  const said =
    off.length === 0
      ? `${capital(worst.one.whose)} and ${worst.other.whose} are ${span(worst.apartMs)} apart.`
      : off
          .map(({ whose, byMs }) => `${capital(whose)} is ${span(Math.abs(byMs))} ${byMs > 0 ? 'ahead of' : 'behind'} the others.`)
          .join(' ')
  const meaning =
    level === 'stop'
      ? 'Times in the record and of approvals cannot be trusted, so nothing runs. Set it right (NTP) and ask again.'
      : 'Times in the record may be that far off. Set it right (NTP).'
  return { level, text: `${said} ${meaning}` }
}

type Pair = { readonly one: Reading; readonly other: Reading; readonly apartMs: number }

function worstPair(readings: readonly Reading[]): Pair | undefined {
  let worst: Pair | undefined
  for (const [index, one] of readings.entries())
    for (const other of readings.slice(index + 1)) {
      const apartMs = apart(one, other)
      if (worst === undefined || apartMs > worst.apartMs) worst = { one, other, apartMs }
    }
  return worst
}

/** What is certain of their distance. */
const apart = (one: Reading, other: Reading): number => Math.abs(one.aheadMs - other.aheadMs) - one.errorMs - other.errorMs

/** Those that more than half of the others contradict; of two clocks nobody can say which is wrong. */
function wrongOnes(readings: readonly Reading[], limitMs: number): readonly { readonly whose: string; readonly byMs: number }[] {
  if (readings.length < 3) return []
  return readings.flatMap((one) => {
    const against = readings.filter((other) => other !== one && apart(one, other) > limitMs)
    if (against.length * 2 <= readings.length - 1) return []
    return [{ whose: one.whose, byMs: one.aheadMs - middle(against.map(({ aheadMs }) => aheadMs)) }]
  })
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** `45 s`, `16 min`, `3 h`, `1 d`. */
function span(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`
}
