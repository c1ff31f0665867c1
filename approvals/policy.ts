import type { MigrationClass } from '../src/sql/effects/effect.ts'
import { classOf, rulesForClass } from '../src/plan/rules/by-class.ts'
import { createHash } from 'node:crypto'
import type { Target } from '../src/config/config.ts'
import { refuse, type Refusal } from '../src/lib/refusal.ts'
import type { BreakGlassRules, PolicySnapshot, RequestRow, VoteRow } from '../src/request/request.ts'
import { list, mentionApprover } from './wording.ts'

/**
 * The one place that decides who may approve. Pure: who is in which group, and which account belongs to which human, is looked up by
 * the callers and handed in.
 */

/** Rules with their groups' members. A group that is not in `members` could not be read: nobody of it may approve. */
export type Rules = Pick<PolicySnapshot, 'required' | 'from' | 'members'>

export type HumanOf = (account: string) => string

/** Who belongs to it, with the members of its groups. */
type Circle = Pick<Rules, 'from' | 'members'>

export type Question = {
  readonly request: Pick<RequestRow, 'requester' | 'requesterHuman' | 'digest'>
  readonly votes: readonly Pick<VoteRow, 'actor' | 'human' | 'digest' | 'decision'>[]
  readonly atRequest: Rules
  readonly now: Rules
  readonly humanOf: HumanOf
  /** Humans that may not act today (deactivated since, look-up failed): their votes do not count. */
  readonly barred?: ReadonlySet<string>
  /** Who may let it run without approvals; left out when the target did not allow that then, or does not now. */
  readonly breakGlass?: { readonly atRequest: Circle; readonly now: Circle }
}

export type Tally = {
  /** The stricter of then and now. */
  readonly required: number
  /** Humans that may approve: in the rules then and now, and not the requester. */
  readonly eligible: ReadonlySet<string>
  /** Humans whose approvals of this digest count, in order of their votes. */
  readonly approvals: readonly string[]
  readonly isGranted: boolean
  readonly isRejected: boolean
  /** Groups that could not be read, then or now. */
  readonly unreadGroups: readonly string[]
  /** Humans that broke the glass for this digest and may still do so, in order. One of them is enough. */
  readonly broken: readonly string[]
  /** The same as `unreadGroups` of those who may break the glass. */
  readonly unreadBreakGlassGroups: readonly string[]
}

export function decide(question: Question): Tally {
  const { request, votes, atRequest, now, humanOf, barred = new Set<string>(), breakGlass } = question
  const required = Math.max(atRequest.required, now.required)
  const requesters = new Set([humanOf(request.requester), humanOf(request.requesterHuman)])
  const then = humansIn(atRequest, humanOf)
  const eligible = new Set([...humansIn(now, humanOf)].filter((human) => then.has(human) && !requesters.has(human) && !barred.has(human)))
  const counted = votes.filter((vote) => vote.digest === request.digest)
  const approvals = voicesAmong(counted, 'approve', humanOf).filter((human) => eligible.has(human))
  const broken = voicesAmong(counted, 'break_glass', humanOf).filter((human) => mayBreakGlass(question, human) === 'yes')
  const isRejected = counted.some((vote) => vote.decision === 'reject')
  return {
    required,
    eligible,
    approvals,
    isGranted: !isRejected && request.digest !== null && (approvals.length >= required || broken.length > 0),
    isRejected,
    unreadGroups: [...new Set([...unreadIn(atRequest), ...unreadIn(now)])],
    broken,
    unreadBreakGlassGroups: breakGlass === undefined ? [] : [...new Set([...unreadIn(breakGlass.atRequest), ...unreadIn(breakGlass.now)])],
  }
}

/** The human written down with the vote is mapped again: two accounts that became one human since count once. */
const voicesAmong = (votes: Question['votes'], decision: VoteRow['decision'], humanOf: HumanOf): readonly string[] => [
  ...new Set(votes.filter((vote) => vote.decision === decision).map((vote) => humanOf(vote.human))),
]

