import type { Log } from '../../lib/log.ts'
import { lockRequest } from '../../request/store.ts'
import type { Db, Queries, Tx } from '../../store/pool.ts'
import { retryStore } from '../../store/retry-store.ts'

/** Why people are asked once more, and the last time that they were, as it was before the first try to write that down. */
export type Anew = { readonly why: string; readonly after: number }

/**
 * Asks anew through outages of the store. The answer to a commit may be lost: then it is tried again although it arrived, and somebody may
 * have approved meanwhile. `write` looks with `isAskedSince` before it takes that back.
 */
export async function askAnew<T>(
  { db, log }: { readonly db: Db; readonly log: Log },
  id: number,
  why: string,
  write: (anew: Anew) => Promise<T>,
): Promise<T> {
  const after = await retryStore(log, () => lastAsked(db, id))
  return retryStore(log, () => write({ why, after }))
}

/** Holds the row: an earlier try whose commit is on its way has ended by then. */
export async function isAskedSince(tx: Tx, id: number, { after }: Anew): Promise<boolean> {
  await lockRequest(tx, id)
  return (await lastAsked(tx, id)) > after
}

async function lastAsked(db: Queries, id: number): Promise<number> {
  const [row] = await db.query<{ last: number }>(
    `select coalesce(max(id), 0) as last from lockkeeper.event where request_id = $1 and kind = 'asked_anew'`,
    [id],
  )
  return row?.last ?? 0
}
