import { isPrisma } from '../../config/tool.ts'
import { code } from '../../lib/text/code.ts'
import { diagnose, type Diagnosis } from '../diagnoses/diagnosis.ts'
import { seconds } from '../../lib/text/sentences.ts'
import type { RunOutcome } from '../../request/request.ts'
import type { StepEnd } from '../../request/step.ts'
import type { Stopped, Work } from '../observe/work.ts'
import { attemptsIn, outputOf, stateOf, type Attempt } from '../attempts/attempt.ts'
import { readFault } from '../diagnoses/fault.ts'
import type { Half } from './concurrent-state.ts'
import { findingsOf, writtenBy } from './findings.ts'
import type { NextAction } from './next-action.ts'
import {
  cancelledOutcome,
  crashEnd,
  crashedOutcome,
  departureWords,
  failedOutcome,
  halfOutcome,
  halfSentence,
  mendSentence,
  silentEnd,
  silentTool,
  tooLong,
  unclearOutcome,
} from './outcomes.ts'
import { mayTryAgain, tracesOf, verdictOf, type Findings, type Verdict } from './verdict.ts'
import { blockerOf } from '../observe/until-end.ts'
import type { MigrationTask } from '../observe/watch.ts'
import { dropInvalid, markRolledBack } from './resolve.ts'
import { diagnosisContext, resolveFor } from './tries/context.ts'
import { guardDiagnosis, passingStop, stopOf, triedText } from './tries/guard-stop.ts'
import { moreTries, triesLike } from './tries/tries.ts'

export type FailureAnalysis =
  | { readonly kind: 'end'; readonly end: StepEnd }
  /** It left nothing behind and may be tried again. */
  | { readonly kind: 'again'; readonly attempt: Attempt; readonly report: string; readonly pauseMs: number }

type Ended = Exclude<NextAction, { readonly kind: 'living' | 'all_applied' | 'next' }>

/** What has come of it, when it is not simply done: what is certain is said, what is not goes to a person. */
export async function analyseFailure(
  work: Work,
  action: Ended,
  tasks: readonly MigrationTask[],
  stopped: Stopped | null,
): Promise<FailureAnalysis> {
  if (action.kind === 'failed') return analyseFailed(work, action, tasks, stopped)
  const resolve = resolveFor(work)
  if (action.kind === 'not_the_plan') return unclear(tasks, 'not what was approved', departureWords(action, work.context.command))
  if (action.kind === 'not_here' && !hasSaidDone(work, action.attempt))
    return unclear(tasks, 'unclear', silentEnd(work.workspace.tool.name))
  if (action.kind === 'not_here')
    return unclear(tasks, 'unclear', {
      headline: `${work.workspace.tool.name} says that it applied its migrations, but the approved database does not have them.`,
      notKnown: 'Which database has them now.',
      next: `Look at the log in the thread and at the repository's ${isPrisma(work.context.target.tool) ? '`prisma.config.ts`: it may lead Prisma' : `configuration of ${work.workspace.tool.name}: it may lead it`} to another database. Then cancel this request.`,
      excerpt: tail(work, action.attempt),
    })
  if (action.kind === 'failed_before')
    return unclear(tasks, 'earlier failure', {
      headline: `${code(action.failed)} began before this run and never ended, so nothing was started.`,
      notKnown: `How much of ${code(action.failed)} is in the database.`,
      next: `Compare the database with the file. If all of it is there, mark it as applied (${resolve('applied', action.failed)}); if nothing is, mark it as rolled back (${resolve('rolled-back', action.failed)}). Then cancel this request and ask again.`,
    })
  return analyseCrash(work, action, tasks)
}

