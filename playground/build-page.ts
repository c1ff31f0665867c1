import { createHash } from 'node:crypto'
import { access, mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const OUTPUT = join(ROOT, '.build', 'playground')
const KEPT = 3

/**
 * Builds the playground's page unless it was built of the same sources before; `directory` is what a server serves, with `index.html` in it.
 * Each version has a directory of its own, so that several processes may build at once and a running server keeps what it serves.
 */
export async function buildPage(): Promise<{ readonly directory: string; readonly isFresh: boolean }> {
  const directory = join(OUTPUT, await sourceHash())
  if (await exists(directory)) return { directory, isFresh: false }
  const partial = `${directory}.${process.pid}.partial`
  await mkdir(OUTPUT, { recursive: true })
  await inProduction(() => buildInto(partial))
  await settle(partial, directory)
  await removeOld(directory)
  return { directory, isFresh: true }
}

async function buildInto(outDir: string): Promise<void> {
  // Vite takes a while to load: only those who build pay for it.
  const { build } = await import('vite')
  await build({
    configFile: join(ROOT, 'playground', 'page', 'vite.config.ts'),
    logLevel: 'warn',
    mode: 'production',
    build: { outDir, emptyOutDir: true },
  })
}

/** Vite and React take `NODE_ENV` over the mode: under a test runner they would build the slow page for developers. */
async function inProduction(work: () => Promise<void>): Promise<void> {
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  try {
    await work()
  } finally {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  }
}

/** Over the page, its contract with the server and the versions of what it is built with. */
async function sourceHash(): Promise<string> {
  const page = join(ROOT, 'playground', 'page')
  const entries = await readdir(page, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  files.push(join(ROOT, 'playground', 'protocol.ts'), join(ROOT, 'playground', 'build-page.ts'), join(ROOT, 'package.json'))
  const hash = createHash('sha256')
  for (const file of files.toSorted())
    hash
      .update(relative(ROOT, file))
      .update('\0')
      .update(await readFile(file))
      .update('\0')
  return hash.digest('hex').slice(0, 16)
}

/** Who comes second finds the same page there and leaves it. */
async function settle(partial: string, directory: string): Promise<void> {
  try {
    await rename(partial, directory)
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (!(await exists(directory))) throw new Error('The built page could not be moved into its place.', { cause: error })
  }
}

async function removeOld(current: string): Promise<void> {
  const names = (await readdir(OUTPUT)).filter((name) => /^[0-9a-f]{16}$/.test(name))
  const dated = await Promise.all(names.map(async (name) => ({ path: join(OUTPUT, name), at: (await stat(join(OUTPUT, name))).mtimeMs })))
  const old = dated.toSorted((a, b) => b.at - a.at).slice(KEPT)
  await Promise.all(old.filter(({ path }) => path !== current).map(({ path }) => rm(path, { recursive: true, force: true })))
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
