import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { every } from '../../lib/repeat.ts'

/**
 * Writes the files of a growing directory through to the disk again and again, so that at the end little is left to wait for and the
 * disk, which may be the database's too, is not given everything at once. `stop` gives the first fault: the system tells it only once,
 * so whoever syncs these files later would not hear of it.
 */
export function writeThrough(directory: string, pauseMs: number): { readonly stop: () => Promise<Error | undefined> } {
  let fault: Error | undefined
  const rounds = every(
    pauseMs,
    async () => {
      for (const name of await readdir(directory)) await syncData(join(directory, name))
    },
    (error) => (fault ??= error),
  )
  return {
    async stop() {
      await rounds.stop()
      return fault
    },
  }
}

async function syncData(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}
