import { writeAudit, type Entry } from '../../src/audit/write.ts'
import type { Tx } from '../../src/store/pool.ts'
import { killPoint } from '../../src/lib/failpoint.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { GlassRules, PolicySnapshot, RequestRow } from '../../src/request/request.ts'
import { addEvent, listRequests, lockRequest, requestByToken, transition, votesOf } from '../../src/request/store.ts'
import type { ApprovalDeps } from '../deps.ts'
import type { Actor } from '../people.ts'
import { accountsIn, decide, glassRulesOf, groupsIn, mayBreakGlass, reviewersIn, type Question } from '../policy.ts'
import { readQuestion } from '../grant-check.ts'
import { whyNoApproval } from '../requests/start-slot.ts'
import { grantFor, staleButton, whenItRuns, whyClosed } from '../vote.ts'
import { code, list, mentionApprover } from '../wording.ts'

export type Breaking = {
  readonly token: string
  /** `U…` or `os:name`. */
  readonly account: string
  readonly entry: Entry
  /** What stood before the person's eyes. */
  readonly digest: string
  /** Null: the one that the request was asked with. */
  readonly reason: string | null
}

/** `text` is for the one who broke it alone. */
export type Broken = { readonly kind: 'broken'; readonly requestId: number; readonly text: string }

/** As long as a reason for a request. */
export const LONGEST_GLASS_REASON = 500

/**
 * One person, named for it, lets a request run without approvals. Everything else holds: it is for one digest, used once, and expires;
 * backup, checks and comparisons are those of an approved run. A vote of its own kind, so that nobody takes it for an approval.
 */
export async function breakGlass(deps: ApprovalDeps, asked: Breaking): Promise<Broken | Refusal> {
  const actor = await deps.people.identify(asked.account, { fresh: true })
  const seen = await requestByToken(deps.db, asked.token)
  if (seen === undefined) return record(deps, asked, undefined, staleButton())
  if (isRefusal(actor)) return record(deps, asked, seen, actor)
  if (asked.account.startsWith('os:') && (await deps.people.isSlackReachable())) return record(deps, asked, seen, breakInSlack(seen))
  const ballot = { account: asked.account, digest: asked.digest, decision: 'break_glass' } as const
  const early = await whyClosed(deps, deps.db, seen, ballot)
  if (early !== undefined) return record(deps, asked, seen, early)
  const question = await readQuestion(deps, seen, await votesOf(deps.db, seen.id))
  if (isRefusal(question)) return record(deps, asked, seen, question)
  const reviewers = await reviewersLeft(deps, seen, actor)
  const outcome = await deps.db.transaction(async (tx) => {
    const request = await lockRequest(tx, seen.id)
    if (request === undefined) return staleButton()
    const votes = await votesOf(tx, request.id)
    const done =
      (await whyClosed(deps, tx, request, ballot)) ??
      (await whyNoApproval(deps, tx, request)) ??
      (await breakNow(deps, tx, { ...question, request, votes }, { request, actor, asked, reviewers }))
    await auditBreaking(deps, tx, asked, request, done)
    return done
  })
  if (!isRefusal(outcome)) killPoint('after-break-glass')
  return outcome
}

/** Why somebody may not break the glass of a target; undefined when he may. Groups are asked of Slack. */
export async function whyNotBreakGlass(
  deps: Pick<ApprovalDeps, 'people' | 'command'>,
  target: Parameters<typeof glassRulesOf>[0],
  human: string,
): Promise<Refusal | undefined> {
  const rules = glassRulesOf(target)
  if (rules === undefined) return notConfigured(target.name, deps.command)
  const members = await deps.people.membersOf(groupsIn(rules.from, rules.review), { fresh: true })
  const circle = { from: rules.from, members }
  const may = mayBreakGlass({ ...nothing, humanOf: deps.people.humanOf, glass: { atRequest: circle, now: circle } }, human)
  const forbidden = whyForbidden(may, target.name, rules.from, deps.command)
  if (forbidden !== undefined) return forbidden
  const left = reviewersIn({ from: rules.review, members }, [human], deps.people.humanOf)
  return left?.length === 0 ? nobodyReviews(rules.review) : undefined
}

