import type { MigrationClass } from '../src/sql/effects/effect.ts'
import type { Finding } from '../src/sql/weigh/finding.ts'
import type { Target } from '../src/config/config.ts'
import { isRefusal, refuse, type Refusal } from '../src/lib/refusal.ts'
import type { PolicySnapshot, RequestRow, VoteRow } from '../src/request/request.ts'
import { requestById, votesOf } from '../src/request/store.ts'
import type { ApprovalDeps } from './deps.ts'
import { waiversOf, whyNotWaived } from './blocked.ts'
import { canBeApproved, decide, breakGlassRulesOf, groupsIn, rulesOf, type Question, type Rules, type Tally } from './policy.ts'
import { code, list, mention, mentionApprover, stateSince, when } from './wording.ts'

/**
 * The rules for a request as they are when its plan is made, with the members of its groups. A refusal when nobody, or not enough
 * people, could ever approve it.
 */
export async function policySnapshot(
  deps: Pick<ApprovalDeps, 'people'>,
  target: Target,
  classes: readonly MigrationClass[],
  requesterHuman: string,
  /** Asked to go without approvals: then nobody else needs to be left to approve it. */
  isBreakGlass = false,
  findings: readonly Finding[] = [],
): Promise<PolicySnapshot | Refusal> {
  const rules = rulesOf(target, classes)
  const waive = findings.some(({ weight }) => weight === 'blocker') ? waiversOf(target) : undefined
  const breakGlass = breakGlassRulesOf(target)
  const members = await deps.people.membersOf(groupsIn(rules.from, breakGlass?.from ?? [], breakGlass?.review ?? [], waive ?? []), {
    fresh: true,
  })
  const snapshot = { ...rules, members, ...(breakGlass === undefined ? {} : { breakGlass }), ...(waive === undefined ? {} : { waive }) }
  if (isBreakGlass && breakGlass !== undefined) return snapshot
  return canBeApproved(snapshot, requesterHuman, deps.people.humanOf) ?? snapshot
}

/** Everything that `decide` needs, looked up now. Done before a row is locked, since Slack may be slow. */
export async function readQuestion(
  deps: Pick<ApprovalDeps, 'people' | 'targets'>,
  request: RequestRow,
  votes: readonly VoteRow[],
): Promise<Question | Refusal> {
  const target = deps.targets.get(request.target)
  if (target === undefined) return targetGone(request)
  if (request.policy === null) return notYetVotable(request)
  const rules = rulesOf(target, classesOf(request))
  const hasStarted = request.startedAt !== null
  const breakGlassThen = request.policy.breakGlass
  const breakGlassNow = breakGlassRulesOf(target)
  const members = await deps.people.membersOf(groupsIn(rules.from, breakGlassThen === undefined ? [] : (breakGlassNow?.from ?? [])), {
    fresh: true,
  })
  // a run that has started never waits for Slack: a group that cannot be read now counts as it was when it was approved
  const now: Rules = { ...rules, members: hasStarted ? { ...request.policy.members, ...members } : members }
  return {
    request,
    votes,
    atRequest: request.policy,
    now,
    humanOf: deps.people.humanOf,
    barred: await barredAmong(deps, votes, hasStarted),
    ...(breakGlassThen === undefined || breakGlassNow === undefined
      ? {}
      : {
          breakGlass: {
            atRequest: { from: breakGlassThen.from, members: request.policy.members },
            now: { from: breakGlassNow.from, members: now.members },
          },
        }),
  }
}

/**
 * Asked by the run before its start and before each changing step. Not granted when the state, the time, the digest or today's rules
 * say no. `approvers_unknown` and `identity_unknown` mean that it could not be checked, which only happens before the start: the grant
 * stands until it expires, and asking again is right.
 */
