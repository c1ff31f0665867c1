import type { Queries } from '../src/store/pool.ts'

/**
 * Writes down that a delivery is being handled. False when one of its keys stands there already: it came twice, or to another replica
 * too.
 */
export async function isFirstDelivery(db: Queries, keys: readonly string[]): Promise<boolean> {
  if (keys.length === 0) return true
  const rows = await db.query('insert into lockkeeper.seen (key) select unnest($1::text[]) on conflict do nothing returning key', [keys])
  return rows.length === keys.length
}

/** Slack repeats a delivery within the hour; what is older than a day is forgotten. */
export async function forgetOldKeys(db: Queries): Promise<void> {
  await db.query(`delete from lockkeeper.seen where at < clock_timestamp() - interval '1 day'`)
}

/** All that is the same when a delivery comes again, by any way, and different for the next click. */
export function deliveryKeys(body: Readonly<Record<string, unknown>>, context: Readonly<Record<string, unknown>>): readonly string[] {
  const action = Array.isArray(body['actions']) ? (body['actions'][0] as Readonly<Record<string, unknown>> | undefined) : undefined
  const named = [
    ['envelope', context['envelopeId']],
    ['signature', context['signature']],
    ['trigger', body['trigger_id']],
    ['action', action?.['action_ts']],
    ['event', body['event_id']],
  ] as const
  return [...new Set(named.flatMap(([kind, id]) => (typeof id === 'string' && id !== '' ? [`${kind}:${id}`] : [])))]
}
