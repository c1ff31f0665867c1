import { failpoint } from '../../src/lib/failpoint.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { BreakGlassRules, PolicySnapshot, RequestRow } from '../../src/request/request.ts'
import { addEvent, listRequests, votesOf } from '../../src/request/store.ts'
import type { Tx } from '../../src/store/pool.ts'
import type { By } from '../decisions/audit.ts'
import { whyClosed } from '../decisions/closed.ts'
import { takeDecision, type Held, type Written } from '../decisions/decision.ts'
import { grant, whenItRuns, writeVote } from '../decisions/grant.ts'
import type { ApprovalDeps } from '../deps.ts'
import type { Actor } from '../people.ts'
import { accountsIn, decide, breakGlassRulesOf, groupsIn, mayBreakGlass, reviewersIn, type Question } from '../policy.ts'
import { readQuestion } from '../grant-check.ts'
import { whyNoApproval } from '../start-slot.ts'
import { code, list, mentionApprover } from '../wording.ts'

export type Breaking = By & {
  readonly token: string
  /** What stood before the person's eyes. */
  readonly digest: string
  /** Null: the one that the request was asked with. */
  readonly reason: string | null
}

/** `text` is for the one who broke it alone. */
export type Broken = { readonly kind: 'broken'; readonly requestId: number; readonly text: string }

/** As long as a reason for a request. */
export const LONGEST_BREAK_GLASS_REASON = 500

/**
 * One person, named for it, lets a request run without approvals. Everything else holds: it is for one digest, used once, and expires;
 * backup, checks and comparisons are those of an approved run. A vote of its own kind, so that nobody takes it for an approval.
 */
export async function breakGlass(deps: ApprovalDeps, asked: Breaking): Promise<Broken | Refusal> {
  const click = { account: asked.account, digest: asked.digest, decision: 'break_glass' } as const
  const outcome = await takeDecision(deps, {
    act: 'break_glass',
    by: asked,
    which: asked,
    digest: asked.digest,
    data: (request) => ({ reason: (asked.reason ?? request?.breakGlass?.reason ?? '').slice(0, 1_000) }),
    whyInSlack: breakInSlack,
    whyClosed: (db, request) => whyClosed(deps, db, request, click),
    async lookUp(request, actor) {
      const question = await readQuestion(deps, request, await votesOf(deps.db, request.id))
      return isRefusal(question) ? question : { question, reviewers: await reviewersLeft(deps, request, actor) }
    },
    read: async (tx, request) => (await whyNoApproval(deps, tx, request)) ?? votesOf(tx, request.id),
    rule: (held) => breakingFrom(deps, held, asked),
    write: (tx, held, breaking) => breakNow(deps, tx, held, breaking),
  })
  if (!isRefusal(outcome)) failpoint('after-break-glass')
  return outcome
}

type Facts = { readonly question: Question; readonly reviewers: readonly string[] | undefined }

type HeldRequest = Held<Facts, Question['votes']>

/** What lets it through: the rules that it was asked under, and the reason that everybody reads. */
type Permit = { readonly policy: PolicySnapshot; readonly rules: BreakGlassRules; readonly reason: string }

function breakingFrom(deps: ApprovalDeps, { request, actor, facts, rows: votes }: HeldRequest, asked: Breaking): Permit | Refusal {
  const { policy } = request
  const rules = policy?.breakGlass
  const may = mayBreakGlass({ ...facts.question, request, votes }, actor.human)
  if (may === 'off' || rules === undefined || policy === null) return notConfigured(request.target, deps.command, request)
  const forbidden = whyForbidden(may, request.target, rules.from, deps.command, request)
  if (forbidden !== undefined) return forbidden
  const reason = whyNoReason(asked.reason ?? request.breakGlass?.reason ?? '')
  if (isRefusal(reason)) return reason
  return facts.reviewers?.length === 0 ? nobodyReviews(rules.review) : { policy, rules, reason }
}

