import type { Tx } from '../../src/store/pool.ts'
import { failpoint } from '../../src/lib/failpoint.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { endedStates, type RequestRow } from '../../src/request/request.ts'
import { addEvent } from '../../src/request/store.ts'
import type { By } from './audit.ts'
import { takeDecision, type Written } from './decision.ts'
import type { ApprovalDeps } from '../deps.ts'
import type { Actor } from '../people.ts'
import { breakGlassRulesOf, groupsIn, mayReview } from '../policy.ts'
import { list, mention, mentionApprover, stateSince, when } from '../wording.ts'

export type Reviewing = By & { readonly token: string; readonly note: string | null }

export type Reviewed = { readonly kind: 'reviewed'; readonly requestId: number; readonly text: string }

export const LONGEST_NOTE = 1_000

/** A second human has looked at what ran without approvals. Until then it stays marked. */
export async function reviewRequest(deps: ApprovalDeps, asked: Reviewing): Promise<Reviewed | Refusal> {
  const outcome = await takeDecision(deps, {
    act: 'review',
    by: asked,
    which: asked,
    data: () => (asked.note === null ? {} : { note: asked.note.slice(0, LONGEST_NOTE) }),
    async lookUp(request) {
      const from = reviewersOf(deps, request)
      return { from, members: await deps.people.membersOf(groupsIn(from), { fresh: true }) }
    },
    read: async () => null,
    rule({ request, actor, facts }) {
      const may = mayReview(facts, request.breakGlass?.involved ?? [], deps.people.humanOf, actor.human)
      return whyNotReview(request) ?? whyNotBy(may, request, facts.from) ?? whyNotYet(request) ?? 'reviewed'
    },
    write: (tx, { request, actor }) => reviewNow(tx, request, actor, asked),
  })
  if (!isRefusal(outcome)) failpoint('after-review')
  return outcome
}

/** As they are configured now; when the target no longer allows break-glass, or is gone, as they were when it happened. */
export function reviewersOf(deps: Pick<ApprovalDeps, 'targets'>, request: RequestRow): readonly string[] {
  const target = deps.targets.get(request.target)
  return (target === undefined ? undefined : breakGlassRulesOf(target)?.review) ?? request.breakGlass?.review ?? []
}

async function reviewNow(tx: Tx, request: RequestRow, actor: Actor, asked: Reviewing): Promise<Written<Reviewed>> {
  const note = asked.note?.trim().slice(0, LONGEST_NOTE) ?? ''
  const rows = await tx.query(
    `update lockkeeper.break_glass set reviewed_by = $2, reviewed_by_human = $3, reviewed_at = lockkeeper.now(), note = $4
     where request_id = $1 and reviewed_at is null returning 1`,
    [request.id, actor.account, actor.human, note === '' ? null : note],
  )
  if (rows.length !== 1) throw new Error(`the review of request ${request.id} was not written`)
  await addEvent(tx, request.id, { kind: 'reviewed', data: { by: actor.account, note } })
  return {
    outcome: { kind: 'reviewed', requestId: request.id, text: `#${request.id} is reviewed, and the record names you. Its mark is gone.` },
  }
}

/** What nobody could review, whoever asks. Needs no look-up at Slack. */
export function whyNotReview(request: RequestRow): Refusal | undefined {
  const { breakGlass } = request
  if (breakGlass?.brokenBy == null)
    return refuse('not_to_review', `The glass of #${request.id} was not broken, so there is nothing to review. Nothing was changed.`)
  if (breakGlass.reviewedBy !== null)
    return refuse(
      'already_reviewed',
      `#${request.id} is reviewed already: ${mention(breakGlass.reviewedBy)} did it ${when(new Date(breakGlass.reviewedAt ?? 0))}. Your click changed nothing.`,
    )
  return undefined
}

/** While it is under way there is nothing final to look at. */
export function whyNotYet(request: RequestRow): Refusal | undefined {
  if ((endedStates as readonly string[]).includes(request.state)) return undefined
  const next = request.state === 'needs_human' ? 'Review it when somebody has taken over and closed it.' : 'Review it when it has ended.'
  return refuse('not_to_review', `#${request.id} has not ended: it is ${stateSince(request)}. ${next} Nothing was changed.`)
}

function whyNotBy(may: ReturnType<typeof mayReview>, request: RequestRow, from: readonly string[]): Refusal | undefined {
  const who = list(from.map(mentionApprover), 'or')
  switch (may) {
    case 'yes':
      return undefined
    case 'own':
      return ownBreakGlass(request, from)
    case 'no':
      return refuse('not_a_reviewer', `#${request.id} is reviewed by ${who}. You are not among them. Nothing was changed; its mark stays.`)
    case 'unknown':
      return refuse(
        'approvers_unknown',
        `#${request.id} is reviewed by ${who}, and Slack does not say now who that is. What cannot be checked is refused. Nothing was changed; try again in a minute.`,
      )
  }
}

export const ownBreakGlass = (request: RequestRow, from: readonly string[]) =>
  refuse(
    'own_break_glass',
    `You asked for #${request.id} or broke its glass yourself, so somebody else has to review it: one of ${list(from.map(mentionApprover), 'or')}. Nothing was changed; its mark stays.`,
  )
