import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import { openBlocker, type Blocker } from '../../src/request/blocker.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { addEvent } from '../../src/request/store.ts'
import type { Tx } from '../../src/store/pool.ts'
import { classesOf } from '../grant-check.ts'
import type { ApprovalDeps } from '../deps.ts'
import type { Actor } from '../people.ts'
import { groupsIn, mayAsk, rulesOf } from '../policy.ts'
import { code, list, mentionApprover } from '../wording.ts'
import type { By } from './audit.ts'
import { whyNotCancel } from './cancel.ts'
import { takeDecision, type Which } from './decision.ts'

/** What somebody decided about who is in the way of a migration. The run that waits hears of it and acts. */
type AboutBlocker = { readonly kind: 'waiting_on' | 'asked_to_end'; readonly requestId: number; readonly text: string }

/** Whoever may cancel may also wait on: one more try than the target allows. */
export const waitOn = (deps: ApprovalDeps, asked: By & Which): Promise<AboutBlocker | Refusal> =>
  takeDecision(deps, {
    act: 'wait_on',
    by: asked,
    which: asked,
    lookUp: async (request, actor) => (await whyNotCancel(deps, request, actor)) ?? null,
    read: blockerNow,
    rule: ({ request, rows }) => whyNotUnderWay(request) ?? rows ?? nobodyInTheWay(request),
    write: async (tx, { request, actor }, blocker) => {
      const { name } = blocker.shown
      await addEvent(tx, request.id, { kind: 'waits_on', data: { by: actor.account, name } })
      const text = `#${request.id} waits on for ${code(name)}: one more try. Each one gives up in time, so that the application does not wait behind it.`
      return { outcome: { kind: 'waiting_on', requestId: request.id, text } }
    },
  })

/** A right of approvers. `blocker`: which one stood in the window; another one is never ended in its place. */
export const endBlocker = (deps: ApprovalDeps, asked: By & Which & { readonly blocker: number }): Promise<AboutBlocker | Refusal> =>
  takeDecision(deps, {
    act: 'end_blocker',
    by: asked,
    which: asked,
    data: () => ({ blocker: asked.blocker }),
    lookUp: async (request, actor) => (await whyNotApprover(deps, request, actor)) ?? null,
    read: blockerNow,
    rule: ({ request, rows }) => whyNotUnderWay(request) ?? whyNotThis(request, rows, asked.blocker),
    write: async (tx, { request, actor }, { id, pid, shown: { name } }) => {
      await tx.query('update lockkeeper.blocker set asked_by = $2, asked_at = clock_timestamp() where id = $1', [id, actor.account])
      await addEvent(tx, request.id, { kind: 'end_asked', data: { by: actor.account, name, pid } })
      const text = `${code(name)} (pid ${pid}) is being ended, if it is still in the same transaction. The thread of #${request.id} says what came of it.`
      return { outcome: { kind: 'asked_to_end', requestId: request.id, text } }
    },
  })

/** What the button opens a window about, or why it does not. */
export async function blockerToEnd(deps: Pick<ApprovalDeps, 'db'>, request: RequestRow): Promise<Blocker | Refusal> {
  const blocker = await openBlocker(deps.db, request.id)
  return whyNotUnderWay(request) ?? whyNotThis(request, blocker, blocker?.id ?? 0)
}

const blockerNow = (tx: Tx, request: RequestRow): Promise<Blocker | null> => openBlocker(tx, request.id)

const whyNotUnderWay = (request: RequestRow): Refusal | undefined =>
  request.state === 'running' && request.ending === null && request.cancelRequestedAt === null
    ? undefined
    : refuse('stale_button', `#${request.id} does not run any more, so nobody is in its way. Nothing was changed.`)

const nobodyInTheWay = (request: RequestRow): Refusal =>
  refuse('stale_button', `Nobody is in the way of #${request.id} any more, so nothing was changed. It goes on by itself.`)

function whyNotThis(request: RequestRow, now: Blocker | null, wanted: number): Blocker | Refusal {
  if (now === null) return nobodyInTheWay(request)
  const who = `${code(now.shown.name)} (pid ${now.pid})`
  if (now.id !== wanted)
    return refuse(
      'stale_button',
      `Another session is in the way of #${request.id} now: ${who}. The one that you were shown has gone, so nothing was ended. Look at the card and press the button again if this one should go too.`,
    )
  if (now.askedBy !== null)
    return refuse('stale_button', `Somebody has asked already to end ${who}. The thread of #${request.id} says what came of it.`)
  if (now.shown.whyNotEnd !== null) return refuse('stale_button', `${who} cannot be ended from here. ${now.shown.whyNotEnd}`)
  return now
}

async function whyNotApprover(deps: ApprovalDeps, request: RequestRow, { human }: Actor): Promise<Refusal | undefined> {
  const { humanOf } = deps.people
  const target = deps.targets.get(request.target)
  const from = target === undefined ? (request.policy?.from ?? []) : rulesOf(target, classesOf(request)).from
  const names = list(from.map(mentionApprover), 'or')
  switch (mayAsk(from, await deps.people.membersOf(groupsIn(from), { fresh: true }), humanOf, human)) {
    case 'yes':
      return undefined
    case 'no':
      return refuse(
        'not_an_approver',
        `Only who may approve #${request.id} may end what is in its way: ${names}. You are none of them. Nothing was changed.`,
      )
    case 'unknown':
      return refuse(
        'approvers_unknown',
        `Only who may approve #${request.id} may end what is in its way: ${names}, and Slack does not say now who is in the group. What cannot be checked is refused. Nothing was changed.`,
      )
  }
}
