import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { captureChild } from '../../../src/process/capture.ts'
import { childEnvironment, operatorPath } from '../../../src/process/environment.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import type { SqlFile } from '../../../src/sql/review.ts'
import type { ReviewCommand } from './command.ts'

/** Where it is started. */
export type Place = { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> }

/** The migrations in the order in which they run, named by their path; a sentence when they cannot be read. */
export const readFiles = ({ what }: ReviewCommand, place: Place): Promise<readonly SqlFile[] | string> =>
  what.kind === 'range' ? addedIn(what.range, what.below, place) : filesAt(what.paths, place)

/** Prisma's way is a folder for each migration; what undoes one never runs with the others. */
const isMigration = (path: string): boolean =>
  /\.sql$/i.test(path) && !/(^|\/)(rollback|down)\.sql$/i.test(path) && !/[._-](down|rollback|undo)\.sql$/i.test(path)

const inOrder = (paths: readonly string[]): readonly string[] =>
  [...new Set(paths)].filter(isMigration).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

/** Files that somebody names are taken as they are, in that order. */
async function filesAt(paths: readonly string[], { cwd }: Place): Promise<readonly SqlFile[] | string> {
  const found: string[] = []
  for (const path of paths) {
    const kind = await stat(resolve(cwd, path)).catch(() => null)
    if (kind === null) return `${path} is not there. Nothing was reviewed.`
    if (!kind.isDirectory()) found.push(nameOf(path, cwd))
    else {
      const inside = await readdir(resolve(cwd, path), { recursive: true, withFileTypes: true })
      found.push(...inOrder(inside.flatMap((entry) => (entry.isFile() ? [nameOf(join(entry.parentPath, entry.name), cwd)] : []))))
    }
  }
  return Promise.all([...new Set(found)].map(async (path) => ({ name: path, content: await readFile(resolve(cwd, path)) })))
}

/** From where it is started, if it lies there. */
function nameOf(path: string, cwd: string): string {
  const inside = relative(cwd, resolve(cwd, path))
  return inside.startsWith('..') ? resolve(cwd, path) : inside
}

async function addedIn(range: string, below: readonly string[], place: Place): Promise<readonly SqlFile[] | string> {
  const listed = await git(
    ['diff', '--no-renames', '--name-only', '--diff-filter=A', '-z', '--end-of-options', range, '--', ...below],
    place,
  )
  if (typeof listed === 'string') return `git knows nothing of ${range}: ${listed} Nothing was reviewed.`
  const [, to = 'HEAD'] = range.split(/\.{2,3}/)
  const files: SqlFile[] = []
  for (const path of inOrder(listed.toString('utf8').split('\0'))) {
    const content = await git(['show', '--no-textconv', '--end-of-options', `${to}:${path}`], place)
    if (typeof content === 'string') return `${path} of ${to} cannot be read: ${content} Nothing was reviewed.`
    files.push({ name: path, content })
  }
  return files
}

async function git(args: readonly string[], { cwd, env }: Place): Promise<Buffer | string> {
  const end = await captureChild({
    argv: ['git', ...args],
    cwd,
    env: childEnvironment({ HOME: env['HOME'] }, operatorPath(env['PATH']), { GIT_TERMINAL_PROMPT: '0' }),
    redactor: createRedactor([]),
  })
  if (end.exitCode === 0) return end.stdout
  const line = end.stderr.split('\n').find((one) => one.trim() !== '') ?? 'it could not be started'
  return line.endsWith('.') ? line : `${line}.`
}
