import { z } from 'zod'
import type { Sample } from './sample.ts'

/** When a migration is cancelled for the sake of the application; null where nothing is asked. */
export type Limits = {
  /** How long queries may wait behind it. */
  readonly queueMs: number | null
  readonly lagMs: number | null
  /** Of max_connections, 1 to 100. */
  readonly connectionsPercent: number | null
  readonly freeBytes: number | null
}

/** What is seen of a migration at one moment. `freeBytes`: of the server's disk; null where that is not known. */
export type Seen = Pick<Sample, 'atMs' | 'worker' | 'waiting' | 'queue' | 'lagMs' | 'connections'> & { readonly freeBytes: number | null }

/** Why it was cancelled; `isWaiting`: it waited for somebody itself, so another moment may be a better one. */
export const reasonShape = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('queue'),
    count: z.number(),
    ms: z.number(),
    applications: z.array(z.string()).readonly(),
    relation: z.string().nullable(),
    isWaiting: z.boolean(),
  }),
  z.object({ kind: z.literal('lag'), ms: z.number() }),
  z.object({ kind: z.literal('connections'), used: z.number(), most: z.number() }),
  z.object({ kind: z.literal('disk'), freeBytes: z.number() }),
])
export type Reason = z.output<typeof reasonShape>

export type Judgement =
  | { readonly kind: 'go_on' }
  /** Somebody is in its way, or waits behind it: people should see it. */
  | { readonly kind: 'tell' }
  | { readonly kind: 'cancel'; readonly why: Reason }

/** For how long a figure that comes and goes has to be past its limit; who waits is counted by the server itself. */
export const STEADY_MS = 1_000
/** A wait that is shorter is nothing to tell. */
export const TELL_MS = 500

/** Judges what was seen, the newest last. Only a statement that runs can be cancelled. Pure. */
export function decide(samples: readonly Seen[], limits: Limits): Judgement {
  const now = samples.at(-1)
  if (now?.worker?.state !== 'active') return { kind: 'go_on' }
  const why = queueReason(now, limits) ?? steadyReason(samples, now, limits)
  if (why !== null) return { kind: 'cancel', why }
  const isTold = now.queue.longestMs >= TELL_MS || (now.waiting !== null && now.waiting.ms >= TELL_MS)
  return { kind: isTold ? 'tell' : 'go_on' }
}

function queueReason({ queue, waiting }: Seen, { queueMs }: Limits): Reason | null {
  if (queueMs === null || queue.count === 0 || queue.longestMs < queueMs) return null
  const { count, longestMs, applications, relation } = queue
  return { kind: 'queue', count, ms: longestMs, applications, relation, isWaiting: waiting !== null }
}

function steadyReason(samples: readonly Seen[], now: Seen, limits: Limits): Reason | null {
  const recent = samples.filter(({ atMs }) => atMs >= now.atMs - STEADY_MS)
  const [oldest] = samples
  if (oldest === undefined || oldest.atMs > now.atMs - STEADY_MS) return null // not seen for so long yet
  const { lagMs, connectionsPercent, freeBytes } = limits
  const isSteady = (test: (one: Seen) => boolean) => recent.every(test)
  if (lagMs !== null && now.lagMs !== null && isSteady((one) => one.lagMs !== null && one.lagMs > lagMs))
    return { kind: 'lag', ms: now.lagMs }
  if (connectionsPercent !== null && now.connections !== null && isSteady((one) => isFull(one, connectionsPercent)))
    return { kind: 'connections', ...now.connections }
  if (freeBytes !== null && now.freeBytes !== null && isSteady((one) => one.freeBytes !== null && one.freeBytes < freeBytes))
    return { kind: 'disk', freeBytes: now.freeBytes }
  return null
}

const isFull = ({ connections }: Seen, percent: number): boolean =>
  connections !== null && connections.used * 100 >= connections.most * percent

/** Whether the same may go well a little later: where it waited for somebody, who may be gone by then. What it does by itself it would do again. */
export const mayPass = (why: Reason): boolean => (why.kind === 'queue' ? why.isWaiting : why.kind === 'connections')
