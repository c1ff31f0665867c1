import { escapeMarkup } from '../../lib/text/escape.ts'
import { access, constants, mkdir, statfs } from 'node:fs/promises'
import type { BackupRow } from '../../backup/catalogue.ts'
import { secondsText, sizeText } from '../../lib/text/units.ts'
import { quoted } from '../../lib/text/quoted.ts'
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
