import { writeAudit } from '../../src/audit/write.ts'
import { claimEach, inSequence, isAnyDue, type Claim } from '../../src/store/claim-each.ts'
import type { Tx } from '../../src/store/pool.ts'
import { about, addEvent, requestById, transition, votesOf } from '../../src/request/store.ts'
import type { PolicySnapshot, RequestRow } from '../../src/request/request.ts'
import type { ApprovalDeps } from '../deps.ts'
import { accountsIn, decide, rulesOf } from '../policy.ts'
import { reviewersOf } from './review.ts'
import { classesOf } from '../grant-check.ts'
import { code, when } from '../wording.ts'

export type Expired = {
  readonly requests: number
  readonly grants: number
  readonly reminders: number
  readonly escalations: number
  readonly reviews: number
}

/**
 * Called every second or so by every replica. The store's clock decides what is due, and SKIP LOCKED gives each row to one of them; a
 * row that a vote holds at this moment is looked at next time.
 */
export async function expireDue(deps: ApprovalDeps): Promise<Expired> {
  const each = (claim: Claim, act: (tx: Tx, request: RequestRow) => Promise<void>) => () =>
    claimEach(deps.db, claim, async (tx, { id }) => {
      const request = await requestById(tx, id)
      if (request !== undefined) await act(tx, request)
    })
  const [requests, grants, reminders, escalations, reviews] = await inSequence(
    each(dueRequests, (tx, request) => expireRequest(deps, tx, request)),
    each(dueGrants, (tx, request) => expireGrant(deps, tx, request)),
    each(dueReminders, (tx, request) => remind(deps, tx, request)),
    each(dueEscalations, (tx, request) => escalate(deps, tx, request)),
    each(dueReviews, (tx, request) => remindReviewers(deps, tx, request)),
  )
  return { requests, grants, reminders, escalations, reviews }
}

const claimOf = (what: string, due: string, order: string, lock = 'r'): Claim => ({ what, due, id: 'r.id', order, lock: `of ${lock}` })

const dueRequests = claimOf(
  'requests',
  `select r.id from lockkeeper.request r where r.state = 'waiting' and r.expires_at <= lockkeeper.now()`,
  'r.expires_at',
)

const dueGrants = claimOf(
  'grants of requests',
  `select r.id from lockkeeper.request r where r.state = 'granted' and r.started_at is null and r.grant_expires_at <= lockkeeper.now()`,
  'r.grant_expires_at',
)

// half-way of the time that this plan has, once per plan
const dueReminders = claimOf(
  'reminders of requests',
  `select r.id from lockkeeper.request r
  where r.state = 'waiting' and r.digest is not null and r.policy is not null and r.expires_at > lockkeeper.now()
    and r.expires_at - ((r.policy->>'expiresMs')::float8 / 2) * interval '1 millisecond' <= lockkeeper.now()
    and not exists (select from lockkeeper.event e where e.request_id = r.id and e.kind = 'reminded' and e.data->>'digest' = r.digest)`,
  'r.expires_at',
)

// three quarters of that time: half of what was left after the reminder, once
const dueEscalations = claimOf(
  'escalations of requests',
  `select r.id from lockkeeper.request r
  where r.state = 'waiting' and r.digest is not null and r.policy is not null and r.expires_at > lockkeeper.now() and r.escalated_at is null
    and r.expires_at - ((r.policy->>'expiresMs')::float8 / 4) * interval '1 millisecond' <= lockkeeper.now()`,
  'r.expires_at',
)

// what ran without approvals and nobody has reviewed, again and again; one that needs a person has stopped too, and may stay so for long
const dueReviews = claimOf(
  'reviews of requests',
  `select r.id from lockkeeper.break_glass g join lockkeeper.request r on r.id = g.request_id
  where g.broken_at is not null and g.reviewed_at is null and g.remind_at <= lockkeeper.now() and (r.ended_at is not null or r.state = 'needs_human')`,
  'g.remind_at',
  'r, g',
)

export const expiryIsDue = isAnyDue([dueRequests, dueGrants, dueReminders, dueEscalations, dueReviews])

async function expireRequest(deps: ApprovalDeps, tx: Tx, request: RequestRow): Promise<void> {
  const ended = await endOfWindow(tx, request)
  await transition(tx, request.id, ['waiting'], 'expired', {
    outcome: {
      headline:
        whyWindowClosed(request, ended) ??
        `Expired ${when(request.expiresAt ?? request.createdAt)} without enough approvals. Nothing was changed.`,
      next: `Ask again with ${code(`${deps.command} deploy ${request.target}`)}.`,
    },
  })
  await finish(deps, tx, request, request.notAfter === null ? 'request' : 'window', ended)
}

