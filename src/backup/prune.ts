import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { BackupStore } from './catalogue.ts'
import { isBackupName } from './names.ts'
import { superfluous } from './retention.ts'

/** Removes what retention no longer keeps, and marks it so; gives the names. Only directories directly below `directory` are touched. */
export async function prune(
  store: Pick<BackupStore, 'list' | 'mark'>,
  target: string,
  directory: string,
  newest: number,
): Promise<readonly string[]> {
  const rows = await store.list(target)
  const names = superfluous(
    rows.map(({ name, createdAt, state, isUnsettled }) => ({ name, createdAt, isVerified: state === 'verified', isUnsettled })),
    newest,
  )
  const pruned: string[] = []
  for (const { name, path } of rows.filter((row) => names.includes(row.name))) {
    if (!isBackupName(name) || dirname(resolve(path)) !== resolve(directory)) continue // kept elsewhere: not ours to remove
    if (existsSync(path)) await removeWhole(path)
    await store.mark(name, 'pruned')
    pruned.push(name)
  }
  await finishRemovals(directory)
  return pruned
}

const REMOVING = '.removing-'

/** Of a process that died in the middle of one. */
async function finishRemovals(directory: string): Promise<void> {
  if (!existsSync(directory)) return
  const left = (await readdir(directory)).filter((entry) => entry.startsWith(REMOVING))
  for (const entry of left) await rm(join(directory, entry), { recursive: true, force: true })
}

/** Renamed first, so that a removal that dies half-way leaves nothing under a final name. */
async function removeWhole(path: string): Promise<void> {
  const doomed = join(dirname(path), `${REMOVING}${basename(path)}`)
  await rename(path, doomed)
  await rm(doomed, { recursive: true, force: true })
}
