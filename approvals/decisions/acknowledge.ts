import { endPage } from '../../src/notifications/on-call.ts'
import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { addEvent } from '../../src/request/store.ts'
import type { Tx } from '../../src/store/pool.ts'
import type { By } from './audit.ts'
import { takeDecision, type Held, type Which, type Written } from './decision.ts'
import type { ApprovalDeps } from '../deps.ts'
import { mention, when } from '../wording.ts'

export type Acknowledged = { readonly kind: 'acknowledged'; readonly requestId: number; readonly text: string }

/** Any full member may say that he looks at it: it changes nothing about the run, ends the paging, and names him. */
export const acknowledgePage = (deps: ApprovalDeps, asked: By & Which): Promise<Acknowledged | Refusal> =>
  takeDecision(deps, {
    act: 'acknowledge',
    by: asked,
    which: asked,
    lookUp: async () => null,
    read: newestPage,
    rule: ({ request, rows }) => openPage(request, rows),
    write: acknowledge,
  })

type Page = { readonly id: number; readonly by: string | null; readonly at: Date | null; readonly closedAt: Date | null }

async function newestPage(tx: Tx, request: RequestRow): Promise<Page | undefined> {
  const [page] = await tx.query<Page>(
    `select id, acknowledged_by as by, acknowledged_at as at, closed_at as "closedAt" from lockkeeper.page
     where request_id = $1 order by id desc limit 1 for update`,
    [request.id],
  )
  return page
}

/** The page that can be acknowledged. */
function openPage(request: RequestRow, page: Page | undefined): Page | Refusal {
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
  return page
}

async function acknowledge(tx: Tx, { request, actor }: Held<unknown, unknown>, page: Page): Promise<Written<Acknowledged>> {
  await tx.query('update lockkeeper.page set acknowledged_by = $2, acknowledged_at = lockkeeper.now() where id = $1', [
    page.id,
    actor.account,
  ])
  await addEvent(tx, request.id, { kind: 'page_acknowledged', data: { by: actor.account } })
  const data = { page: page.id, request: request.id, target: request.target, by: actor.account }
  await endPage(tx, page.id, { type: 'page.acknowledged', data })
  return {
    outcome: {
      kind: 'acknowledged',
      requestId: request.id,
      text: `You have acknowledged the page about #${request.id}, and the record names you. Nobody is paged any more.`,
    },
  }
}
