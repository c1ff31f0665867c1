import { escapeMarkup } from '../lib/text/escape.ts'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { closest } from 'fastest-levenshtein'
import type { Target } from '../config/config.ts'
import type { Captured } from '../process/capture.ts'
import { whyNoRefName } from '../lib/git.ts'
import { refuse, type Refusal } from '../lib/refusal.ts'
import type { GitDeps } from './deps.ts'
import { gitOutput, gitIn, type Git, type GitOptions } from './git.ts'
import { listed, plainText, quoted } from '../lib/text/quoted.ts'
import { together } from '../lib/together.ts'

export type SourceOf = Pick<Target, 'name' | 'source'>

/** A bare clone of the target's repository, as fresh as the last fetch. */
export type Repository = { readonly directory: string; readonly git: Git }

const FETCH_MS = 120_000

/** Fetches every branch and tag into `<var>/repositories/<target>.git`, cloning at first. Calls for one clone take turns. */
export async function fetchRepository(deps: GitDeps, target: SourceOf): Promise<Repository | Refusal> {
  const directory = cloneOf(deps, target)
  const remote = remoteOf(target.source.repository, deps.home)
  if ('why' in remote) return unreachable(target, remote.why)
  const repository = { directory, git: gitIn(deps, directory) }
  return inTurn(directory, async () => {
    await prepareClone(repository, remote)
    let end = await fetchAll(repository.git, remote)
    const format = otherFormat(end)
    if (format !== null && (await isEmpty(repository.git))) {
      await rm(directory, { recursive: true })
      await prepareClone(repository, remote, format)
      end = await fetchAll(repository.git, remote)
    }
    return end.exitCode === 0 ? repository : unreachable(target, whyOtherFormat(end, directory) ?? reasonOf(end))
  })
}

/** Where the bare clone of a target's repository is kept. */
export const cloneOf = (deps: Pick<GitDeps, 'varDirectory'>, target: Pick<Target, 'name'>): string =>
  resolve(deps.varDirectory, 'repositories', `${target.name}.git`)

export type ResolvedCommit = {
  /** Full SHA. */
  readonly commit: string
  /** What was asked for, or the target's branch. */
  readonly ref: string
  readonly subject: string
  readonly author: string
  /** Commits of the target's branch that this one does not have. */
  readonly behind: number
  /** Head of the target's branch. */
  readonly branchHead: string
}

/** From a branch, a tag or a SHA (short or full) to a commit that the target's branch, or one of `source.refs`, holds. */
export async function resolveCommit(repository: Repository, target: SourceOf, asked: string | null): Promise<ResolvedCommit | Refusal> {
  const { branch } = target.source
  const ref = asked ?? branch
  const malformed = whyNoRefName(ref)
  if (malformed !== null)
    return refuse(
      'ref_not_found',
      `${quoted(ref, 60)} is not a name that --ref takes: ${malformed}. Write a branch, a tag or a commit of ${quoted(withoutLogin(target.source.repository))}.`,
    )
  const [head, found] = await lookUp(repository.git, branch, ref)
  if (head === null)
    return refuse(
      'ref_not_found',
      `The branch ${quoted(branch)} of ${quoted(target.name)} does not exist in its repository. Correct \`source.branch\` in lockkeeper.yaml.`,
    )
  if (found === 'ambiguous')
    return refuse(
      'ref_not_found',
      `${quoted(ref)} is the beginning of more than one commit. Write more characters of the one that you mean.`,
    )
  if (found === null) return notFound(repository.git, ref)
  const isHead = found === head // as it mostly is; then git need not be asked
  if (!isHead && !(await isReachable(repository, target, found))) {
    const allowed = [branch, ...target.source.refs]
    return refuse(
      'ref_not_reachable',
      `${quoted(ref)} is commit ${quoted(found.slice(0, 10))}, which is not part of ${listed(allowed)}, from where ${quoted(target.name)} is deployed. Merge it first, or ask for a commit that is merged.`,
    )
  }
  const [about, behind] = await together([
    gitOutput(repository.git, ['log', '-1', '--no-show-signature', '--format=%s%x00%an', found]),
    isHead ? '0' : gitOutput(repository.git, ['rev-list', '--count', `${found}..${head}`]),
  ])
  const [subject = '', author = ''] = about.toString('utf8').trimEnd().split('\0')
  return {
    commit: found,
    ref,
    subject: plainText(subject),
    author: plainText(author, 80),
    behind: Number(behind.toString()),
    branchHead: head,
  }
}

