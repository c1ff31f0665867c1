import { writeAudit, type Entry } from '../src/audit/write.ts'
import type { Tx } from '../src/store/pool.ts'
import { endPage } from '../src/notifications/on-call.ts'
import { isRefusal, refuse, type Refusal } from '../src/lib/refusal.ts'
import type { RequestRow } from '../src/request/request.ts'
import { addEvent, lockRequest, requestById, requestByToken } from '../src/request/store.ts'
import type { ApprovalDeps } from './deps.ts'
import type { Actor } from './people.ts'
import { staleButton } from './vote.ts'
import { code, mention, when } from './wording.ts'

export type Acknowledging = { readonly account: string; readonly entry: Entry } & ({ readonly token: string } | { readonly id: number })

export type Acknowledged = { readonly kind: 'acknowledged'; readonly requestId: number; readonly text: string }

/** Any full member may say that he looks at it: it changes nothing about the run, ends the paging, and names him. */
export async function acknowledgePage(deps: ApprovalDeps, asked: Acknowledging): Promise<Acknowledged | Refusal> {
  const actor = await deps.people.identify(asked.account, { fresh: true })
  const seen = 'token' in asked ? await requestByToken(deps.db, asked.token) : await requestById(deps.db, asked.id)
  if (seen === undefined || isRefusal(actor)) {
    const refusal = isRefusal(actor) ? actor : unknown(deps, asked)
    await audit(deps, deps.db, asked, seen, refusal)
    return refusal
  }
  return deps.db.transaction(async (tx) => {
    const request = (await lockRequest(tx, seen.id)) ?? seen
    const outcome = await acknowledgeNow(tx, request, actor)
    await audit(deps, tx, asked, request, outcome)
    return outcome
  })
}

async function acknowledgeNow(tx: Tx, request: RequestRow, actor: Actor): Promise<Acknowledged | Refusal> {
  const [page] = await tx.query<{ id: number; by: string | null; at: Date | null; closedAt: Date | null }>(
    `select id, acknowledged_by as by, acknowledged_at as at, closed_at as "closedAt" from lockkeeper.page
     where request_id = $1 order by id desc limit 1 for update`,
    [request.id],
  )
  if (page === undefined)
    return refuse('nothing_to_acknowledge', `On-call was not paged about #${request.id}, so there is nothing to acknowledge.`)
  if (page.by !== null)
    return refuse(
      'nothing_to_acknowledge',
      `${mention(page.by)} acknowledged the page about #${request.id} ${when(page.at ?? request.createdAt)} already. Nobody is paged any more.`,
    )
  if (page.closedAt !== null)
    return refuse(
      'nothing_to_acknowledge',
      `#${request.id} was closed ${when(page.closedAt)}, which ended the page. Nobody is paged any more.`,
    )
  await tx.query('update lockkeeper.page set acknowledged_by = $2, acknowledged_at = lockkeeper.now() where id = $1', [
    page.id,
    actor.account,
  ])
  await addEvent(tx, request.id, { kind: 'page_acknowledged', data: { by: actor.account } })
  const data = { page: page.id, request: request.id, target: request.target, by: actor.account }
  await endPage(tx, page.id, { type: 'page.acknowledged', data })
  return {
    kind: 'acknowledged',
    requestId: request.id,
    text: `You have acknowledged the page about #${request.id}, and the record names you. Nobody is paged any more.`,
  }
}

const unknown = (deps: ApprovalDeps, asked: Acknowledging): Refusal =>
  'id' in asked
    ? refuse('unknown_request', `There is no request #${asked.id}. ${code(`${deps.command} history`)} lists those there are.`)
    : staleButton()

const audit = (
  deps: ApprovalDeps,
  db: Pick<Tx, 'query'>,
  asked: Acknowledging,
  request: RequestRow | undefined,
  outcome: Acknowledged | Refusal,
) =>
  writeAudit(db, {
    actor: asked.account,
    human: deps.people.humanOf(asked.account),
    entry: asked.entry,
    act: 'acknowledge',
    target: request?.target ?? null,
    requestId: request?.id ?? null,
    result: isRefusal(outcome) ? outcome.code : outcome.kind,
    digest: request?.digest ?? null,
  })
