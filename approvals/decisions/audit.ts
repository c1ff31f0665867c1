import { writeAudit, type AuditEntry, type Entry } from '../../src/audit/write.ts'
import { isRefusal, type Refusal } from '../../src/lib/refusal.ts'
import type { Queries, Tx } from '../../src/store/pool.ts'
import type { People } from '../people.ts'

/** Who acts, and by which way it came in. */
export type By = {
  /** `U…` or `os:name`. */
  readonly account: string
  readonly entry: Entry
  /** Writes what the person is told, in the transaction of what was done: neither is there without the other. A refusal changes nothing, so it needs none. */
  readonly answer?: AnswerIn | undefined
}

export type AnswerIn = (tx: Tx, outcome: { readonly kind: string; readonly text: string }) => Promise<void>

/** What an act was about. */
export type About = Pick<AuditEntry, 'act' | 'target' | 'requestId' | 'digest' | 'data'>

/**
 * Writes down what a person did and what came of it, and gives that back: the only place below `approvals` that does. In a transaction
 * the row stands or falls with the act.
 */
export async function audited<Outcome extends Refusal | { readonly kind: string }>(
  deps: { readonly people: Pick<People, 'humanOf'> },
  db: Queries,
  { account, entry }: By,
  about: About,
  outcome: Outcome,
): Promise<Outcome> {
  await writeAudit(db, {
    actor: account,
    human: deps.people.humanOf(account),
    entry,
    ...about,
    result: isRefusal(outcome) ? outcome.code : outcome.kind,
  })
  return outcome
}
