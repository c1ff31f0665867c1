import { setTimeout as wait } from 'node:timers/promises'
import type { Db, Tx } from './pool.ts'
import { storeMigrations } from './schema.ts'

/** Any two constants will do; they only have to stay the same. */
const LOCK = [7341, 1] as const

/**
 * Brings the bot's own tables up to date. Safe with any number of processes at once; the lock is polled, since a session that waits in
 * pg_advisory_lock has an open snapshot that would hold up CREATE INDEX CONCURRENTLY elsewhere.
 */
export async function installStore(db: Db): Promise<void> {
  for (;;)
    if (await db.transaction(installAlone)) return
    else await wait(100)
}

/** Inside one transaction: a store has all of it or nothing. */
async function installAlone(tx: Tx): Promise<boolean> {
  const [lock] = await tx.query<{ free: boolean }>('select pg_try_advisory_xact_lock($1, $2) as free', LOCK)
  if (lock?.free !== true) return false
  await tx.query('create schema if not exists lockkeeper')
  await tx.query(
    'create table if not exists lockkeeper.schema_version (id int primary key, name text not null, sha256 text not null, at timestamptz not null default clock_timestamp())',
  )
  const done = new Map(
    (await tx.query<{ id: number; sha256: string }>('select id, sha256 from lockkeeper.schema_version')).map((row) => [row.id, row.sha256]),
  )
  const migrations = storeMigrations()
  const newest = migrations.at(-1)?.id ?? 0
  const unknown = [...done.keys()].filter((id) => id > newest)
  if (unknown.length > 0)
    throw new Error(
      `The store was used by a newer Lockkeeper (schema ${Math.max(...unknown)}, this one knows ${newest}). Start that version or a newer one.`,
    )
  for (const { id, name, sql, sha256 } of migrations) {
    if (done.get(id) === sha256) continue
    if (done.has(id))
      throw new Error(`The store's schema ${id} (${name}) is not the one that this version knows. It may come from an unreleased build.`)
    await tx.query(sql)
    await tx.query('insert into lockkeeper.schema_version (id, name, sha256) values ($1, $2, $3)', [id, name, sha256])
  }
  return true
}
