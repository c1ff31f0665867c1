import pRetry from 'p-retry'
import type { Log } from '../lib/log.ts'

/**
 * Writes to the store through its outages. A run that has acted must be able to say so, however long the store is away; nothing in the
 * target is repeated meanwhile. Faults of the statement itself (a constraint, a mistake of ours) are thrown at once.
 */
export function persist<T>(log: Log, write: () => Promise<T>): Promise<T> {
  return pRetry(write, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 200,
    maxTimeout: 2_000,
    shouldRetry: ({ error }) => isStoreAway(error),
    onFailedAttempt: ({ error }) => {
      if (isStoreAway(error)) log.warn({ error: error.message }, 'the store does not answer; trying again')
    },
  })
}

/**
 * Connection faults of `pg` and of the network, the server's own "going away" states (08, 57P), what it lacks at the moment (53: disk,
 * memory, connections), a session or transaction that it ended because we slept (57P05, 25P03), and a deadlock, which is rolled back.
 */
function isStoreAway(error: Error): boolean {
  const code = (error as { code?: unknown }).code
  if (typeof code === 'string')
    return /^(08...|57P..|53...|25P03|40P01|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/.test(code)
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/.test(
    error.message,
  )
}
