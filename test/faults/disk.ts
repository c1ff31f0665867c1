import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A disk of 64 MB that fills up and is emptied on demand. */
export type SmallDisk = {
  /** What the target's `backup` is configured with. */
  readonly backup: Readonly<Record<string, string>>
  /** Leaves so many bytes. */
  readonly fill: (leave: number) => void
  readonly empty: () => void
  readonly remove: () => void
}

/**
 * A tmpfs, where this user may mount one. Elsewhere pg_dump itself writes to /dev/full as long as the disk is said to be full, which gives
 * the same answer of the kernel, ENOSPC, to the same program, and needs no rights at all.
 */
export function smallDisk(directory: string): SmallDisk {
  const disk = join(directory, 'disk')
  const backups = join(disk, 'backups')
  mkdirSync(disk, { recursive: true })
  const isMounted = mountTmpfs(disk, 64)
  mkdirSync(backups)
  const filler = join(disk, 'filler')
  if (isMounted)
    return {
      backup: { directory: backups },
      fill(leave) {
        const { bavail, bsize } = statfsSync(disk)
        writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - leave)))
      },
      empty: () => rmSync(filler, { force: true }),
      remove: () => void execFileSync('umount', ['--lazy', disk]),
    }
  const clients = join(directory, 'clients')
  mkdirSync(clients)
  program(join(clients, 'pg_restore'), 'exec pg_restore "$@"')
  program(
    join(clients, 'pg_dump'),
    `if [ -e '${filler}' ]; then for one in "$@"; do case "$one" in --dbname=*) exec pg_dump --format=plain --file=/dev/full "$one" ;; esac; done; fi
exec pg_dump "$@"`,
  )
  return {
    backup: { directory: backups, clients },
    fill: () => writeFileSync(filler, ''),
    empty: () => rmSync(filler, { force: true }),
    remove: () => {},
  }
}

/** False where this user may not: not root, or a container without the right. */
export function mountTmpfs(place: string, megabytes: number): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', place], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function program(path: string, body: string): void {
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
}
