import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { captureChild } from '../../src/process/capture.ts'
import { childEnvironment, operatorPath } from '../../src/process/environment.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { authors, LIVE_SUBJECT, shopHistory, type Author, type Commit, type Tree } from './history.ts'

export type ShopRepository = {
  /** A bare repository. */
  readonly path: string
  /** Full ids, the same on every machine as long as examples/shop is the same. */
  readonly main: string
  /** What production runs when the sample begins: the last three migrations are not in it. */
  readonly live: string
  readonly commits: readonly (Commit & { readonly id: string })[]
}

/** Where the sample's files are. */
export const SHOP = join(import.meta.dirname, '../../examples/shop')

/** Makes the shop's repository, bare, at `path`, with its history on `main`. Takes about 0.1 s. */
export async function makeShopRepository(path: string): Promise<ShopRepository> {
  await mkdir(path, { recursive: true })
  await git(path, ['init', '--quiet', '--bare', '--initial-branch=main', '.'])
  const history = shopHistory(await shopFiles())
  await git(path, ['fast-import', '--quiet'], history.map((commit, index) => importCommand('main', commit, index + 1)).join(''))
  const ids = (await git(path, ['rev-list', '--reverse', 'main'])).trim().split('\n')
  const commits = history.map(({ at, author, subject, migrations }, index) => ({ at, author, subject, migrations, id: ids[index] ?? '' }))
  const live = commits.find((commit) => commit.subject === LIVE_SUBJECT)
  const main = commits.at(-1)
  if (live === undefined || main === undefined) throw new Error('The history of the sample shop has lost its live commit.')
  return { path, main: main.id, live: live.id, commits }
}

/**
 * Adds a commit on top of a branch (made from `from`, or from the branch itself) and returns its id. `files` maps paths to their new
 * content, or to null for a file that goes.
 */
export async function commitTo(
  path: string,
  commit: {
    readonly files: Readonly<Record<string, string | null>>
    readonly subject: string
    readonly branch?: string
    readonly from?: string
    readonly author?: Author
    readonly at?: string
  },
): Promise<string> {
  const branch = commit.branch ?? 'main'
  const parent = (await git(path, ['rev-parse', '--verify', `${commit.from ?? branch}^{commit}`])).trim()
  const head = commitHead(branch, { author: commit.author ?? 'alice', at: commit.at ?? '2026-11-20T09:30:00Z', subject: commit.subject })
  const changes = Object.entries(commit.files).map(([file, content]) => (content === null ? `D ${file}\n` : fileChange(file, content)))
  await git(path, ['fast-import', '--quiet', '--force'], `${head}from ${parent}\n${changes.join('')}\n`)
  return (await git(path, ['rev-parse', branch])).trim()
}

/** Runs git in a directory and returns what it printed. For the sample and for tests only. */
export async function git(cwd: string, args: readonly string[], input?: string): Promise<string> {
  const end = await captureChild({
    argv: ['git', ...args],
    cwd,
    env: childEnvironment(process.env, operatorPath(process.env.PATH)),
    redactor: createRedactor([]),
    ...(input === undefined ? {} : { input }),
  })
  if (end.exitCode !== 0) throw new Error(`git ${args[0]} in ${cwd} failed: ${end.stderr.trim()}`)
  return end.stdout.toString('utf8')
}

/** The files of examples/shop as they are committed. */
export async function shopFiles(): Promise<Tree> {
  const entries = await readdir(SHOP, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(SHOP, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('node_modules') && path !== '.env')
    .toSorted()
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(SHOP, path), 'utf8')] as const)))
}

function importCommand(branch: string, commit: Commit & { readonly tree: Tree }, mark: number): string {
  const files = [...commit.tree].map(([path, content]) => fileChange(path, content)).join('')
  return `${commitHead(branch, commit, mark)}${mark === 1 ? '' : `from :${mark - 1}\n`}deleteall\n${files}\n`
}

function commitHead(branch: string, commit: Pick<Commit, 'author' | 'at' | 'subject'>, mark?: number): string {
  const who = `${authors[commit.author]} ${Date.parse(commit.at) / 1000} +0000`
  const lines = [`commit refs/heads/${branch}`, ...(mark === undefined ? [] : [`mark :${mark}`]), `author ${who}`, `committer ${who}`]
  return `${lines.join('\n')}\n${data(`${commit.subject}\n`)}`
}

const fileChange = (path: string, content: string) => `M 100644 inline ${path}\n${data(content)}`

const data = (content: string) => `data ${Buffer.byteLength(content)}\n${content}\n`
