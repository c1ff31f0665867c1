import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** `prod-20261120T071420Z`, in UTC; `-2` and so on when that second is taken already. */
export function backupName(target: string, at: Date, isTaken: (name: string) => boolean): string {
  const stamp = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '')
  for (let number = 1; ; number++) {
    const name = `${target}-${stamp}${number === 1 ? '' : `-${number}`}`
    if (!isTaken(name)) return name
  }
}

/** What may be read, verified or pruned as a backup; nothing with a slash, dots or another shape. */
export const isBackupName = (name: string): boolean => /^[a-z][a-z0-9-]*-\d{8}T\d{6}Z(-\d+)?$/.test(name)

/** Where a backup grows until it is whole. The run's number tells whose it was. */
const partialName = (name: string, requestId: number): string => `${name}.run${requestId}.partial`

/** The directory of a new backup under its partial name, and the name that it will get. */
export async function reserve(
  directory: string,
  target: string,
  requestId: number,
  at: Date,
): Promise<{ readonly name: string; readonly partial: string }> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const present = await readdir(directory)
  const name = backupName(target, at, (candidate) => present.some((entry) => entry === candidate || entry.startsWith(`${candidate}.`)))
  const partial = join(directory, partialName(name, requestId))
  await mkdir(partial, { mode: 0o700 }) // pg_dump takes an empty directory; it would make one that its umask decides
  return { name, partial }
}

/** Removes what dead attempts left. A target has one run at a time, so whatever is partial when the next backup begins is dead. */
export async function removePartials(directory: string, target: string): Promise<readonly string[]> {
  const dead = (await entriesOf(directory)).filter((entry) => isPartialOf(entry, target))
  for (const entry of dead) await rm(join(directory, entry), { recursive: true, force: true })
  return dead
}

/** The finished backups of a target, newest first. */
export async function backupsOf(directory: string, target: string): Promise<readonly string[]> {
  const ours = (await entriesOf(directory)).filter((entry) => isBackupName(entry) && targetOf(entry) === target)
  return ours.toSorted().toReversed()
}

/** `-2` sorts behind the plain name, as it should; the stamp is all digits and fixed in length. */
const targetOf = (name: string): string => name.replace(/-\d{8}T\d{6}Z(-\d+)?$/, '')

function isPartialOf(entry: string, target: string): boolean {
  const name = /^(.*)\.run\d+\.partial$/.exec(entry)?.[1]
  return name !== undefined && isBackupName(name) && targetOf(name) === target
}

const entriesOf = async (directory: string): Promise<string[]> => (existsSync(directory) ? readdir(directory) : [])
