import type { Advice } from './advice/advice.ts'

export type { Advice } from './advice/advice.ts'

/** What approvers are told of a plan, weighed by this database. */
export type Finding = {
  readonly code: FindingCode
  readonly weight: Weight
  readonly migration: string
  /** From 1, of the statement in the migration's file; null where the file as a whole is meant. */
  readonly line: number | null
  /** `orders`, as people say it; null where it is about no table. */
  readonly table: string | null
  /** What is wrong and why it hurts here, with numbers: a sentence without a full stop, not escaped. */
  readonly text: string
  readonly advice: Advice | null
  /** Why somebody let it pass; null where nobody did. `person` is only drawn: whoever did so in Slack is in the request's own record. */
  readonly waived: { readonly by: 'comment' | 'person'; readonly reason: string } | null
}

/** That somebody let findings pass in Slack, for one plan. `findings` are keys of them, `texts` what they said. */
export type PersonsWaiver = {
  readonly by: string
  readonly digest: string
  readonly reason: string
  readonly findings: readonly string[]
  readonly texts: readonly string[]
}

/** `note`: good to know. `warning`: decide with it in mind. `blocker`: does not run unless somebody who may waives it. */
export const weights = ['note', 'warning', 'blocker'] as const
export type Weight = (typeof weights)[number]

/** Closed, since waivers, SARIF and configuration name them. */
export const findingCodes = [
  'rewrite',
  'scan-under-lock',
  'index-build',
  'index-rebuild',
  'foreign-key',
  'validate-in-one-transaction',
  'wide-lock',
  'many-locks',
  'long-transaction',
  'data-loss',
  'rename',
  'type-change',
  'required-column',
  'enum-recreated',
  'old-code-breaks',
  'new-code-breaks',
  'dependents',
  'in-use',
  'disk',
  'replica-lag',
  'publication',
  'row-security',
  'no-timeout',
  'large-write',
  'not-alone',
  'invalid-index',
  'fails',
  'unreadable',
  'unknown',
  'other-schema',
  'database-wide',
  'name',
  'header',
  'mixed',
  'second-opinion',
  'not-seen',
  'waiver',
] as const
export type FindingCode = (typeof findingCodes)[number]

const ELSEWHERE: ReadonlySet<FindingCode> = new Set([
  'wide-lock',
  'many-locks',
  'long-transaction',
  'dependents',
  'in-use',
  'disk',
  'replica-lag',
  'new-code-breaks',
  'other-schema',
  'name',
  'header',
  'mixed',
  'second-opinion',
  'not-seen',
  'waiver',
])

/** Whether it says what a statement does, and not only what that means at this moment. */
export const saysWhatItDoes = (code: FindingCode): boolean => !ELSEWHERE.has(code)
