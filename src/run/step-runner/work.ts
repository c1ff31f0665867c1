import type { Target } from '../../config/config.ts'
import type { Plan } from '../../plan/plan.ts'
import type { PlannedRequest, StepRow } from '../../request/request.ts'
import type { Step } from '../../request/step.ts'

/** What one try of a step is about. */
export type Work = {
  readonly request: PlannedRequest
  readonly plan: Plan
  readonly target: Target
  readonly step: Step
  readonly previous: StepRow | undefined
  /** This very process began it and lost the store in the middle. */
  readonly isAgain: boolean
}
