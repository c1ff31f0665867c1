import { z } from 'zod'
import type { Sample } from './sample.ts'

/** What was measured while the migrations ran: JSON for the card, and at the end for the record. `most`: the worst moment of all tries. */
export const figuresShape = z.object({
  /** Of the server, when the first try began; null where it cannot be read. */
  walStart: z.number().nullable(),
  /** Written by the whole server since then. */
  walBytes: z.number().nullable(),
  connections: z.object({ used: z.number(), most: z.number() }).nullable(),
  lagMs: z.number().nullable(),
  /** Who waits behind it now. */
  queue: z.object({ count: z.number(), ms: z.number() }),
  most: z.object({
    queue: z.number(),
    queueMs: z.number(),
    /** For a lock. */
    waitedMs: z.number(),
    connections: z.number(),
    lagMs: z.number(),
  }),
  /** How often the guard cancelled it. */
  cancelled: z.number(),
})
export type Figures = z.output<typeof figuresShape>

export const noFigures: Figures = {
  walStart: null,
  walBytes: null,
  connections: null,
  lagMs: null,
  queue: { count: 0, ms: 0 },
  most: { queue: 0, queueMs: 0, waitedMs: 0, connections: 0, lagMs: 0 },
  cancelled: 0,
}

/** With what was seen now. Pure. */
export function withSample(figures: Figures, { walBytes, connections, lagMs, queue, waiting }: Sample): Figures {
  const walStart = figures.walStart ?? walBytes
  const { most } = figures
  return {
    ...figures,
    walStart,
    // a server that was restored or failed over counts anew
    walBytes: walBytes === null || walStart === null ? figures.walBytes : Math.max(figures.walBytes ?? 0, walBytes - walStart),
    connections,
    lagMs,
    queue: { count: queue.count, ms: queue.longestMs },
    most: {
      queue: Math.max(most.queue, queue.count),
      queueMs: Math.max(most.queueMs, queue.longestMs),
      waitedMs: Math.max(most.waitedMs, waiting?.ms ?? 0),
      connections: Math.max(most.connections, connections?.used ?? 0),
      lagMs: Math.max(most.lagMs, lagMs ?? 0),
    },
  }
}