async function analyseFailed(
  work: Work,
  { attempt, failed }: Extract<Ended, { readonly kind: 'failed' }>,
  tasks: readonly MigrationTask[],
  stopped: Stopped | null,
): Promise<FailureAnalysis> {
  const raw = work.context.redactor.text(outputOf(attempt))
  const output = work.workspace.tool.isAsked ? raw : work.workspace.tool.readable(raw)
  const tries = triesLike(work, attempt)
  const triesText = tries.count === 1 ? `1 try in ${seconds(tries.ms)}` : `${tries.count} tries in ${seconds(tries.ms)}`
  const timesText = tries.count === 1 ? 'once' : `${tries.count} times in ${seconds(tries.ms)}`
  const blocker = blockerOf(tries.all)
  const state = await stateOf(attempt)
  const exit = state.kind === 'ended' ? state.exit : null
  const known = diagnose({
    output,
    context: {
      ...diagnosisContext(work, failed),
      tries: timesText,
      ...(blocker === undefined ? {} : { blocker: { name: `${code(blocker.name)} (${blocker.detail})`, relation: blocker.relation } }),
    },
  })
  const diagnosis =
    known.code === 'unknown' && !work.workspace.tool.isAsked && readFault(output).message === null
      ? silentTool(work.workspace.tool, exit, known)
      : known
  const findings = failed === null ? null : await findingsOf(work, attempt, failed, output)
  const { tool } = work.workspace
  // without a record that is open nothing has begun, or it was undone with its record
  const verdict: Verdict =
    findings !== null
      ? verdictOf(findings)
      : tool.leaves === 'nothing' || exit?.fault !== undefined
        ? { kind: 'undone' }
        : { kind: 'unclear', because: [] }
  const stop = stopOf(attempt, diagnosis.code)
  const waited =
    diagnosis.code === 'lock_timeout' ||
    passingStop(attempt, diagnosis.code) !== null ||
    diagnosis.code === 'migrator_lock_held' ||
    (attempt.intent.concurrently && diagnosis.code === 'deadlock')
  const line = stop !== null ? `cancelled for the application, ${triesText}` : waited ? `lock timeout, ${triesText}` : shortly(diagnosis)
  const named = failed ?? (tool.recordsStart ? null : readFault(output).migration)
  const marked = tasks.map((task) => (task.name === named ? { ...task, state: 'failed' as const, output: line } : task))
  const data = { migrations: marked }
  const sql = work.workspace.approved.migrations.find(({ name }) => name === failed)?.content.toString('utf8')
  const excerpt = [diagnosis.excerpt, work.context.redactor.text(singleStatement(sql))].filter((part) => part !== '').join('\n')
  const resolve = resolveFor(work)
  const unknown = (outcome: RunOutcome): FailureAnalysis => ({ kind: 'end', end: { kind: 'unknown', output: line, data, outcome } })

  if (failed !== null && findings !== null && verdict.kind === 'unclear')
    return unknown(
      crashedOutcome(failed, marked, {
        leftovers: findings.leftovers,
        written: await writtenBy(work, attempt, failed),
        because: verdict.because,
        excerpt,
        how: `${diagnosis.headline} It may be applied in part:`,
        resolve,
      }),
    )
  if (verdict.kind === 'unclear')
    return unknown(
      unclearOutcome({
        headline: `${diagnosis.headline} A part of what it did may have stayed.`,
        tasks: marked,
        known: [`The record of ${tool.name} shows nothing more as applied.`, 'No session of this run is alive.'],
        notKnown: `What ${tool.name} had done before it ended: whether that is undone is up to it, and it is not configured as one that undoes (${code('undone: true')}).`,
        next: 'Compare the database with the first migration that is not applied, and put it right. Then cancel this request and ask again.',
        excerpt,
      }),
    )
  const of = work.timing.tries + (await moreTries(work))
  const again =
    waited &&
    mayTryAgain(verdict) &&
    stopped === null &&
    !work.context.signal.aborted &&
    tries.count < of &&
    tries.ms < work.timing.triesWithinMs
  const unbuilt = verdict.kind === 'half' ? verdict.left : []
  if (failed !== null && findings !== null && (again || (verdict.kind === 'undone' && (waited || stop !== null || stopped === 'cancel')))) {
    const hindered = await resolveFailed(work, failed, unbuilt)
    if (hindered !== null)
      return unknown(crashedOutcome(failed, marked, { leftovers: findings.leftovers, excerpt, how: hindered, resolve }))
  }
  if (again) {
    const pauseMs = work.timing.pausesMs[Math.min(tries.count, work.timing.pausesMs.length) - 1] ?? 0
    const { lockTimeout: lockTimeoutMs } = work.context.target.database
    const text = triedText({ number: tries.count, of, stop, blocker, lockTimeoutMs, pauseMs })
    await work.context.note({ kind: 'tried', data: { text } })
    const who = blocker === undefined ? '' : ` ${blocker.name} (${blocker.detail}) was in the way.`
    const what = stop === null ? 'Lock timeout' : 'Cancelled for the application'
    return {
      kind: 'again',
      attempt,
      pauseMs,
      report: `${what}, try ${tries.count} of ${of}.${who} Nothing was left behind; trying again in ${seconds(pauseMs)}.`,
    }
  }
  const said =
    stopped === 'too_long'
      ? tooLong(diagnosis, failed, work.timing.concurrentMaximumMs)
      : stop === null
        ? diagnosis
        : guardDiagnosis(diagnosis, stop, { failed: named, tries: timesText, blocker })
  const isFailedBuild = mayTryAgain(verdict) && stopped !== 'cancel'
  if (verdict.kind === 'half' && failed !== null && !isFailedBuild) {
    const outcome = halfOutcome({ headline: said.headline, failed, left: verdict.left, tasks: marked, excerpt, resolve })
    return { kind: 'end', end: { kind: stopped === 'cancel' ? 'cancelled' : 'failed', output: line, data, outcome } }
  }
  if (stopped === 'cancel')
    return { kind: 'end', end: { kind: 'cancelled', output: 'cancelled', data, outcome: cancelledOutcome(marked, failed) } }
  const remark = unbuilt.length === 0 ? null : unbuilt.flatMap((half) => [halfSentence(half), mendSentence(half)]).join(' ')
  const isResolved = (waited || stop !== null) && unbuilt.length === 0
  const outcome = failedOutcome(said, marked, remark, excerpt, isResolved || failed === null ? null : resolve('rolled-back', failed))
  return { kind: 'end', end: { kind: 'failed', output: line, data, outcome } }
}

