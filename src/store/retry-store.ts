import pRetry from 'p-retry'
import type { Log } from '../lib/log.ts'
import { isOfStore } from './pool.ts'

/**
 * Writes to the store through its outages. A run that has acted must be able to say so, however long the store is away; nothing in the
 * target is repeated meanwhile. Faults of the statement itself (a constraint, a mistake of ours) are thrown at once.
 */
export const retryStore = <T>(log: Log, write: () => Promise<T>): Promise<T> => retry(log, write, isStoreAway)

/** The same for work that speaks to a target too, whose faults look alike: only the store is waited for. */
export const retryStoreOnly = <T>(log: Log, work: () => Promise<T>): Promise<T> =>
  retry(log, work, (error) => isOfStore(error) && isStoreAway(error))

const retry = <T>(log: Log, work: () => Promise<T>, isAway: (error: Error) => boolean): Promise<T> =>
  pRetry(work, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 200,
    maxTimeout: 2_000,
    shouldRetry: ({ error }) => isAway(error),
    onFailedAttempt: ({ error }) => {
      if (isAway(error)) log.warn({ error: error.message }, 'the store does not answer; trying again')
    },
  })

/**
 * Connection faults of `pg` and of the network, the server's own "going away" states (08, 57P), what it lacks at the moment (53: disk,
 * memory, connections), a session or transaction that it ended because we slept (57P05, 25P03), and a deadlock, which is rolled back.
 */
export function isStoreAway(error: Error): boolean {
  const code = (error as { code?: unknown }).code
  if (typeof code === 'string')
    return /^(08...|57P..|53...|25P03|40P01|ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(
      code,
    )
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/.test(
    error.message,
  )
}
