import { escapeMarkup } from '../../lib/text/escape.ts'
import { setTimeout as wait } from 'node:timers/promises'
import { writeAudit } from '../../audit/write.ts'
import { failpoint } from '../../lib/failpoint.ts'
import { isRefusal, refuse, type Refusal } from '../../lib/refusal.ts'
import type { Plan } from '../../plan/plan.ts'
import type { RequestRow } from '../../request/request.ts'
import { about, addEvent, requestById, transition } from '../../request/store.ts'
import { retryStore } from '../../store/retry-store.ts'
import { COMPARE_WITHIN_MS } from '../step-runner/ports.ts'
import { askAnew, isAskedSince } from './anew.ts'
import { planSafely, refuseRequest, whereItStands, writePlan } from './planning.ts'
import type { WorkflowPorts } from './ports.ts'

/** After the quorum, before anything runs: the votes must still count, and the world must still be the one that was approved. */
export async function checkAtQuorum(ports: WorkflowPorts, id: number): Promise<'go' | 'anew' | 'ended'> {
  failpoint('before-claim')
  const within = ports.compareWithinMs ?? COMPARE_WITHIN_MS
  let unknownSince: number | undefined
  for (;;) {
    const request = await retryStore(ports.log, () => requestById(ports.db, id))
    if (request?.state !== 'granted' || request.plan === null) return request?.state === 'running' ? 'go' : 'ended'
    const granted = await retryStore(ports.log, () => ports.stillGranted(id))
    if (granted !== true && granted.code !== 'not_an_approver') {
      // it could not be checked, or it ends at this moment: the grant stands until it expires, which the state above will tell
      await wait(CHECK_AGAIN_MS)
      continue
    }
    if (granted !== true) {
      // under other rules it is another plan: votes for this one would be in vain, and perhaps nobody could give them
      const why = ports.reconfigured(request.plan, request)
      return why === null ? backToWaiting(ports, request, granted) : anew(ports, request, why)
    }
    const barred = await retryStore(ports.log, () => ports.whyNoRun(request))
    if (barred !== null) return refuseRequest(ports, request, barred)
    const passage = await retryStore(ports.log, () => ports.gate(ports.db, request))
    if (passage.kind === 'shut') return refuseRequest(ports, request, passage.refusal)
    if (passage.kind === 'unknown' || passage.kind === 'held') {
      await wait(CHECK_AGAIN_MS)
      continue
    }
    const compared = await compareSafely(ports, request, request.plan)
    if (compared.kind === 'same') return 'go'
    if (compared.kind === 'unknown') {
      unknownSince ??= performance.now()
      if (performance.now() - unknownSince < within) {
        await wait(CHECK_AGAIN_MS)
        continue
      }
      return refuseRequest(
        ports,
        request,
        refuse(
          'target_unreachable',
          `${compared.why} What cannot be checked does not start. Nothing was touched; ask again when it can be read.`,
        ),
      )
    }
    return anew(ports, request, compared.why)
  }
}

async function anew(ports: WorkflowPorts, request: RequestRow, why: string): Promise<'anew' | 'ended'> {
  const planned = await planSafely(ports, request)
  if (isRefusal(planned)) return refuseRequest(ports, request, refuse(planned.code, `${why} ${planned.text}`))
  const written = await askAnew(ports, request.id, why, (anew) => writePlan(ports, request, planned, ['granted'], anew))
  return written === 'waiting' ? 'anew' : 'ended'
}

const CHECK_AGAIN_MS = 2_000

/** A fault here has touched nothing; thrown on, it would leave the request granted until it expires, without a word. */
export async function compareSafely(ports: WorkflowPorts, request: RequestRow, plan: Plan) {
  try {
    return await ports.compare(plan, request, 'before-migrate')
  } catch (error) {
    ports.log.error({ request: request.id, error: ports.redactor.text(String((error as Error).stack)) }, 'the check before the run failed')
    return {
      kind: 'unknown' as const,
      why: `The check before the run failed: ${escapeMarkup(ports.redactor.text((error as Error).message).slice(0, 500))}`,
    }
  }
}

/** An approver has left or the rules became stricter between the last vote and the start: the same plan waits for more votes. */
export async function backToWaiting(ports: WorkflowPorts, request: RequestRow, refusal: Refusal): Promise<'anew' | 'ended'> {
  return askAnew(ports, request.id, refusal.text, (anew) =>
    ports.db.transaction(async (tx) => {
      if ((await isAskedSince(tx, request.id, anew)) || !(await transition(tx, request.id, ['granted'], 'waiting')))
        return (await whereItStands(tx, request.id)) === 'waiting' ? 'anew' : 'ended'
      await addEvent(tx, request.id, { kind: 'asked_anew', data: { why: refusal.text, samePlan: true } })
      await writeAudit(tx, { ...about(request), act: 'check', result: refusal.code })
      return 'anew'
    }),
  )
}
