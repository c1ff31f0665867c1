import type { MigrationFile } from '../../plan/files.ts'
import type { Plan, PlannedMigration } from '../../plan/plan.ts'
import { statusOf, type DatabaseState, type Status } from '../../plan/status.ts'
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

export type Judgement =
  | { readonly kind: 'living' }
  | { readonly kind: 'all_applied' }
  | { readonly kind: 'next'; readonly group: Group; readonly remaining: readonly PlannedMigration[] }
  /** The last attempt ended by itself and said why; `failed` is the migration with a started and unfinished row, if any. */
  | { readonly kind: 'failed'; readonly attempt: Attempt; readonly failed: string | null }
  /** Began, never ended, and nobody wrote why. */
  | { readonly kind: 'crashed'; readonly failed: string }
  /** A row that no attempt of this run explains. */
  | { readonly kind: 'failed_before'; readonly failed: string }
  /** It says that it succeeded, and the pinned database does not have it. */
  | { readonly kind: 'not_here'; readonly attempt: Attempt }
  | { readonly kind: 'not_the_plan'; readonly why: 'edited' | 'missing' | 'unknown' | 'order'; readonly names: readonly string[] }

/** Decides from facts alone what a run may do next. Anything that does not add up is not acted on. */
export function judge(facts: Facts): Judgement {
  const status = statusOf(facts.state, facts.files)
  const last = facts.attempt
  if (last?.state.kind === 'living' || facts.sessions > 0) return { kind: 'living' }
  const stuck = [...status.failed, ...status.running][0]?.name
  if (stuck !== undefined) {
    if (last === null || !last.attempt.intent.migrations.includes(stuck)) return { kind: 'failed_before', failed: stuck }
    if (last.state.kind !== 'ended' || last.state.exit.exitCode === 0) return { kind: 'crashed', failed: stuck }
    return { kind: 'failed', attempt: last.attempt, failed: stuck }
  }
  const departure = departureFrom(facts.plan, status)
  if (departure !== null) return departure
  const remaining = remainingOf(facts.plan.list, status)
  const [group] = groupsOf(remaining)
  if (group === undefined) return { kind: 'all_applied' }
  if (last?.state.kind === 'ended' && !last.settled && !isConcluded(last.attempt, remaining)) {
    if (last.state.exit.exitCode === 0) return { kind: 'not_here', attempt: last.attempt }
    return { kind: 'failed', attempt: last.attempt, failed: null }
  }
  return { kind: 'next', group, remaining }
}

/** The applied ones must be the baseline and a beginning of the list, with the checksums of the files. */
export function departureFrom(plan: Facts['plan'], status: Status): Extract<Judgement, { kind: 'not_the_plan' }> | null {
  const known = new Set([...plan.baseline, ...plan.list].map(({ name }) => name))
  const names = (of: readonly { readonly name: string }[]) => of.map(({ name }) => name)
  const applied = new Set(names(status.applied))
  const missing = plan.baseline.filter(({ name }) => !applied.has(name))
  const edited = status.edited.filter(({ name }) => known.has(name))
  const strange = status.applied.filter(({ name }) => !known.has(name))
  const firstOpen = plan.list.findIndex(({ name }) => !applied.has(name))
  const early = firstOpen === -1 ? [] : plan.list.slice(firstOpen).filter(({ name }) => applied.has(name))
  if (strange.length > 0) return { kind: 'not_the_plan', why: 'unknown', names: names(strange) }
  if (missing.length > 0) return { kind: 'not_the_plan', why: 'missing', names: names(missing) }
  if (edited.length > 0) return { kind: 'not_the_plan', why: 'edited', names: names(edited) }
  if (early.length > 0) return { kind: 'not_the_plan', why: 'order', names: names(early) }
  return null
}

function remainingOf(list: readonly PlannedMigration[], status: Status): readonly PlannedMigration[] {
  const applied = new Set(status.applied.map(({ name }) => name))
  return list.filter(({ name }) => !applied.has(name))
}

/** All that it was to apply is applied, whatever it said. */
const isConcluded = (attempt: Attempt, remaining: readonly PlannedMigration[]): boolean =>
  !attempt.intent.migrations.some((name) => remaining.some((migration) => migration.name === name))
