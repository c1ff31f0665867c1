import { writeAudit, type Entry } from '../src/audit/write.ts'
import type { Tx } from '../src/store/pool.ts'
import { killPoint } from '../src/lib/failpoint.ts'
import { isRefusal, refuse, type Refusal } from '../src/lib/refusal.ts'
import type { RequestRow, VoteRow } from '../src/request/request.ts'
import { addEvent, lockRequest, requestByToken, transition, votesOf, type Patch } from '../src/request/store.ts'
import type { ApprovalDeps } from './deps.ts'
import type { Actor } from './people.ts'
import { decide, mayVote, type Question, type Standing } from './policy.ts'
import { isPast, readQuestion } from './grant-check.ts'
import { whyNoApproval } from './requests/start-slot.ts'
import { code, endings, list, mention, mentionApprover, shown, when } from './wording.ts'

export type Ballot = {
  readonly token: string
  /** `U…` or `os:name`. */
  readonly account: string
  readonly entry: Entry
  readonly decision: 'approve' | 'reject'
  readonly reason?: string
  /** What stood before the person's eyes. */
  readonly digest: string
}

export type Voted = {
  readonly kind: 'counted' | 'granted' | 'rejected'
  readonly requestId: number
  /** For the voter alone. */
  readonly text: string
}

/**
 * Counts a vote and, with the last one that is needed, grants the request and wakes its run, all in one transaction. Who may vote is
 * looked up before the row is locked and decided while it is held.
 */
export async function castVote(deps: ApprovalDeps, ballot: Ballot): Promise<Voted | Refusal> {
  const actor = await deps.people.identify(ballot.account, { fresh: true })
  const seen = await requestByToken(deps.db, ballot.token)
  if (seen === undefined) return record(deps, ballot, undefined, staleButton())
  if (isRefusal(actor)) return record(deps, ballot, seen, actor)
  if (ballot.account.startsWith('os:') && (await deps.people.isSlackReachable())) return record(deps, ballot, seen, voteInSlack(seen))
  const early = await whyClosed(deps, deps.db, seen, ballot)
  if (early !== undefined) return record(deps, ballot, seen, early)
  const question = await readQuestion(deps, seen, await votesOf(deps.db, seen.id))
  if (isRefusal(question)) return record(deps, ballot, seen, question)
  const voted = await deps.db.transaction(async (tx) => {
    const request = await lockRequest(tx, seen.id)
    if (request === undefined) return staleButton()
    const votes = await votesOf(tx, request.id)
    const outcome =
      (await whyClosed(deps, tx, request, ballot)) ??
      (ballot.decision === 'approve' ? await whyNoApproval(deps, tx, request) : undefined) ??
      (await count(deps, tx, { ...question, request, votes }, request, votes, actor, ballot))
    await auditVote(deps, tx, ballot, request, outcome)
    killPoint('in-vote')
    return outcome
  })
  killPoint('after-vote')
  return voted
}

async function count(
  deps: ApprovalDeps,
  tx: Tx,
  question: Question,
  request: RequestRow,
  votes: readonly VoteRow[],
  actor: Actor,
  ballot: Ballot,
): Promise<Voted | Refusal> {
  const before = decide(question)
  const may = mayVote(question, before, actor.human)
  if (may !== 'yes') return whyNotVote(may, deps, request, before, ballot)
  const own = votes.find((vote) => vote.digest === request.digest && deps.people.humanOf(vote.human) === actor.human)
  // it fell back to waiting while somebody was missing who is there again: a second click of an approver lets it go on
  if (own?.decision === 'approve' && ballot.decision === 'approve' && !before.isGranted) return alreadyVoted(request, before)
  const reason = ballot.reason?.trim()
  if (ballot.decision === 'reject' && (reason === undefined || reason === '')) return reasonMissing(request)
  await writeVote(tx, request, actor, ballot, own)
  if (ballot.decision === 'reject') return reject(deps, tx, request, actor, reason ?? '')
  const after = decide({ ...question, votes: await votesOf(tx, request.id) })
  await addEvent(tx, request.id, {
    kind: 'approved',
    data: { by: actor.account, count: after.approvals.length, required: after.required },
  })
  if (!after.isGranted)
    return {
      kind: 'counted',
      requestId: request.id,
      text: `Your approval of #${request.id} is counted: ${progress(after)}. ${stillNeeded(after)}${request.notAfter === null ? '' : ` Yours lasts until its window closes, ${when(request.notAfter)}.`}`,
    }
  await transition(tx, request.id, ['waiting'], 'granted', grantFor(deps, request))
  // by the revision, since the same plan may be granted twice: the engine ignores a key that it has seen, and the run would sleep on
  await deps.engine.signal(tx, request.id, { kind: 'decided' }, `vote:${request.id}:${request.revision}:approve`)
  return {
    kind: 'granted',
    requestId: request.id,
    text: `Your approval of #${request.id} is counted: ${progress(after)}. ${await whenItRuns(tx, request)}`,
  }
}

