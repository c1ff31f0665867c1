import { writeAudit } from '../../audit/write.ts'
import { isRefusal, refuse } from '../../lib/refusal.ts'
import type { RequestRow } from '../../request/request.ts'
import { planNextCheck, startSlotOf } from '../../request/start-slot.ts'
import { about, addEvent, requestById } from '../../request/store.ts'
import { storeNow } from '../../store/now.ts'
import type { Tx } from '../../store/pool.ts'
import { retryStore } from '../../store/retry-store.ts'
import { askAnew } from './anew.ts'
import { backToWaiting, compareSafely } from './check-at-quorum.ts'
import { planSafely, refuseRequest, writePlan } from './planning.ts'
import type { WorkflowPorts } from './ports.ts'

/** What is to be done about it now: a request that is approved for a window is `queued` until its turn comes. */
export const stateOf = (ports: WorkflowPorts, id: number): Promise<RequestRow['state'] | 'queued' | 'to check'> =>
  retryStore(ports.log, async () => {
    const request = await requestById(ports.db, id)
    if (request === undefined) return 'cancelled'
    if (request.notBefore === null || (request.state !== 'waiting' && request.state !== 'granted')) return request.state
    const slot = startSlotOf(request, await storeNow(ports.db))
    if (slot === 'check') return 'to check'
    if (request.state === 'waiting') return 'waiting'
    return slot === 'later' || (await isHeld(ports, request)) ? 'queued' : 'granted'
  })

/** Its window is open, but it is frozen for a part of it, or nobody has confirmed to stand by: it waits inside the window, and says so once. */
async function isHeld(ports: WorkflowPorts, request: RequestRow): Promise<boolean> {
  const passage = await ports.gate(ports.db, request)
  if (passage.kind !== 'held') return false
  const { why } = passage
  await ports.db.transaction(async (tx) => {
    if (why !== undefined) return sayOnce(tx, request, `Its turn has come, and it waits inside its window. ${why}`)
    const said = await tx.query(`select 1 from lockkeeper.event where request_id = $1 and kind = 'no_standby'`, [request.id])
    if (said.length > 0) return
    await addEvent(tx, request.id, { kind: 'no_standby', data: { windowId: passage.windowId, standby: passage.standby } })
    await writeAudit(tx, { ...about(request), act: 'check', result: 'no_standby' })
  })
  return true
}

async function sayOnce(tx: Tx, request: RequestRow, text: string): Promise<void> {
  const said = await tx.query(`select 1 from lockkeeper.event where request_id = $1 and kind = 'finding' and data->>'text' = $2`, [
    request.id,
    text,
  ])
  if (said.length > 0) return
  await addEvent(tx, request.id, { kind: 'finding', data: { text } })
  await writeAudit(tx, { ...about(request), act: 'check', result: 'frozen' })
}

/** Hours before its turn: what changed asks anew now, so that nobody is asked in the night. */
export async function checkAhead(ports: WorkflowPorts, id: number): Promise<void> {
  const request = await retryStore(ports.log, () => requestById(ports.db, id))
  if (request?.plan == null || (request.state !== 'waiting' && request.state !== 'granted')) return
  // done by a process that died before this was checkpointed
  if (startSlotOf(request, await retryStore(ports.log, () => storeNow(ports.db))) !== 'check') return
  const compared = await compareSafely(ports, request, request.plan)
  if (compared.kind === 'changed') {
    const planned = await planSafely(ports, request)
    if (isRefusal(planned)) return void (await refuseRequest(ports, request, refuse(planned.code, `${compared.why} ${planned.text}`)))
    await askAnew(ports, id, compared.why, (anew) => writePlan(ports, request, planned, ['waiting', 'granted'], anew))
    return void (await retryStore(ports.log, () => planNextCheck(ports.db, request)))
  }
  const granted = request.state === 'granted' ? await retryStore(ports.log, () => ports.stillGranted(id)) : true
  if (granted !== true && granted.code === 'not_an_approver') await backToWaiting(ports, request, granted)
  await retryStore(ports.log, () =>
    ports.db.transaction(async (tx) => {
      if (!(await planNextCheck(tx, request))) return // an earlier try arrived, and only its answer was lost
      await addEvent(
        tx,
        id,
        compared.kind === 'same'
          ? { kind: 'checked', data: {} }
          : {
              kind: 'finding',
              data: { text: `It could not be compared before its turn: ${compared.why} It is compared again when its turn comes.` },
            },
      )
      await writeAudit(tx, { ...about(request), act: 'check', result: compared.kind === 'same' ? 'unchanged' : 'unknown' })
    }),
  )
}
