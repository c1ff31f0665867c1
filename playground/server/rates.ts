import type { Tier } from './methods/method.ts'

/** Allowed at once, and refilled in a second (docs.slack.dev/apis/web-api/rate-limits). Posting is about one a second in a channel, with short bursts. */
const tiers: Readonly<Record<Exclude<Tier, 'none'>, { readonly burst: number; readonly perSecond: number }>> = {
  1: { burst: 1, perSecond: 1 / 60 },
  2: { burst: 20, perSecond: 20 / 60 },
  3: { burst: 50, perSecond: 50 / 60 },
  4: { burst: 100, perSecond: 100 / 60 },
  posting: { burst: 8, perSecond: 1 },
}

/** Answers the seconds to wait, or null when the call may pass. */
export type Rates = (key: string, tier: Tier) => number | null

export function createRates(now: () => number): Rates {
  const buckets = new Map<string, { left: number; at: number }>()
  return (key, tier) => {
    if (tier === 'none') return null
    const { burst, perSecond } = tiers[tier]
    const at = now()
    const bucket = buckets.get(key) ?? { left: burst, at }
    const left = Math.min(burst, bucket.left + ((at - bucket.at) / 1000) * perSecond)
    buckets.set(key, { left: left >= 1 ? left - 1 : left, at })
    return left >= 1 ? null : Math.max(1, Math.ceil((1 - left) / perSecond))
  }
}

export const noRates: Rates = () => null
