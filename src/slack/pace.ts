import type { Clock } from '../clock.ts'

/** How fast this process may write to Slack. Two buckets: posts per channel, and edits, of which some are kept for decisions and ends. */
export type Pace = {
  /** Milliseconds until the order may go; 0 takes its place at once. */
  readonly take: (order: Order) => number
  /** Slack said how long to wait. */
  readonly limited: (order: Order, retryAfterMs: number) => void
}

export type Order = { readonly kind: 'post' | 'update'; readonly channel: string; readonly isUrgent: boolean }

/** About one post a second and channel; short bursts are allowed. */
const POSTS = { burst: 3, everyMs: 1_000 }
/** About 40 edits a minute, shared by all runs (Slack's tier 3 is 50). */
const UPDATES = { burst: 12, everyMs: 1_500 }
/** Edits that progress may not use up. */
const RESERVED = 5

export function createPace(clock: Clock): Pace {
  const posts = new Map<string, Bucket>()
  const updates = bucket(UPDATES)
  const blocked = new Map<string, number>()
  const keyOf = (order: Order) => (order.kind === 'update' ? 'update' : `post ${order.channel}`)
  const bucketOf = (order: Order): Bucket => {
    if (order.kind === 'update') return updates
    const known = posts.get(order.channel) ?? bucket(POSTS)
    posts.set(order.channel, known)
    return known
  }
  return {
    take(order) {
      const now = clock.now()
      const wait = (blocked.get(keyOf(order)) ?? 0) - now
      if (wait > 0) return wait
      return bucketOf(order).take(now, order.kind === 'update' && !order.isUrgent ? RESERVED : 0)
    },
    limited(order, retryAfterMs) {
      blocked.set(keyOf(order), clock.now() + retryAfterMs)
    },
  }
}

type Bucket = { readonly take: (now: number, leave: number) => number }

function bucket({ burst, everyMs }: { readonly burst: number; readonly everyMs: number }): Bucket {
  let tokens = burst
  let at: number | undefined
  return {
    take(now, leave) {
      tokens = Math.min(burst, tokens + Math.max(0, now - (at ?? now)) / everyMs)
      at = now
      if (tokens < leave + 1) return Math.ceil((leave + 1 - tokens) * everyMs)
      tokens -= 1
      return 0
    },
  }
}