async function reject(deps: ApprovalDeps, tx: Tx, request: RequestRow, actor: Actor, reason: string): Promise<Voted> {
  await transition(tx, request.id, ['waiting'], 'rejected', {
    outcome: { headline: `Rejected by ${mention(actor.account)}. Nothing was changed.`, why: shown(reason) },
  })
  await addEvent(tx, request.id, { kind: 'rejected', data: { by: actor.account, reason: reason.slice(0, 1_000) } })
  await deps.engine.signal(tx, request.id, { kind: 'decided' }, `vote:${request.id}:${request.digest ?? ''}:reject`)
  return {
    kind: 'rejected',
    requestId: request.id,
    text: `You rejected #${request.id}. Nothing was changed, and ${code(request.target)} is free.`,
  }
}

/** Whoever approved may still reject: the earlier vote is replaced, and the audit keeps both. */
async function writeVote(tx: Tx, request: RequestRow, actor: Actor, ballot: Ballot, own: VoteRow | undefined): Promise<void> {
  await tx.query(
    `insert into lockkeeper.vote (request_id, digest, actor, human, decision, reason) values ($1, $2, $3, $4, $5, $6)
     on conflict (request_id, digest, human) do update set actor = excluded.actor, decision = excluded.decision, reason = excluded.reason,
       at = lockkeeper.now()`,
    [request.id, request.digest, actor.account, own?.human ?? actor.human, ballot.decision, ballot.reason?.trim() || null],
  )
}

/** The shorter of then and now; for a window, until that closes. */
export function grantFor(deps: ApprovalDeps, request: RequestRow): Pick<Patch, 'grantExpiresIn' | 'grantExpiresAt'> {
  if (request.notAfter !== null) return { grantExpiresAt: request.notAfter }
  const then = request.policy?.grantExpiresMs ?? Infinity
  return { grantExpiresIn: Math.min(then, deps.targets.get(request.target)?.approvals.grantExpires ?? then) }
}

/** A sentence for whoever let it go. */
export async function whenItRuns(db: Pick<Tx, 'query'>, request: RequestRow): Promise<string> {
  if (request.notBefore === null || request.notAfter === null) return 'The run starts now.'
  const lasts = `this approval lasts until its window closes, ${when(request.notAfter)}`
  return (await isPast(db, request.notBefore))
    ? `The run starts now; ${lasts}.`
    : `It starts by itself ${when(request.notBefore)}; ${lasts}.`
}

/** A vote or a broken glass: who, for what, and which. */
type Click = { readonly account: string; readonly digest: string; readonly decision: VoteRow['decision'] }

/** What closes a request to everybody, whoever clicks. Needs no look-up at Slack. */
export async function whyClosed(
  deps: Pick<ApprovalDeps, 'command' | 'people'>,
  db: Pick<Tx, 'query'>,
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
  if (await isPast(db, request.expiresAt)) return requestExpired(request, deps.command)
  if (request.digest === null || request.digest !== ballot.digest) return digestChanged(request, ballot)
  return undefined
}

