import { escapeMarkup } from '../../lib/text/escape.ts'
import { existsSync } from 'node:fs'
import { access, constants, mkdir, stat, statfs } from 'node:fs/promises'
import type { BackupRow } from '../../backup/catalogue.ts'
import { secondsText, sizeText } from '../../lib/text/units.ts'
import { quoted } from '../../lib/text/quoted.ts'
import type { Queryable } from '../../database/connect.ts'
import type { TargetUrl } from '../../database/urls.ts'
import { info, stop, warn, type Finding } from './finding.ts'

/** From the newest finished backup of the target; nulls when there is none. */
export type Estimate = { readonly bytes: number | null; readonly seconds: number | null }

/** A database compresses and is read as its last backup was. */
export function estimateBackup(
  databaseBytes: number,
  past: readonly Pick<BackupRow, 'bytes' | 'rawBytes' | 'seconds' | 'state'>[],
): Estimate {
  const last = past.find(({ state, rawBytes }) => (state === 'verified' || state === 'written') && rawBytes !== null && rawBytes > 0)
  if (last?.rawBytes == null) return { bytes: null, seconds: null }
  const growth = databaseBytes / last.rawBytes
  return {
    bytes: last.bytes === null ? null : Math.ceil(last.bytes * growth),
    seconds: last.seconds === null ? null : last.seconds * growth,
  }
}

export const estimateFindings = ({ bytes, seconds }: Estimate): readonly Finding[] =>
  bytes === null || seconds === null
    ? []
    : [info('backup_estimate', `The backup should take about ${secondsText(seconds)} and ${sizeText(bytes)}, judged by the last one.`)]

/** Room for what the last backup suggests and a fifth more; without one, half the database is the least and all of it is comfortable. */
export function diskFindings(free: number, databaseBytes: number, estimate: Estimate, directory: string): readonly Finding[] {
  const where = `the backup directory ${quoted(directory)} has ${sizeText(free)} free`
  if (estimate.bytes !== null) {
    if (free >= estimate.bytes * MARGIN) return []
    return [
      stop(
        'disk_space',
        `A backup needs about ${sizeText(estimate.bytes * MARGIN)}, but ${where}. Free space or choose another directory.`,
      ),
    ]
  }
  if (free >= databaseBytes) return []
  const text = `The database has ${sizeText(databaseBytes)}, but ${where}.`
  return free < databaseBytes / 2
    ? [stop('disk_space', `${text} Free space or choose another directory.`)]
    : [warn('disk_space', `${text} It is enough only if the backup compresses to that.`)]
}

const MARGIN = 1.2

/** Makes the backup directory, which is ours, and says when it cannot be written to. */
export async function directoryFindings(directory: string): Promise<readonly Finding[]> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await access(directory, constants.W_OK | constants.X_OK)
    return []
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [
      stop(
        'backup_directory',
        `The backup directory cannot be written to: ${escapeMarkup(reason)}. Correct \`backup.directory\` or its owner.`,
      ),
    ]
  }
}

/** Free bytes for an ordinary user. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

/** Only a server on this machine can share its disk with the backups. */
export async function sameDiskFindings(client: Queryable, url: Pick<TargetUrl, 'host'>, directory: string): Promise<readonly Finding[]> {
  if (!isLocal(url.host)) return []
  const { rows } = await client.query<{ path: string | null }>(
    `select case when pg_has_role(current_user, 'pg_read_all_settings', 'MEMBER') then current_setting('data_directory') end as path`,
  )
  const path = rows[0]?.path ?? null
  if (path === null || !existsSync(path))
    return [
      info(
        'same_disk',
        `The server is on this machine, but where it keeps its data is not known; whether the backup shares its disk cannot be said.`,
      ),
    ]
  const [data, backup] = await Promise.all([stat(path), stat(directory)])
  if (data.dev !== backup.dev) return []
  const text = `The backup directory ${quoted(directory)} is on the same file system as the database, and is lost together with it. Keep backups on another disk.`
  return [{ ...warn('same_disk', text), brief: "backups are on the database's own disk" }]
}

const isLocal = (host: string): boolean => host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.')