/** In the rules then and now. Unlike an approver, whoever asked may do it: that is what the right is for. */
export function mayBreakGlass({ breakGlass, humanOf, barred }: Question, human: string): 'yes' | 'off' | 'no' | 'unknown' {
  if (breakGlass === undefined) return 'off'
  const who = humanOf(human)
  const circles = [breakGlass.atRequest, breakGlass.now]
  if (barred?.has(who) === true) return 'no'
  if (circles.every((circle) => humansIn(circle, humanOf).has(who))) return 'yes'
  return circles.every((circle) => humansIn(circle, humanOf).has(who) || unreadIn(circle).length > 0) ? 'unknown' : 'no'
}

/** Who reviews what was let through: in the rules now, and none of those who asked for it or broke it. */
export function mayReview(circle: Circle, involved: readonly string[], humanOf: HumanOf, human: string): 'yes' | 'own' | 'no' | 'unknown' {
  const who = humanOf(human)
  if (involved.some((one) => humanOf(one) === who)) return 'own'
  if (humansIn(circle, humanOf).has(who)) return 'yes'
  return unreadIn(circle).length > 0 ? 'unknown' : 'no'
}

/** Humans that could review it; undefined when a group cannot be read, so that nobody knows. */
export function reviewersIn(circle: Circle, involved: readonly string[], humanOf: HumanOf): readonly string[] | undefined {
  const known = [...humansIn(circle, humanOf)].filter((human) => mayReview(circle, involved, humanOf, human) === 'yes')
  return known.length === 0 && unreadIn(circle).length > 0 ? undefined : known
}

/** The break-glass rules of a target; undefined when nobody may. */
export function breakGlassRulesOf(target: Target): BreakGlassRules | undefined {
  const { breakGlass, approvals } = target
  if (breakGlass === undefined) return undefined
  return { from: breakGlass.from, review: breakGlass.review ?? approvals.from, remindMs: breakGlass.remind }
}

export type MayVote = 'yes' | 'own_request' | 'not_an_approver' | 'approvers_unknown'

/** `approvers_unknown`: the person could be eligible through a group that cannot be read, and what cannot be checked is refused. */
export function mayVote(question: Question, tally: Tally, human: string): MayVote {
  const voter = question.humanOf(human)
  if (voter === question.humanOf(question.request.requester) || voter === question.humanOf(question.request.requesterHuman))
    return 'own_request'
  if (tally.eligible.has(voter)) return 'yes'
  const couldBeIn = (rules: Rules) => unreadIn(rules).length > 0 || humansIn(rules, question.humanOf).has(voter)
  return tally.unreadGroups.length > 0 && couldBeIn(question.atRequest) && couldBeIn(question.now) ? 'approvers_unknown' : 'not_an_approver'
}

/** Whether somebody may ask for a run of this target (`requests.from`); every full member when nothing is said. */
export function mayAsk(
  from: readonly string[] | undefined,
  members: Rules['members'],
  humanOf: HumanOf,
  human: string,
): 'yes' | 'no' | 'unknown' {
  if (from === undefined) return 'yes'
  const rules: Rules = { required: 1, from, members }
  if (humansIn(rules, humanOf).has(humanOf(human))) return 'yes'
  return unreadIn(rules).length > 0 ? 'unknown' : 'no'
}

/** Who may schedule and change maintenance windows of this target, and freeze and lock it: `windows.manage`, else whoever may ask for runs of it; undefined when every full member may. */
export const managersOf = ({ windows, requests }: Pick<Target, 'windows' | 'requests'>): readonly string[] | undefined =>
  windows.manage ?? requests.from

/** The rules of a target for these classes of change. What is unclear is treated as breaking. */
export function rulesOf(target: Target, classes: readonly MigrationClass[]): Omit<PolicySnapshot, 'members'> {
  const { from, breaking, expires, grantExpires } = target.approvals
  // the configuration is refused already; a protected target never starts by itself
  const required = Math.max(target.protected ? 1 : 0, target.approvals.required)
  const of = classOf(classes)
  const isStricter = breaking !== undefined && of === 'breaking'
  const own = rulesForClass(target, of).approvals
  const least = Math.max(target.protected ? 1 : 0, isStricter ? (breaking.required ?? 1) : 0, of === 'breaking' ? required : 0)
  return {
    required: Math.max(own?.required ?? required, least),
    from: own?.from ?? (isStricter ? breaking.from : undefined) ?? from,
    expiresMs: expires,
    grantExpiresMs: grantExpires,
  }
}

