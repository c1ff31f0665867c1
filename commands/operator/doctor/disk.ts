import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { backupStore } from '../../../src/backup/catalogue.ts'
import type { Config } from '../../../src/config/config.ts'
import type { Queries } from '../../../src/store/pool.ts'
import { bytesText, ok, warning, wrong, type Finding } from './finding.ts'

/** Records, logs and a checkout; a backup comes on top. */
const LEAST_BYTES = 200e6

/** Free space where Lockkeeper writes, against the newest backup of each target. `db` is undefined while the store is away. */
export async function lookAtDisk(config: Config, db: Queries | undefined): Promise<readonly Finding[]> {
  const working = await free(config.varDirectory)
  const work =
    working < LEAST_BYTES
      ? wrong(
          'disk',
          `${bytesText(working)} free in ${config.varDirectory}`,
          'Free some space there: old logs in runs, old backups after copying them away.',
        )
      : ok('disk', `${bytesText(working)} free in ${config.varDirectory}`)
  const backups = await Promise.all(
    [...config.targets.values()].map(async (target) => {
      const directory = resolve(config.home, target.backup.directory)
      const newest = db === undefined ? undefined : (await backupStore(db).list(target.name)).find(({ bytes }) => bytes !== null)
      return lookAtBackups(target.name, directory, await free(directory), newest?.bytes ?? 0)
    }),
  )
  return [work, ...backups]
}

export function lookAtBackups(target: string, directory: string, bytes: number, newest: number): Finding {
  const what = `${target} backups`
  const text = `${bytesText(bytes)} free in ${directory}${newest === 0 ? '' : `, the newest backup has ${bytesText(newest)}`}`
  const mend = `Free some space there, or lower targets.${target}.backup.keep.newest. Copy backups away before you delete them.`
  if (bytes < Math.max(newest * 1.2, LEAST_BYTES)) return wrong(what, `${text}: the next one may not fit`, mend)
  return bytes < newest * 3 ? warning(what, `${text}: room for fewer than three more`, mend) : ok(what, text)
}

/** Where a directory does not exist yet, it will be made on the file system of the one above. */
async function free(directory: string): Promise<number> {
  let at = resolve(directory)
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  const { bavail, bsize } = await statfs(at)
  return bavail * bsize
}
