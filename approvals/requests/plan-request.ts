import type { Target } from '../../src/config/config.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { MadePlan } from '../../src/plan/make.ts'
import type { RunnerPlan } from '../../src/plan/prisma8/make.ts'
import { mayNotEnd } from '../../src/request/duration-estimate.ts'
import type { Ask, RequestRow } from '../../src/request/request.ts'
import type { Planned } from '../../src/run/workflow/ports.ts'
import { storeNow } from '../../src/store/now.ts'
import type { ApprovalDeps } from '../deps.ts'
import { gateFor } from '../gate.ts'
import { policySnapshot } from '../grant-check.ts'
import { TARGET_GONE } from '../reconfigured.ts'
import { whyNotPlanned } from './plan-rules.ts'

export type PlanRequestDeps = ApprovalDeps & {
  /** Reads git and the target; no code of the repository runs. */
  readonly makePlan: (target: Target, ask: Ask) => Promise<MadePlan | RunnerPlan | Refusal>
}

/** What people vote for, by which rules, and until when. */
export async function planRequest(deps: PlanRequestDeps, request: RequestRow): Promise<Planned | Refusal> {
  const target = deps.targets.get(request.target)
  if (target === undefined) return refuse('unknown_target', TARGET_GONE)
  const made = await deps.makePlan(target, request.ask)
  if (isRefusal(made)) return made
  const barred = await whyNotPlanned(target)
  if (barred !== undefined) return barred
  const classes = made.evidence.migrations.map((one) => one.class)
  const policy = await policySnapshot(deps, target, classes, request.requesterHuman, request.breakGlass !== null)
  if (isRefusal(policy)) return policy
  const now = await storeNow(deps.db)
  const until = request.notAfter?.getTime() ?? (await whenItCloses(deps, request))
  const from = Math.max(now, request.notBefore?.getTime() ?? now)
  const warning = await mayNotEnd(deps.db, { target: request.target, zone: target.timezone, from, until })
  return {
    plan: made.plan,
    digest: made.digest,
    evidence: warning === null ? made.evidence : { ...made.evidence, warnings: [warning] },
    // for a window people have time until that closes
    policy: request.notAfter === null ? policy : { ...policy, expiresMs: Math.max(1, request.notAfter.getTime() - now) },
  }
}

/** The end of what is open now; null when nothing closes. */
async function whenItCloses(deps: ApprovalDeps, request: RequestRow): Promise<number | null> {
  const passage = await gateFor(deps, deps.db, request, { trusting: true })
  return passage.kind === 'open' ? passage.closesAt : null
}
