import { createHash, randomBytes } from 'node:crypto'
import { cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { captureChild } from '../../src/process/capture.ts'
import { childEnvironment, operatorPath } from '../../src/process/environment.ts'
import { createRedactor, secretsOfUrl } from '../../src/redact/redact.ts'
import { shopFiles, SHOP } from './repository.ts'

/** What Prisma's CLI needs in the shop; stands in the target's `tool.prisma.env`. The two files stop a download;
 * `resolve --rolled-back` does start the schema engine's, so it must be one that ends well whatever it is given. */
export const toolEnvironment = {
  PRISMA_QUERY_ENGINE_LIBRARY: '/usr/bin/true',
  PRISMA_SCHEMA_ENGINE_BINARY: '/usr/bin/true',
  CHECKPOINT_DISABLE: '1',
  PRISMA_HIDE_UPDATE_MESSAGE: '1',
  NO_COLOR: '1',
} as const

/** The shop runs with the Node that runs this, which keeps what it compiled: a quarter of a start of the CLI or more. */
export const applicationPath = [dirname(process.execPath), operatorPath(process.env.PATH)].join(delimiter)

export const installCommand = ['npm', 'ci', '--prefer-offline', '--ignore-scripts'] as const

/**
 * The shop's `node_modules`, installed once below `cache` for its lock file and Node's major version, and only read afterwards. About
 * 3 s from npm's cache, where the root's `npm ci` has put every package of it.
 */
export async function installedModules(cache: string): Promise<string> {
  const lock = await readFile(join(SHOP, 'package-lock.json'))
  const place = join(cache, `shop-${createHash('sha256').update(lock).digest('hex').slice(0, 16)}`)
  if (!(await exists(place))) {
    const partial = `${place}.${randomBytes(4).toString('hex')}`
    await mkdir(partial, { recursive: true })
    for (const name of ['package.json', 'package-lock.json']) await cp(join(SHOP, name), join(partial, name))
    await command([...installCommand], partial)
    await moveUnlessThere(partial, place)
  }
  return join(place, 'node_modules')
}

/** Runs the real `prisma migrate deploy` with the shop's migrations up to and including `upTo` (all, when left out). About 1 s. */
export async function migrateShop(options: { readonly cache: string; readonly url: string; readonly upTo?: string }): Promise<void> {
  const modules = await installedModules(options.cache)
  const directory = join(options.cache, `migrate-${randomBytes(6).toString('hex')}`)
  await mkdir(directory, { recursive: true })
  try {
    for (const name of ['package.json', 'prisma.config.ts', 'prisma/schema.prisma', 'prisma/migrations/migration_lock.toml'])
      await cp(join(SHOP, name), join(directory, name))
    for (const name of await shopMigrations(options.upTo))
      await cp(join(SHOP, 'prisma/migrations', name), join(directory, 'prisma/migrations', name), { recursive: true })
    await symlink(modules, join(directory, 'node_modules'))
    await command([join(modules, '.bin/prisma'), 'migrate', 'deploy'], directory, {
      ...toolEnvironment,
      NODE_COMPILE_CACHE: join(options.cache, 'compiled'),
      DATABASE_URL: options.url,
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Names of the shop's migrations in order, up to and including `upTo`. */
export async function shopMigrations(upTo?: string): Promise<readonly string[]> {
  const paths = [...(await shopFiles()).keys()]
  const names = paths.flatMap((path) => /^prisma\/migrations\/([^/]+)\/migration\.sql$/.exec(path)?.[1] ?? []).toSorted()
  if (upTo === undefined) return names
  if (!names.includes(upTo)) throw new Error(`The sample shop has no migration ${upTo}.`)
  return names.slice(0, names.indexOf(upTo) + 1)
}

async function command(argv: readonly string[], cwd: string, extra: Readonly<Record<string, string>> = {}): Promise<void> {
  const end = await captureChild({
    argv,
    cwd,
    env: childEnvironment(process.env, applicationPath, extra),
    redactor: createRedactor(secretsOfUrl(extra['DATABASE_URL'] ?? '')),
  })
  if (end.exitCode !== 0) throw new Error(`${argv.join(' ')} failed in the sample shop:\n${end.stdout.toString('utf8')}${end.stderr}`)
}

/** Whoever comes second at the same time throws its own away. */
async function moveUnlessThere(partial: string, place: string): Promise<void> {
  try {
    await rename(partial, place)
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (!(await exists(place))) throw error
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )
