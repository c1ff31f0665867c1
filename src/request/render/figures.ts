import { z } from 'zod'
import { bytesText, durationText, oneLine } from '../../lib/text/text.ts'
import type { StepRow } from '../request.ts'

/** What the guard leaves in the row of the migrate step, as far as people are shown it. */
const shape = z.object({
  guard: z.object({
    walBytes: z.number().nullable(),
    connections: z.object({ used: z.number(), most: z.number() }).nullable(),
    lagMs: z.number().nullable(),
  }),
})

/** What the migration is doing, and what the server bears meanwhile; plain text. Null where nothing is known. */
export function detailsOf(step: Pick<StepRow, 'details' | 'data'>): string | null {
  const parts = [step.details === null ? '' : oneLine(step.details), figuresText(step.data)].filter((part) => part !== '')
  return parts.length === 0 ? null : parts.join(' ')
}

/** `Server: 41 of 100 connections in use, 1.2 GB of WAL written since the start, replicas 0.3 s behind.` */
function figuresText(data: unknown): string {
  const read = shape.safeParse(data)
  if (!read.success) return ''
  const { walBytes, connections, lagMs } = read.data.guard
  const parts = [
    connections === null ? '' : `${connections.used} of ${connections.most} connections in use`,
    walBytes === null || walBytes === 0 ? '' : `${bytesText(walBytes)} of WAL (its log of changes) written since the start`,
    lagMs === null ? '' : `replicas ${durationText(lagMs)} behind`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? '' : `Server: ${parts.join(', ')}.`
}
