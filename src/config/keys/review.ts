import { z } from 'zod'
import { approver, duration, size } from './basics.ts'

/** From when on what a migration does to a table counts. Everything has a default, and `review:` may be left out. */

const ordered = (levels: { readonly warn: number; readonly block: number }): boolean => levels.warn <= levels.block
const order = { message: 'what blocks has to be at least what warns' }

const weight = z.enum(['note', 'warning', 'blocker'])

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u').test('') || true
  } catch {
    return false
  }
}

export const reviewSchema = z.strictObject({
  rows: z
    .strictObject({
      warn: z.int().min(0).default(100_000).describe('From so many rows on, work that locks a table is a warning'),
      block: z.int().min(0).default(1_000_000).describe('From so many rows on it does not run unless somebody waives it'),
    })
    .refine(ordered, order)
    .prefault({}),
  bytes: z
    .strictObject({
      warn: size.default(100e6).describe('The same by size on disk, with indexes'),
      block: size.default(1e9),
    })
    .refine(ordered, order)
    .prefault({}),
  writesPerSecond: z
    .number()
    .min(0)
    .default(100)
    .describe('A table that is written so often blocks where its size alone would be a warning'),
  openTransaction: duration.default(30_000).describe('A transaction that is open for longer is told: locks wait for it'),
  replicaLag: duration.default(10_000).describe('Replicas that are further behind are told'),
  names: z
    .strictObject({ pattern: z.string().min(1).max(300).refine(isPattern, 'is no regular expression') })
    .optional()
    .describe('What the names of migrations have to fit: "^[0-9]{14}_(add|drop|alter)_"'),
  header: z
    .array(z.enum(['what', 'when', 'who', 'ticket']))
    .min(1)
    .optional()
    .describe('What the comment at the top of a migration has to say: "-- Who: Alice"'),
  weights: z
    .strictObject({
      name: weight.default('warning'),
      header: weight.default('warning'),
      mixed: weight.default('blocker').describe('A plan that adds what new code needs and takes away what old code uses'),
    })
    .optional(),
  waive: z
    .strictObject({
      from: z.array(approver).min(1).describe('Who may let a finding pass that blocks, with a reason'),
    })
    .optional(),
})

/** Milliseconds, bytes, rows. */
export type ReviewSettings = z.output<typeof reviewSchema>

/** Where the file says nothing. It stays away from what is read of the file, since that is what two replicas compare. */
export const reviewDefaults: ReviewSettings = reviewSchema.parse({})
