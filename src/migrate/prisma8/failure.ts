import { code } from '../../lib/text/code.ts'
import { seconds } from '../../lib/text/sentences.ts'
import { hiddenText } from '../../plan/prisma8/unfit.ts'
import type { StepEnd } from '../../request/step.ts'
import { attemptsIn, isSettled, outputOf, type Attempt } from '../attempts/attempt.ts'
import { failedOutcome, unclearOutcome } from '../decide/outcomes.ts'
import { guardDiagnosis, passingStop, stopOf, triedText } from '../decide/tries/guard-stop.ts'
import { moreTries, nextOf, triesOf, type Tries } from '../decide/tries/tries.ts'
import { blockerOf } from '../observe/until-end.ts'
import { diagnoseRunner } from './diagnose.ts'
import type { RunnerAction } from './next.ts'
import { cancelledEnd, UNDONE } from './outcomes.ts'
import { readableOutput } from './output.ts'
import { endedTasks } from './progress.ts'
import type { RunnerWork } from './work.ts'

export type RunnerAnalysis =
  | { readonly kind: 'end'; readonly end: StepEnd }
  /** It left nothing behind and may be tried again. */
  | { readonly kind: 'again'; readonly attempt: Attempt; readonly report: string; readonly pauseMs: number }

type Ended = Exclude<RunnerAction, { readonly kind: 'living' | 'all_applied' | 'next' }>

/** What has come of it, when it is not simply done. Where the marker has not moved it is certain that nothing stayed. */
export async function analyseRunnerFailure(work: RunnerWork, action: Ended, stopped: 'cancel' | null): Promise<RunnerAnalysis> {
  if (action.kind === 'failed') return analyseFailed(work, action.attempt, stopped)
  const { context, workspace } = work
  if (action.kind === 'hidden')
    return unclear(work, 'unclear', {
      headline: hiddenText(context.target, action.hidden),
      notKnown: 'Which contract the database has now.',
      next: `Put that right and look at ${code(`${context.command} status`)}. Then cancel this request and ask again for what is missing.`,
    })
  if (action.kind === 'not_here')
    return unclear(work, 'unclear', {
      headline: 'Prisma says that it applied its migrations, but the approved database does not have the contract.',
      notKnown: 'Which database has it now.',
      next: `Look at the log in the thread and at the repository's ${code('prisma.config.ts')}: it may lead Prisma to another database. Then cancel this request.`,
      excerpt: lastWords(work, action.attempt),
    })
  const { marker } = workspace.plan.prisma8
  return unclear(work, 'not what was approved', {
    headline: `The database departs from the plan: it has ${contractText(action.marker)} now, and had ${contractText(marker)} when this was approved. Nothing more was started.`,
    notKnown: 'Who changed it, and whether what was approved still fits.',
    next: `Look at ${code(`${context.command} status`)} and find out who migrated this database. Then cancel this request and ask again for what is there now.`,
  })
}

const contractText = (contract: string | null): string =>
  contract === null ? 'no contract' : `the contract ${code(contract.slice(0, 12))}`

async function analyseFailed(work: RunnerWork, attempt: Attempt, stopped: 'cancel' | null): Promise<RunnerAnalysis> {
  const { context, timing } = work
  const tries = triesLike(work, attempt)
  const triesText = tries.count === 1 ? `1 try in ${seconds(tries.ms)}` : `${tries.count} tries in ${seconds(tries.ms)}`
  const timesText = tries.count === 1 ? 'once' : `${tries.count} times in ${seconds(tries.ms)}`
  const blocker = blockerOf(tries.all)
  const diagnosis = diagnoseRunner(work, context.redactor.text(outputOf(attempt)), {
    tries: timesText,
    ...(blocker === undefined ? {} : { blocker: { name: `${code(blocker.name)} (${blocker.detail})`, relation: blocker.relation } }),
  })
  const stop = stopOf(attempt, diagnosis.code)
  const waited =
    diagnosis.code === 'lock_timeout' || diagnosis.code === 'migrator_lock_held' || passingStop(attempt, diagnosis.code) !== null
  const line =
    stop !== null
      ? `cancelled for the application, ${triesText}`
      : waited
        ? `lock timeout, ${triesText}`
        : diagnosis.code.replaceAll('_', ' ')
  if (stopped === 'cancel') return { kind: 'end', end: cancelledEnd(work, 'cancelled') }
  const of = timing.tries + (await moreTries(work))
  if (waited && !context.signal.aborted && tries.count < of && tries.ms < timing.triesWithinMs) {
    const pauseMs = timing.pausesMs[Math.min(tries.count, timing.pausesMs.length) - 1] ?? 0
    const { lockTimeout: lockTimeoutMs } = context.target.database
    const text = triedText({ number: tries.count, of, stop, blocker, lockTimeoutMs, pauseMs })
    await context.note({ kind: 'tried', data: { text } })
    const who = blocker === undefined ? '' : ` ${blocker.name} (${blocker.detail}) was in the way.`
    return {
      kind: 'again',
      attempt,
      pauseMs,
      report: `${stop === null ? 'Lock timeout' : 'Cancelled for the application'}, try ${tries.count} of ${of}.${who} Nothing was left behind; trying again in ${seconds(pauseMs)}.`,
    }
  }
  const tasks = endedTasks(work.workspace.approved, { failed: diagnosis.failed, line })
  const said = stop === null ? diagnosis : guardDiagnosis(diagnosis, stop, { failed: diagnosis.failed, tries: timesText, blocker })
  const outcome = failedOutcome({ ...said, why: `${said.why} ${UNDONE}` }, tasks, null)
  return { kind: 'end', end: { kind: 'failed', output: line, data: { migrations: tasks }, outcome } }
}

/** `Try 2 of 5. ` while what could not get its lock is tried again; empty before. A new attempt when none is given. */
export function tryText(work: RunnerWork, attempt: Attempt | null): string {
  const last = attemptsIn(work.workspace.base).findLast(({ number }) => attempt === null || number < attempt.number)
  return last === undefined || !isSettled(last) ? '' : nextOf(triesLike(work, last).count, work.timing.tries)
}

/** The attempts before this one that ended the same way for the same migration, with this one. */
function triesLike(work: RunnerWork, attempt: Attempt): Tries {
  const all = attemptsIn(work.workspace.base).filter(({ number }) => number <= attempt.number)
  const kind = (one: Attempt) => {
    const { code: what, failed } = diagnoseRunner(work, outputOf(one))
    const isWait = what === 'lock_timeout' || passingStop(one, what) !== null
    return `${isWait ? 'wait' : what} ${failed}`
  }
  return triesOf(all, attempt, kind)
}

function unclear(
  { workspace }: RunnerWork,
  output: string,
  what: { readonly headline: string; readonly notKnown: string; readonly next: string; readonly excerpt?: string },
): RunnerAnalysis {
  const tasks = endedTasks(workspace.approved, { failed: null, line: '' })
  // that none is applied is not known here
  return { kind: 'end', end: { kind: 'unknown', output, data: { migrations: tasks }, outcome: unclearOutcome({ ...what, tasks: [] }) } }
}

const lastWords = ({ context }: RunnerWork, attempt: Attempt): string =>
  readableOutput(context.redactor.text(outputOf(attempt)))
    .split('\n')
    .slice(-5)
    .join('\n')
    .slice(-1_000)
