import { createHash, randomBytes } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { captureChild } from '../process/capture.ts'
import { createRedactor } from '../redact/redact.ts'

/** Lock files in the order in which they are looked for. */
const LOCK_FILES = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'] as const

/** How many installations are kept for all targets together. */
const KEPT = 3
/** What an interrupted process left behind half-made. */
const ABANDONED_MS = 24 * 3_600_000

/** The directory with the lock file: the application's own, or one above it inside the checkout (a monorepo). Null when there is none. */
export async function lockFileOf(checkout: string, applicationDirectory: string): Promise<{ directory: string; file: string } | null> {
  for (let directory = applicationDirectory; ; directory = dirname(directory)) {
    for (const name of LOCK_FILES) if (await isFile(join(directory, name))) return { directory, file: join(directory, name) }
    if (directory === checkout || relative(checkout, directory).startsWith('..') || directory === dirname(directory)) return null
  }
}

/**
 * What an installation depends on: the lock file, the package's own description (its install scripts), npm's settings, the Prisma schema
 * (Prisma's client is generated while installing), the version of Node, the machine and the command.
 */
export async function modulesKey(options: {
  readonly lock: string
  /** Null where nothing is generated from one. */
  readonly schema: string | null
  readonly nodeVersion: string
  readonly command: readonly string[]
}): Promise<string> {
  const beside = ['package.json', '.npmrc', '.yarnrc.yml', 'pnpm-workspace.yaml'].map((name) => join(dirname(options.lock), name))
  const hash = createHash('sha256').update(JSON.stringify([options.nodeVersion, process.platform, process.arch, options.command]))
  for (const file of [options.lock, ...beside, ...(options.schema === null ? [] : [options.schema])]) {
    const content = await readFile(file).catch(() => null) // absent, or a schema of several files
    hash.update(content === null ? '-\n' : `${content.length}\n`).update(content ?? '')
  }
  return hash.digest('hex').slice(0, 32)
}

/**
 * Copies a cached installation into a checkout; false when there is none. It is copied (as a clone where the file system can), not
 * linked: a build that writes into `node_modules` must not reach the cache. Another process may prune the entry meanwhile, which looks
 * like having none.
 */
export async function takeModules(cache: string, key: string, into: string): Promise<boolean> {
  const entry = join(cache, key)
  try {
    const now = new Date()
    await utimes(entry, now, now) // the newest use counts when the cache is pruned
  } catch {
    return false
  }
  const places = await modulesBelow(entry)
  try {
    for (const place of places) {
      await rm(join(into, place), { recursive: true, force: true }) // also a link that the repository may hold there
      await copy(join(entry, place), join(into, place))
    }
    return (await isDirectory(entry)) && places.length > 0
  } catch (error) {
    for (const place of places) await rm(join(into, place), { recursive: true, force: true })
    if (!(await isDirectory(entry))) return false
    throw error
  }
}

/** Keeps what was installed. It is complete only once it has its name; of two processes that keep the same thing the first one wins. */
export async function keepModules(cache: string, key: string, from: string): Promise<void> {
  const places = await modulesBelow(from)
  if (places.length === 0) return
  await mkdir(cache, { recursive: true, mode: 0o700 })
  const partial = join(cache, `.partial-${randomBytes(6).toString('hex')}`)
  try {
    for (const place of places) await copy(join(from, place), join(partial, place))
    await rename(partial, join(cache, key))
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (!(await isDirectory(join(cache, key)))) throw error
  }
  await prune(cache)
}

/** Every `node_modules` that is not inside another: workspaces have one each. */
async function modulesBelow(root: string, directory = ''): Promise<string[]> {
  const entries = await readdir(join(root, directory), { withFileTypes: true }).catch(() => [])
  const found: string[] = []
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name === '.git') continue
    const path = join(directory, entry.name)
    if (entry.name === 'node_modules') found.push(path)
    else found.push(...(await modulesBelow(root, path)))
  }
  return found
}

async function prune(cache: string): Promise<void> {
  const entries = await Promise.all(
    (await readdir(cache)).map(async (name) => ({ name, at: (await stat(join(cache, name)).catch(() => null))?.mtimeMs ?? 0 })),
  )
  const complete = entries.filter(({ name }) => !name.startsWith('.')).toSorted((a, b) => b.at - a.at)
  const abandoned = entries.filter(({ name, at }) => name.startsWith('.') && Date.now() - at > ABANDONED_MS)
  for (const { name } of complete.slice(KEPT)) {
    const gone = join(cache, `.gone-${randomBytes(6).toString('hex')}`)
    // it loses its name first, so that nobody takes half of it; another process may have been quicker
    if (
      await rename(join(cache, name), gone).then(
        () => true,
        () => false,
      )
    )
      await rm(gone, { recursive: true, force: true })
  }
  for (const { name } of abandoned) await rm(join(cache, name), { recursive: true, force: true })
}

/** The system's `cp`: measured five times as fast as Node's for many small files, and it clones where the file system can. */
async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  const end = await captureChild({ argv: ['/bin/cp', '-a', from, to], cwd: dirname(to), env: {}, redactor: createRedactor([]) })
  if (end.exitCode !== 0) throw new Error(`${from} could not be copied to ${to}: ${end.stderr.trim().split('\n')[0]}`)
}

const isFile = (path: string) =>
  lstat(path).then(
    (found) => found.isFile(),
    () => false,
  )
const isDirectory = (path: string) =>
  lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
