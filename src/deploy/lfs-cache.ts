import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'

/** What was fetched from Git LFS stays in the clone for runs of the same files; what no run has used for so long goes. */
const KEPT_MS = 30 * 86_400_000

/** Says that these are in use, before they are looked for: of a run beside this one nothing goes that it needs. */
export async function markUsed(repository: string, sums: readonly string[], now: number): Promise<void> {
  for (const sum of sums) {
    const at = new Date(now)
    await utimes(pathOf(repository, sum), at, at).catch(unlessMissing)
  }
}

/** Removes what no run has used for 30 days; how many files that were. */
export async function pruneUnused(repository: string, now: number): Promise<number> {
  let gone = 0
  const entries = await readdir(objectsOf(repository), { recursive: true, withFileTypes: true }).catch(unlessMissing)
  for (const entry of entries ?? []) {
    if (!entry.isFile() || !/^[0-9a-f]{64}$/.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    const about = await stat(path).catch(unlessMissing)
    if (about === undefined || now - about.mtimeMs < KEPT_MS) continue
    await rm(path, { force: true })
    gone++
  }
  return gone
}

/** Where git-lfs keeps the content of this SHA-256. */
export const pathOf = (repository: string, sum: string): string => join(objectsOf(repository), sum.slice(0, 2), sum.slice(2, 4), sum)

const objectsOf = (repository: string): string => join(repository, 'lfs/objects')

/** Another run may have removed it a moment before. */
function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
