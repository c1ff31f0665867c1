import type { Target } from '../../config/config.ts'
import { isRefusal, type Refusal } from '../../lib/refusal.ts'
import type { PlanDeps } from '../deps.ts'
import { makePlan, readTargetState, type MadePlan, type PlanRequest, type TargetState } from '../make.ts'
import { makeRunnerPlan, readRunnerStatus, type RunnerPlan, type ShownStatus } from '../prisma8/make.ts'

/** The plan of whatever tool the commit brings, also of one that is not run yet; to be shown, not to be asked for. */
export async function previewPlan(deps: PlanDeps, request: PlanRequest): Promise<MadePlan | RunnerPlan | Refusal> {
  const made = await makePlan(deps, request)
  return isOfPrisma8(made) ? makeRunnerPlan(deps, request) : made
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
const isOfPrisma8 = (value: unknown): boolean => isRefusal(value) && value.code === 'runs_not_built'
