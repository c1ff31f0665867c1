import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, rm } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { pathToFileURL } from 'node:url'
import { escapeMarkup } from '../lib/text/escape.ts'
import { isRefusal } from '../lib/refusal.ts'
import { code } from '../lib/text/code.ts'
import { count, listed, plainText, quoted } from '../lib/text/quoted.ts'
import type { GitDeps } from '../plan/deps.ts'
import {
  filesInLfs,
  gitIn,
  gitOutput,
  hasGitLfs,
  readBlobs,
  readTree,
  type Git,
  type GitOptions,
  type LfsFile,
  type Tree,
} from '../plan/git.ts'
import { remoteOf, type Remote, type SourceOf } from '../plan/repository.ts'
import type { Captured } from '../process/capture.ts'
import { markUsed, pathOf, pruneUnused } from './lfs-cache.ts'

export type LfsOptions = {
  readonly deps: GitDeps
  /** The bare clone; what was fetched is kept in it. */
  readonly repository: string
  /** A fresh checkout of the commit. */
  readonly checkout: string
  readonly commit: string
  readonly target: SourceOf
  readonly signal: AbortSignal
  readonly report: (details: string) => void
  /** Milliseconds. */
  readonly now: number
}

export type LfsProblem = { readonly why: string; readonly next: string }

/** As long as a checkout may take. */
const FETCH_MS = 300_000

/**
 * Puts the application's files that are in Git LFS into a checkout in place of their pointers, and proves that each is the file that its
 * pointer names. They come from the configured repository whatever `.lfsconfig` of the commit says: the bot's credentials go along.
 */
export async function fetchLfs(options: LfsOptions): Promise<'whole' | LfsProblem> {
  const { deps, repository, checkout, commit, target, signal, report, now } = options
  const clone = gitIn(deps, repository)
  const work = gitIn(deps, repository, checkout)
  const application = posix.normalize(target.source.directory)
  const tree = await readTree(clone, commit)
  const pointers = await filesInLfs(clone, tree, commit, application)
  if (isRefusal(pointers)) return { why: pointers.text, next: 'Then ask again.' }
  const files = await thoseFetchedByGit(work, pointers)
  if (files.length === 0) return 'whole'
  const remote = remoteOf(target.source.repository, deps.home)
  if ('why' in remote) throw new Error(remote.why) // the commit was fetched from there
  if (!(await hasGitLfs(deps))) return notInstalled(files)
  report(`fetching ${count(files.length, 'file')} from Git LFS`)
  await markUsed(
    repository,
    files.flatMap(({ names }) => (names === null ? [] : [names.sha256])),
    now,
  )
  const settings: GitOptions = { timeoutMs: FETCH_MS, signal, config: settingsFor(remote) }
  const fetched = await clone(['lfs', 'fetch', '--include', includeFor(application), '--exclude', '', 'origin', commit], settings)
  if (fetched.ended === 'timed-out') return tooLate(files)
  // git leaves a file alone that is as its index says
  for (const { path } of files) await rm(join(checkout, path), { force: true })
  const placed = await work(['checkout-index', '--force', '--index', '-z', '--stdin'], {
    ...settings,
    input: files.map(({ path }) => `${path}\0`).join(''),
  })
  // how the two ended is no proof: other files of the commit may be missing, and .lfsconfig can make git-lfs content with pointers
  for (const file of files) {
    const found = await compare(join(checkout, file.path), file)
    if (found === 'same') continue
    if (found === 'other') await forget(repository, file)
    const isWrong = (found === 'other' && fetched.exitCode === 0) || saysAnother(reasonOf(file, [fetched]))
    return isWrong ? notTheSame(file) : notFetched(file, [fetched, placed], await whyElsewhere(clone, tree))
  }
  await pruneUnused(repository, now)
  return 'whole'
}

/** Where no attribute says `filter=lfs`, the pointer is the file for everybody. */
async function thoseFetchedByGit(work: Git, pointers: readonly LfsFile[]): Promise<readonly LfsFile[]> {
  if (pointers.length === 0) return []
  const output = await gitOutput(work, ['check-attr', '-z', '--stdin', 'filter'], {
    input: pointers.map(({ path }) => `${path}\0`).join(''),
  })
  const values = output.toString('utf8').split('\0') // path, attribute, value, and so on
  return pointers.filter((_, at) => values[at * 3 + 2] === 'lfs')
}

/** In the environment, where they win over `.lfsconfig`. */
const settingsFor = (remote: Remote): readonly (readonly [string, string])[] => [
  ...remote.config,
  ['remote.origin.url', remote.url],
  ['lfs.url', lfsUrlOf(remote)],
  ['lfs.fetchinclude', ''],
  ['lfs.fetchexclude', ''],
  ['filter.lfs.process', 'git-lfs filter-process'],
  ['filter.lfs.required', 'true'],
]

