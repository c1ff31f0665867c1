import { z } from 'zod'
import { approver } from './basics.ts'

/** The key `classes` of a target: what each class of change asks for on its way to production. */

/** A migration that nobody can read counts as breaking, and a deploy without migrations as additive. */
export const planClasses = ['additive', 'transformative', 'breaking'] as const
export type PlanClass = (typeof planClasses)[number]

export const orderSchema = z.enum(['migrate-first', 'app-first'])

const classRules = z.strictObject({
  approvals: z
    .strictObject({
      required: z.int().min(0).max(10).optional().describe('How many humans have to approve; left out: as for every plan'),
      from: z.array(approver).min(1).optional().describe('Who may approve; left out: as for every plan'),
    })
    .optional(),
  window: z
    .enum(['required', 'optional'])
    .optional()
    .describe('`required`: only in a window or an opening of windows.allow; `optional`: at any time. Left out: as windows.allow says'),
  maintenance: z.enum(['on', 'off']).optional().describe('Whether maintenance mode is switched on, where there is one; on'),
  rollback: z.enum(['required', 'optional']).optional().describe('Whether each migration needs rollback SQL beside it; optional'),
  order: orderSchema.optional().describe('Whether the migrations or the deploy steps come first; left out: `order` of the target'),
})

export const classesSchema = z.strictObject({
  additive: classRules.optional(),
  transformative: classRules.optional(),
  breaking: classRules.optional(),
})

export type ClassRules = z.output<typeof classRules>