async function expireGrant(deps: ApprovalDeps, tx: Tx, request: RequestRow): Promise<void> {
  const ended = await endOfWindow(tx, request)
  await transition(tx, request.id, ['granted'], 'expired', {
    outcome: {
      headline:
        whyWindowClosed(request, ended) ??
        `The approval expired ${when(request.grantExpiresAt ?? request.createdAt)} before the run had started. Nothing was changed.`,
      next: `Ask again with ${code(`${deps.command} deploy ${request.target}`)}.`,
    },
  })
  await finish(deps, tx, request, request.notAfter === null ? 'grant' : 'window', ended)
}

async function finish(
  deps: ApprovalDeps,
  tx: Tx,
  request: RequestRow,
  what: 'request' | 'grant' | 'window',
  ended: WindowEnd | null,
): Promise<void> {
  await addEvent(tx, request.id, { kind: 'expired', data: { what, ...(ended === null ? {} : { window: ended }) } })
  await writeAudit(tx, {
    actor: 'lockkeeper',
    act: 'expire',
    target: request.target,
    requestId: request.id,
    result: what === 'window' ? 'window_closed' : what,
    digest: request.digest,
  })
  await deps.engine.signal(tx, request.id, { kind: 'due' }, `due:${request.id}:${what}:${request.digest ?? ''}`)
}

type WindowEnd = 'cancelled' | 'completed'

/** Whether somebody ended its maintenance window before its time. */
async function endOfWindow(tx: Tx, { windowId, notAfter }: RequestRow): Promise<WindowEnd | null> {
  if (windowId === null || notAfter === null) return null
  const [row] = await tx.query<{ state: WindowEnd }>(
    `select state from lockkeeper.maintenance where id = $1 and (state = 'cancelled' or (state = 'completed' and closed_at < ends_at))`,
    [windowId],
  )
  return row?.state ?? null
}

const whyWindowClosed = ({ notAfter, windowId }: RequestRow, ended: WindowEnd | null): string | null =>
  ended !== null
    ? `Its window #${windowId} was ${ended} before its turn came. Nothing was changed.`
    : notAfter === null
      ? null
      : `Its window closed ${when(notAfter)}, before its turn came. Nothing was changed.`

async function remind(deps: ApprovalDeps, tx: Tx, request: RequestRow): Promise<void> {
  const target = deps.targets.get(request.target)
  if (request.digest === null || request.policy === null) throw new Error(`request ${request.id} waits without a plan`)
  const rules = target === undefined ? request.policy : rulesOf(target, classesOf(request))
  const tally = await countOf(deps, tx, request, request.policy, rules)
  await addEvent(tx, request.id, {
    kind: 'reminded',
    data: { digest: request.digest, count: tally.approvals.length, required: tally.required, from: rules.from },
  })
}

/** For a sentence, so it is taken as it was when it was asked, without asking Slack. */
async function countOf(deps: ApprovalDeps, tx: Tx, request: RequestRow, policy: PolicySnapshot, rules: Omit<PolicySnapshot, 'members'>) {
  const now = { ...rules, members: policy.members }
  return decide({ request, votes: await votesOf(tx, request.id), atRequest: policy, now, humanOf: deps.people.humanOf })
}

/** Groups are mentioned in the thread; people are also told by a direct message. */
async function escalate(deps: ApprovalDeps, tx: Tx, request: RequestRow): Promise<void> {
  const target = deps.targets.get(request.target)
  await tx.query('update lockkeeper.request set escalated_at = lockkeeper.now() where id = $1', [request.id])
  const to = target?.approvals.escalate
  if (target === undefined || to === undefined || request.policy === null) return
  const tally = await countOf(deps, tx, request, request.policy, rulesOf(target, classesOf(request)))
  const users = to.filter((one) => one.startsWith('user:')).map((one) => one.slice('user:'.length))
  await addEvent(tx, request.id, { kind: 'escalated', data: { count: tally.approvals.length, required: tally.required, to, users } })
  await writeAudit(tx, { ...about(request), act: 'escalate', result: 'told', data: { to } })
}

/** Groups are mentioned, so that their present members read it; a direct message goes to those who were known when it was asked. */
async function remindReviewers(deps: ApprovalDeps, tx: Tx, request: RequestRow): Promise<void> {
  const { breakGlass, policy } = request
  const review = reviewersOf(deps, request)
  const { humanOf } = deps.people
  const involved = new Set((breakGlass?.involved ?? []).map(humanOf))
  const users = accountsIn({ from: review, members: policy?.members ?? {} }).filter((account) => !involved.has(humanOf(account)))
  await addEvent(tx, request.id, {
    kind: 'review_due',
    data: { review, users, ...(request.state === 'needs_human' ? { needsPerson: true } : {}) },
  })
  await writeAudit(tx, { ...about(request), act: 'review', result: 'reminded' })
  await tx.query(
    `update lockkeeper.break_glass set remind_at = lockkeeper.now() + remind_ms * interval '1 millisecond' where request_id = $1`,
    [request.id],
  )
}