export async function stillGranted(
  deps: Pick<ApprovalDeps, 'people' | 'targets' | 'db' | 'command'>,
  requestId: number,
): Promise<true | Refusal> {
  const request = await requestById(deps.db, requestId)
  if (request === undefined) return refuse('unknown_request', `There is no request #${requestId}.`)
  if (request.state !== 'granted' && request.state !== 'running')
    return refuse('already_decided', `#${request.id} is not approved: it is ${stateSince(request)}.`)
  if (request.cancelRequestedAt !== null)
    return refuse('already_decided', `#${request.id} was cancelled ${when(request.cancelRequestedAt)}.`)
  if (request.startedAt === null && isPast(request, request.grantExpiresAt)) return grantExpired(request, deps.command)
  const question = await readQuestion(deps, request, await votesOf(deps.db, request.id))
  if (isRefusal(question)) return question
  const tally = decide(question)
  // a broken glass lets it through with what the review found, which whoever broke it has seen
  if (tally.isGranted) return (tally.broken.length > 0 ? undefined : await whyNotWaived(deps, request)) ?? true
  return whyShort(request, tally, question.votes)
}

/** By the store's clock, which all replicas share, when the request was read. */
export const isPast = ({ readAt }: Pick<RequestRow, 'readAt'>, time: Date | null): boolean => time === null || time <= readAt

export const classesOf = (request: Pick<RequestRow, 'evidence'>): readonly MigrationClass[] =>
  request.evidence?.migrations.map((migration) => migration.class) ?? []

/** Approvers and those who broke the glass, who were deactivated, or of whom nothing can be learned now. */
async function barredAmong(
  deps: Pick<ApprovalDeps, 'people'>,
  votes: readonly VoteRow[],
  hasStarted: boolean,
): Promise<ReadonlySet<string>> {
  const accounts = [...new Set(votes.filter((vote) => vote.decision !== 'reject').map((vote) => vote.actor))]
  const found = await Promise.all(accounts.map(async (account) => [account, await deps.people.identify(account, { fresh: true })] as const))
  return new Set(
    found.flatMap(([account, who]) =>
      isRefusal(who) && !(hasStarted && who.code === 'identity_unknown') ? [deps.people.humanOf(account)] : [],
    ),
  )
}

function whyShort(request: RequestRow, tally: Tally, votes: Question['votes']): Refusal {
  const breakGlassVote = votes.findLast((vote) => vote.decision === 'break_glass' && vote.digest === request.digest)
  if (breakGlassVote !== undefined && tally.unreadBreakGlassGroups.length > 0)
    return refuse(
      'approvers_unknown',
      `${mention(breakGlassVote.actor)} broke the glass of #${request.id}, and Slack does not say now who is in ${list(tally.unreadBreakGlassGroups.map((group) => mentionApprover(`group:${group}`)))}. What cannot be checked does not count.`,
    )
  if (breakGlassVote !== undefined)
    return refuse(
      'not_an_approver',
      `${mention(breakGlassVote.actor)} broke the glass of #${request.id} and may not do that under the rules as they are now: somebody may have left the group, or \`breakGlass\` of ${code(request.target)} has changed. It needs an approval, or somebody who may.`,
    )
  return approvalsShort(request, tally)
}

function approvalsShort(request: RequestRow, tally: Tally): Refusal {
  const count = `${tally.approvals.length} of ${tally.required}`
  if (tally.unreadGroups.length > 0)
    return refuse(
      'approvers_unknown',
      `#${request.id} counts ${count} approvals, because Slack does not say now who is in ${list(tally.unreadGroups.map((group) => mentionApprover(`group:${group}`)))}. What cannot be checked does not count.`,
    )
  if (request.policy?.required === 0)
    return refuse(
      'not_an_approver',
      `#${request.id} was asked for when ${code(request.target)} needed no approval, and now it needs ${tally.required}. It has to be approved.`,
    )
  return refuse(
    'not_an_approver',
    `#${request.id} counts ${count} approvals under the rules as they are now. An approver may have left the group, or the rules for ${code(request.target)} became stricter. It has to be approved again.`,
  )
}

const grantExpired = (request: RequestRow, command: string) =>
  refuse(
    'grant_expired',
    `The approval of #${request.id} was good until ${when(request.grantExpiresAt ?? request.createdAt)} and the run had not started by then. Nothing was changed. Ask again with ${code(`${command} deploy ${request.target}`)}.`,
  )

const targetGone = (request: RequestRow) =>
  refuse('unknown_target', `${code(request.target)} is no longer in lockkeeper.yaml, so nobody may approve #${request.id}.`)

const notYetVotable = (request: RequestRow) =>
  refuse('stale_button', `#${request.id} has no plan to decide about: it is ${stateSince(request)}.`)
