import { escapeMarkup } from '../../lib/text/escape.ts'
import { writeAudit } from '../../audit/write.ts'
import { isRefusal, refuse, type Refusal } from '../../lib/refusal.ts'
import type { Plan } from '../../plan/plan.ts'
import { firstBold } from '../../request/render/words.ts'
import type { RequestRow } from '../../request/request.ts'
import { about, addEvent, requestById, transition } from '../../request/store.ts'
import { codeText, personText } from '../../lib/text/text.ts'
import { constraintOf, hasSqlState, sqlState } from '../../lib/sqlstate.ts'
import type { Tx } from '../../store/pool.ts'
import { retryStore, retryStoreOnly } from '../../store/retry-store.ts'
import { isAskedSince, type Anew } from './anew.ts'
import type { Planned, WorkflowPorts } from './ports.ts'

export async function planFirst(ports: WorkflowPorts, id: number): Promise<'waiting' | 'ended'> {
  const request = await retryStore(ports.log, () => requestById(ports.db, id))
  // planned by a process that died before this was checkpointed; votes may have come since
  if (request?.state === 'waiting' || request?.state === 'granted') return 'waiting'
  if (request?.state !== 'planning') return 'ended'
  const planned = await planSafely(ports, request)
  if (isRefusal(planned)) return refuseRequest(ports, request, planned)
  return retryStore(ports.log, () => writePlan(ports, request, planned, ['planning']))
}

/**
 * A fault while planning has touched nothing, so it ends the request with its reason rather than retrying for ever; but a store that is
 * away is waited for, as everywhere: that it is says nothing about the plan.
 */
export async function planSafely(ports: WorkflowPorts, request: RequestRow): Promise<Planned | Refusal> {
  try {
    return await retryStoreOnly(ports.log, () => ports.makePlan(request))
  } catch (error) {
    ports.log.error({ request: request.id, error: ports.redactor.text(String((error as Error).stack)) }, 'planning failed')
    const reason = escapeMarkup(ports.redactor.text((error as Error).message).slice(0, 500))
    return refuse('target_unfit', `The plan could not be made: ${reason} Nothing was touched. Mend that and ask again.`)
  }
}

export async function refuseRequest(ports: WorkflowPorts, request: RequestRow, refusal: Refusal): Promise<'ended'> {
  await retryStore(ports.log, () =>
    ports.db.transaction(async (tx) => {
      if (
        !(await transition(tx, request.id, ['planning', 'waiting', 'granted'], 'refused', {
          outcome: { headline: firstBold(refusal.text) },
        }))
      )
        return
      await addEvent(tx, request.id, { kind: 'ended', data: { state: 'refused' } })
      await writeAudit(tx, { ...about(request), act: 'plan', result: refusal.code })
    }),
  )
  return 'ended'
}

export async function writePlan(
  ports: WorkflowPorts,
  request: RequestRow,
  planned: Planned,
  from: readonly RequestRow['state'][],
  anew?: Anew,
): Promise<'waiting' | 'ended'> {
  const { plan, digest, evidence, policy } = planned
  const why = anew?.why
  try {
    return await ports.db.transaction(async (tx) => {
      if (anew !== undefined && (await isAskedSince(tx, request.id, anew))) return whereItStands(tx, request.id)
      const identityKey = `${plan.identity.systemIdentifier}/${plan.identity.databaseOid}`
      const moved = await transition(tx, request.id, from, 'waiting', {
        plan,
        digest,
        evidence,
        policy,
        identityKey,
        expiresIn: policy.expiresMs,
      })
      if (!moved) return whereItStands(tx, request.id)
      await addEvent(tx, request.id, why === undefined ? { kind: 'requested', data: {} } : { kind: 'asked_anew', data: { why } })
      const data = { commit: plan.commit, ...(why === undefined ? {} : { why: why.slice(0, 1_000) }) }
      await writeAudit(tx, { ...about(request), act: 'plan', result: 'planned', digest, data })
      await ports.grantAtOnce(tx, request.id)
      return 'waiting'
    })
  } catch (error) {
    if (!hasSqlState(error, sqlState.uniqueViolation) || constraintOf(error) !== 'request_active_database') throw error
    return refuseRequest(ports, request, await databaseTaken(ports, request, plan))
  }
}

/**
 * It was cancelled meanwhile, or the commit of an earlier try arrived and only its answer was lost: then it waits, and must be waited for,
 * unless it is granted already, since nobody has to approve it or somebody was quick.
 */
export async function whereItStands(tx: Tx, id: number): Promise<'waiting' | 'ended'> {
  const state = (await requestById(tx, id))?.state
  return state === 'waiting' || state === 'granted' ? 'waiting' : 'ended'
}

/** The same database under another name is one target: one request at a time. */
async function databaseTaken({ db, config }: WorkflowPorts, request: RequestRow, { identity }: Plan): Promise<Refusal> {
  const [holder] = await db.query<{ id: number; target: string; requester: string }>(
    `select id, target, requester from lockkeeper.request
     where identity_key = $1 and id <> $2 and state in ('planning','waiting','granted','running','needs_human')`,
    [`${identity.systemIdentifier}/${identity.databaseOid}`, request.id],
  )
  return refuse(
    'target_taken',
    holder === undefined
      ? `The database of ${codeText(request.target)} was taken by a request for another target, which has ended meanwhile. Nothing was started. Ask again.`
      : `The database of ${codeText(request.target)} is also that of ${codeText(holder.target)}, and taken there by #${holder.id} (asked by ${personText(holder.requester)}). Nothing was started. It frees when that ends, or with ${codeText(`${config.file.slack.command} cancel ${holder.id}`)}.`,
  )
}
