import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Captured } from '../../process/capture.ts'

type Git = (...args: readonly string[]) => Promise<Captured>

/**
 * What git overwrites in a checkout without asking, when it is switched to `commit`: files and directories that the commit brings and that
 * stand there without git's knowledge, as ignored ones do, and with `--force` all others. Those with the same content are left out.
 */
export async function overwrittenUnasked(git: Git, commit: string): Promise<readonly string[]> {
  const [top, added, tracked] = await Promise.all([
    git('rev-parse', '--show-toplevel'),
    git('diff-tree', '-r', '--name-only', '-z', '--diff-filter=A', 'HEAD', commit),
    git('ls-files', '--full-name', '-z', ':/'),
  ])
  const root = top.stdout.toString('utf8').replace(/\n$/, '')
  const known = new Set(namesIn(tracked.stdout))
  const found = await Promise.all(
    namesIn(added.stdout)
      .filter((name) => !known.has(name))
      .map((name) => standing(root, name)),
  )
  const [files, others] = [found.filter((one) => one?.isFile === true), found.filter((one) => one?.isFile === false)]
  const differing = await withOtherContent(git, root, commit, namesOf(files))
  return [...new Set([...namesOf(others).filter((name) => !known.has(name)), ...differing])].toSorted()
}

type Standing = { readonly name: string; readonly isFile: boolean } | undefined

const namesOf = (some: readonly Standing[]): readonly string[] => some.flatMap((one) => (one === undefined ? [] : [one.name]))

/** What is in the place of a file: one of that name, a directory, or a file where a directory of its path would have to be. */
async function standing(root: string, name: string): Promise<Standing> {
  const found = await lstat(join(root, name)).catch((error: NodeJS.ErrnoException) => error.code)
  if (found === 'ENOTDIR') return { name: await firstFile(root, name.split('/')), isFile: false }
  if (found === undefined || typeof found === 'string') return undefined
  return { name, isFile: found.isFile() }
}

async function firstFile(root: string, parts: readonly string[]): Promise<string> {
  for (let length = 1; length < parts.length; length++) {
    const name = parts.slice(0, length).join('/')
    const isDirectory = await lstat(join(root, name)).then(
      (found) => found.isDirectory(),
      () => false, // gone meanwhile
    )
    if (!isDirectory) return name
  }
  return parts.join('/')
}

/** Compared by their hashes, as git would store them. */
async function withOtherContent(git: Git, root: string, commit: string, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0 || names.length > MOST_COMPARED) return names
  const [now, then] = await Promise.all([
    git('hash-object', '--', ...names.map((name) => join(root, name))),
    git('ls-tree', '-r', '-z', '--full-tree', commit, '--', ...names),
  ])
  if (now.exitCode !== 0) return names
  const hashes = now.stdout.toString('utf8').split('\n')
  const approved = new Map(
    namesIn(then.stdout).map((line) => {
      const [facts = '', name = ''] = line.split('\t')
      return [name, facts.split(' ')[2]]
    }),
  )
  return names.filter((name, at) => approved.get(name) !== hashes[at])
}

/** More are not a handful that somebody keeps there by hand, and their names would be too long for one command. */
const MOST_COMPARED = 200

const namesIn = (output: Buffer): readonly string[] =>
  output
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '')