const nothing: Omit<Question, 'humanOf'> = {
  request: { requester: '', requesterHuman: '', digest: null },
  votes: [],
  atRequest: { required: 1, from: [], members: {} },
  now: { required: 1, from: [], members: {} },
}

/** Reviewers without those who take part; undefined when Slack does not say who they are. */
async function reviewersLeft(deps: ApprovalDeps, request: RequestRow, actor: Actor): Promise<readonly string[] | undefined> {
  const target = deps.targets.get(request.target)
  const rules = (target === undefined ? undefined : glassRulesOf(target)) ?? request.policy?.breakGlass
  if (rules === undefined) return []
  const members = await deps.people.membersOf(groupsIn(rules.review), { fresh: true })
  return reviewersIn({ from: rules.review, members }, involvedIn(request, actor), deps.people.humanOf)
}

const involvedIn = (request: RequestRow, actor: Actor): readonly string[] => [
  ...new Set([...(request.glass?.involved ?? []), request.requester, request.requesterHuman, actor.account, actor.human]),
]

type Act = {
  readonly request: RequestRow
  readonly actor: Actor
  readonly asked: Breaking
  readonly reviewers: readonly string[] | undefined
}

async function breakNow(deps: ApprovalDeps, tx: Tx, question: Question, act: Act): Promise<Broken | Refusal> {
  const { request, actor, asked } = act
  const rules = request.policy?.breakGlass
  const may = mayBreakGlass(question, actor.human)
  if (may === 'off' || rules === undefined || request.policy === null) return notConfigured(request.target, deps.command, request)
  const forbidden = whyForbidden(may, request.target, rules.from, deps.command, request)
  if (forbidden !== undefined) return forbidden
  const reason = whyNoReason(asked.reason ?? request.glass?.reason ?? '')
  if (isRefusal(reason)) return reason
  if (act.reviewers?.length === 0) return nobodyReviews(rules.review)
  await tx.query(
    `insert into lockkeeper.vote (request_id, digest, actor, human, decision, reason) values ($1, $2, $3, $4, 'break_glass', $5)
     on conflict (request_id, digest, human) do update set actor = excluded.actor, decision = excluded.decision, reason = excluded.reason,
       at = lockkeeper.now()`,
    [request.id, request.digest, actor.account, actor.human, reason],
  )
  await tx.query(
    `insert into lockkeeper.break_glass as g (request_id, reason, asked_by, digest, broken_by, broken_at, involved, review, remind_ms, remind_at)
     values ($1, $2, $3, $4, $3, lockkeeper.now(), $5, $7, $6::bigint, lockkeeper.now() + $6 * interval '1 millisecond')
     on conflict (request_id) do update set reason = excluded.reason, digest = excluded.digest, broken_by = excluded.broken_by,
       broken_at = excluded.broken_at, review = excluded.review, remind_ms = excluded.remind_ms, remind_at = excluded.remind_at,
       involved = array(select distinct unnest(g.involved || excluded.involved))`,
    [request.id, reason, actor.account, request.digest, involvedIn(request, actor), rules.remindMs, rules.review],
  )
  const standing = decide(question)
  const unreviewed = (await listRequests(tx, { target: request.target, isUnreviewed: true, limit: 20 })).map(({ id }) => id)
  await addEvent(tx, request.id, {
    kind: 'glass_broken',
    data: {
      by: actor.account,
      reason,
      count: standing.approvals.length,
      required: standing.required,
      review: rules.review,
      users: toldOf(request.policy, rules, (account) => deps.people.humanOf(account) === actor.human),
      unreviewed: unreviewed.filter((id) => id !== request.id),
    },
  })
  await transition(tx, request.id, ['waiting'], 'granted', grantFor(deps, request))
  // by the revision, as for votes: the same plan may be let through twice
  await deps.engine.signal(tx, request.id, { kind: 'decided' }, `vote:${request.id}:${request.revision}:break_glass`)
  return {
    kind: 'broken',
    requestId: request.id,
    text: `You broke the glass of #${request.id}. ${request.notBefore === null ? 'The run starts now, everybody' : `${await whenItRuns(tx, request)} Everybody`} who may approve is told, and ${list(rules.review.map(mentionApprover), 'or')} must review it afterwards.`,
  }
}