async function breakNow(
  deps: ApprovalDeps,
  tx: Tx,
  { request, actor, facts, rows: votes }: HeldRequest,
  { policy, rules, reason }: Permit,
): Promise<Written<Broken>> {
  await writeVote(tx, request, { actor: actor.account, human: actor.human, decision: 'break_glass', reason })
  await tx.query(
    `insert into lockkeeper.break_glass as g (request_id, reason, asked_by, digest, broken_by, broken_at, involved, review, remind_ms, remind_at)
     values ($1, $2, $3, $4, $3, lockkeeper.now(), $5, $7, $6::bigint, lockkeeper.now() + $6 * interval '1 millisecond')
     on conflict (request_id) do update set reason = excluded.reason, digest = excluded.digest, broken_by = excluded.broken_by,
       broken_at = excluded.broken_at, review = excluded.review, remind_ms = excluded.remind_ms, remind_at = excluded.remind_at,
       involved = array(select distinct unnest(g.involved || excluded.involved))`,
    [request.id, reason, actor.account, request.digest, involvedIn(request, actor), rules.remindMs, rules.review],
  )
  const count = decide({ ...facts.question, request, votes })
  const unreviewed = (await listRequests(tx, { target: request.target, isUnreviewed: true, limit: 20 })).map(({ id }) => id)
  await addEvent(tx, request.id, {
    kind: 'glass_broken',
    data: {
      by: actor.account,
      reason,
      count: count.approvals.length,
      required: count.required,
      review: rules.review,
      users: noticedOf(policy, rules, (account) => deps.people.humanOf(account) === actor.human),
      unreviewed: unreviewed.filter((id) => id !== request.id),
    },
  })
  const granted = await grant(deps, tx, request, 'break_glass')
  return {
    outcome: {
      kind: 'broken',
      requestId: request.id,
      text: `You broke the glass of #${request.id}. ${request.notBefore === null ? 'The run starts now, everybody' : `${whenItRuns(request)} Everybody`} who may approve is told, and ${list(rules.review.map(mentionApprover), 'or')} must review it afterwards.`,
    },
    ...granted,
  }
}

/** Why somebody may not break the glass of a target; undefined when he may. Groups are asked of Slack. */
export async function whyNotBreakGlass(
  deps: Pick<ApprovalDeps, 'people' | 'command'>,
  target: Parameters<typeof breakGlassRulesOf>[0],
  human: string,
): Promise<Refusal | undefined> {
  const rules = breakGlassRulesOf(target)
  if (rules === undefined) return notConfigured(target.name, deps.command)
  const members = await deps.people.membersOf(groupsIn(rules.from, rules.review), { fresh: true })
  const circle = { from: rules.from, members }
  const may = mayBreakGlass({ ...nothing, humanOf: deps.people.humanOf, breakGlass: { atRequest: circle, now: circle } }, human)
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
  const rules = (target === undefined ? undefined : breakGlassRulesOf(target)) ?? request.policy?.breakGlass
  if (rules === undefined) return []
  const members = await deps.people.membersOf(groupsIn(rules.review), { fresh: true })
  return reviewersIn({ from: rules.review, members }, involvedIn(request, actor), deps.people.humanOf)
}

const involvedIn = (request: RequestRow, actor: Actor): readonly string[] => [
  ...new Set([...(request.breakGlass?.involved ?? []), request.requester, request.requesterHuman, actor.account, actor.human]),
]

/** Accounts that are told by a direct message: everybody who approves or reviews, but not whoever did it. */
function noticedOf(policy: PolicySnapshot, rules: BreakGlassRules, isActor: (account: string) => boolean): readonly string[] {
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
  if (reason.length > LONGEST_BREAK_GLASS_REASON)
    return refuse(
      'bad_arguments',
      `The reason is ${reason.length.toLocaleString('en-US')} characters long, and at most ${LONGEST_BREAK_GLASS_REASON} fit on the card. Nothing was started.`,
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
