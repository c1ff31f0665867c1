import { closeSync, fsyncSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Writes a file (0600) that is whole or absent, also after a crash of the machine. */
export function writeWhole(path: string, content: string): void {
  const partial = writePartial(path, content)
  renameSync(partial, path)
  syncDirectory(dirname(path))
}

/** Like `writeWhole`, but only one of several rivals succeeds. False when the file is there already. */
export function writeFirst(path: string, content: string): boolean {
  const partial = writePartial(path, content)
  try {
    linkSync(partial, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(partial)
    syncDirectory(dirname(path))
  }
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

function writePartial(path: string, content: string): string {
  const partial = `${path}.${process.pid}.partial`
  const file = openSync(partial, 'w', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return partial
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