/** Accounts that are told by a direct message: everybody who approves or reviews, but not whoever did it. */
function toldOf(policy: PolicySnapshot, rules: GlassRules, isActor: (account: string) => boolean): readonly string[] {
  return accountsIn({ from: [...policy.from, ...rules.review], members: policy.members }).filter((account) => !isActor(account))
}

/** The reason in one line, or why it is none. */
export function whyNoReason(text: string): string | Refusal {
  const reason = text.replace(/\s+/gu, ' ').trim()
  if (reason === '')
    return refuse(
      'bad_arguments',
      `Breaking the glass needs a reason, which everybody reads. Nothing was started. Say in a sentence what cannot wait, for example ${code('--reason "checkout is down, the index is missing"')}.`,
    )
  if (reason.length > LONGEST_GLASS_REASON)
    return refuse(
      'bad_arguments',
      `The reason is ${reason.length.toLocaleString('en-US')} characters long, and at most ${LONGEST_GLASS_REASON} fit on the card. Nothing was started.`,
    )
  return reason
}

/** `request` when there is one already; its usual way is its own card. */
const usualWay = (target: string, command: string, request: RequestRow | undefined) =>
  request === undefined ? `The usual way is ${code(`${command} deploy ${target}`)}.` : `#${request.id} waits for approvals as usual.`

export const notConfigured = (target: string, command: string, request?: RequestRow) =>
  refuse(
    'glass_not_configured',
    `Nobody may break the glass on ${code(target)}: \`breakGlass\` in lockkeeper.yaml names who may, and did not name anybody${request === undefined ? '' : ' when this was asked, or does not now'}. Nothing was started. ${usualWay(target, command, request)}`,
  )

function whyForbidden(
  may: ReturnType<typeof mayBreakGlass>,
  target: string,
  from: readonly string[],
  command: string,
  request?: RequestRow,
): Refusal | undefined {
  const who = list(from.map(mentionApprover), 'or')
  switch (may) {
    case 'yes':
      return undefined
    case 'off':
      return notConfigured(target, command, request)
    case 'no':
      return refuse(
        'not_allowed_to_break_glass',
        `The glass on ${code(target)} may be broken by ${who}${request === undefined ? '' : ', and only by those who were among them when it was asked and still are'}. You are not. Nothing was started. ${usualWay(target, command, request)}`,
      )
    case 'unknown':
      return refuse(
        'approvers_unknown',
        `The glass on ${code(target)} may be broken by ${who}, and Slack does not say now who that is. What cannot be checked is refused. Nothing was started; try again in a minute.`,
      )
  }
}

const nobodyReviews = (review: readonly string[]) =>
  refuse(
    'too_few_approvers',
    `Whoever breaks the glass is reviewed by somebody else afterwards, and of ${list(review.map(mentionApprover))} nobody else is left. Nothing was started. \`breakGlass.review\` in lockkeeper.yaml has to name more people.`,
  )

const breakInSlack = (request: RequestRow) =>
  refuse(
    'vote_in_slack',
    `Slack can be reached, so the glass of #${request.id} is broken there, on its card. The command line does it only while Slack cannot be reached. Nothing was started.`,
  )

async function record(deps: ApprovalDeps, asked: Breaking, request: RequestRow | undefined, refusal: Refusal): Promise<Refusal> {
  await auditBreaking(deps, deps.db, asked, request, refusal)
  return refusal
}

const auditBreaking = (
  deps: ApprovalDeps,
  db: Pick<Tx, 'query'>,
  asked: Breaking,
  request: RequestRow | undefined,
  outcome: Broken | Refusal,
) =>
  writeAudit(db, {
    actor: asked.account,
    human: deps.people.humanOf(asked.account),
    entry: asked.entry,
    act: 'break_glass',
    target: request?.target ?? null,
    requestId: request?.id ?? null,
    result: isRefusal(outcome) ? outcome.code : outcome.kind,
    digest: asked.digest.slice(0, 64),
    data: { reason: (asked.reason ?? request?.glass?.reason ?? '').slice(0, 1_000) },
  })
