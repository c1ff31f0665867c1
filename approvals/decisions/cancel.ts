import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { addEvent, endLater, transition } from '../../src/request/store.ts'
import type { Tx } from '../../src/store/pool.ts'
import type { By } from './audit.ts'
import { takeDecision, type Which, type Written } from './decision.ts'
import type { ApprovalDeps } from '../deps.ts'
import type { Actor } from '../people.ts'
import { groupsIn, mayAsk, rulesOf } from '../policy.ts'
import { classesOf } from '../grant-check.ts'
import { code, list, mention, mentionApprover, stateSince, when } from '../wording.ts'

export type Cancelled = {
  /** `closed`: it needed a person, and a person took over. */
  readonly kind: 'cancelled' | 'cancelling' | 'closed'
  readonly requestId: number
  readonly text: string
}

/** The requester or any approver may cancel. What has not started ends at once; a running step ends in the order that is safe for it. */
export const cancelRequest = (deps: ApprovalDeps, asked: By & Which): Promise<Cancelled | Refusal> =>
  takeDecision(deps, {
    act: 'cancel',
    by: asked,
    which: asked,
    lookUp: async (request, actor) => (await whyNotCancel(deps, request, actor)) ?? null,
    read: async () => null,
    rule: ({ request }) => howToCancel(request),
    write: (tx, { request, actor }, how) => ways[how](tx, request, actor),
  })

/** Who may cancel a request, beside its requester and whoever broke its glass: those who may approve it today. */
export async function mayCancel(
  deps: Pick<ApprovalDeps, 'people' | 'targets'>,
  request: RequestRow,
  human: string,
): Promise<'yes' | 'no' | 'unknown'> {
  const { humanOf } = deps.people
  const own = [request.requester, request.requesterHuman, ...(request.breakGlass?.brokenBy == null ? [] : [request.breakGlass.brokenBy])]
  if (own.map(humanOf).includes(humanOf(human))) return 'yes'
  const target = deps.targets.get(request.target)
  const from = target === undefined ? (request.policy?.from ?? []) : rulesOf(target, classesOf(request)).from
  return mayAsk(from, await deps.people.membersOf(groupsIn(from), { fresh: true }), humanOf, human)
}

type Way = 'end' | 'stop' | 'close' | 'close later'

function howToCancel(request: RequestRow): Way | Refusal {
  switch (request.state) {
    case 'planning':
    case 'waiting':
    case 'granted':
      return 'end'
    case 'running':
      if (request.ending !== null)
        return refuse(
          'nothing_to_cancel',
          `#${request.id} has stopped already, and only maintenance mode is still being switched off, which is not interrupted. Its card says how that ends. Nothing was changed.`,
        )
      return request.cancelRequestedAt === null ? 'stop' : beingCancelled(request)
    case 'needs_human':
      return request.owesOff ? 'close later' : 'close'
    default:
      return refuse('nothing_to_cancel', `#${request.id} is not under way: it ${ended(request)}. Nothing was changed.`)
  }
}

const ways: Readonly<Record<Way, (tx: Tx, request: RequestRow, actor: Actor) => Promise<Written<Cancelled>>>> = {
  async end(tx, request, actor) {
    await endCancelled(tx, request, `Cancelled by ${mention(actor.account)} before it started. Nothing was changed.`)
    return written(request, 'cancelled', `#${request.id} is cancelled. Nothing was changed, and ${code(request.target)} is free.`)
  },
  async stop(tx, request, actor) {
    await tx.query(`update lockkeeper.request set cancel_requested_at = lockkeeper.now(), cancel_requested_by = $2 where id = $1`, [
      request.id,
      actor.account,
    ])
    await addEvent(tx, request.id, { kind: 'cancel_requested', data: { by: actor.account } })
    return written(
      request,
      'cancelling',
      `#${request.id} is being cancelled. It stops where that is safe, and its card says where that was.`,
    )
  },
  async close(tx, request, actor) {
    await endCancelled(tx, request, `Closed by ${mention(actor.account)}, who took over. Lockkeeper does nothing more about this run.`)
    return written(
      request,
      'closed',
      `#${request.id} is closed, and the record says that you took over. Lockkeeper changes nothing about what it found: make sure of the state of ${code(request.target)} before the next run, which is possible now.`,
    )
  },
  /** Maintenance mode stayed on while it was not clear what the database was doing. Somebody has looked, so it is switched off. */
  async 'close later'(tx, request, actor) {
    const headline = `Closed by ${mention(actor.account)}, who took over.`
    await endLater(tx, request.id, 'needs_human', 'cancelled', { ...request.outcome, headline })
    return written(
      request,
      'closed',
      `#${request.id} closes as soon as maintenance mode is off, and its card says how that went. The record says that you took over. Lockkeeper changes nothing else about what it found: make sure of the state of ${code(request.target)} before the next run, which is possible then.`,
      'close', // whoever tried to cancel it before has used the other key
    )
  },
}

const written = ({ id }: RequestRow, kind: Cancelled['kind'], text: string, key: 'cancel' | 'close' = 'cancel'): Written<Cancelled> => ({
  outcome: { kind, requestId: id, text },
  signal: { kind: 'cancel', key: `${key}:${id}` },
})

/** What stood in the outcome before (what is known of a run that needed a person) stays. */
async function endCancelled(tx: Tx, request: RequestRow, headline: string): Promise<void> {
  await transition(tx, request.id, [request.state], 'cancelled', { outcome: { ...request.outcome, headline } })
  await addEvent(tx, request.id, { kind: 'ended', data: { state: 'cancelled' } })
}

/** For whoever may also decide how long it waits. */
export async function whyNotCancel(deps: ApprovalDeps, request: RequestRow, actor: Actor): Promise<Refusal | undefined> {
  const from = (request.policy?.from ?? deps.targets.get(request.target)?.approvals.from ?? []).map(mentionApprover)
  switch (await mayCancel(deps, request, actor.human)) {
    case 'yes':
      return undefined
    case 'no':
      return refuse(
        'not_allowed_to_cancel',
        `#${request.id} may be cancelled by ${mention(request.requester)}, who asked for it, or by ${list(from, 'or')}. You are none of them. Nothing was changed.`,
      )
    case 'unknown':
      return refuse(
        'approvers_unknown',
        `#${request.id} may be cancelled by ${mention(request.requester)}, who asked for it, or by ${list(from, 'or')}, and Slack does not say now who is in the group. What cannot be checked is refused. Nothing was changed; try again in a minute.`,
      )
  }
}

const ended = (request: RequestRow) => {
  const since = stateSince(request)
  return ['cancelled', 'rejected', 'refused'].includes(request.state) ? `was ${since}` : since
}

const beingCancelled = (request: RequestRow) =>
  refuse(
    'nothing_to_cancel',
    `#${request.id} is being cancelled already${request.cancelRequestedBy === null ? '' : `: ${mention(request.cancelRequestedBy)} asked for it ${when(request.cancelRequestedAt ?? request.createdAt)}`}. It stops where that is safe.`,
  )
