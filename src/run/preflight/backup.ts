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

/** The server's own disk: it is known only for a server on this machine that says where its data is. */
export async function serverDiskFindings(client: Queryable, url: Pick<TargetUrl, 'host'>, directory: string): Promise<readonly Finding[]> {
  if (!isLocal(url.host)) return []
  const { rows } = await client.query<{ path: string | null }>(
    `select case when pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') then current_setting('data_directory') end as path`,
  )
  const path = rows[0]?.path ?? null
  if (path === null || !existsSync(path))
    return [
      info(
        'same_disk',
        `The server is on this machine, but where it keeps its data is not known; whether the backup shares its disk cannot be said.`,
      ),
    ]
  const [data, backup, largest] = await Promise.all([stat(path), stat(directory), largestTable(client)])
  const place = largest === null || largest.tablespace === '' ? path : largest.tablespace
  const room = existsSync(place) ? rewriteFindings(await freeBytes(place), largest) : []
  if (data.dev !== backup.dev) return room
  const text = `The backup directory ${quoted(directory)} is on the same file system as the database, and is lost together with it. Keep backups on another disk.`
  return [...room, { ...warn('same_disk', text), brief: "backups are on the database's own disk" }]
}

/** A rewritten table stands there twice until the migration ends, with its indexes. */
export function rewriteFindings(free: number, largest: LargestTable | null): readonly Finding[] {
  if (largest === null || free >= largest.bytes) return []
  return [
    warn(
      'disk_space',
      `The disk of the ${largest.tablespace === '' ? 'database' : 'tablespace'} has ${sizeText(free)} free, and ${largest.tablespace === '' ? 'its' : 'the'} largest table ${quoted(largest.name)} takes at least ${sizeText(largest.bytes)}. A migration that rewrites it, as a change of a column's type may, would fill the disk. Free space first if this one does.`,
    ),
  ]
}

type LargestTable = {
  readonly name: string
  readonly bytes: number
  /** Where the server keeps it when that is not below its data directory; else empty. */
  readonly tablespace: string
}

/** With its indexes and TOAST, as of the last VACUUM or ANALYZE: to measure them would wait for whoever locks a table. */
async function largestTable(client: Queryable): Promise<LargestTable | null> {
  const { rows } = await client.query<{ name: string; bytes: string; tablespace: string }>(
    `select format('%s.%s', n.nspname, c.relname) as name,
        ((c.relpages + coalesce(t.relpages, 0) + (select coalesce(sum(x.relpages), 0) from pg_index i join pg_class x on x.oid = i.indexrelid
          where i.indrelid = c.oid))::bigint * current_setting('block_size')::int)::text as bytes,
        pg_tablespace_location(case c.reltablespace when 0 then d.dattablespace else c.reltablespace end) as tablespace
       from pg_database d, pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_class t on t.oid = c.reltoastrelid
      where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and d.datname = current_database() order by 2::bigint desc limit 1`,
  )
  return rows[0] === undefined ? null : { ...rows[0], bytes: Number(rows[0].bytes) }
}

const isLocal = (host: string): boolean => host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.')
