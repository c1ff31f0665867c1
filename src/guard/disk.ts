import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import type { Queryable } from '../database/connect.ts'
import type { Observer } from './observer.ts'

/** Whether the server of this host is on this machine. */
export const isLocal = (host: string): boolean => host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.')

/** Where a server on this machine keeps its data; null when it does not say, or that is not there (a container's). */
export async function dataDirectory(client: Queryable): Promise<string | null> {
  const { rows } = await client.query<{ path: string | null }>(
    `select case when pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') then current_setting('data_directory') end as path`,
  )
  const path = rows[0]?.path ?? null
  return path !== null && existsSync(path) ? path : null
}

/** Asks for the free bytes of the server's disk, as often as one likes; null where that is not known. */
export function freeDisk(observer: Observer, host: string): () => Promise<number | null> {
  if (!isLocal(host)) return async () => null
  let path: Promise<string | null> | undefined
  return async () => {
    path ??= observer.glance(dataDirectory)
    const directory = await path
    if (directory === null) return null
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  }
}
