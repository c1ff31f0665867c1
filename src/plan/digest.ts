import { createHash } from 'node:crypto'
import { canonicalJson } from '../lib/canonical.ts'
import type { Plan } from './plan.ts'

/** SHA-256 in hex of the plan's canonical JSON: what votes are for. */
export const digestOf = (plan: Plan): string => hashOf(plan)

/** The same for any JSON value: the policy in force, a message as drawn. */
export const hashOf = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex')
