import type { Target } from '../src/config/config.ts'
import { plannedSteps, withoutApp } from '../src/deploy/planned.ts'
import { canonicalJson } from '../src/lib/canonical.ts'
import type { Plan } from '../src/plan/plan.ts'
import { stepsUnder } from '../src/plan/rules/by-class.ts'
import type { RequestRow } from '../src/request/request.ts'
import { policyHash } from './policy.ts'

/** Why the target's present configuration is not the one that was approved, as a sentence; null when it is. Looks at nothing else. */
export function whyReconfigured(
  targets: ReadonlyMap<string, Target>,
  plan: Pick<Plan, 'target' | 'policy' | 'steps' | 'rules'>,
  { ask }: Pick<RequestRow, 'ask'>,
): string | null {
  const target = targets.get(plan.target)
  if (target === undefined) return TARGET_GONE
  if (policyHash(target) !== plan.policy)
    return 'The rules, the guards, the source or the tool of this target were configured otherwise since.'
  if (canonicalJson(stepsUnder(plannedSteps(withoutApp(target, ask)), plan.rules)) !== canonicalJson(plan.steps))
    return 'The configured steps of this target were changed since.'
  return null
}

export const TARGET_GONE = 'The target is no longer configured.'
