import type { Target } from '../../config/config.ts'
import { isRefusal, type Refusal } from '../../lib/refusal.ts'
import { gitIn } from '../git.ts'
import { cloneOf, fetchRepository, resolveCommit } from '../repository.ts'
import { commitsSince } from './commits.ts'
import { compareWithPlan, type Comparison } from '../compare.ts'
import type { PlanDeps } from '../deps.ts'
import { makePlan, readTargetState, type MadePlan, type PlanRequest, type TargetState } from '../make.ts'
import type { CommitsSince, Plan } from '../plan.ts'
import { compareWithRunnerPlan, isOfRunner } from '../prisma8/compare.ts'
import { withClassRules } from '../rules/by-class.ts'
import { makeRunnerPlan, readRunnerStatus, type RunnerPlan, type ShownStatus } from '../prisma8/make.ts'

/** The plan of whatever tool the commit brings. */
export async function makeAnyPlan(deps: PlanDeps, request: PlanRequest): Promise<MadePlan | RunnerPlan | Refusal> {
  const first = await makePlan(deps, request)
  const any = isOfPrisma8(first) ? await makeRunnerPlan(deps, request) : first
  const made = isRefusal(any) ? any : withClassRules(any, request.target)
  if (isRefusal(made) || request.live === undefined || request.live === null) return made
  const commits = await commitsSince(gitIn(deps, cloneOf(deps, request.target)), request.live, made.plan.commit)
  return commits === null ? made : { ...made, evidence: { ...made.evidence, commits } }
}

/** Whether what was approved is still what would run, by the tool that it was planned for. */
export const compareWithAnyPlan = (
  deps: PlanDeps & { readonly target: Target },
  plan: Plan,
  phase: 'before-migrate' | 'after-migrate',
): Promise<Comparison> => (isOfRunner(plan) ? compareWithRunnerPlan(deps, plan, phase) : compareWithPlan(deps, plan, phase))

/** What the target's branch has beside the live commit; null where nobody knows, or the repository cannot be read. */
export async function commitsNotLive(deps: PlanDeps, target: Target, live: string | null): Promise<CommitsSince | null> {
  if (live === null) return null
  const repository = await fetchRepository(deps, target)
  if (isRefusal(repository)) return null
  const head = await resolveCommit(repository, target, null)
  return isRefusal(head) ? null : commitsSince(repository.git, live, head.commit)
}

/** `runner`: the newest commit of the target's branch brings Prisma 8. */
export type AnyStatus = { readonly kind: 'files'; readonly read: TargetState } | { readonly kind: 'runner'; readonly status: ShownStatus }

export async function readAnyStatus(deps: PlanDeps, target: Target): Promise<AnyStatus | Refusal> {
  const read = await readTargetState(deps, target, null, 'status')
  if (!isRefusal(read)) return { kind: 'files', read }
  if (!isOfPrisma8(read)) return read
  const status = await readRunnerStatus(deps, target)
  return isRefusal(status) ? status : { kind: 'runner', status }
}

/** Who plans for 5 to 7 finds that out on the way, so that nothing is read twice for them. */
const isOfPrisma8 = (value: unknown): boolean => isRefusal(value) && value.code === 'other_runner'
