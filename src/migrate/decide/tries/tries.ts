import { attemptsIn, isSettled, outputOf, type Attempt } from '../../attempts/attempt.ts'
import { diagnose } from '../../diagnoses/diagnosis.ts'
import { readFault } from '../../diagnoses/fault.ts'
import type { Work } from '../../observe/work.ts'
import { diagnosisContext } from './context.ts'
import { passingStop } from './guard-stop.ts'

/** Attempts that ended for the same reason, one after the other. `ms`: since the first of them began. */
export type Tries = { readonly all: readonly Attempt[]; readonly count: number; readonly ms: number }

/** The attempts before this one that ended the same way for the same migration, with this one. */
export function triesLike({ workspace, context }: Pick<Work, 'context' | 'workspace'>, attempt: Attempt): Tries {
  const all = attemptsIn(workspace.base).filter(({ number }) => number <= attempt.number)
  const kind = (one: Attempt) => {
    const output = outputOf(one)
    const { code: what, headline } = diagnose({ output, context: diagnosisContext({ context, workspace }, null) })
    // whichever of the two is faster ends a wait, the timeout or the guard
    const isWait = what === 'lock_timeout' || passingStop(one, what) !== null
    return isWait ? `wait ${readFault(output).migration}` : `${what} ${headline}`
  }
  return triesOf(all, attempt, kind)
}

export function triesOf(all: readonly Attempt[], attempt: Attempt, kind: (one: Attempt) => string): Tries {
  const wanted = kind(attempt)
  const from = all.findLastIndex((one) => kind(one) !== wanted) + 1
  const first = all[from] ?? attempt
  return { all: all.slice(from), count: all.length - from, ms: Date.now() - first.intent.startedAt }
}

/** `Try 2 of 5. ` while what could not get its lock is tried again; empty before. A new attempt when none is given. */
export function tryText(work: Pick<Work, 'context' | 'workspace' | 'timing'>, attempt: Attempt | null): string {
  const last = attemptsIn(work.workspace.base).findLast(({ number }) => attempt === null || number < attempt.number)
  return last === undefined || !isSettled(last) ? '' : nextOf(triesLike(work, last).count, work.timing.tries)
}

/** `Try 2 of 5. ` after the first; more where people asked to wait on. */
export const nextOf = (made: number, of: number): string => `Try ${made + 1} of ${Math.max(made + 1, of)}. `

/** What people asked for beyond those of the configuration; none while that cannot be read. */
export const moreTries = ({ context }: { readonly context: Pick<Work['context'], 'blockers'> }): Promise<number> =>
  context.blockers.moreTries().catch(() => 0)
