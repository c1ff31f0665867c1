import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
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
  return pruned
}

/** Renamed first, so that a removal that dies half-way leaves nothing under a final name. */
async function removeWhole(path: string): Promise<void> {
  const doomed = join(dirname(path), `.removing-${path.slice(dirname(path).length + 1)}`)
  await rm(doomed, { recursive: true, force: true })
  await rename(path, doomed)
  await rm(doomed, { recursive: true, force: true })
}