/** Whether the commit (full SHA) is an ancestor of an allowed branch. False also for a commit that the repository does not have. */
export async function isReachable(repository: Repository, target: SourceOf, commit: string): Promise<boolean> {
  const patterns = [target.source.branch, ...target.source.refs].map((name) => (name.startsWith('refs/') ? name : `refs/heads/${name}`))
  const end = await repository.git(['for-each-ref', '--count=1', '--format=%(refname)', `--contains=${commit}`, ...patterns])
  return end.exitCode === 0 && end.stdout.length > 0
}

export type Remote = { readonly url: string; readonly local: boolean; readonly config: readonly (readonly [string, string])[] }

/** As people may see it. */
function withoutLogin(repository: string): string {
  const url = URL.canParse(repository) ? new URL(repository) : undefined
  if (url === undefined || (url.username === '' && url.password === '')) return repository
  url.username = url.password = ''
  return url.href
}

/** Credentials of an https URL become a header in the environment: git would hand the URL to a helper in argv. */
export function remoteOf(repository: string, home: string): Remote | { readonly why: string } {
  if (repository.startsWith('-') || /[\p{Cc}]/u.test(repository)) return { why: 'source.repository is neither a path nor a URL' }
  if (/^[\w.+-]+::/.test(repository)) return { why: 'source.repository names a transport other than https, ssh and file' }
  if (/^[\w.-]+@[\w.-]+:(?!\/\/)/.test(repository)) return { url: repository, local: false, config: [] }
  if (!repository.includes('://')) return { url: resolve(home, repository), local: true, config: [] }
  const url = URL.canParse(repository) ? new URL(repository) : undefined
  if (url === undefined) return { why: 'source.repository is not a URL' }
  if (url.protocol === 'file:') return { url: decodeURIComponent(url.pathname), local: true, config: [] }
  if (url.protocol === 'ssh:') return { url: repository, local: false, config: [] }
  if (url.protocol !== 'https:')
    return { why: 'source.repository must use https, ssh or a path; anything else could be changed on its way' }
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  url.username = url.password = ''
  // for this host alone: what keeps the files of Git LFS may send its readers to others
  const header = [`http.${url.origin}/.extraHeader`, `Authorization: Basic ${Buffer.from(login).toString('base64')}`] as const
  return { url: url.href, local: false, config: login === ':' ? [] : [header] }
}

/** What the other side hashes its objects with, when it is something else than our clone does. */
function otherFormat(end: Captured): 'sha1' | 'sha256' | null {
  const server = /mismatched algorithms: client \w+; server (sha1|sha256)\b/.exec(end.stderr)?.[1]
  return server === 'sha1' || server === 'sha256' ? server : null
}

const isEmpty = async (git: Git): Promise<boolean> => (await gitOutput(git, ['for-each-ref', '--count=1'])).length === 0

function whyOtherFormat(end: Captured, directory: string): string | null {
  const format = otherFormat(end)
  if (format === null) return null
  return `it now has ${format === 'sha1' ? 'SHA-1' : 'SHA-256'} objects, other than when it was cloned. Stop the bot, move ${directory} away, and start it again`
}

async function prepareClone(repository: Repository, remote: Remote, format: 'sha1' | 'sha256' | null = null): Promise<void> {
  if (format === null && prepared.has(repository.directory) && existsSync(join(repository.directory, 'HEAD'))) return
  await mkdir(repository.directory, { recursive: true, mode: 0o700 })
  // git refuses a local repository of another user unless told; the operator named this one in lockkeeper.yaml
  const safe = remote.local ? [remote.url, join(remote.url, '.git')] : []
  const lines = ['[safe]', ...safe.map((path) => `\tdirectory = "${path.replace(/["\\]/g, '\\$&')}"`), '']
  await writeFile(join(repository.directory, 'lockkeeper.config'), lines.join('\n'), { mode: 0o600 })
  await gitOutput(repository.git, [
    'init',
    '--quiet',
    '--bare',
    '--template=',
    '--initial-branch=main',
    ...(format === null ? [] : [`--object-format=${format}`]),
    repository.directory,
  ])
  prepared.add(repository.directory)
}