/** Null when the failed record is gone, and before it what was half built; otherwise why it is not. */
async function resolveFailed(work: Work, failed: string, unbuilt: readonly Half[]): Promise<string | null> {
  if (unbuilt.length > 0) {
    const left = await dropInvalid(
      work,
      unbuilt.map(({ qualified }) => qualified),
    )
    if (left !== null) return `The invalid index ${code(left)} could not be dropped after a failed try of`
  }
  return (await markRolledBack(work, failed))
    ? null
    : `${work.workspace.tool.name} did not mark as rolled back, after a try that left nothing:`
}

const hasSaidDone = ({ workspace }: Pick<Work, 'workspace'>, attempt: Attempt): boolean =>
  workspace.tool.readDeploy(outputOf(attempt)).complete

async function analyseCrash(
  work: Work,
  { failed, endedWell }: Extract<Ended, { readonly kind: 'crashed' }>,
  tasks: readonly MigrationTask[],
): Promise<FailureAnalysis> {
  const attempt = attemptsIn(work.workspace.base).at(-1)
  const findings = attempt === undefined ? null : await findingsOf(work, attempt, failed, outputOf(attempt))
  const excerpt = attempt === undefined ? undefined : tail(work, attempt)
  const marked = tasks.map((task) => (task.name === failed ? { ...task, state: 'failed' as const } : task))
  const end = crashEnd(work.workspace.tool, endedWell, attempt !== undefined && hasSaidDone(work, attempt))
  return {
    kind: 'end',
    end: {
      kind: 'unknown',
      output: 'unclear',
      data: { migrations: marked },
      outcome: crashedOutcome(failed, marked, {
        leftovers: findings?.leftovers ?? [],
        resolve: resolveFor(work),
        written: attempt === undefined ? [] : await writtenBy(work, attempt, failed),
        how: end.how,
        because: [...(findings === null ? [] : certainOf(findings)), ...end.because],
        ...(excerpt === undefined || excerpt === '' ? {} : { excerpt }),
      }),
    },
  }
}

/** What is sure of it, whatever became of the rest. */
function certainOf(findings: Findings): readonly string[] {
  const { concurrent, transactions } = findings
  if (concurrent !== null)
    return concurrent.kind === 'half' ? concurrent.left.flatMap((half) => [halfSentence(half), mendSentence(half)]) : []
  const undone = transactions.aborted.map((xid) => `Transaction ${xid}, in which it was seen at work, is undone.`)
  return [...tracesOf(transactions), ...undone]
}

function unclear(
  tasks: readonly MigrationTask[],
  output: string,
  what: { readonly headline: string; readonly notKnown: string; readonly next: string; readonly excerpt?: string },
): FailureAnalysis {
  return { kind: 'end', end: { kind: 'unknown', output, data: { migrations: tasks }, outcome: unclearOutcome({ ...what, tasks }) } }
}

/** One line for the card. */
const shortly = (diagnosis: Diagnosis): string => diagnosis.code.replaceAll('_', ' ')

const tail = ({ context }: Work, attempt: Attempt): string =>
  context.redactor.text(outputOf(attempt)).trim().split('\n').slice(-5).join('\n').slice(-1_000)

/** The SQL itself, where it is short enough to be read at a glance. */
function singleStatement(sql: string | undefined): string {
  const bare = (sql ?? '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trimStart().startsWith('--'))
    .join('\n')
    .trim()
  return bare.length <= 300 ? bare : ''
}
