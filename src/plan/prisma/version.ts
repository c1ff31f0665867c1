import { posix } from 'node:path'
import { code } from '../../lib/text/code.ts'
import { listed, quoted } from '../../lib/text/quoted.ts'
import { bringsEngines, versionsIn, type LockFile } from './lock-files.ts'

/** The lowest and the highest version that may run: 6.19.3 is 6_019_003. */
export type PrismaVersions = { readonly low: number; readonly high: number }

/** What a commit says about its Prisma. */
export type PrismaSources = {
  /** The directory of the application, in the repository. */
  readonly application: string
  /** What package.json files ask for, the application's own first. */
  readonly asked: readonly { readonly path: string; readonly range: string }[]
  readonly locks: readonly LockFile[]
  /** Prismas beside it under other names (`"prisma7": "npm:prisma@7.10.1"`). */
  readonly aliases: readonly { readonly path: string; readonly name: string; readonly range: string }[]
}

export function prismaVersions({ application, asked, locks }: PrismaSources): PrismaVersions {
  const settled = locks.flatMap((lock) => versionsIn(lock, { application, asked: asked[0]?.range ?? '' }))
  const ranges = (settled.length > 0 ? settled : asked.slice(0, 1).map(({ range }) => range)).map(boundsOf)
  if (ranges.length === 0) return ANY
  return { low: Math.min(...ranges.map(({ low }) => low)), high: Math.max(...ranges.map(({ high }) => high)) }
}

/**
 * From 8 on the name stands for two programs: the new runner, and builds of the old command line. `unclear`: it could be either, or what
 * says so disagrees.
 */
export function runnerOf(sources: PrismaSources): 'old' | 'new' | 'unclear' {
  const { application, asked, locks, aliases } = sources
  if (aliases.length > 0) return 'unclear'
  const range = asked[0]?.range ?? ''
  const settled = locks.flatMap((lock) =>
    versionsIn(lock, { application, asked: range }).map((one) => boundsOf(one).low >= version(8) && !bringsEngines(lock, one)),
  )
  if (settled.length > 0 && !settled.some(Boolean)) return 'old'
  if (settled.length > 0) return settled.every(Boolean) && boundsOf(range).high >= version(8) ? 'new' : 'unclear'
  if (boundsOf(range).low < version(8)) return boundsOf(range).high < version(8) ? 'old' : 'unclear'
  return isDevelopment(range) ? 'unclear' : 'new'
}

/** Numbers that builds of the old command line have too. */
const isDevelopment = (range: string) => /-dev\b/.test(range)

export const version = (major: number, minor = 0, patch = 0): number => major * 1_000_000 + minor * 1_000 + patch

/** The one sentence on which versions there is a proof for. */
const KNOWN = 'Lockkeeper knows Prisma 5, 6, 7 and the release candidate of 8'
const isKnown = ({ low, high }: PrismaVersions) => low >= version(5) && high < version(8)

/** Why it is not certain that a version runs which is known; mrkdwn, null when it is. */
export function whyVersionUnfit(sources: PrismaSources): string | null {
  const { application, asked, locks, aliases } = sources
  const [own] = asked
  if (own === undefined) return null // the caller says that no package.json asks for Prisma
  const [alias] = aliases
  if (alias !== undefined)
    return `${quoted(own.path)} asks for prisma ${quoted(own.range)}, and ${alias.path === own.path ? 'also' : quoted(alias.path)} for ${quoted(alias.name)} (${quoted(alias.range)}). Both install a program ${code('prisma')}, and which of them answers to that name depends on how they are installed, so it cannot be said which would run. Bring one of them: what the old one has pending is deployed with a commit from before the change (\`--ref\`); then remove it, commit and ask again.`
  const settled = locks
    .map((lock) => ({ path: lock.path, versions: versionsIn(lock, { application, asked: own.range }) }))
    .filter(({ versions }) => versions.length > 0)
  const [first, other] = settled
  if (first === undefined) return isKnown(boundsOf(own.range)) ? null : unsettled(own, locks)
  const differing = settled.find(({ versions }) => versions.join() !== first.versions.join())
  if (other !== undefined && differing !== undefined)
    return `${quoted(first.path)} settles prisma at ${listed(first.versions, 3)} and ${quoted(differing.path)} at ${listed(differing.versions, 3)}, so which version would run depends on how it is installed. Remove the lock file that is not used, commit and ask again.`
  const [only] = first.versions
  const { low, high } = boundsOf(own.range)
  if (only !== undefined && first.versions.length === 1 && (boundsOf(only).low < low || boundsOf(only).high > high))
    return `${quoted(own.path)} asks for prisma ${quoted(own.range)}, but ${quoted(first.path)} settles it at ${quoted(only)}, so the install stops or brings another version than this commit says. Run the install of your package manager (${code('npm install')}), commit the lock file and ask again.`
  const unknown = first.versions.find((settledAt) => !isKnown(boundsOf(settledAt)))
  if (unknown === undefined) return null
  const brings = `This commit brings Prisma ${quoted(unknown)} (${quoted(first.path)})`
  return boundsOf(unknown).low >= version(8) && locks.some((lock) => lock.path === first.path && bringsEngines(lock, unknown))
    ? `${brings}, which is not the runner of Prisma 8 but a build of the older command line (it depends on ${code('@prisma/engines')}). ${OTHERS}`
    : `${brings}. ${notStarted(boundsOf(unknown))}`
}

