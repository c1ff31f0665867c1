import { z } from 'zod'
import { approver } from './basics.ts'

/** The key `review` of a target: rules for migrations beside what their SQL does, and who may let a finding pass. */

export const reviewSchema = z.strictObject({
  waive: z
    .strictObject({
      from: z.array(approver).min(1).describe('Who may let a finding pass that blocks, with a reason'),
    })
    .optional(),
})
