import { storeNow } from '../store/now.ts'
import type { Db, Queries, Tx } from '../store/pool.ts'
import type { Due } from '../store/due.ts'
import type { Engine } from '../engine/engine.ts'
import type { RequestRow } from './request.ts'

/** A request for a window waits for its turn: it is compared again with the world before it, and starts by itself. Times in ms since 1970. */

const HOUR_MS = 3_600_000
/** So long before its turn what was approved is compared again: what changed asks anew then, and not in the night. */
const CHECKS_BEFORE_MS = [8 * HOUR_MS, HOUR_MS] as const

/** The next time at which it is compared; null when its turn comes before that. */
export const nextCheck = (notBefore: number, now: number): number | null =>
  CHECKS_BEFORE_MS.map((before) => notBefore - before).find((at) => at > now) ?? null

/** `check`: it is time to compare; what comes later than its turn is compared there anyway. */
export function startSlotOf({ notBefore, checkAt }: Pick<RequestRow, 'notBefore' | 'checkAt'>, now: number): 'now' | 'later' | 'check' {
  if (notBefore === null || notBefore.getTime() <= now) return 'now'
  return checkAt !== null && checkAt.getTime() <= now ? 'check' : 'later'
}

/**
 * Writes down when it is compared next; the same statement says when it wakes. False when that stands there already, or its window was
 * moved meanwhile, which says so itself.
 */
export async function planNextCheck(tx: Queries, request: Pick<RequestRow, 'id' | 'notBefore' | 'checkAt'>): Promise<boolean> {
  if (request.notBefore === null) return false
  const at = nextCheck(request.notBefore.getTime(), await storeNow(tx))
  const rows = await tx.query(
    `update lockkeeper.request set check_at = to_timestamp($2::float8 / 1000), wake_at = coalesce(to_timestamp($2::float8 / 1000), not_before)
     where id = $1 and date_trunc('milliseconds', check_at) = $3 returning id`,
    [request.id, at, request.checkAt],
  )
  return rows.length > 0
}

const dueSlots = `select id, wake_at as "wakeAt" from lockkeeper.request
  where wake_at <= lockkeeper.now() and started_at is null and state in ('waiting','granted')`

/** Wakes each request whose time has come; one that is held up is woken again every minute. */
export const startSlotsDue = (db: Db, engine: Pick<Engine, 'signal'>): Due => ({
  name: 'start slots',
  isDue: `exists (${dueSlots})`,
  act: () => db.transaction((tx) => wake(tx, engine)),
})

async function wake(tx: Tx, engine: Pick<Engine, 'signal'>): Promise<void> {
  const due = await tx.query<{ id: number; wakeAt: Date }>(`${dueSlots} order by wake_at limit 100 for update skip locked`)
  for (const { id, wakeAt } of due) await engine.signal(tx, id, { kind: 'due' }, `turn:${id}:${wakeAt.getTime()}`)
  await tx.query(
    `update lockkeeper.request set wake_at = least(lockkeeper.now() + interval '1 minute',
       case when not_before > lockkeeper.now() then not_before end) where id = any($1)`,
    [due.map(({ id }) => id)],
  )
}
