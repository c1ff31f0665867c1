import type { Db } from '../../store/pool.ts'

/** How fast all bots of one store together write to Slack. Two kinds of buckets: posts per channel, and edits, of which some are kept for decisions and ends. */
export type RateLimit = {
  /** Milliseconds until the order may go; 0 takes its place at once. */
  readonly take: (order: Order) => Promise<number>
  /** Slack said how long to wait. */
  readonly limited: (order: Order, retryAfterMs: number) => Promise<void>
}

export type Order = { readonly kind: 'post' | 'update'; readonly channel: string; readonly isUrgent: boolean }

/** About one post a second and channel; short bursts are allowed. */
const POSTS = { burst: 3, everyMs: 1_000 }
/** About 40 edits a minute, shared by all runs (Slack's tier 3 is 50). */
const UPDATES = { burst: 12, everyMs: 1_500 }
/** Edits that progress may not use up. */
const RESERVED = 5

/**
 * The buckets are rows, by the store's clock: asked for when something is about to be sent, and by no one else. A row says until when its
 * bucket is used up: each order moves that on by `everyMs`, and may do so while it lies less than the burst ahead.
 */
export function createRateLimit(db: Pick<Db, 'query'>): RateLimit {
  return {
    async take(order) {
      const { burst, everyMs } = order.kind === 'update' ? UPDATES : POSTS
      const leave = order.kind === 'update' && !order.isUrgent ? RESERVED : 0
      const [row] = await db.query<{ wait: number }>(TAKE, [bucketOf(order), everyMs, burst * everyMs, (burst - 1 - leave) * everyMs])
      return row?.wait ?? everyMs
    },
    async limited(order, retryAfterMs) {
      await db.query(
        `insert into lockkeeper.pace (bucket, used_until, limited)
         values ($1, clock_timestamp(), tstzrange(clock_timestamp(), clock_timestamp() + $2 * interval '1 millisecond'))
         on conflict (bucket) do update set limited = excluded.limited`,
        [bucketOf(order), retryAfterMs],
      )
    },
  }
}

const bucketOf = (order: Order): string => (order.kind === 'update' ? 'update' : `post ${order.channel}`)

/**
 * $1 bucket, $2 what an order costs, $3 what a full bucket holds, $4 how far ahead it may be used; all in milliseconds. Who comes at the
 * same moment waits for the row's lock and then sees what the first one left. What lies further ahead than a full bucket was written
 * before the clock was put back: it counts as empty. The wait is what the statement saw at its beginning, so it may be a little short.
 */
const TAKE = `
with moment as (
  select clock_timestamp() as now, $2 * interval '1 millisecond' as cost, $3 * interval '1 millisecond' as whole,
    $4 * interval '1 millisecond' as ahead),
taken as (
  insert into lockkeeper.pace as p (bucket, used_until) select $1, now + cost from moment
  on conflict (bucket) do update
    set used_until = least(greatest(p.used_until, clock_timestamp()) + $2 * interval '1 millisecond', clock_timestamp() + $3 * interval '1 millisecond')
    where not p.limited @> clock_timestamp()
      and (p.used_until <= clock_timestamp() + $4 * interval '1 millisecond' or p.used_until > clock_timestamp() + $3 * interval '1 millisecond')
  returning 1)
select case when exists (select from taken) then 0 else coalesce(
  (select greatest(1, ceil(1000 * extract(epoch from greatest(least(p.used_until, now + whole) - ahead, upper(p.limited)) - now)))
   from lockkeeper.pace p, moment where p.bucket = $1), $2) end::float8 as wait`
