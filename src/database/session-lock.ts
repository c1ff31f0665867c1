import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { connectTarget, explainLoss, TargetConnectionError, type Queryable, type TargetConnection } from './connect.ts'

/** Two-key form, so that it cannot meet Prisma's, which is in the one-key form. Advisory locks are per database: one key serves all. */
const LOCK = { classid: 0x4c6b7072, objid: 1 }

const POLL_MS = 200
/** Between two tries to get a session at all. */
const CONNECT_AGAIN_MS = 1_000
/** A session that does not answer this long is lost; until then a frozen network is given the chance to come back. */
const PROOF_EVERY_MS = 2_000
const PROOF_TIMEOUT_MS = 5_000

export type LockOutcome<T> = { readonly kind: 'held'; readonly value: T } | NotLocked

/** `work` was not begun. */
export type NotLocked =
  | { readonly kind: 'taken'; readonly by: LockHolder | null }
  /** No session could be had, or it was lost again before it held the lock. */
  | { readonly kind: 'unreachable'; readonly why: TargetConnectionError }
  /** The given signal aborted while it waited. */
  | { readonly kind: 'aborted' }

export type LockHolder = { readonly pid: number; readonly applicationName: string }

type Wish = TargetConnection & {
  /** How long to try; 0 tries once. A database that is away is tried again as long as one that is taken. */
  readonly waitMs: number
}

/**
 * Runs `work` while a session of ours holds the target's lock. Polls: a session that waits in `pg_advisory_lock` has an open snapshot,
 * and CREATE INDEX CONCURRENTLY would wait for it. `work` gets a signal that aborts when the session is lost, since then another may hold the lock.
 */
export async function withTargetLock<T>(wish: Wish, work: (lock: { readonly signal: AbortSignal }) => Promise<T>): Promise<LockOutcome<T>> {
  const taken = await take(wish)
  if (taken.kind !== 'got') return taken
  const { client, lost } = taken
  const proof = new AbortController()
  const proving = proveAlive(client, (cause) => lost.abort(lostBy(cause)), proof.signal)
  try {
    const signal = wish.signal === undefined ? lost.signal : AbortSignal.any([lost.signal, wish.signal])
    return { kind: 'held', value: await work({ signal }) }
  } finally {
    proof.abort()
    await client.end().catch(() => {}) // the lock goes with the session
    await proving
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

type Got = { readonly kind: 'got'; readonly client: Client; readonly lost: AbortController }

/** Tries until it is held, the time is up, what is wrong will not pass, or nobody wants it any more. */
async function take(wish: Wish): Promise<Got | NotLocked> {
  const until = performance.now() + wish.waitMs
  for (;;)
    try {
      return await takeIn(await connectTarget(wish), wish, until)
    } catch (error) {
      if (wish.signal?.aborted === true) return { kind: 'aborted' }
      if (!(error instanceof TargetConnectionError)) throw error
      if (!passing.has(error.problem) || performance.now() >= until) return { kind: 'unreachable', why: error }
      await pause(CONNECT_AGAIN_MS, wish.signal)
    }
}

/** What a database that is restarted, failed over or busy says for a moment. */
const passing: ReadonlySet<TargetConnectionError['problem']> = new Set(['unreachable', 'too_many_connections', 'starting', 'lost'])

/** The session ends unless it holds the lock when this returns. */
async function takeIn(client: Client, wish: Wish, until: number): Promise<Got | NotLocked> {
  const lost = new AbortController()
  client.on('error', (error) => lost.abort(lostBy(error)))
  client.on('end', () => lost.abort(lostBy(undefined)))
  const end = () => client.end().catch(() => {})
  const abort = () => void end() // the query under way fails, so that a server that says nothing is not waited for
  wish.signal?.addEventListener('abort', abort, { once: true })
  let isHeld = false
  try {
    wish.signal?.throwIfAborted()
    await noticeDeathSoon(client)
    isHeld = await tryLock(client, until, wish.signal)
    return isHeld ? { kind: 'got', client, lost } : { kind: 'taken', by: await targetLockHolder(client) }
  } catch (error) {
    throw explainLoss(error, wish.url)
  } finally {
    wish.signal?.removeEventListener('abort', abort)
    if (!isHeld) await end()
  }
}

const lostBy = (cause: unknown) => new Error('The session that holds the lock of the target was lost', { cause })

async function tryLock(client: Client, until: number, signal: AbortSignal | undefined): Promise<boolean> {
  for (;;) {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [LOCK.classid, LOCK.objid])
    if (rows[0]?.got === true) return true
    if (performance.now() >= until) return false
    await pause(POLL_MS, signal)
    signal?.throwIfAborted()
  }
}

/** Ends early, and without a fault, when the signal aborts. */
const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {})

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
