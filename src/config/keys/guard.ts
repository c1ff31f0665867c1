import { z } from 'zod'
import { duration, size } from './basics.ts'

/** What watches a migration while it runs, and when it stops it for the sake of the application. */
export const guardSchema = z.strictObject({
  every: duration.default(250).describe('Between two looks at the database while a migration runs'),
  queue: duration.default(2_000).describe('How long queries of the application may wait behind a migration before it is cancelled'),
  pauses: z
    .array(duration)
    .min(1)
    .max(20)
    .default([1_000, 5_000, 15_000, 30_000])
    .describe('Before each further try of a migration that waited for somebody and left nothing; so many tries and one'),
  lag: duration.optional().describe('How far replicas may fall behind before a migration is cancelled; left out: as far as they do'),
  connections: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('The percentage of max_connections in use from which a migration is cancelled; left out: none'),
  disk: size.optional().describe('How much of the disk must stay free, where that can be known; left out: nothing is asked'),
})

/** Milliseconds and bytes. */
export type GuardSettings = z.output<typeof guardSchema>

/** Where the file says nothing. It stays away from what is read of the file, since that is what two replicas compare. */
export const guardDefaults: GuardSettings = guardSchema.parse({})
