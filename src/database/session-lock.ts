import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { connectTarget, type Queryable, type TargetConnection } from './connect.ts'

/** Two-key form, so that it cannot meet Prisma's, which is in the one-key form. Advisory locks are per database: one key serves all. */
const LOCK = { classid: 0x4c6b7072, objid: 1 }

const POLL_MS = 200
/** A session that does not answer this long is lost; until then a frozen network is given the chance to come back. */
const PROOF_EVERY_MS = 2_000
const PROOF_TIMEOUT_MS = 5_000

export type LockOutcome<T> = { readonly kind: 'held'; readonly value: T } | { readonly kind: 'taken'; readonly by: LockHolder | null }

export type LockHolder = { readonly pid: number; readonly applicationName: string }

/**
 * Runs `work` while a session of ours holds the target's lock. Polls: a session that waits in `pg_advisory_lock` has an open snapshot,
 * and CREATE INDEX CONCURRENTLY would wait for it. `work` gets a signal that aborts when the session is lost, since then another may hold the lock.
 */
export async function withTargetLock<T>(
  connection: TargetConnection & { /** How long to try; 0 tries once. */ readonly waitMs: number },
  work: (lock: { readonly signal: AbortSignal }) => Promise<T>,
): Promise<LockOutcome<T>> {
  const client = await connectTarget(connection)
  const lost = new AbortController()
  const lose = (cause: unknown) => lost.abort(new Error('The session that holds the lock of the target was lost', { cause }))
  client.on('error', lose)
  client.on('end', () => lose(undefined))
  const proof = new AbortController()
  try {
    await noticeDeathSoon(client)
    if (!(await tryLock(client, connection.waitMs, connection.signal))) return { kind: 'taken', by: await targetLockHolder(client) }
    void proveAlive(client, lose, proof.signal)
    const signal = connection.signal === undefined ? lost.signal : AbortSignal.any([lost.signal, connection.signal])
    return { kind: 'held', value: await work({ signal }) }
  } finally {
    proof.abort()
    await client.end().catch(() => {}) // the lock goes with the session
  }
}

/** Who holds the target's lock, as any session of that database can see. */
export async function targetLockHolder(client: Queryable): Promise<LockHolder | null> {
  const { rows } = await client.query<LockHolder>(
    `select l.pid, coalesce(a.application_name, '') as "applicationName" from pg_locks l left join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.classid = $1 and l.objid = $2 and l.objsubid = 2
        and l.database = (select oid from pg_database where datname = current_database())`,
    [LOCK.classid, LOCK.objid],
  )
  return rows[0] ?? null
}

export const isTargetLockHeld = async (client: Queryable): Promise<boolean> => (await targetLockHolder(client)) !== null

async function tryLock(client: Client, waitMs: number, signal: AbortSignal | undefined): Promise<boolean> {
  for (const started = performance.now(); ; await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal })) {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [LOCK.classid, LOCK.objid])
    if (rows[0]?.got === true) return true
    if (performance.now() - started >= waitMs) return false
  }
}

/** Six proofs missed. */
const FROZEN_MS = 12_000

/**
 * So that the server frees the lock soon after this host is gone, or this process is frozen and another one has its run (PostgreSQL 14 and
 * later). Sockets of the file system know no keepalives; there the setting reads 0.
 */
async function noticeDeathSoon(client: Client): Promise<void> {
  await client.query(
    `select set_config(s.name, wanted.value, false) from pg_settings s join (values ('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'),
        ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '15000'), ('idle_session_timeout', $1)) as wanted (name, value) using (name)`,
    [String(FROZEN_MS)],
  )
}

async function proveAlive(client: Client, lose: (cause: unknown) => void, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const late = new AbortController()
    const timer = sleep(PROOF_TIMEOUT_MS, undefined, { signal: late.signal }).then(
      () => lose(new Error(`no answer for ${PROOF_TIMEOUT_MS} ms`)),
      () => {},
    )
    try {
      await client.query('select 1')
    } catch (error) {
      return lose(error)
    } finally {
      late.abort()
      await timer
    }
    await sleep(PROOF_EVERY_MS, undefined, { signal: stop, ref: false }).catch(() => {})
  }
}
