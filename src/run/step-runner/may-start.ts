import { setTimeout as wait } from 'node:timers/promises'
import { isRefusal } from '../../lib/refusal.ts'
import type { Plan } from '../../plan/plan.ts'
import { isAppFirst } from '../../plan/rules/by-class.ts'
import { MAINTENANCE_ON } from '../../request/maintenance-mode.ts'
import type { RequestRow, StepRow } from '../../request/request.ts'
import type { Step, StepEnd } from '../../request/step.ts'
import { requestById } from '../../request/store.ts'
import { retryStore } from '../../store/retry-store.ts'
import { COMPARE_WITHIN_MS, type RunPorts } from './ports.ts'
import { cancelledBefore, notAsApproved, notCompared, recordIsOld } from './texts.ts'

/**
 * Asked before every step but the one that a run owes: was it cancelled? Before every changing step also: is it still granted, is the world
 * still the approved one? Undefined when it may start; `lost` when this process has to look again first.
 */
export async function mayStart(
  ports: RunPorts,
  request: RequestRow,
  step: Step,
  row: StepRow | undefined,
): Promise<StepEnd | 'lost' | undefined> {
  if (step.isOwed === true) return undefined
  const underWay = isUnderWay(step, row)
  if (request.cancelRequestedAt !== null && !underWay) return cancelledBefore(step, request.cancelRequestedBy)
  const changed = request.plan === null || underWay ? null : ports.reconfigured(request.plan, request)
  if (changed !== null) return notAsApproved(ports, step.title, changed)
  if (step.changes !== 'database' && step.changes !== 'application') return undefined
  const stop = ports.whyStop()
  if (stop !== null) return recordIsOld(ports, step.title, stop)
  const granted = await retryStore(ports.log, () => ports.stillGranted(request.id))
  if (isRefusal(granted))
    return {
      kind: 'failed',
      output: 'not started',
      outcome: { headline: `*Stopped before "${step.title}": the approval no longer holds.*`, why: granted.text },
    }
  // taken over in the middle: the step's own inspection knows what a half-done change looks like
  if (request.plan === null || (row?.attempt ?? 0) > 0) return undefined
  const isBefore = step.changes === 'database' || step.name === MAINTENANCE_ON || isAppFirst(request.plan)
  return compareAgain(ports, request, request.plan, { step, phase: isBefore ? 'before-migrate' : 'after-migrate' })
}

/** A change of the database that was under way when its process died: only its own inspection knows how far it came. */
export const isUnderWay = (step: Step, row: StepRow | undefined): boolean => step.changes === 'database' && (row?.attempt ?? 0) > 0

const AGAIN_MS = 1_000

/** What cannot be read is tried again for a while: an answer that says that it changed is one, and no answer is none. */
async function compareAgain(
  ports: RunPorts,
  request: RequestRow,
  plan: Plan,
  { step, phase }: { readonly step: Step; readonly phase: 'before-migrate' | 'after-migrate' },
): Promise<StepEnd | 'lost' | undefined> {
  const until = performance.now() + (ports.compareWithinMs ?? COMPARE_WITHIN_MS)
  for (;;) {
    const compared = await ports.compare(plan, request, phase)
    if (compared.kind === 'same') return undefined
    if (compared.kind === 'changed') return notAsApproved(ports, step.title, compared.why)
    if (ports.inFlight.isStopping()) return 'lost'
    const now = await retryStore(ports.log, () => requestById(ports.db, request.id))
    if (now !== undefined && now.cancelRequestedAt !== null) return cancelledBefore(step, now.cancelRequestedBy)
    if (performance.now() >= until) return notCompared(step.title, compared.why)
    await wait(AGAIN_MS)
  }
}
