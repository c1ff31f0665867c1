import type { RequestRow, VoteRow } from '../../src/request/request.ts'
import { transition, voteColumns, type Patch } from '../../src/request/store.ts'
import type { Tx } from '../../src/store/pool.ts'
import type { ApprovalDeps } from '../deps.ts'
import { isPast } from '../grant-check.ts'
import { when } from '../wording.ts'
import type { Written } from './decision.ts'

/** What an approval and a broken glass leave behind alike. */

/** One for each human and plan: whoever approved may still reject, and the audit keeps both. */
export async function writeVote(
  tx: Tx,
  request: RequestRow,
  vote: Pick<VoteRow, 'actor' | 'human' | 'decision' | 'reason'>,
): Promise<VoteRow> {
  const [written] = await tx.query<VoteRow>(
    `insert into lockkeeper.vote (request_id, digest, actor, human, decision, reason) values ($1, $2, $3, $4, $5, $6)
     on conflict (request_id, digest, human) do update set actor = excluded.actor, decision = excluded.decision, reason = excluded.reason,
       at = lockkeeper.now()
     returning ${voteColumns}`,
    [request.id, request.digest, vote.actor, vote.human, vote.decision, vote.reason],
  )
  if (written === undefined) throw new Error(`the vote about #${request.id} was not written`)
  return written
}

/** Lets the request run; its workflow is woken by the signal. */
export async function grant(
  deps: ApprovalDeps,
  tx: Tx,
  request: RequestRow,
  by: 'approve' | 'break_glass',
): Promise<Pick<Written<never>, 'signal'>> {
  await transition(tx, request.id, ['waiting'], 'granted', grantFor(deps, request))
  // by the revision, since the same plan may be granted twice: the engine ignores a key that it has seen, and the run would sleep on
  return { signal: { kind: 'decided', key: `vote:${request.id}:${request.revision}:${by}` } }
}

/** The shorter of then and now; for a window, until that closes. */
export function grantFor(deps: ApprovalDeps, request: RequestRow): Pick<Patch, 'grantExpiresIn' | 'grantExpiresAt'> {
  if (request.notAfter !== null) return { grantExpiresAt: request.notAfter }
  const then = request.policy?.grantExpiresMs ?? Infinity
  return { grantExpiresIn: Math.min(then, deps.targets.get(request.target)?.approvals.grantExpires ?? then) }
}

/** A sentence for whoever let it go. */
export function whenItRuns(request: RequestRow): string {
  if (request.notBefore === null || request.notAfter === null) return 'The run starts now.'
  const lasts = `this approval lasts until its window closes, ${when(request.notAfter)}`
  return isPast(request, request.notBefore) ? `The run starts now; ${lasts}.` : `It starts by itself ${when(request.notBefore)}; ${lasts}.`
}
