import type { Plan } from '../../plan/plan.ts'
import type { OfRunner } from '../../plan/prisma8/compare.ts'
import type { Hidden, RunnerState } from '../../plan/prisma8/state.ts'
import { isHidden } from '../../plan/prisma8/state.ts'
import type { Attempt, AttemptState } from '../attempts/attempt.ts'

/** What is known when nothing runs, or that something does. */
export type RunnerFacts = {
  readonly state: RunnerState | Hidden
  readonly attempt: {
    readonly attempt: Attempt
    readonly state: AttemptState
    /** It was decided to try again. */ readonly settled: boolean
  } | null
  /** Sessions of this run's migrator. */
  readonly sessions: number
}

export type RunnerAction =
  | { readonly kind: 'living' }
  /** The database has the contract of the plan. */
  | { readonly kind: 'all_applied' }
  /** It has the one that it had when this was asked: of what was tried nothing stayed. */
  | { readonly kind: 'next' }
  | { readonly kind: 'failed'; readonly attempt: Attempt }
  /** It says that it succeeded, and the pinned database does not have it. */
  | { readonly kind: 'not_here'; readonly attempt: Attempt }
  /** It has another contract than both. */
  | { readonly kind: 'other_contract'; readonly marker: string | null }
  | { readonly kind: 'hidden'; readonly hidden: Hidden }

/**
 * Decides by the marker alone, once nothing of this run is at work: Prisma 8 writes it in the transaction that does everything, so it has
 * moved, or nothing of it stayed. Pure.
 */
export function nextRunnerAction({ prisma8 }: Pick<OfRunner, 'prisma8'> & Partial<Plan>, facts: RunnerFacts): RunnerAction {
  const { state, attempt: last, sessions } = facts
  if (last?.state.kind === 'living' || sessions > 0) return { kind: 'living' }
  if (isHidden(state)) return { kind: 'hidden', hidden: state }
  if (state.marker === prisma8.contract.hash) return { kind: 'all_applied' }
  if (state.marker !== prisma8.marker) return { kind: 'other_contract', marker: state.marker }
  if (last?.state.kind !== 'ended' || last.settled) return { kind: 'next' }
  return { kind: last.state.exit.exitCode === 0 ? 'not_here' : 'failed', attempt: last.attempt }
}
