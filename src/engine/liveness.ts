import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { openSession, type Session } from '../store/session.ts'
import type { Log } from '../lib/log.ts'

/** First half of the two-number advisory lock that each living process holds; the second is the hash of its id. */
export const LIVENESS_LOCK = 7341

/** After a lost session others may need this long to look again; nobody sweeps meanwhile, or a restarted store would look like dead replicas. */
const SETTLE_MS = 5_000

/** How often this process says in its session that it lives. */
const BEAT_MS = 1_000
/**
 * A session that said nothing for so long is ended by the server. A process that is frozen (SIGSTOP, a suspended machine) keeps its
 * connections, and its kernel goes on answering for it: without this it would hold its runs for as long as it sleeps.
 */
const FROZEN_MS = 6_000

export type Liveness = {
  readonly executorId: string
  /** Aborted as long as the lock is lost: others may take us for dead, so no new step may start. A new signal follows when it is held again. */
  readonly signal: () => AbortSignal
  /** Resolves as soon as the lock is held. */
  readonly held: () => Promise<void>
  readonly isHeld: () => boolean
  /** Whether it has been held long enough for judging others. */
  readonly isSettled: () => boolean
  readonly close: () => Promise<void>
}

/**
 * Proves that this process lives, by a session advisory lock on a connection of its own. The id is new in each process: one that came
 * back could be recovered twice.
 */
export async function holdLiveness(options: {
  readonly storeUrl: string
  readonly log: Log
  /** What other processes call through the store; the session that is there anyway listens. Also called when it was deaf for a while. */
  readonly call?: { readonly channel: string; readonly heard: () => void }
}): Promise<Liveness> {
  const executorId = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`
  // pg_stat_activity shows what a session asked last, and so whose it is
  const signature = `/* ${executorId.replace(/[^\w.-]/g, '')} */`
  let session: Session | undefined
  let controller = new AbortController()
  /** Nothing was lost at the first time, so there is nothing to settle. */
  let settledAt = 0
  let isRetaken = false
  const closing = new AbortController()
  let held = Promise.withResolvers<void>()
  /** Both end by themselves when this is closed, and never fail. */
  let beating = Promise.resolve()
  let retaking = Promise.resolve()

  /** A session that breaks before it is of use is not lost a second time: it would be taken anew by two, then by four. */
  let isTaking = false

  async function take(): Promise<void> {
    isTaking = true
    try {
      await takeOne()
    } finally {
      isTaking = false
    }
  }

  async function takeOne(): Promise<void> {
    const mine = await openSession(options.storeUrl, 'lockkeeper-alive', onLost)
    try {
      await lockIn(mine)
    } catch (error) {
      await mine.close().catch(() => {}) // it broke before it was of use
      throw error
    }
    // from here on others may be told that it is held, and not before
    if (isRetaken) settledAt = performance.now() + SETTLE_MS
    session = mine
    controller = new AbortController()
    held.resolve()
    beating = beat(mine)
  }

  async function lockIn(mine: Session): Promise<void> {
    const [lock] = await mine.query<{ ok: boolean }>(`${signature} select pg_try_advisory_lock($1::int, hashtext($2)) as ok`, [
      LIVENESS_LOCK,
      executorId,
    ])
    if (lock?.ok !== true) throw new Error('the lock of the lost session is still held')
    if (options.call !== undefined) await mine.listen(options.call.channel, options.call.heard, signature)
    // a setting of PostgreSQL 14 and later; before that only a process that has ended is noticed
    await mine.query(`select set_config(name, $1, false) from pg_settings where name = 'idle_session_timeout'`, [String(FROZEN_MS)])
  }

  async function beat(mine: Session): Promise<void> {
    for (;;) {
      if (closing.signal.aborted || session !== mine) return
      await mine.query(`${signature} select 1`).catch(() => {}) // a session that broke says so by itself
      await wait(BEAT_MS, undefined, { signal: closing.signal }).catch(() => {}) // aborted: the loop ends
    }
  }

  function onLost(error: Error): void {
    if (closing.signal.aborted || isTaking) return
    options.log.warn({ error: error.message }, 'the session that proves this process alive was lost; no step starts until it is back')
    session = undefined
    isRetaken = true
    held = Promise.withResolvers<void>()
    controller.abort(error)
    retaking = retake()
  }

  async function retake(): Promise<void> {
    while (!closing.signal.aborted)
      try {
        await take()
        return options.call?.heard()
      } catch (error) {
        options.log.debug({ error: String(error) }, 'the store does not answer yet')
        await wait(300, undefined, { signal: closing.signal }).catch(() => {}) // aborted: the loop ends
      }
  }

  await take()
  return {
    executorId,
    signal: () => controller.signal,
    held: () => held.promise,
    isHeld: () => session !== undefined,
    isSettled: () => session !== undefined && performance.now() >= settledAt,
    async close() {
      closing.abort()
      const first = session
      await first?.close()
      await Promise.all([beating, retaking])
      if (session !== first) await session?.close() // one that was just being made
    },
  }
}
