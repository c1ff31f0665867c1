import type { Signal } from '../../src/engine/engine.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { lockRequest, requestById, requestByToken } from '../../src/request/store.ts'
import type { Queries, Tx } from '../../src/store/pool.ts'
import type { ApprovalDeps } from '../deps.ts'
import type { Actor } from '../people.ts'
import { code } from '../wording.ts'
import { audited, type About, type By } from './audit.ts'

/** By the token of a button, or by the number that was typed. */
export type Which = { readonly token: string } | { readonly id: number }

/** `text` is for whoever did it alone. */
export type Done = { readonly kind: string; readonly requestId: number; readonly text: string }

/** What a rule is given: the row as it is while it is held, who acts, what Slack said before, and what was read beside the row. */
export type Held<Facts, Rows> = {
  readonly request: RequestRow
  readonly actor: Actor
  readonly facts: Facts
  readonly rows: Rows
}

/** What came of an act, and the signal that its run gets in the same transaction; the engine ignores a key that it has seen. */
export type Written<Outcome> = { readonly outcome: Outcome; readonly signal?: { readonly kind: Signal['kind']; readonly key: string } }

/** What differs from one act to the other; what they have in common is below. */
export type Decision<Facts, Rows, Plan, Outcome extends Done> = {
  readonly act: 'approve' | 'reject' | 'break_glass' | 'review' | 'cancel' | 'acknowledge' | 'wait_on' | 'end_blocker' | 'waive'
  readonly by: By
  readonly which: Which
  /** What stood before the person's eyes, for the audit; left out, the request's own digest stands there. */
  readonly digest?: string
  /** What the audit keeps beside it. */
  readonly data?: (request: RequestRow | undefined) => Readonly<Record<string, unknown>>
  /** Said to the command line while Slack can be reached; left out, the act is possible from both at any time. */
  readonly whyInSlack?: (request: RequestRow) => Refusal
  /** What closes the request to everybody: its state, its time, its digest. Asked before the look-ups, and again while the row is held. */
  readonly whyClosed?: (db: Queries, request: RequestRow) => Promise<Refusal | undefined>
  /** What has to be asked of Slack. Done before the row is held, since Slack may be slow. */
  readonly lookUp: (request: RequestRow, actor: Actor) => Promise<Facts | Refusal>
  /** What else the rule has to know, read while the row is held. */
  readonly read: (tx: Tx, request: RequestRow) => Promise<Rows | Refusal>
  /** Pure: what is to be done, or why not. */
  readonly rule: (held: Held<Facts, Rows>) => Plan | Refusal
  /** Carries it out, in the same transaction. */
  readonly write: (tx: Tx, held: Held<Facts, Rows>, plan: Plan) => Promise<Written<Outcome>>
}

/**
 * The way of every act about a request: who it is, which request, what Slack says, the row held, the rule, what is written, the signal
 * to its run and one row of the audit, whether it was allowed or not. What is held is let go by the commit alone, so that decisions of
 * one moment may share a transaction.
 */
export async function takeDecision<Facts, Rows, Plan, Outcome extends Done>(
  deps: ApprovalDeps,
  decision: Decision<Facts, Rows, Plan, Outcome>,
): Promise<Outcome | Refusal> {
  const { by, which } = decision
  const recordEnd = (db: Queries, request: RequestRow | undefined, end: Outcome | Refusal) =>
    audited(deps, db, by, aboutOf(decision, request), end)
  const actor = await deps.people.identify(by.account, { fresh: true })
  const found = 'token' in which ? await requestByToken(deps.db, which.token) : await requestById(deps.db, which.id)
  if (found === undefined) return recordEnd(deps.db, undefined, unknownRequest(deps, which))
  if (isRefusal(actor)) return recordEnd(deps.db, found, actor)
  const facts = await factsFor(deps, decision, found, actor)
  if (isRefusal(facts)) return recordEnd(deps.db, found, facts)
  return deps.db.transaction(async (tx) => {
    const request = await lockRequest(tx, found.id)
    if (request === undefined) return recordEnd(tx, undefined, unknownRequest(deps, which))
    const end = await recordEnd(tx, request, await carryOut(deps, tx, decision, { request, actor, facts }))
    if (!isRefusal(end)) await by.answer?.(tx, end)
    return end
  })
}

/** Everything that may take its time, with no row held. */
async function factsFor<Facts>(
  deps: ApprovalDeps,
  { by, whyInSlack, whyClosed, lookUp }: Pick<Decision<Facts, never, never, never>, 'by' | 'whyInSlack' | 'whyClosed' | 'lookUp'>,
  request: RequestRow,
  actor: Actor,
): Promise<Facts | Refusal> {
  if (whyInSlack !== undefined && by.account.startsWith('os:') && (await deps.people.isSlackReachable())) return whyInSlack(request)
  return (await whyClosed?.(deps.db, request)) ?? lookUp(request, actor)
}

async function carryOut<Facts, Rows, Plan, Outcome extends Done>(
  { engine }: ApprovalDeps,
  tx: Tx,
  { whyClosed, read, rule, write }: Decision<Facts, Rows, Plan, Outcome>,
  known: Omit<Held<Facts, Rows>, 'rows'>,
): Promise<Outcome | Refusal> {
  const { request } = known
  const closed = await whyClosed?.(tx, request)
  if (closed !== undefined) return closed
  const rows = await read(tx, request)
  if (isRefusal(rows)) return rows
  const held = { ...known, rows }
  const plan = rule(held)
  if (isRefusal(plan)) return plan
  const { outcome, signal } = await write(tx, held, plan)
  if (signal !== undefined) await engine.signal(tx, request.id, { kind: signal.kind }, signal.key)
  return outcome
}

const aboutOf = (
  { act, digest, data }: Pick<Decision<never, never, never, never>, 'act' | 'digest' | 'data'>,
  request: RequestRow | undefined,
): About => ({
  act,
  target: request?.target ?? null,
  requestId: request?.id ?? null,
  digest: digest === undefined ? (request?.digest ?? null) : digest.slice(0, 64),
  data: data?.(request) ?? {},
})

export const staleButton = (): Refusal =>
  refuse(
    'stale_button',
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
  )

const unknownRequest = ({ command }: Pick<ApprovalDeps, 'command'>, which: Which): Refusal =>
  'id' in which
    ? refuse('unknown_request', `There is no request #${which.id}. ${code(`${command} history`)} lists those there are.`)
    : staleButton()