/** As git-lfs derives it from the URL of a remote; over ssh it asks the host for it. */
function lfsUrlOf(remote: Remote): string {
  if (remote.local) return pathToFileURL(remote.url).href
  if (!remote.url.startsWith('https:')) return remote.url
  const url = remote.url.replace(/\/+$/, '')
  return `${url}${url.endsWith('.git') ? '' : '.git'}/info/lfs`
}

/** A pattern of git-lfs; where it could be read as another one, everything is fetched. */
const includeFor = (directory: string): string => (directory !== '.' && /^[\w.@+/-]+$/.test(directory) ? directory : '')

async function compare(path: string, { names }: LfsFile): Promise<'same' | 'other' | 'missing'> {
  const about = await lstat(path).catch(() => null)
  if (about === null || !about.isFile()) return 'missing'
  if (names === null || about.size !== names.bytes) return 'other'
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex') === names.sha256 ? 'same' : 'other'
}

/** So that the next attempt fetches it anew: git-lfs looks at the size of what it has and no further. */
async function forget(repository: string, { names }: LfsFile): Promise<void> {
  if (names === null) return
  await rm(pathOf(repository, names.sha256), { force: true })
}

function notInstalled(files: readonly LfsFile[]): LfsProblem {
  const paths = files.map(({ path }) => path)
  return {
    why: `${listed(paths, 3)} ${paths.length === 1 ? 'is' : 'are'} kept in Git LFS, and git-lfs is not installed where Lockkeeper runs.`,
    next: 'Install it there and ask again.',
  }
}

const tooLate = (files: readonly LfsFile[]): LfsProblem => ({
  why: `${count(files.length, 'file')} in Git LFS could not be fetched within ${FETCH_MS / 1000} s.`,
  next: 'Ask again: what was fetched so far is kept.',
})

const notTheSame = ({ path, names }: LfsFile): LfsProblem => ({
  why: `${quoted(path)} is kept in Git LFS, and what was fetched is not the file that its pointer names${names === null ? '' : ` (SHA-256 ${code(names.sha256)}, ${count(names.bytes, 'byte')})`}.`,
  next:
    names === null
      ? 'Add the file to LFS again, commit and ask again.'
      : `Ask again; it is then fetched anew. If it comes out the same, push the file from a clone that has it: ${pushing(names.sha256)}.`,
})

function notFetched(file: LfsFile, ends: readonly Captured[], elsewhere: string): LfsProblem {
  const reason = reasonOf(file, ends)
  const isMissing = /missing|does not exist|not found|404/i.test(reason)
  return {
    why: `${quoted(file.path)} is kept in Git LFS and could not be fetched: ${escapeMarkup(reason)}.${elsewhere}`,
    next:
      isMissing && file.names !== null
        ? `Push it from a clone that has it (${pushing(file.names.sha256)}) and ask again.`
        : "Check that the bot may read the repository's LFS, and ask again.",
  }
}

const pushing = (sha256: string) => code(`git lfs push --object-id origin ${sha256}`)

/** What git-lfs says of a content whose SHA-256 is another one, from a path and from a server. */
const saysAnother = (reason: string): boolean => /has an invalid hash|expected OID/i.test(reason)

/** What was said of this file, or of all; by the first of them if it says anything. */
function reasonOf({ names }: LfsFile, ends: readonly Captured[]): string {
  const telling = ends.flatMap(({ stderr }) => {
    const lines = stderr.split('\n').filter((line) => line.trim() !== '')
    return lines.find((line) => names !== null && line.includes(names.sha256)) ?? lines.find((line) => !/[0-9a-f]{64}/.test(line)) ?? []
  })[0]
  return plainText((telling ?? 'git-lfs does not say why').replace(WRAPPING, ''), 300).replace(/\.$/, '')
}

/** Around the words of a server: `batch response: `, `[4d7a…] `, `error transferring "4d7a…": [0] `. */
const WRAPPING = /^((error|fatal|batch response): |error transferring "\w+": |\[\w+\] )+/

async function whyElsewhere(git: Git, tree: Tree): Promise<string> {
  if (!tree.has('.lfsconfig')) return ''
  const content = await readBlobs(git, tree, ['.lfsconfig'])
  if (isRefusal(content) || !/^\s*(lfs)?url\s*=/im.test(content('.lfsconfig').toString('utf8'))) return ''
  return ` ${code('.lfsconfig')} of the commit names a place of its own, which is not followed: files come from ${code('source.repository')} alone.`
}
