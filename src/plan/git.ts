import { posix } from 'node:path'
import { isLfsPointer, LARGEST_POINTER, readLfsPointer } from '../lib/git.ts'
import { isRefusal, refuse, type Refusal } from '../lib/refusal.ts'
import { captureChild, type Captured } from '../process/capture.ts'
import { childEnvironment, operatorPath } from '../process/environment.ts'
import type { GitDeps } from './deps.ts'

/** Asks `git` about a bare clone of ours. Objects are only read: nothing is checked out, and no hook, filter or helper of the repository runs. */
export type Git = (args: readonly string[], options?: GitOptions) => Promise<Captured>

export type GitOptions = {
  readonly input?: string
  readonly timeoutMs?: number
  readonly maxBytes?: number
  /** Settings that may hold credentials: they travel in the environment, never in argv or in a file. */
  readonly config?: readonly (readonly [string, string])[]
  readonly signal?: AbortSignal
}

const QUICK_MS = 30_000

const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'credential.helper=',
  'protocol.ext.allow=never',
  'fetch.recurseSubmodules=false',
  'submodule.recurse=false',
  'gc.autoDetach=false',
  'maintenance.autoDetach=false',
]

/** `checkout` is a work tree of the clone in which git is to work; without it git works on the clone alone. */
export function gitIn(deps: GitDeps, directory: string, checkout?: string): Git {
  return (args, options = {}) => {
    const config = options.config ?? []
    const env = {
      ...(checkout === undefined ? { GIT_DIR: directory } : { GIT_DIR: `${checkout}/.git`, GIT_WORK_TREE: checkout }),
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: `${directory}/lockkeeper.config`,
      GIT_ATTR_NOSYSTEM: '1',
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '/bin/false',
      GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=15',
      GIT_ALLOW_PROTOCOL: 'file:https:ssh',
      GIT_PROTOCOL_FROM_USER: '0',
      GIT_CONFIG_COUNT: String(config.length),
      ...Object.fromEntries(
        config.flatMap(([key, value], at) => [
          [`GIT_CONFIG_KEY_${at}`, key],
          [`GIT_CONFIG_VALUE_${at}`, value],
        ]),
      ),
    }
    const path = operatorPath(deps.env['PATH'])
    return captureChild({
      argv: ['git', ...SETTINGS.flatMap((setting) => ['-c', setting]), ...args],
      cwd: checkout ?? deps.varDirectory,
      // messages are compared below and shown to people, so they must be in one language
      env: childEnvironment(deps.env, path, { ...env, LC_ALL: 'C', LANGUAGE: '' }, Object.keys(env)),
      timeoutMs: options.timeoutMs ?? QUICK_MS,
      redactor: deps.redactor,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.input === undefined ? {} : { input: options.input }),
      ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
    })
  }
}

/** For questions that must have an answer: anything but exit code 0 is a fault. */
export async function gitOutput(git: Git, args: readonly string[], options?: GitOptions): Promise<Buffer> {
  const end = await git(args, options)
  if (end.exitCode !== 0) throw new Error(`git ${args[0]} ended with ${end.exitCode ?? end.signal ?? end.ended}: ${end.stderr.trim()}`)
  return end.stdout
}

type Entry = { readonly mode: string; readonly type: string; readonly object: string }
/** What a commit holds, by path. */
export type Tree = ReadonlyMap<string, Entry>

/** Every file of the commit by path. Names that are not UTF-8 are left out: nothing that is looked for has one. */
export async function readTree(git: Git, commit: string): Promise<Tree> {
  const output = await gitOutput(git, ['ls-tree', '-r', '-z', '--full-tree', commit])
  const tree = new Map<string, Entry>()
  for (const line of output.toString('utf8').split('\0')) {
    const [, mode, type, object, path] = /^(\d+) (\w+) ([0-9a-f]+)\t(.*)$/s.exec(line) ?? []
    if (mode !== undefined && type !== undefined && object !== undefined && path !== undefined) tree.set(path, { mode, type, object })
  }
  return tree
}

