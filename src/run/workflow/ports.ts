import type { Refusal } from '../../lib/refusal.ts'
import type { Evidence, Plan } from '../../plan/plan.ts'
import type { PolicySnapshot, RequestRow } from '../../request/request.ts'
import type { Step } from '../../request/step.ts'
import type { Queries, Tx } from '../../store/pool.ts'
import type { RunPorts } from '../step-runner/ports.ts'

/** A plan with what is decided together with it. */
export type Planned = { readonly plan: Plan; readonly digest: string; readonly evidence: Evidence; readonly policy: PolicySnapshot }

export type WorkflowPorts = RunPorts & {
  /** Reads git and the target; no code of the repository runs. */
  readonly makePlan: (request: RequestRow) => Promise<Planned | Refusal>
  /** From `approvals/`: grants what was just planned where nobody has to approve it. In the transaction that writes the plan. */
  readonly grantAtOnce: (tx: Tx, id: number) => Promise<void>
  readonly stepsFor: (request: RequestRow, plan: Plan) => readonly Step[]
  /** From `approvals/`: whether the target is open for this request now. `trusting`: whoever overrides was looked up a moment ago. */
  readonly gate: (db: Queries, request: RequestRow, how?: { readonly trusting: boolean }) => Promise<Passage>
}

/** Whether a run may start now, and when the opening closes in which it would run. */
export type Passage =
  | { readonly kind: 'open'; readonly closesAt: number | null; readonly windowId: number | null }
  | { readonly kind: 'shut'; readonly refusal: Refusal }
  /** Open, but it waits for somebody who stands by. */
  /** `why`: a freeze that ends inside its window; left out, nobody has confirmed to stand by. */
  | { readonly kind: 'held'; readonly windowId: number | null; readonly standby: string | null; readonly why?: string }
  /** Whether somebody may override cannot be learned now. */
  | { readonly kind: 'unknown' }
