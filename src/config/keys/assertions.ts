import { z } from 'zod'
import { duration } from './basics.ts'

/** The key `assert` of a target: what has to be true of its data before and after the migrations. */

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])

const expected = z.union([cell, z.array(z.union([cell, z.array(cell).min(1)])).max(200)])

const assertion = z
  .strictObject({
    name: z.string().min(1).max(80).describe('What has to be true: "every order has a total"'),
    sql: z.string().min(1).max(20_000).describe('One SELECT, VALUES, TABLE or WITH that writes nothing; it runs read-only'),
    when: z.enum(['before', 'after', 'both']).default('after').describe('Asked before the migrations, after them, or both times'),
    expect: expected.optional().describe('The value (0), or the rows ([] for none, [[1, paid], [2, open]]); their order does not count'),
    equal: z.literal(true).optional().describe('Before and after the migrations it gives the same rows'),
    timeout: duration.default(30_000).describe('After that it is ended, and counts as failed'),
  })
  .refine(({ expect, equal }) => (expect === undefined) !== (equal === undefined), 'needs either `expect` or `equal: true`')

export const assertSchema = z
  .array(assertion)
  .min(1)
  .max(20)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'needs a different name for each assertion')

export type AssertionSettings = z.output<typeof assertion>
export type Expected = z.output<typeof expected>
export type ExpectedCell = z.output<typeof cell>
