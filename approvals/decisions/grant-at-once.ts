import { writeAudit } from '../../src/audit/write.ts'
import { about, addEvent, requestById, transition } from '../../src/request/store.ts'
import type { Tx } from '../../src/store/pool.ts'
import type { ApprovalDeps } from '../deps.ts'
import { classesOf } from '../grant-check.ts'
import { whyBlocked } from '../blocked.ts'
import { decide, rulesOf } from '../policy.ts'
import { grantFor } from './grant.ts'

/** Where no approval is asked for, neither then nor now: what would run stands on the card and in the thread all the same. */
export async function grantAtOnce(deps: ApprovalDeps, tx: Tx, id: number): Promise<void> {
  const request = await requestById(tx, id)
  const target = request === undefined ? undefined : deps.targets.get(request.target)
  if (request?.policy == null || target === undefined) return
  const now = { ...rulesOf(target, classesOf(request)), members: {} }
  const tally = decide({ request, votes: [], atRequest: request.policy, now, humanOf: deps.people.humanOf })
  if (tally.required > 0 || !tally.isGranted) return
  if ((await whyBlocked(deps, tx, request)) !== undefined) return addEvent(tx, id, { kind: 'finding', data: { text: BLOCKED } })
  await transition(tx, id, ['waiting'], 'granted', grantFor(deps, request))
  await addEvent(tx, id, { kind: 'finding', data: { text: NOBODY_ASKED } })
  await writeAudit(tx, { ...about(request), act: 'approve', result: 'not_required', digest: request.digest })
}

const BLOCKED = 'This target asks for no approval, but a finding blocks this plan, so it does not start before somebody lets that pass.'

const NOBODY_ASKED =
  'This target asks for no approval (`approvals.required: 0`), so it starts by itself; it is backed up and recorded all the same.'
