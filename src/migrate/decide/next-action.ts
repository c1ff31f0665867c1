import type { MigrationFile } from '../../plan/files.ts'
import type { Plan, PlannedMigration } from '../../plan/plan.ts'
import { appliedOf, statusOf, type DatabaseState, type Departure } from '../../plan/status.ts'
import { groupsOf, type Group } from '../attempts/groups.ts'
import type { Attempt, AttemptState } from '../attempts/attempt.ts'

/** What is known when nothing runs, or that something does. */
export type Facts = {
  readonly plan: Pick<Plan, 'list' | 'baseline'>
  readonly files: readonly MigrationFile[]
  readonly state: DatabaseState
  readonly attempt: {
    readonly attempt: Attempt
    readonly state: AttemptState
    /** It was decided to try again. */ readonly settled: boolean
  } | null
  /** Sessions of this run's migrator. */
  readonly sessions: number
}

export type NextAction =
  | { readonly kind: 'living' }
  | { readonly kind: 'all_applied' }
  | { readonly kind: 'next'; readonly group: Group; readonly remaining: readonly PlannedMigration[] }
  /** The last attempt ended by itself and said why; `failed` is the migration with a started and unfinished row, if any. */
  | { readonly kind: 'failed'; readonly attempt: Attempt; readonly failed: string | null }
  /** Began, never ended, and nobody wrote why. `endedWell`: its attempt ended with 0, which may be all that it said. */
  | { readonly kind: 'crashed'; readonly failed: string; readonly endedWell: boolean }
  /** A row that no attempt of this run explains. */
  | { readonly kind: 'failed_before'; readonly failed: string }
  /** It ended with 0, and the pinned database does not have what it was to apply. */
  | { readonly kind: 'not_here'; readonly attempt: Attempt }
  | { readonly kind: 'not_the_plan'; readonly why: Exclude<Departure, 'failed' | 'running'>; readonly names: readonly string[] }

/**
 * Decides from facts alone what a run may do next. Anything that does not add up is not acted on. `leaves`: what of a start that ended
 * without a word may be there although the record does not show it.
 */
export function nextAction(facts: Facts, leaves: 'nothing' | 'perhaps' = 'nothing'): NextAction {
  const applied = appliedOf(facts.plan, statusOf(facts.state, facts.files))
  const last = facts.attempt
  if (last?.state.kind === 'living' || facts.sessions > 0) return { kind: 'living' }
  if (applied.kind === 'departs') {
    const { why, names } = applied
    if (why !== 'failed' && why !== 'running') return { kind: 'not_the_plan', why, names }
    const [stuck = ''] = names
    if (last === null || !last.attempt.intent.migrations.includes(stuck)) return { kind: 'failed_before', failed: stuck }
    if (last.state.kind !== 'ended' || last.state.exit.exitCode === 0)
      return { kind: 'crashed', failed: stuck, endedWell: last.state.kind === 'ended' }
    return { kind: 'failed', attempt: last.attempt, failed: stuck }
  }
  const remaining = applied.open
  const [group] = groupsOf(remaining)
  if (group === undefined) return { kind: 'all_applied' }
  if (last?.state.kind === 'ended' && !last.settled && !isApplied(last.attempt, remaining)) {
    if (last.state.exit.exitCode === 0) return { kind: 'not_here', attempt: last.attempt }
    return { kind: 'failed', attempt: last.attempt, failed: null }
  }
  if (leaves === 'perhaps' && last?.state.kind === 'vanished' && !last.settled)
    return { kind: 'failed', attempt: last.attempt, failed: null }
  return { kind: 'next', group, remaining }
}

/** All that it was to apply is applied, whatever it said. */
const isApplied = (attempt: Attempt, remaining: readonly PlannedMigration[]): boolean =>
  !attempt.intent.migrations.some((name) => remaining.some((migration) => migration.name === name))
