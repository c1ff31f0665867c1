import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Directory = {
  readonly path: string
  readonly migrationFile: { readonly path: string; readonly content: { readonly tag: string; readonly value: string } }
}
type List = {
  readonly baseDir: string
  readonly lockfile: { readonly path: string; readonly content: string | null }
  readonly migrationDirectories: readonly Directory[]
}

/**
 * Until 6.5 the CLI names the directory of migrations and its engine reads it, in the order of the bytes of their names; since 6.6 the CLI
 * reads it. So for Prisma 5 this reading, and this order, is not Prisma's own but from the source of its engine.
 */
export function withDirectoryRead(
  params: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> & { readonly migrationsList?: List } {
  const { migrationsDirectoryPath: path, ...rest } = params
  return typeof path === 'string' ? { ...rest, migrationsList: listOf(path) } : params
}

function listOf(baseDir: string): List {
  const lockfile = join(baseDir, 'migration_lock.toml')
  const names = existsSync(baseDir) ? readdirSync(baseDir, { withFileTypes: true }).filter((entry) => entry.isDirectory()) : []
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: existsSync(lockfile) ? readFileSync(lockfile, 'utf8') : null },
    migrationDirectories: names
      .map(({ name }) => name)
      .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map((name) => ({ path: name, migrationFile: { path: 'migration.sql', content: contentOf(join(baseDir, name, 'migration.sql')) } })),
  }
}

function contentOf(path: string): { readonly tag: string; readonly value: string } {
  try {
    return { tag: 'ok', value: readFileSync(path, 'utf8') }
  } catch (error) {
    return { tag: 'error', value: (error as Error).message }
  }
}
