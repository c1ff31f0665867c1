import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mountTmpfs } from './disk.ts'

/** The small disk of a server: its tables and its write-ahead log. */
export type DataDisk = {
  /** Not one page is left. */
  readonly fill: () => void
  readonly empty: () => void
  /** For a server that has stopped; what was on it is gone. */
  readonly remove: () => void
}

/** 40 MB are there from the beginning, a store takes 10 MB, and the write-ahead log up to 50 MB. */
const MEGABYTES = 128

/** The settings with which a server stays within it, and makes each file of its log anew instead of keeping some in reserve. */
export const SMALL_SETTINGS = ['min_wal_size=32MB', 'max_wal_size=32MB', 'wal_recycle=off'] as const

/** Moves the data of a stopped server onto a tmpfs at the same place; undefined, and nothing moved, where none can be mounted. */
export function moveToSmallDisk(data: string): DataDisk | undefined {
  const before = `${data}.before`
  renameSync(data, before)
  mkdirSync(data, { mode: 0o700 })
  if (!mountTmpfs(data, MEGABYTES)) {
    rmSync(data, { recursive: true })
    renameSync(before, data)
    return undefined
  }
  execFileSync('cp', ['-a', `${before}/.`, data]) // with its owner, and the rights of the directory itself
  rmSync(before, { recursive: true })
  const filler = join(data, 'filler')
  return {
    fill() {
      const { bavail, bsize } = statfsSync(data)
      writeFileSync(filler, Buffer.alloc(bavail * bsize))
    },
    empty: () => rmSync(filler, { force: true }),
    remove: () => void execFileSync('umount', ['--lazy', data]),
  }
}
