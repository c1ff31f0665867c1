import type { Target } from '../../config/config.ts'
import { isRefusal, type Refusal } from '../../lib/refusal.ts'
import { compareWithPlan, type Comparison } from '../compare.ts'
import type { PlanDeps } from '../deps.ts'
import { makePlan, readTargetState, type MadePlan, type PlanRequest, type TargetState } from '../make.ts'
import type { Plan } from '../plan.ts'
import { compareWithRunnerPlan, isOfRunner } from '../prisma8/compare.ts'
import { withClassRules } from '../rules/by-class.ts'
import { makeRunnerPlan, readRunnerStatus, type RunnerPlan, type ShownStatus } from '../prisma8/make.ts'

/** The plan of whatever tool the commit brings. */
export async function makeAnyPlan(deps: PlanDeps, request: PlanRequest): Promise<MadePlan | RunnerPlan | Refusal> {
  const made = await makePlan(deps, request)
  const any = isOfPrisma8(made) ? await makeRunnerPlan(deps, request) : made
  return isRefusal(any) ? any : withClassRules(any, request.target)
}

/** Whether what was approved is still what would run, by the tool that it was planned for. */
export const compareWithAnyPlan = (
  deps: PlanDeps & { readonly target: Target },
  plan: Plan,
  phase: 'before-migrate' | 'after-migrate',
): Promise<Comparison> => (isOfRunner(plan) ? compareWithRunnerPlan(deps, plan, phase) : compareWithPlan(deps, plan, phase))

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