/** Clones that this process has prepared: one whose preparation was interrupted is prepared again by the next. */
const prepared = new Set<string>()

/** Another process may fetch into the same clone; git then fails on a lock file, which is free a moment later. */
async function fetchAll(git: Git, remote: Remote): Promise<Captured> {
  const options: GitOptions = { timeoutMs: FETCH_MS, config: [['remote.origin.url', remote.url], ...remote.config] }
  const refspecs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']
  const fetch = () => git(['fetch', '--quiet', '--prune', '--no-tags', '--no-write-fetch-head', '--force', 'origin', ...refspecs], options)
  for (let attempt = 1; ; attempt++) {
    const end = await fetch()
    if (attempt === 4 || !/cannot lock ref|Unable to create '.*\.lock'|reference already exists/.test(end.stderr)) return end
  }
}

const turns = new Map<string, Promise<unknown>>()

function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(key) ?? Promise.resolve()
  const mine = before.then(work, work)
  turns.set(key, mine)
  const leave = () => void (turns.get(key) === mine && turns.delete(key))
  mine.then(leave, leave)
  return mine
}

/** A full SHA is only that; any other name is first a branch, then a tag, then a short SHA. */
async function lookUp(git: Git, branch: string, ref: string): Promise<readonly [head: string | null, found: string | null]> {
  const full = /^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(ref)
  const short = /^[0-9a-f]{4,64}$/i.test(ref)
  const whole = /^refs\/(heads|tags)\//.test(ref)
  const names = [`refs/heads/${branch}`, ...(full ? [] : [`refs/heads/${ref}`, `refs/tags/${ref}`]), ...(short || whole ? [ref] : [])]
  const input = names.map((name) => `${name}^{commit}\n`).join('')
  const text = (await gitOutput(git, ['cat-file', '--batch-check'], { input })).toString('utf8')
  const [head, ...candidates] = text.split('\n').slice(0, names.length).map(readLookUp)
  return [head === 'ambiguous' ? null : (head ?? null), candidates.find((candidate) => candidate !== null) ?? null]
}

/** A SHA, `ambiguous`, or null when nothing has the name. */
function readLookUp(line: string): string | null {
  if (line.endsWith(' ambiguous')) return 'ambiguous'
  return /^([0-9a-f]{40,64}) commit \d+$/.exec(line)?.[1] ?? null
}

async function notFound(git: Git, ref: string): Promise<Refusal> {
  const names = (await gitOutput(git, ['for-each-ref', '--format=%(refname:strip=2)', 'refs/heads', 'refs/tags']))
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
  const nearest = names.length === 0 ? undefined : closest(ref, names)
  const hint = nearest === undefined ? '' : ` The nearest name is ${quoted(nearest)}.`
  return refuse(
    'ref_not_found',
    `The repository has no branch, tag or commit ${quoted(ref)}.${hint} A commit must have been pushed before it can be deployed.`,
  )
}

function unreachable(target: SourceOf, why: string): Refusal {
  return refuse(
    'repository_unreachable',
    `The repository of ${quoted(target.name)} could not be read: ${escapeMarkup(why)}. Nothing was planned. Check \`source.repository\` in lockkeeper.yaml and the access of the bot to it.`,
  )
}

function reasonOf(end: Captured): string {
  if (end.ended === 'timed-out') return `it did not answer within ${FETCH_MS / 1000} s`
  if (end.ended === 'not-started') return 'git is not installed where the bot runs'
  const lines = end.stderr.split('\n').map((line) => line.replace(/^(fatal|error|remote): /, '').trim())
  const telling = lines.find((line) => line !== '' && !line.startsWith('Please make sure') && !line.startsWith('and the repository'))
  return plainText(telling ?? `git fetch ended with ${end.exitCode ?? end.signal ?? 'no code'}`).replace(/\.$/, '')
}
