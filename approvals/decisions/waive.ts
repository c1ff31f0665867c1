import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import { count } from '../../src/lib/text/quoted.ts'
import { blockersOf, findingKey } from '../../src/request/blockers.ts'
import type { EventRow, RequestRow } from '../../src/request/request.ts'
import { addEvent, eventsOf } from '../../src/request/store.ts'
import type { Finding } from '../../src/sql/weigh/finding.ts'
import type { Tx } from '../../src/store/pool.ts'
import { waiversOf } from '../blocked.ts'
import type { ApprovalDeps } from '../deps.ts'
import { groupsIn, mayAsk, type Rules } from '../policy.ts'
import { list, mentionApprover, stateSince } from '../wording.ts'
import type { By } from './audit.ts'
import { takeDecision, type Held, type Which, type Written } from './decision.ts'
import { grantAtOnce } from './grant-at-once.ts'

/** `shown`: the findings that stood before the person's eyes. */
export type Waiving = By & Which & { readonly digest: string; readonly reason: string; readonly shown: readonly string[] }

export type Waived = { readonly kind: 'waived'; readonly requestId: number; readonly text: string }

export const LONGEST_WAIVER = 500

/** Lets findings pass that block a plan, for this plan alone, with a reason that everybody reads. */
export const waiveFindings = (deps: ApprovalDeps, asked: Waiving): Promise<Waived | Refusal> =>
  takeDecision(deps, {
    act: 'waive',
    by: asked,
    which: asked,
    digest: asked.digest,
    data: () => ({ reason: asked.reason.slice(0, LONGEST_WAIVER), findings: asked.shown.slice(0, 100) }),
    whyClosed: async (_, request) => whyNotWaivable(request, asked.digest),
    async lookUp(request) {
      const target = deps.targets.get(request.target)
      const from = target === undefined ? [] : waiversOf(target)
      return { from, members: await deps.people.membersOf(groupsIn(from), { fresh: true }) }
    },
    read: (tx, request) => eventsOf(tx, request.id),
    rule: (held) => toWaive(deps, held, asked),
    write: (tx, held, findings) => waive(deps, tx, held, findings, asked),
  })

type Asked = Held<Pick<Rules, 'from' | 'members'>, readonly EventRow[]>

function toWaive(deps: ApprovalDeps, { request, actor, facts, rows }: Asked, asked: Waiving): readonly Finding[] | Refusal {
  const { humanOf } = deps.people
  if ([request.requester, request.requesterHuman].some((one) => humanOf(one) === actor.human)) return ownWaiver(request, facts.from)
  const who = list(facts.from.map(mentionApprover), 'or')
  const { waive, members } = request.policy ?? {}
  // those who were among them when it was asked, and still are
  const may = new Set([
    mayAsk(facts.from, facts.members, humanOf, actor.human),
    ...(waive === undefined ? [] : [mayAsk(waive, members ?? {}, humanOf, actor.human)]),
  ])
  if (may.has('no'))
    return refuse('not_allowed_to_waive', `Findings of #${request.id} are waived by ${who}. You are not among them. Nothing was changed.`)
  if (may.has('unknown'))
    return refuse(
      'approvers_unknown',
      `Findings of #${request.id} are waived by ${who}, and Slack does not say now who that is. What cannot be checked is refused. Nothing was changed; try again in a minute.`,
    )
  const reason = asked.reason.trim()
  if (reason === '') return refuse('bad_arguments', `Say in a sentence why these findings of #${request.id} may pass: everybody reads it.`)
  const open = blockersOf(request, rows).open.filter((finding) => asked.shown.includes(findingKey(finding)))
  if (open.length === 0) return nothingToWaive(request)
  return open
}

async function waive(
  deps: ApprovalDeps,
  tx: Tx,
  { request, actor, rows }: Asked,
  findings: readonly Finding[],
  asked: Waiving,
): Promise<Written<Waived>> {
  const data = {
    by: actor.account,
    digest: request.digest ?? '',
    reason: asked.reason.replace(/\s+/gu, ' ').trim().slice(0, LONGEST_WAIVER),
    findings: findings.map(findingKey),
    texts: findings.map(({ migration, text }) => `${migration}: ${text}`.slice(0, 300)),
  }
  await addEvent(tx, request.id, { kind: 'waived', data })
  const left = blockersOf(request, rows).open.length - findings.length
  // where nobody has to approve it, nothing else is waited for
  if (left === 0) await grantAtOnce(deps, tx, request.id)
  const next = left === 0 ? 'It can be approved now.' : `${count(left, 'more')} still block${left === 1 ? 's' : ''} it.`
  return {
    outcome: {
      kind: 'waived',
      requestId: request.id,
      text: `You let ${count(findings.length, 'finding')} of #${request.id} pass, and the record names you with your reason. ${next}`,
    },
    ...(request.policy?.required === 0 && left === 0
      ? { signal: { kind: 'decided' as const, key: `waive:${request.id}:${request.revision}` } }
      : {}),
  }
}

/** What nobody could waive, whoever asks. Needs no look-up at Slack. */
export function whyNotWaivable(request: RequestRow, digest: string): Refusal | undefined {
  if (request.state !== 'waiting')
    return refuse('already_decided', `#${request.id} does not wait for a decision: it is ${stateSince(request)}. Nothing was waived.`)
  if (request.digest !== digest)
    return refuse(
      'digest_changed',
      `The plan of #${request.id} has changed since this was shown. Nothing was waived. Read the card as it is now and decide about that.`,
    )
  return undefined
}

export const nothingToWaive = (request: RequestRow): Refusal =>
  refuse('nothing_to_waive', `What was shown does not block #${request.id} any more. Nothing was changed. Its card shows how it stands.`)

export const ownWaiver = (request: RequestRow, from: readonly string[]): Refusal =>
  refuse(
    'own_request',
    `You asked for #${request.id} yourself, so somebody else has to let its findings pass: one of ${list(from.map(mentionApprover), 'or')}. Nothing was changed. What is known when the migration is written may be waived by a comment in its file.`,
  )
