import { failpoint } from '../../src/lib/failpoint.ts'
import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { RequestRow, VoteRow } from '../../src/request/request.ts'
import { addEvent, transition, votesOf } from '../../src/request/store.ts'
import type { Tx } from '../../src/store/pool.ts'
import type { By } from './audit.ts'
import { whyClosed } from './closed.ts'
import { takeDecision, type Held, type Written } from './decision.ts'
import { grant, whenItRuns, writeVote } from './grant.ts'
import type { ApprovalDeps } from '../deps.ts'
import { whyBlocked } from '../blocked.ts'
import { readQuestion } from '../grant-check.ts'
import { decide, mayVote, type Question, type Tally } from '../policy.ts'
import { whyNoApproval } from '../start-slot.ts'
import { code, list, mention, mentionApprover, shown, when } from '../wording.ts'

export type Ballot = By & {
  readonly token: string
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
  const voted = await takeDecision(deps, {
    act: ballot.decision,
    by: ballot,
    which: ballot,
    digest: ballot.digest,
    data: () => (ballot.reason === undefined ? {} : { reason: ballot.reason.slice(0, 1_000) }),
    whyInSlack: voteInSlack,
    whyClosed: (db, request) => whyClosed(deps, db, request, ballot),
    lookUp: async (request) => readQuestion(deps, request, await votesOf(deps.db, request.id)),
    read: async (tx, request) => {
      const isFor = ballot.decision === 'approve'
      const shut = isFor ? ((await whyNoApproval(deps, tx, request)) ?? (await whyBlocked(deps, tx, request))) : undefined
      return shut ?? votesOf(tx, request.id)
    },
    rule: (held) => voteFrom(deps, held, ballot),
    write: async (tx, held, vote) => {
      const written = await (vote.decision === 'reject' ? reject(tx, held, vote) : approve(deps, tx, held, vote))
      failpoint('in-vote')
      return written
    },
  })
  failpoint('after-vote')
  return voted
}

type Counting = Held<Question, readonly VoteRow[]>

type Vote = Pick<VoteRow, 'actor' | 'human' | 'decision' | 'reason'>

/** The vote as it is counted, or why it is not. */
function voteFrom(deps: ApprovalDeps, { request, actor, facts, rows: votes }: Counting, ballot: Ballot): Vote | Refusal {
  const question = { ...facts, request, votes }
  const before = decide(question)
  const may = mayVote(question, before, actor.human)
  if (may !== 'yes') return whyNotVote(may, deps, request, before, ballot)
  const own = votes.find((vote) => vote.digest === request.digest && deps.people.humanOf(vote.human) === actor.human)
  // it fell back to waiting while somebody was missing who is there again: a second click of an approver lets it go on
  if (own?.decision === 'approve' && ballot.decision === 'approve' && !before.isGranted) return alreadyVoted(request, before)
  const reason = ballot.reason?.trim() || null
  if (ballot.decision === 'reject' && reason === null) return reasonMissing(request)
  return { actor: actor.account, human: own?.human ?? actor.human, decision: ballot.decision, reason }
}

async function approve(deps: ApprovalDeps, tx: Tx, { request, actor, facts, rows }: Counting, vote: Vote): Promise<Written<Voted>> {
  const written = await writeVote(tx, request, vote)
  // the row is held, so these are all; whoever voted before has one vote still
  const others = rows.filter(({ digest, human }) => digest !== written.digest || human !== written.human)
  const after = decide({ ...facts, request, votes: [...others, written] })
  await addEvent(tx, request.id, {
    kind: 'approved',
    data: { by: actor.account, count: after.approvals.length, required: after.required },
  })
  const counted = `Your approval of #${request.id} is counted: ${progress(after)}.`
  if (!after.isGranted) {
    const lasts = request.notAfter === null ? '' : ` Yours lasts until its window closes, ${when(request.notAfter)}.`
    return { outcome: { kind: 'counted', requestId: request.id, text: `${counted} ${stillNeeded(after)}${lasts}` } }
  }
  const granted = await grant(deps, tx, request, 'approve')
  return { outcome: { kind: 'granted', requestId: request.id, text: `${counted} ${whenItRuns(request)}` }, ...granted }
}

async function reject(tx: Tx, { request, actor }: Counting, vote: Vote): Promise<Written<Voted>> {
  const reason = vote.reason ?? ''
  await writeVote(tx, request, vote)
  await transition(tx, request.id, ['waiting'], 'rejected', {
    outcome: { headline: `Rejected by ${mention(actor.account)}. Nothing was changed.`, why: shown(reason) },
  })
  await addEvent(tx, request.id, { kind: 'rejected', data: { by: actor.account, reason: reason.slice(0, 1_000) } })
  return {
    outcome: {
      kind: 'rejected',
      requestId: request.id,
      text: `You rejected #${request.id}. Nothing was changed, and ${code(request.target)} is free.`,
    },
    signal: { kind: 'decided', key: `vote:${request.id}:${request.digest ?? ''}:reject` },
  }
}

function whyNotVote(
  may: 'own_request' | 'not_an_approver' | 'approvers_unknown',
  deps: ApprovalDeps,
  request: RequestRow,
  tally: Tally,
  ballot: Ballot,
): Refusal {
  const from = request.policy?.from ?? []
  const who = list(from.map(mentionApprover), 'or')
  switch (may) {
    case 'own_request':
      return ownRequest(request, deps.command, ballot.decision, tally.approvals, tally.required)
    case 'not_an_approver':
      return refuse(
        'not_an_approver',
        `#${request.id} may be decided by ${who}, and only by those who were among them when it was asked and still are. You are not. Nothing was changed.`,
      )
    case 'approvers_unknown':
      return refuse(
        'approvers_unknown',
        `#${request.id} may be decided by ${who}, and Slack does not say now who is in ${list(tally.unreadGroups.map((group) => mentionApprover(`group:${group}`)))}. What cannot be checked is refused. Nothing was changed; try again in a minute.`,
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

const progress = (tally: Tally) => `${tally.approvals.length} of ${tally.required}`

const stillNeeded = (tally: Tally) => {
  const missing = tally.required - tally.approvals.length
  return missing === 1 ? 'One more is needed.' : `${missing} more are needed.`
}

const alreadyVoted = (request: RequestRow, tally: Tally) =>
  refuse('already_voted', `Your approval of #${request.id} is counted already: ${progress(tally)}. Nothing more is needed from you.`)

const reasonMissing = (request: RequestRow) =>
  refuse('bad_arguments', `Say in a sentence why you reject #${request.id}, so that the others know what to change.`)

const voteInSlack = (request: RequestRow) =>
  refuse(
    'vote_in_slack',
    `Slack can be reached, so #${request.id} is decided there, by the buttons of its card. The command line counts votes only while Slack cannot be reached. Nothing was changed.`,
  )
