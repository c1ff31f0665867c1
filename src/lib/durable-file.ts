import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a file (0600) that is whole or absent, or still the old one, also after a crash of the machine. On the disk when it resolves. */
export async function writeWhole(path: string, content: string | Buffer): Promise<void> {
  const partial = partialOf(path)
  try {
    await writeThrough(partial, content)
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {}) // what went wrong first is what is told
    throw error
  }
  await syncDirectory(dirname(path))
}

/** The same for programs that do nothing else meanwhile. */
export function writeWholeSync(path: string, content: string | Buffer): void {
  removeUnlessDone(writePartialSync(path, content), (partial) => renameSync(partial, path))
  syncDirectorySync(dirname(path))
}

/** Like `writeWholeSync`, but only one of several rivals succeeds. False when the file is there already. */
export function writeFirstSync(path: string, content: string | Buffer): boolean {
  const isFirst = removeUnlessDone(writePartialSync(path, content), (partial) => {
    try {
      linkSync(partial, path)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    } finally {
      rmSync(partial)
    }
  })
  syncDirectorySync(dirname(path))
  return isFirst
}

/** Null when there is no such file. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** So that a name in it survives a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Several processes, and several writes of one process, may want the same place at once; in containers all have the same process id. */
const partialOf = (path: string): string => `${path}.${randomBytes(6).toString('hex')}.partial`

async function writeThrough(path: string, content: string | Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

function writePartialSync(path: string, content: string | Buffer): string {
  const partial = partialOf(path)
  return removeUnlessDone(partial, () => {
    const file = openSync(partial, 'wx', 0o600)
    try {
      writeFileSync(file, content)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    return partial
  })
}

/** What could not be finished leaves nothing behind. */
function removeUnlessDone<T>(partial: string, act: (partial: string) => T): T {
  try {
    return act(partial)
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  }
}

function syncDirectorySync(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
