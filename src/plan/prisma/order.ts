import { quoted } from '../../lib/text/quoted.ts'
import { version, type PrismaVersions } from './version.ts'

/**
 * How Prisma puts the directories of migrations in order. Until 6.5 its engine did, by bytes; since 6.6 its command line does, as words of
 * the language that its environment names. Names that begin with timestamps of one length are ordered alike by both.
 */
export type Order = 'by-language' | 'by-bytes' | 'by-number' | 'unknown'

/** What Prisma is started with, so that its language is ours. `C` is there on every machine, and Node takes it as American English. */
export const PRISMA_LOCALE = { LC_ALL: 'C' } as const

const collator = new Intl.Collator('en-US')

export function comparing(order: Order): (a: string, b: string) => number {
  if (order === 'by-number') return (a, b) => byNumber(a, b) || byBytes(a, b)
  return order === 'by-bytes' ? byBytes : (a, b) => collator.compare(a, b) || byBytes(a, b)
}

/** Of files of other tools: `2_b` before `10_a`, whatever the length of the number. */
function byNumber(a: string, b: string): number {
  const [one, other] = [a, b].map((name) => BigInt(/^\d+/.exec(name)?.[0] ?? 0))
  return one === other ? 0 : (one ?? 0n) < (other ?? 0n) ? -1 : 1
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** Why it cannot be said in which order these would run; mrkdwn, null when it can. */
export function whyUncertain(names: readonly string[], order: Order): string | null {
  if (order === 'by-bytes' || order === 'by-number') return null
  const sorted = names.toSorted(comparing('by-language'))
  for (const [at, second] of sorted.entries()) {
    const first = sorted[at - 1]
    if (first === undefined) continue
    if (collator.compare(first, second) === 0)
      return `${quoted(first)} and ${quoted(second)} are the same word for Prisma, written in different characters, so either may run first. Rename one that is not applied anywhere yet.`
    // neighbours are enough: when none of them change places, the order by bytes is the same one
    if (order === 'unknown' && byBytes(first, second) > 0)
      return `Prisma 6.6 and later runs ${quoted(first)} before ${quoted(second)}, an older one runs them the other way, and neither package.json nor a lock file says which it is. Pin it (\`npm install --save-dev --save-exact prisma\`) and commit the lock file, or rename migrations that are not applied anywhere yet so that their numbers have the same length.`
  }
  return null
}

export const orderOf = ({ low, high }: PrismaVersions): Order =>
  low >= version(6, 6) ? 'by-language' : high < version(6, 6) ? 'by-bytes' : 'unknown'

/** Whether it is certain that a file is sent as one script; from 7.4 on it is not known. */
export const sendsOneScript = ({ high }: PrismaVersions): boolean => high < version(7, 4)
