import { posix } from 'node:path'
import { isRefusal, type Refusal } from '../lib/refusal.ts'
import { isRegularAt, readBlobs, type Tree } from './git.ts'
import { LOCK_FILES } from './prisma/lock-files.ts'
import { runnerOf, type PrismaSources } from './prisma/version.ts'
import type { Repository } from './repository.ts'

/** Where a commit says which Prisma it brings. */
export function saysWhich(
  tree: Tree,
  application: string,
): { readonly packages: readonly string[]; readonly lockFiles: readonly string[] } {
  return {
    packages: [...new Set([posix.join(application, 'package.json'), 'package.json'])].filter((path) => tree.has(path)),
    lockFiles: [...new Set([application, '.'])]
      .flatMap((directory) => LOCK_FILES.map((name) => posix.join(directory, name)))
      .filter((path) => isRegularAt(tree, path)),
  }
}

/** `migrations/app/…` and a contract may be there before the old runner is gone: what decides is the version. */
export async function bringsPrisma8(repository: Pick<Repository, 'git'>, tree: Tree, application: string): Promise<boolean> {
  if (!hasRunnerFiles(tree, application)) return false
  const sources = await readSources(repository, tree, application)
  return !isRefusal(sources) && runnerOf(sources) === 'new' // a refusal is said again, for everything, by the caller
}

/** What 8 writes and no other: without it package.json is read with everything else. */
const hasRunnerFiles = (tree: Tree, application: string): boolean =>
  [...tree.keys()].some(
    (path) => (application === '.' || path.startsWith(`${application}/`)) && /(^|\/)(app\/[^/]+\/migration|contract)\.json$/.test(path),
  )

export async function readSources(repository: Pick<Repository, 'git'>, tree: Tree, application: string): Promise<PrismaSources | Refusal> {
  const { packages, lockFiles } = saysWhich(tree, application)
  const read = await readBlobs(
    repository.git,
    tree,
    [...packages, ...lockFiles].filter((path) => isRegularAt(tree, path)),
  )
  if (isRefusal(read)) return read
  const text = textIn((path) => (isRegularAt(tree, path) ? read(path) : Buffer.alloc(0)))
  return sourcesOf(application, packages, lockFiles, text)
}

/** Tools take a byte order mark, JSON.parse does not. */
export const textIn =
  (content: (path: string) => Buffer) =>
  (path: string): string =>
    content(path)
      .toString('utf8')
      .replace(/^\ufeff/, '')

export const sourcesOf = (
  application: string,
  packages: readonly string[],
  lockFiles: readonly string[],
  text: (path: string) => string,
): PrismaSources => ({
  application,
  asked: packages.flatMap((path) => {
    const range = dependenciesOf(text(path))?.get('prisma')
    return range === undefined ? [] : [{ path, range }]
  }),
  aliases: packages.flatMap((path) =>
    [...(dependenciesOf(text(path)) ?? [])].flatMap(([name, range]) =>
      name !== 'prisma' && range.startsWith('npm:prisma@') ? [{ path, name, range }] : [],
    ),
  ),
  locks: lockFiles.map((path) => ({ path, text: text(path) })),
})

/** What each is asked for as. */
export function dependenciesOf(text: string): ReadonlyMap<string, string> | null {
  try {
    const parsed: unknown = JSON.parse(text)
    const of = (key: string) =>
      typeof parsed === 'object' && parsed !== null ? Object.entries(parsed).find(([name]) => name === key)?.[1] : undefined
    return new Map(
      [of('dependencies'), of('devDependencies')].flatMap((section) =>
        typeof section === 'object' && section !== null
          ? Object.entries(section).map(([name, asked]) => [name, String(asked)] as const)
          : [],
      ),
    )
  } catch {
    return null // not JSON; the caller says so
  }
}
