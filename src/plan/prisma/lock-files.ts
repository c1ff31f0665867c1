import { posix } from 'node:path'

/** The names of lock files that can be read. */
export const LOCK_FILES = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock'] as const

export type LockFile = { readonly path: string; readonly text: string }

/** Of which application, and what its package.json asks for: one lock file may settle a package differently for several. */
export type LockQuestion = { readonly application: string; readonly asked: string }

/** To which versions the package `prisma` is settled, as npm, pnpm, Yarn (both kinds) and Bun write it; all of them when it is not clear whose. */
export function versionsIn({ path, text }: LockFile, { application, asked }: LockQuestion): readonly string[] {
  const from = posix.relative(posix.dirname(path), application)
  const own = OWN[posix.basename(path) as (typeof LOCK_FILES)[number]](text, from === '.' ? '' : from, asked)
  if (own !== null) return [own]
  return [...new Set(ANYWHERE.flatMap((pattern) => [...text.matchAll(pattern)].flatMap(([, found]) => found ?? [])))].toSorted()
}

/**
 * Whether `prisma` of this version brings the engines that only the command line of 5 to 7 has: from 8 on there are builds of it beside the
 * new runner, under the same name and with like numbers.
 */
export function bringsEngines({ path, text }: LockFile, version: string): boolean {
  const lock = path.endsWith('.json') ? parsed(text) : null
  const entries = lock === null ? entriesOf(text, version) : npmEntriesOf(lock, version).map((entry) => JSON.stringify(entry))
  return entries.some((entry) => /@prisma\/engines['"]?[\s:]/.test(entry))
}

function npmEntriesOf(lock: object, version: string): readonly unknown[] {
  const within = ['packages', 'dependencies'].flatMap((section) => Object.entries(valueOf(lock, section) ?? {}))
  return within.flatMap(([key, entry]) => (/(^|\/)prisma$/.test(key) && valueOf(entry, 'version') === version ? [entry] : []))
}

/** A line with the name and the version, and what is indented below it; pnpm has one entry for what it is and one for what it needs. */
function entriesOf(text: string, version: string): readonly string[] {
  const lines = text.split('\n')
  const exactly = new RegExp(`${version.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![0-9A-Za-z.-])`)
  return lines.flatMap((line, at) => {
    if (!/^ *['"]?(?:[^'"@ ]*\/)?prisma[@/"]/.test(line)) return []
    const depth = line.search(/\S/)
    const end = lines.findIndex((other, index) => index > at && other.search(/\S/) <= depth)
    const entry = lines.slice(at, end === -1 ? undefined : end).join('\n')
    return exactly.test(entry) ? [entry] : []
  })
}

const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/

type Reader = (text: string, from: string, asked: string) => string | null

/** Of the application alone. */
const OWN: Readonly<Record<(typeof LOCK_FILES)[number], Reader>> = {
  'package-lock.json': ofNpm,
  'npm-shrinkwrap.json': ofNpm,
  'pnpm-lock.yaml': ofPnpm,
  'yarn.lock': ofYarn,
  'bun.lock': (text, from) =>
    firstMatch(text, [...(from === '' ? [] : [`"${from.split('/').at(-1) ?? ''}/prisma": ["prisma@`]), '"prisma": ["prisma@']),
}

/** `packages`, by place, from version 2 of the format on; before it `dependencies`, by name. The nearest above the application is the one that runs. */
function ofNpm(text: string, from: string): string | null {
  const lock = parsed(text)
  if (lock === null) return null
  for (let at = from; ; at = posix.dirname(at)) {
    const found = versionAt(lock, 'packages', posix.join(at === '.' ? '' : at, 'node_modules/prisma'))
    if (found !== null) return found
    if (at === '' || at === '.') return versionAt(lock, 'dependencies', 'prisma')
  }
}

function versionAt(lock: object, section: string, key: string): string | null {
  const entry = valueOf(valueOf(lock, section), key)
  const found = valueOf(entry, 'version')
  return typeof found === 'string' && VERSION.test(found) ? found : null
}

const valueOf = (object: unknown, key: string): unknown =>
  typeof object === 'object' && object !== null && Object.hasOwn(object, key)
    ? (object as Readonly<Record<string, unknown>>)[key] // parsed JSON
    : undefined

function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : null
  } catch {
    return null // what stands in it is then looked for as text
  }
}

/** `importers`, by directory; in a repository with one package older formats have its dependencies at the top. */
function ofPnpm(text: string, from: string): string | null {
  const lines = text.split('\n')
  const key = from === '' ? '.' : from
  const at = lines.findIndex((line) => new RegExp(`^  '?${key.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}'?:\\s*$`).test(line))
  if (at === -1) return null
  const end = lines.findIndex((line, index) => index > at && /^ {0,2}\S/.test(line))
  const block = lines.slice(at, end === -1 ? undefined : end).join('\n')
  return /^ {6}'?prisma'?:(?:\n {8}specifier: [^\n]*\n {8}version:)? '?(\d+\.\d+\.\d+[^\s('_]*)/m.exec(block)?.[1] ?? null
}

/** The entry whose heading names what package.json asks for. */
function ofYarn(text: string, _from: string, asked: string): string | null {
  for (const [, heading = '', found] of text.matchAll(/^("?prisma@[^\n]*):\n[ \t]+version:? "?(\d+\.\d+\.\d+[^\s"]*)/gm))
    if (
      heading
        .replaceAll('"', '')
        .split(/,\s*/)
        .some((one) => one === `prisma@${asked}` || one === `prisma@npm:${asked}`)
    )
      return found ?? null
  return null
}

/** The version behind the first of these beginnings that is there. */
function firstMatch(text: string, beginnings: readonly string[]): string | null {
  for (const beginning of beginnings) {
    const at = text.indexOf(beginning)
    const found = at === -1 ? null : VERSION.exec(text.slice(at + beginning.length, at + beginning.length + 100))
    if (found !== null) return found[0]
  }
  return null
}

const ANYWHERE = [
  /"(?:[^"]*\/)?node_modules\/prisma":\s*\{\s*"version":\s*"(\d+\.\d+\.\d+[^"]*)/g,
  /^[ \t]+['"]?\/?prisma[@/](\d+\.\d+\.\d+[^:\n('"_]*)[^:\n]*['"]?:/gm,
  /^"?prisma@[^\n]*:\n[ \t]+version:? "?(\d+\.\d+\.\d+[^\s"]*)/gm,
  /"prisma":\s*\["prisma@(\d+\.\d+\.\d+[^"]*)/g,
]