/** A second click by somebody whose vote is counted already is answered as such, also when it was the last one needed. */
async function alreadyDecided(
  deps: Pick<ApprovalDeps, 'people'>,
  db: Pick<Tx, 'query'>,
  request: RequestRow,
  ballot: Click,
): Promise<Refusal> {
  const votes = (await votesOf(db, request.id)).filter((vote) => vote.digest === request.digest)
  const own = votes.find((vote) => deps.people.humanOf(vote.human) === deps.people.humanOf(ballot.account))
  if (own !== undefined && own.decision === ballot.decision) return refuse('already_voted', ownDecision[own.decision](request.id))
  const rejection = votes.find((vote) => vote.decision === 'reject')
  if (rejection !== undefined)
    return refuse(
      'already_decided',
      `#${request.id} was rejected by ${mention(rejection.actor)} ${when(rejection.at)}${rejection.reason === null ? '' : `: “${shown(rejection.reason)}”`}. Your click changed nothing.`,
    )
  const glass = votes.findLast((vote) => vote.decision === 'break_glass')
  const approvers = votes.filter((vote) => vote.decision === 'approve').map((vote) => mention(vote.actor))
  const state = request.state
  if (state === 'cancelled' || state === 'refused')
    return refuse('already_decided', `#${request.id} was ${endings[state]} ${when(request.endedAt)}. Your click changed nothing.`)
  if (glass !== undefined)
    return refuse(
      'already_decided',
      `#${request.id} is decided already: ${mention(glass.actor)} broke the glass ${when(glass.at)}. Your click changed nothing.`,
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

function whyNotVote(
  may: 'own_request' | 'not_an_approver' | 'approvers_unknown',
  deps: ApprovalDeps,
  request: RequestRow,
  standing: Standing,
  ballot: Ballot,
): Refusal {
  const from = request.policy?.from ?? []
  const who = list(from.map(mentionApprover), 'or')
  switch (may) {
    case 'own_request':
      return ownRequest(request, deps.command, ballot.decision, standing.approvals, standing.required)
    case 'not_an_approver':
      return refuse(
        'not_an_approver',
        `#${request.id} may be decided by ${who}, and only by those who were among them when it was asked and still are. You are not. Nothing was changed.`,
      )
    case 'approvers_unknown':
      return refuse(
        'approvers_unknown',
        `#${request.id} may be decided by ${who}, and Slack does not say now who is in ${list(standing.unreadGroups.map((group) => mentionApprover(`group:${group}`)))}. What cannot be checked is refused. Nothing was changed; try again in a minute.`,
      )
  }
}

/** Also said before the confirmation opens, since it needs no look-up. */
export function ownRequest(
  request: RequestRow,
  command: string,
  decision: Ballot['decision'],
  approvals: readonly string[],
  required: number,
): Refusal {
  if (decision === 'reject')
    return refuse(
      'own_request',
      `You asked for #${request.id} yourself. To take it back, use Cancel or ${code(`${command} cancel ${request.id}`)}.`,
    )
  const given = approvals.length === 0 ? '' : `${list(approvals.map(mention))} ${approvals.length === 1 ? 'has' : 'have'}, `
  const missing = Math.max(1, required - approvals.length)
  return refuse(
    'own_request',
    `You asked for #${request.id} yourself, so somebody else has to approve it: ${given}${missing === 1 ? 'one' : missing}${approvals.length === 0 ? '' : ' more'} of ${list((request.policy?.from ?? []).map(mentionApprover), 'or')} ${missing === 1 ? 'is' : 'are'} needed.`,
  )
}

const progress = (standing: Standing) => `${standing.approvals.length} of ${standing.required}`

const stillNeeded = (standing: Standing) => {
  const missing = standing.required - standing.approvals.length
  return missing === 1 ? 'One more is needed.' : `${missing} more are needed.`
}

export const staleButton = () =>
  refuse(
    'stale_button',
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
  )

const alreadyVoted = (request: RequestRow, standing: Standing) =>
  refuse('already_voted', `Your approval of #${request.id} is counted already: ${progress(standing)}. Nothing more is needed from you.`)

const reasonMissing = (request: RequestRow) =>
  refuse('bad_arguments', `Say in a sentence why you reject #${request.id}, so that the others know what to change.`)

export const requestExpired = (request: RequestRow, command: string) =>
  refuse(
    'request_expired',
    `#${request.id} expired ${when(request.expiresAt ?? request.endedAt ?? request.createdAt)} without enough approvals. Nothing was changed. Ask again with ${code(`${command} deploy ${request.target}`)}.`,
  )

const digestChanged = (request: RequestRow, ballot: Click) =>
  refuse(
    'digest_changed',
    `The plan of #${request.id} has changed since this was shown: it was ${ballot.digest === '' ? 'not made yet' : code(ballot.digest.slice(0, 8))} and is ${code((request.digest ?? '').slice(0, 8))} now. Your click changed nothing. Read the card as it is now and decide about that.`,
  )

const voteInSlack = (request: RequestRow) =>
  refuse(
    'vote_in_slack',
    `Slack can be reached, so #${request.id} is decided there, by the buttons of its card. The command line counts votes only while Slack cannot be reached. Nothing was changed.`,
  )

async function record(deps: ApprovalDeps, ballot: Ballot, request: RequestRow | undefined, refusal: Refusal): Promise<Refusal> {
  await auditVote(deps, deps.db, ballot, request, refusal)
  return refusal
}

const auditVote = (deps: ApprovalDeps, db: Pick<Tx, 'query'>, ballot: Ballot, request: RequestRow | undefined, outcome: Voted | Refusal) =>
  writeAudit(db, {
    actor: ballot.account,
    human: deps.people.humanOf(ballot.account),
    entry: ballot.entry,
    act: ballot.decision,
    target: request?.target ?? null,
    requestId: request?.id ?? null,
    result: isRefusal(outcome) ? outcome.code : outcome.kind,
    digest: ballot.digest.slice(0, 64),
    data: ballot.reason === undefined ? {} : { reason: ballot.reason.slice(0, 1_000) },
  })
