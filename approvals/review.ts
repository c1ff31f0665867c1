import { writeAudit, type Entry } from '../src/audit/write.ts'
import type { Tx } from '../src/store/pool.ts'
import { killPoint } from '../src/lib/failpoint.ts'
import { isRefusal, refuse, type Refusal } from '../src/lib/refusal.ts'
import { endedStates, type RequestRow } from '../src/request/request.ts'
import { addEvent, lockRequest, requestByToken } from '../src/request/store.ts'
import type { ApprovalDeps } from './deps.ts'
import type { Actor } from './people.ts'
import { glassRulesOf, groupsIn, mayReview } from './policy.ts'
import { staleButton } from './vote.ts'
import { list, mention, mentionApprover, stateSince, when } from './wording.ts'

export type Reviewing = { readonly token: string; readonly account: string; readonly entry: Entry; readonly note: string | null }

export type Reviewed = { readonly kind: 'reviewed'; readonly requestId: number; readonly text: string }

export const LONGEST_NOTE = 1_000

/** A second human has looked at what ran without approvals. Until then it stays marked. */
export async function reviewRequest(deps: ApprovalDeps, asked: Reviewing): Promise<Reviewed | Refusal> {
  const actor = await deps.people.identify(asked.account, { fresh: true })
  const seen = await requestByToken(deps.db, asked.token)
  if (seen === undefined) return record(deps, asked, undefined, staleButton())
  if (isRefusal(actor)) return record(deps, asked, seen, actor)
  const from = reviewersOf(deps, seen)
  const members = await deps.people.membersOf(groupsIn(from), { fresh: true })
  const outcome = await deps.db.transaction(async (tx) => {
    const request = await lockRequest(tx, seen.id)
    if (request === undefined) return staleButton()
    const may = mayReview({ from, members }, request.glass?.involved ?? [], deps.people.humanOf, actor.human)
    const done = whyNotReview(request) ?? whyNotBy(may, request, from) ?? whyNotYet(request) ?? (await reviewNow(tx, request, actor, asked))
    await auditReview(deps, tx, asked, request, done)
    return done
  })
  if (!isRefusal(outcome)) killPoint('after-review')
  return outcome
}

/** As they are configured now; when the target no longer allows break-glass, or is gone, as they were when it happened. */
export function reviewersOf(deps: Pick<ApprovalDeps, 'targets'>, request: RequestRow): readonly string[] {
  const target = deps.targets.get(request.target)
  return (target === undefined ? undefined : glassRulesOf(target)?.review) ?? request.glass?.review ?? []
}

async function reviewNow(tx: Tx, request: RequestRow, actor: Actor, asked: Reviewing): Promise<Reviewed> {
  const note = asked.note?.trim().slice(0, LONGEST_NOTE) ?? ''
  const rows = await tx.query(
    `update lockkeeper.break_glass set reviewed_by = $2, reviewed_by_human = $3, reviewed_at = lockkeeper.now(), note = $4
     where request_id = $1 and reviewed_at is null returning 1`,
    [request.id, actor.account, actor.human, note === '' ? null : note],
  )
  if (rows.length !== 1) throw new Error(`the review of request ${request.id} was not written`)
  await addEvent(tx, request.id, { kind: 'reviewed', data: { by: actor.account, note } })
  return { kind: 'reviewed', requestId: request.id, text: `#${request.id} is reviewed, and the record names you. Its mark is gone.` }
}

/** What nobody could review, whoever asks. Needs no look-up at Slack. */
export function whyNotReview(request: RequestRow): Refusal | undefined {
  const { glass } = request
  if (glass?.brokenBy == null)
    return refuse('not_to_review', `The glass of #${request.id} was not broken, so there is nothing to review. Nothing was changed.`)
  if (glass.reviewedBy !== null)
    return refuse(
      'already_reviewed',
      `#${request.id} is reviewed already: ${mention(glass.reviewedBy)} did it ${when(new Date(glass.reviewedAt ?? 0))}. Your click changed nothing.`,
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

async function record(deps: ApprovalDeps, asked: Reviewing, request: RequestRow | undefined, refusal: Refusal): Promise<Refusal> {
  await auditReview(deps, deps.db, asked, request, refusal)
  return refusal
}

const auditReview = (
  deps: ApprovalDeps,
  db: Pick<Tx, 'query'>,
  asked: Reviewing,
  request: RequestRow | undefined,
  outcome: Reviewed | Refusal,
) =>
  writeAudit(db, {
    actor: asked.account,
    human: deps.people.humanOf(asked.account),
    entry: asked.entry,
    act: 'review',
    target: request?.target ?? null,
    requestId: request?.id ?? null,
    result: isRefusal(outcome) ? outcome.code : outcome.kind,
    digest: request?.digest ?? null,
    data: asked.note === null ? {} : { note: asked.note.slice(0, LONGEST_NOTE) },
  })