export const isRegularAt = (tree: Tree, path: string) => {
  const entry = tree.get(path)
  return entry !== undefined && isRegular(entry)
}

export const isRegular = (entry: Entry) => entry.type === 'blob' && (entry.mode === '100644' || entry.mode === '100755')

/** Content of files of a tree; of all of them at once, in one question. */
export async function readBlobs(git: Git, tree: Tree, paths: readonly string[]): Promise<((path: string) => Buffer) | Refusal> {
  const objects = [...new Set(paths.flatMap((path) => tree.get(path)?.object ?? []))]
  if (objects.length === 0) return () => Buffer.alloc(0)
  const end = await git(['cat-file', '--batch'], { input: objects.map((object) => `${object}\n`).join(''), maxBytes: LARGEST })
  if (end.exitCode === null && end.stdout.length >= LARGEST)
    return refuse(
      'repository_unfit',
      `Schema and migrations together are larger than ${LARGEST / 1024 / 1024} MB, which is more than can be reviewed. Move the data out of the migrations.`,
    )
  if (end.exitCode !== 0) throw new Error(`git cat-file ended with ${end.exitCode ?? end.signal ?? end.ended}: ${end.stderr.trim()}`)
  const content = splitBatch(end.stdout)
  return (path) => {
    const found = content.get(tree.get(path)?.object ?? '')
    if (found === undefined) throw new Error(`git did not give the object of ${path}`)
    return found
  }
}

const LARGEST = 64 * 1024 * 1024

/** `<object> blob <bytes>` LF, the bytes, LF, and so on. */
function splitBatch(output: Buffer): ReadonlyMap<string, Buffer> {
  const content = new Map<string, Buffer>()
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(10, at)
    const [, object, bytes] = /^([0-9a-f]+) blob (\d+)$/.exec(output.subarray(at, end === -1 ? undefined : end).toString('latin1')) ?? []
    if (object === undefined || bytes === undefined) throw new Error('git cat-file gave something that is not a file')
    content.set(object, output.subarray(end + 1, end + 1 + Number(bytes)))
    at = end + 1 + Number(bytes) + 1
  }
  return content
}

/** Whether git finds git-lfs where the bot runs. Asked each time, so that installing it needs no restart. */
export async function hasGitLfs(deps: GitDeps): Promise<boolean> {
  const end = await gitIn(deps, deps.varDirectory)(['lfs', 'version'])
  return end.exitCode === 0
}

/** `names` is null for a pointer that nobody could follow. */
export type LfsFile = { readonly path: string; readonly names: ReturnType<typeof readLfsPointer> }

/**
 * Files below a directory that git keeps as pointers of Git LFS. A checkout of ours has the pointers, since no filter runs. Where no
 * attributes name LFS a pointer would be one for everybody, and nothing more is read.
 */
export async function filesInLfs(git: Git, tree: Tree, commit: string, directory: string): Promise<readonly LfsFile[] | Refusal> {
  const attributes = [...tree.keys()].filter((path) => posix.basename(path) === '.gitattributes' && isRegularAt(tree, path))
  const texts = await readBlobs(git, tree, attributes)
  if (isRefusal(texts)) return texts
  if (!attributes.some((path) => /\bfilter=lfs\b/.test(texts(path).toString('latin1')))) return []
  const listed = await gitOutput(git, ['ls-tree', '-r', '-l', '-z', '--full-tree', commit])
  const small = listed
    .toString('utf8')
    .split('\0')
    .flatMap((line) => {
      const [, size, path] = /^\d+ blob [0-9a-f]+ +(\d+)\t(.*)$/s.exec(line) ?? []
      return path !== undefined && Number(size) > 0 && Number(size) <= LARGEST_POINTER && isRegularAt(tree, path) ? [path] : []
    })
    .filter((path) => directory === '.' || path.startsWith(`${directory}/`))
  const content = await readBlobs(git, tree, small)
  if (isRefusal(content)) return content
  return small.flatMap((path) => (isLfsPointer(content(path)) ? [{ path, names: readLfsPointer(content(path)) }] : []))
}
