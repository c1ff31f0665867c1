import { statfs } from 'node:fs/promises'
import type { Queryable } from '../connect.ts'

/** Of the disk with the server's data, in bytes. Null unless the server is on this machine and says where its data is. */
export async function freeBytes(client: Queryable, host: string): Promise<number | null> {
  if (!(host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.'))) return null
  const { rows } = await client.query<{ path: string | null }>(
    `select case when pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') then current_setting('data_directory') end as path`,
  )
  const path = rows[0]?.path ?? null
  if (path === null) return null
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch {
    return null // in a container of its own
  }
}
