import { quoted } from '../lib/text/quoted.ts'

/**
 * How Prisma puts the directories of migrations in order. Until 6.5 its engine did, by bytes; since 6.6 its command line does, as words of
 * the language that its environment names. Names that begin with timestamps of one length are ordered alike by both.
 */
export type Order = 'by-language' | 'by-bytes' | 'unknown'

/** What Prisma is started with, so that its language is ours. `C` is there on every machine, and Node takes it as American English. */
export const PRISMA_LOCALE = { LC_ALL: 'C' } as const

const collator = new Intl.Collator('en-US')

export function comparing(order: Order): (a: string, b: string) => number {
  return order === 'by-bytes' ? byBytes : (a, b) => collator.compare(a, b) || byBytes(a, b)
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** Why it cannot be said in which order these would run; mrkdwn, null when it can. */
export function whyUncertain(names: readonly string[], order: Order): string | null {
  if (order === 'by-bytes') return null
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

/** The lowest and the highest version that may run, patches left out: 6.19 is 6019. */
export type PrismaVersions = { readonly low: number; readonly high: number }

/** From what package.json files ask for and what lock files settled. */
export function prismaVersions(asked: readonly string[], locks: readonly string[]): PrismaVersions {
  const settled = locks.flatMap(versionsIn)
  const ranges = (settled.length > 0 ? settled : asked).map(boundsOf)
  if (ranges.length === 0) return ANY
  return { low: Math.min(...ranges.map(({ low }) => low)), high: Math.max(...ranges.map(({ high }) => high)) }
}

export const orderOf = ({ low, high }: PrismaVersions): Order =>
  low >= version(6, 6) ? 'by-language' : high < version(6, 6) ? 'by-bytes' : 'unknown'

/** Whether it is certain that a file is sent as one script; from 7.4 on it is not known. */
export const sendsOneScript = ({ high }: PrismaVersions): boolean => high < version(7, 4)

/** The names of lock files that `prismaVersions` can read. */
export const LOCK_FILES = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock'] as const

/** Of the package `prisma`, as npm, pnpm, Yarn (both kinds) and Bun write it. */
function versionsIn(lock: string): readonly string[] {
  const found = [
    /"(?:[^"]*\/)?node_modules\/prisma":\s*\{\s*"version":\s*"(\d+\.\d+\.\d+)/g,
    /^[ \t]+['"]?\/?prisma[@/](\d+\.\d+\.\d+)[^:\n]*['"]?:/gm,
    /^"?prisma@[^\n]*:\n[ \t]+version:? "?(\d+\.\d+\.\d+)/gm,
    /"prisma":\s*\["prisma@(\d+\.\d+\.\d+)/g,
  ]
  return found.flatMap((pattern) => [...lock.matchAll(pattern)].flatMap(([, found]) => found ?? []))
}

export const version = (major: number, minor: number): number => major * 1000 + minor
const ANY: PrismaVersions = { low: 0, high: Infinity }

/** `6.19.3`, `^6.19.3`, `~6.19`, `6`, `6.x`, `>=6.6`; of anything else nothing is known. */
function boundsOf(range: string): PrismaVersions {
  const pattern = /^([~^]|>=)?\s*v?(\d+)(?:\.(\d+|[x*]))?(?:\.(?:\d+|[x*]))?(?:-[\w.-]+)?$/
  const [, sign = '', major, written = 'x'] = pattern.exec(range.trim()) ?? []
  if (major === undefined) return ANY
  const minor = /\d/.test(written) ? Number(written) : null
  const low = version(Number(major), minor ?? 0)
  if (sign === '>=') return { low, high: Infinity }
  return { low, high: minor === null || sign === '^' ? version(Number(major), 999) : low }
}
