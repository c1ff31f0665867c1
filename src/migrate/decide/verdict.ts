import { code } from '../../lib/text/code.ts'
import { list } from '../../lib/text/sentences.ts'
import type { Undoing } from '../../sql/undoing.ts'
import type { SeenTransactions } from '../observe/transactions.ts'
import type { ConcurrentState, Half } from './concurrent-state.ts'

/** What is known of a file that failed, when nothing of its run is at work any more. */
export type Findings = {
  /** What PostgreSQL does with the file, when it gets it as one script. */
  readonly undoing: Undoing
  /** It is certain that it got it as one. */
  readonly isOneScript: boolean
  /**
   * How Prisma says that it ended. `refused`: the server answered that a statement of the script failed. `unbegun`: it refused the script
   * before it ran anything of it. `lost`: the connection went away, which may happen after a commit as well as before. `unsaid`: it
   * does not say that the script failed.
   */
  readonly end: 'refused' | 'unbegun' | 'lost' | 'unsaid'
  readonly transactions: SeenTransactions
  /** What the catalogue has got since its start: `table orders`. */
  readonly leftovers: readonly string[]
  /** For a file of one statement with CONCURRENTLY; null for others. */
  readonly concurrent: ConcurrentState | null
  /** Functions that the file reaches and that act outside of its transaction. */
  readonly outside: readonly string[]
}

export type Verdict =
  /** Nothing of it is in the database: the file could not leave anything, and there is no trace of it. */
  | { readonly kind: 'undone' }
  /** It is certain what half of its work is there. */
  | { readonly kind: 'half'; readonly left: readonly Half[] }
  /** `because`: sentences, mrkdwn. */
  | { readonly kind: 'unclear'; readonly because: readonly string[] }

/** Says "undone" only when what the file can do and what the database shows agree on it. Pure. */
export function verdictOf(findings: Findings): Verdict {
  const { concurrent, end, leftovers } = findings
  if (concurrent?.kind === 'half') return { kind: 'half', left: concurrent.left }
  const because = [
    ...(end === 'unbegun' && findings.isOneScript ? [] : mayLeave(findings)),
    ...(concurrent === null ? tracesOf(findings.transactions) : []), // those of a CONCURRENTLY come and go
    ...(concurrent?.kind === 'whole' && end !== 'unbegun' ? ['By the catalogue all of its work is done.'] : []),
  ]
  return because.length === 0 && leftovers.length === 0 ? { kind: 'undone' } : { kind: 'unclear', because }
}

/** Whether another try may begin by itself, after what was half built is gone. */
export const mayTryAgain = (verdict: Verdict): boolean =>
  verdict.kind === 'undone' || (verdict.kind === 'half' && verdict.left.every(({ kind }) => kind === 'unbuilt'))

/** What the file can do, and what can come of that when it ends so. */
function mayLeave({ undoing, isOneScript, end, transactions: { committed, aborted }, outside, concurrent }: Findings): readonly string[] {
  const because: string[] = []
  if (undoing.kind === 'perhaps') because.push(`${undoing.why.charAt(0).toUpperCase()}${undoing.why.slice(1)}.`)
  if (!isOneScript) because.push('Its statements may have been sent one by one, and then those before the failed one stay.')
  for (const name of outside) because.push(`${code(name)}, which it reaches, may act outside of its transaction, and what that did stays.`)
  // one that was seen to be undone was the only one of such a file; how far a CONCURRENTLY came is in the catalogue
  const isSeen = concurrent !== null || (aborted.length > 0 && committed.length === 0)
  if (end === 'lost' && !isSeen) because.push('The connection was lost, which can happen after a commit as well as before it.')
  if (end === 'unsaid') because.push('The migrator does not say that the database refused it.')
  return because
}

/** What was seen that does not go with a file that is undone as a whole. */
export function tracesOf({ committed, endedOne, inPieces }: SeenTransactions): readonly string[] {
  const because: string[] = []
  const [only] = committed
  if (committed.length === 1) because.push(`Transaction ${only} of it was seen and is committed, so a part of it is in the database.`)
  if (committed.length > 1)
    because.push(`Transactions ${list(committed)} of it were seen and are committed, so a part of it is in the database.`)
  if (endedOne) because.push('The transaction that failed was not its first: an earlier one of it had ended.')
  if (inPieces) because.push('Its statements were seen to be sent one by one, and those before the failed one stay.')
  return because
}