const OTHERS = `${KNOWN}, and starts no other. Ask for a commit with one of them (\`--ref\`), or update Lockkeeper.`

/** Who looks for files of 8 has not found them when this is asked. */
const notStarted = ({ low, high }: PrismaVersions): string =>
  low >= version(8) && high < version(9)
    ? `Of Prisma 8 Lockkeeper reads the emitted contract and the migrations, and this commit has neither. Emit the contract (${code('npx prisma contract emit')}), commit it and ask again.`
    : OTHERS

function unsettled({ path, range }: PrismaSources['asked'][number], locks: readonly LockFile[]): string {
  const bounds = boundsOf(range)
  if (bounds.low >= version(8) && isDevelopment(range))
    return `${quoted(path)} asks for prisma ${quoted(range)}, and ${noLock(locks)} whether that is the runner of Prisma 8 or a build of the older command line, which have like numbers. ${KNOWN}: ${PIN}, commit the lock file and ask again.`
  if (bounds.low >= version(8) || bounds.high < version(5)) return `${quoted(path)} asks for prisma ${quoted(range)}. ${notStarted(bounds)}`
  return `${quoted(path)} asks for prisma ${quoted(range)}, and ${noLock(locks)} which version that is. ${KNOWN}: ${PIN}, commit the lock file and ask again.`
}

const noLock = (locks: readonly LockFile[]): string =>
  locks.length === 0 ? 'there is no lock file that says' : `${listed(locks.map((one) => posix.basename(one.path)))} does not say`
const PIN = `pin one (${code('npm install --save-dev --save-exact prisma@7')})`

const ANY: PrismaVersions = { low: 0, high: Infinity }

/** `6.19.3`, `^6.19.3`, `~6.19`, `6`, `6.x`, `>=6.6`, and several of them between `||`; of anything else nothing is known. */
export function boundsOf(range: string): PrismaVersions {
  const parts = range.split('||').map((part) => boundsOfOne(part.trim()))
  return { low: Math.min(...parts.map(({ low }) => low)), high: Math.max(...parts.map(({ high }) => high)) }
}

function boundsOfOne(range: string): PrismaVersions {
  const pattern = /^([~^=]|>=)?\s*v?(\d+)(?:\.(\d+|[x*]))?(?:\.(\d+|[x*]))?(?:-[\w.-]+)?(?:\+[\w.-]+)?$/
  const [, sign = '', major, minorText = 'x', patchText = 'x'] = pattern.exec(range) ?? []
  if (major === undefined) return ANY
  const number = (text: string) => (/^\d+$/.test(text) ? Number(text) : null)
  const [minor, patch] = [number(minorText), number(patchText)]
  const low = version(Number(major), minor ?? 0, patch ?? 0)
  if (sign === '>=') return { low, high: Infinity }
  if (minor === null || sign === '^') return { low, high: version(Number(major), 999, 999) }
  return { low, high: patch === null || sign === '~' ? version(Number(major), minor, 999) : low }
}