/** A request that nobody could ever approve is refused when it is made, not four hours later. */
export function canBeApproved(rules: Rules, requesterHuman: string, humanOf: HumanOf): Refusal | undefined {
  const eligible = [...humansIn(rules, humanOf)].filter((human) => human !== humanOf(requesterHuman))
  if (eligible.length >= rules.required) return undefined
  const unread = unreadIn(rules)
  if (unread.length > 0)
    return refuse(
      'approvers_unknown',
      `Slack does not say who is in ${list(unread.map((group) => mentionApprover(`group:${group}`)))}, so nobody of it may approve, and ${people(eligible.length)} ${eligible.length === 1 ? 'is' : 'are'} left where ${rules.required} must. Nothing was started. Try again when Slack answers, or have \`usergroups:read\` granted to Lockkeeper.`,
    )
  return refuse(
    'too_few_approvers',
    `This needs ${approvalsOf(rules.required)} from ${list(rules.from.map(mentionApprover))}, and without you ${eligible.length === 0 ? 'nobody is' : `only ${people(eligible.length)} ${eligible.length === 1 ? 'is' : 'are'}`} left to give ${rules.required === 1 ? 'it' : 'them'}. Somebody else can ask, or \`approvals\` in lockkeeper.yaml names more people.`,
  )
}

/** The groups that must be read before the question can be put. */
export const groupsIn = (...from: readonly (readonly string[])[]): readonly string[] => [
  ...new Set(
    from
      .flat()
      .filter((approver) => approver.startsWith('group:'))
      .map((approver) => approver.slice('group:'.length)),
  ),
]

/**
 * SHA-256 in hex over the approval rules and guards of a target, as configured, and over everything else that decides what a run does
 * beside its steps: where the code comes from, how it is installed, what the tool is given, what is backed up.
 */
export function policyHash(target: Target): string {
  return createHash('sha256')
    .update(
      canonical({
        approvals: target.approvals,
        breakGlass: target.breakGlass,
        requests: target.requests,
        protected: target.protected,
        lockTimeout: target.database.lockTimeout,
        statementTimeout: target.database.statementTimeout,
        onFailure: target.onFailure,
        order: target.order,
        classes: target.classes,
        review: target.review,
        after: target.after,
        soak: target.soak,
        guard: target.guard,
        url: target.database.url,
        source: target.source,
        tool: target.tool,
        current: target.current,
        backup: { provider: target.backup.provider, url: target.backup.url, clients: target.backup.clients },
      }),
    )
    .digest('hex')
}

const approvalsOf = (count: number) => (count === 1 ? 'an approval' : `${count} approvals`)
const people = (count: number) => (count === 1 ? '1 person' : `${count} people`)

/** Slack accounts, each once. */
export const accountsIn = ({ from, members }: Circle): readonly string[] => [
  ...new Set(from.flatMap((one) => (one.startsWith('group:') ? (members[one.slice('group:'.length)] ?? []) : [one.slice('user:'.length)]))),
]

/** Accounts that are told of a request: everybody who may approve it but whoever asked. */
export const approversOf = ({ policy, requester }: Pick<RequestRow, 'policy' | 'requester'>, humanOf: HumanOf): readonly string[] =>
  policy === null ? [] : accountsIn(policy).filter((account) => humanOf(account) !== humanOf(requester))

function humansIn(rules: Circle, humanOf: HumanOf): ReadonlySet<string> {
  return new Set(
    rules.from.flatMap((approver) =>
      approver.startsWith('group:')
        ? (rules.members[approver.slice('group:'.length)] ?? []).map(humanOf)
        : [humanOf(approver.slice('user:'.length))],
    ),
  )
}

const unreadIn = (rules: Circle): readonly string[] => groupsIn(rules.from).filter((group) => rules.members[group] === undefined)

/** JSON with sorted keys, so that the order in the file does not matter. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
