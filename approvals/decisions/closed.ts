import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { RequestRow, VoteRow } from '../../src/request/request.ts'
import { votesOf } from '../../src/request/store.ts'
import type { Queries } from '../../src/store/pool.ts'
import type { ApprovalDeps } from '../deps.ts'
import { isPast } from '../grant-check.ts'
import { code, endings, list, mention, shown, when } from '../wording.ts'

/** A vote or a broken glass: who, for what, and which. */
type Click = { readonly account: string; readonly digest: string; readonly decision: VoteRow['decision'] }

/** What closes a request to everybody, whoever clicks. Needs no look-up at Slack. */
export async function whyClosed(
  deps: Pick<ApprovalDeps, 'command' | 'people'>,
  db: Queries,
  request: RequestRow,
  ballot: Click,
): Promise<Refusal | undefined> {
  if (request.state === 'planning')
    return refuse(
      'stale_button',
      `#${request.id} is being planned again, so there is nothing to decide yet. Use the buttons of the card when the new plan is there.`,
    )
  if (request.state === 'expired') return requestExpired(request, deps.command)
  if (request.state !== 'waiting') return alreadyDecided(deps, db, request, ballot)
  if (isPast(request, request.expiresAt)) return requestExpired(request, deps.command)
  if (request.digest === null || request.digest !== ballot.digest) return digestChanged(request, ballot)
  return undefined
}

/** A second click by somebody whose vote is counted already is answered as such, also when it was the last one needed. */
async function alreadyDecided(deps: Pick<ApprovalDeps, 'people'>, db: Queries, request: RequestRow, ballot: Click): Promise<Refusal> {
  const votes = (await votesOf(db, request.id)).filter((vote) => vote.digest === request.digest)
  const own = votes.find((vote) => deps.people.humanOf(vote.human) === deps.people.humanOf(ballot.account))
  if (own !== undefined && own.decision === ballot.decision) return refuse('already_voted', ownDecision[own.decision](request.id))
  const rejection = votes.find((vote) => vote.decision === 'reject')
  if (rejection !== undefined)
    return refuse(
      'already_decided',
      `#${request.id} was rejected by ${mention(rejection.actor)} ${when(rejection.at)}${rejection.reason === null ? '' : `: “${shown(rejection.reason)}”`}. Your click changed nothing.`,
    )
  const breakGlassVote = votes.findLast((vote) => vote.decision === 'break_glass')
  const approvers = votes.filter((vote) => vote.decision === 'approve').map((vote) => mention(vote.actor))
  const state = request.state
  if (state === 'cancelled' || state === 'refused')
    return refuse('already_decided', `#${request.id} was ${endings[state]} ${when(request.endedAt)}. Your click changed nothing.`)
  if (breakGlassVote !== undefined)
    return refuse(
      'already_decided',
      `#${request.id} is decided already: ${mention(breakGlassVote.actor)} broke the glass ${when(breakGlassVote.at)}. Your click changed nothing.`,
    )
  return refuse(
    'already_decided',
    `#${request.id} is decided already: approved by ${list(approvers)}${request.grantedAt === null ? '' : ` ${when(request.grantedAt)}`}. Your click changed nothing.`,
  )
}

const ownDecision: Readonly<Record<VoteRow['decision'], (id: number) => string>> = {
  approve: (id) => `Your approval of #${id} is counted already, and it is decided. Nothing more is needed from you.`,
  reject: (id) => `You rejected #${id} already. Nothing more is needed from you.`,
  break_glass: (id) => `You broke the glass of #${id} already, and it is decided. Nothing more is needed from you.`,
}

const requestExpired = (request: RequestRow, command: string) =>
  refuse(
    'request_expired',
    `#${request.id} expired ${when(request.expiresAt ?? request.endedAt ?? request.createdAt)} without enough approvals. Nothing was changed. Ask again with ${code(`${command} deploy ${request.target}`)}.`,
  )

const digestChanged = (request: RequestRow, ballot: Click) =>
  refuse(
    'digest_changed',
    `The plan of #${request.id} has changed since this was shown: it was ${ballot.digest === '' ? 'not made yet' : code(ballot.digest.slice(0, 8))} and is ${code((request.digest ?? '').slice(0, 8))} now. Your click changed nothing. Read the card as it is now and decide about that.`,
  )
