import type { Target } from '../../src/config/config.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { MadePlan } from '../../src/plan/make.ts'
import type { RunnerPlan } from '../../src/plan/prisma8/make.ts'
import { mayNotEnd } from '../../src/request/duration-estimate.ts'
import type { Ask, RequestRow } from '../../src/request/request.ts'
import type { Planned } from '../../src/run/workflow/ports.ts'
import type { MigrationClass } from '../../src/sql/effects/effect.ts'
import { storeNow } from '../../src/store/now.ts'
import type { ApprovalDeps } from '../deps.ts'
import { gateFor, needOf, passesAt, timesOf, whyShut } from '../gate.ts'
import { policySnapshot } from '../grant-check.ts'
import { TARGET_GONE } from '../reconfigured.ts'
import type { AfterDeps } from './after.ts'
import { whyNotPlanned } from './plan-rules.ts'

export type PlanRequestDeps = ApprovalDeps &
  AfterDeps & {
    /** Reads git and the target; no code of the repository runs. */
    readonly makePlan: (target: Target, ask: Ask) => Promise<MadePlan | RunnerPlan | Refusal>
  }

/** What people vote for, by which rules, and until when. */
export async function planRequest(deps: PlanRequestDeps, request: RequestRow): Promise<Planned | Refusal> {
  const target = deps.targets.get(request.target)
  if (target === undefined) return refuse('unknown_target', TARGET_GONE)
  const made = await deps.makePlan(target, request.ask)
  if (isRefusal(made)) return made
  const classes = made.evidence.migrations.map((one) => one.class)
  const barred = (await whyNotPlanned(deps, target, made)) ?? (await whyNotInItsWindow(deps, target, request, classes))
  if (barred !== undefined) return barred
  const policy = await policySnapshot(deps, target, classes, request.requesterHuman, request.breakGlass !== null, made.evidence.findings)
  if (isRefusal(policy)) return policy
  const now = await storeNow(deps.db)
  const until = request.notAfter?.getTime() ?? (await whenItCloses(deps, request, classes))
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

/** When it was asked for, nobody knew its class; now it is told when one of its class may run, before anybody is asked to approve it. */
async function whyNotInItsWindow(
  deps: ApprovalDeps,
  target: Target,
  request: RequestRow,
  classes: readonly MigrationClass[],
): Promise<Refusal | undefined> {
  if (target.classes === undefined) return undefined
  const times = await timesOf(deps.freezes, deps.db, target, { need: needOf(target, classes) })
  const start = Math.max(times.now, request.notBefore?.getTime() ?? 0)
  const passage = passesAt(times, start, request.overrideReason !== null)
  return passage.kind === 'outside' ? whyShut(times, passage, deps.command, start) : undefined
}

/** The end of what is open now; null when nothing closes. */
async function whenItCloses(deps: ApprovalDeps, request: RequestRow, classes: readonly MigrationClass[]): Promise<number | null> {
  const passage = await gateFor(deps, deps.db, request, { trusting: true, classes })
  return passage.kind === 'open' ? passage.closesAt : null
}
