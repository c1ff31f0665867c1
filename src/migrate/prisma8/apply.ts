import { appendFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { failpoint } from '../../lib/failpoint.ts'
import { count, seconds } from '../../lib/text/sentences.ts'
import type { OfRunner } from '../../plan/prisma8/compare.ts'
import type { Inspection, RunContext, StepEnd } from '../../request/step.ts'
import { hideOutput, settle, startAttempt, stateOf, type Attempt } from '../attempts/attempt.ts'
import type { Timing } from '../attempts/timing.ts'
import { whyOther } from '../observe/database-proof.ts'
import { activityOf } from '../observe/activity-snapshot.ts'
import { withObserver } from '../../guard/observer.ts'
import { blockedOf, type Blocked } from '../observe/blocked.ts'
import { waitedText } from '../../guard/words.ts'
import { figuresIn, guardOf, keepFigures, withFigures } from '../observe/guarded.ts'
import { stopMigrator } from '../observe/stop.ts'
import { rememberBlocker, watchUntilEnd } from '../observe/until-end.ts'
import { noteApplied } from '../observe/watch.ts'
import { nextTransaction } from '../decide/schema-diff.ts'
import { isProblem } from '../prisma/prisma-workspace.ts'
import { analyseRunnerFailure, tryText, type RunnerAnalysis } from './failure.ts'
import { nextRunnerAction, type RunnerFacts } from './next.ts'
import { cancelledEnd, lostHoldEnd, notStartedEnd, silentEnd, strayEnd } from './outcomes.ts'
import { readableOutput } from './output.ts'
import { endedTasks, operationOf, progressSentence, runningTasks } from './progress.ts'
import { proveRunner } from './prove.ts'
import { runnerFactsOf, timeoutsOf, type RunnerWork } from './work.ts'
import { openRunner, type RunnerWorkspace } from './workspace.ts'

/** Looks, and changes nothing but the log of a migrator that has ended, which it redacts. */
export async function inspectRunner(context: RunContext, plan: OfRunner, timing: Timing): Promise<Inspection> {
  const workspace = await openRunner(context, plan)
  if (isProblem(workspace)) return { kind: 'todo' } // acting says what is missing
  return withObserver(connectionOf(context, workspace), async (observer) => {
    const work = { context, workspace, observer, timing }
    const facts = await observer.glance((client) => runnerFactsOf(work, client))
    if (facts === null) return { kind: 'todo' }
    const action = decideNext(work, facts)
    if (action.kind === 'all_applied') return { kind: 'done', ...(await applied(work, facts)) }
    if (action.kind === 'living' || action.kind === 'next' || action.kind === 'failed') return { kind: 'todo' }
    const analysis = await analyseRunnerFailure(work, action, null)
    return analysis.kind === 'end' && analysis.end.kind === 'unknown'
      ? { kind: 'unknown', outcome: analysis.end.outcome }
      : { kind: 'todo' }
  })
}

/** Looks, does the next thing, and looks again, until all is applied or something is in the way. */
export async function applyRunner(context: RunContext, plan: OfRunner, timing: Timing): Promise<StepEnd> {
  const workspace = await openRunner(context, plan)
  if (isProblem(workspace)) return notStartedEnd(workspace)
  return withObserver(connectionOf(context, workspace), async (observer) => {
    const work = { context, workspace, observer, timing }
    const blocked = blockedOf(work)
    const end = await applyRest(work, blocked)
    await blocked.over()
    return withFigures(end, workspace.base)
  })
}

async function applyRest(work: RunnerWork, blocked: Blocked): Promise<StepEnd> {
  const { context, workspace } = work
  let proven = false
  let isCancelled = false
  for (;;) {
    const facts = await factsWithin(work)
    if (facts === null) return silentEnd(work)
    const action = decideNext(work, facts)
    if (action.kind === 'all_applied') return { kind: 'done', ...(await applied(work, facts)) }
    if (action.kind === 'living') {
      const ended = await accompany(work, blocked, facts.attempt?.attempt ?? null)
      if (ended.kind === 'end') return ended.end
      isCancelled ||= ended.kind === 'stopped'
      continue
    }
    if (action.kind !== 'next') {
      const analysis: RunnerAnalysis = await analyseRunnerFailure(work, action, isCancelled ? 'cancel' : null)
      if (analysis.kind === 'end') return analysis.end
      settle(analysis.attempt)
      context.report(analysis.report)
      await blocked.pause(analysis.pauseMs, context.signal)
      continue
    }
    context.progress({ migrations: endedTasks(workspace.approved, { failed: null, line: '' }) })
    if (context.isCancelled()) return cancelledEnd(work, null)
    if (context.signal.aborted) return lostHoldEnd(work)
    if (!proven) {
      const hindered = await proveRunner(work)
      if (hindered !== null) return hindered
      proven = true
    }
    if (!context.signal.aborted) await start(work)
  }
}

/** The migrator writes as it is, since nobody may be there to redact it; once it has ended its own log is redacted too. */
function decideNext({ context, workspace }: RunnerWork, facts: RunnerFacts): ReturnType<typeof nextRunnerAction> {
  const action = nextRunnerAction(workspace.plan, facts)
  if (action.kind !== 'living' && facts.attempt !== null) hideOutput(facts.attempt.attempt, context.redactor)
  return action
}

/** Starts one `db migrate`, detached, and waits until it has begun. */
async function start(work: RunnerWork): Promise<void> {
  const { context, workspace, observer } = work
  const other = await observer.look((client) => whyOther(client, workspace.parsed, context.plan.identity))
  if (other !== null) throw new Error(`the database is no longer the one that was approved: ${other}`)
  const cwd = workspace.layout()
  const { migrate } = workspace.commands
  const names = workspace.approved.map(({ name }) => name)
  failpoint('before-migrator-start')
  appendFileSync(context.spool, `$ prisma ${migrate.slice(1).join(' ')}\n`, { mode: 0o600 })
  await context.audit('migrator', 'started', { migrations: names })
  const attempt = startAttempt(
    workspace.base,
    {
      migrations: [...names],
      concurrently: false,
      sinceXid: await observer.look(nextTransaction),
      startedAt: Date.now(),
      atomic: true,
    },
    {
      argv: migrate,
      cwd,
      env: workspace.environment({ applicationName: workspace.applicationName, ...timeoutsOf(context.target) }),
    },
  )
  context.report(`${tryText(work, attempt)}Starting ${count(names.length, 'migration')} in one transaction.`)
  await stateOf(attempt)
}

/** Watches the migrator to its end, or stops it when there is a reason. */
async function accompany(
  work: RunnerWork,
  blocked: Blocked,
  attempt: Attempt | null,
): Promise<{ readonly kind: 'ended' | 'stopped' } | { readonly kind: 'end'; readonly end: StepEnd }> {
  const { context, workspace, observer, timing } = work
  const packages = workspace.approved
  const guard = guardOf(
    { context, observer, blocked, applicationName: workspace.applicationName, base: workspace.base, host: workspace.parsed.host },
    attempt,
  )
  const end = await watchUntilEnd(
    {
      context,
      observer,
      applicationName: workspace.applicationName,
      guard,
      look: async (_, sample) => activityOf(sample),
      tell: async (activity) => {
        if (activity.waiting !== null) rememberBlocker(attempt, activity.waiting)
        const at = operationOf(packages, activity.worker?.query ?? null)
        context.progress({ migrations: runningTasks(packages, at), guard: guard.figures() })
        const said = progressSentence(activity, at)
        if (said !== null) context.report(`${tryText(work, attempt)}${said}`)
      },
      readable: readableOutput,
      pollMs: timing.pollMs,
      maximumMs: null,
      silenceMs: timing.silenceMs,
    },
    attempt,
  )
  keepFigures(workspace.base, guard.figures())
  if (end.kind === 'ended') failpoint('after-migrator-exit')
  if (end.kind === 'ended') return { kind: 'ended' }
  if (end.kind === 'unreachable') return { kind: 'end', end: silentEnd(work) }
  context.report('Stopping: the statement is cancelled first, then the session, then the program.')
  const sure = await stopMigrator(observer, attempt, workspace.applicationName, {
    pollMs: Math.min(200, timing.pollMs),
    patienceMs: timing.patienceMs,
  })
  if (!sure) return { kind: 'end', end: silentEnd(work) }
  return end.kind === 'stray' ? { kind: 'end', end: strayEnd(work, end.database) } : { kind: 'stopped' }
}

/** Null when the database was silent for too long. */
async function factsWithin(work: RunnerWork): Promise<RunnerFacts | null> {
  const began = performance.now()
  for (;;) {
    const facts = await work.observer.glance((client) => runnerFactsOf(work, client))
    if (facts !== null) return facts
    if (performance.now() - began > work.timing.silenceMs || work.context.signal.aborted) return null
    work.context.report('The database does not answer. Trying again.')
    await sleep(work.timing.pollMs)
  }
}

async function applied({ context, workspace }: RunnerWork, facts: RunnerFacts): Promise<{ output: string; data: unknown }> {
  const migrations = endedTasks(workspace.approved, 'applied')
  context.progress({ migrations })
  await noteApplied({ context, base: workspace.base }, migrations)
  const ms = facts.attempt === null ? null : durationOf(facts.attempt.attempt)
  const time = ms === null ? '' : `, in ${seconds(ms)}`
  return {
    output: `${count(migrations.length, 'migration')} in one transaction${time}${waitedText(figuresIn(workspace.base))}`,
    data: { migrations },
  }
}

/** From the start of the program to its end; null where nobody wrote how it ended. */
function durationOf({ directory, intent }: Attempt): number | null {
  const ended = statSync(join(directory, 'exit.json'), { throwIfNoEntry: false })
  return ended === undefined ? null : Math.max(0, ended.mtimeMs - intent.startedAt)
}

const connectionOf = (context: RunContext, workspace: RunnerWorkspace) => ({
  url: workspace.url,
  applicationName: `lockkeeper-watch-${context.requestId}`,
})
