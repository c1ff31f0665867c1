import { setTimeout as sleep } from 'node:timers/promises'
import { isPrisma } from '../config/tool.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { Queryable } from '../database/connect.ts'
import { statusOf } from '../plan/status.ts'
import { sessionsOf } from '../database/activity.ts'
import type { Inspection, RunContext, StepEnd } from '../request/step.ts'
import { count, seconds } from '../lib/text/sentences.ts'
import type { Ahead } from './ahead.ts'
import { attemptsIn, hideOutput, isSettled, settle, stateOf, type Attempt } from './attempts/attempt.ts'
import { analyseFailure, type FailureAnalysis } from './decide/failure-analysis.ts'
import { tryText } from './decide/tries/tries.ts'
import { nextAction, type Facts } from './decide/next-action.ts'
import { withObserver } from '../guard/observer.ts'
import { blockedOf, type Blocked } from './observe/blocked.ts'
import { waitedText } from '../guard/words.ts'
import { dataWithFigures, figuresIn, guardOf, keepFigures, withFigures } from './observe/guarded.ts'
import { cancelledOutcome, unclearOutcome } from './decide/outcomes.ts'
import type { Timing } from './attempts/timing.ts'
import { openAnyWorkspace } from './others/workspace.ts'
import { isProblem, type Workspace, type WorkspaceProblem } from './prisma/prisma-workspace.ts'
import type { ToolVersion } from './prisma/tool.ts'
import { proveAll, type Proof } from './prove.ts'
import { startGroup } from './start.ts'
import { stopMigrator } from './observe/stop.ts'
import type { Stopped, Work } from './observe/work.ts'
import { noteMisplaced } from './observe/misplaced.ts'
import { noteApplied, tasksOf, watchAttempt, type MigrationTask, type Watched } from './observe/watch.ts'

/** Looks, and changes nothing but the log of a migrator that has ended, which it redacts. */
export async function inspectMigrations(context: RunContext, timing: Timing): Promise<Inspection> {
  const workspace = await openAnyWorkspace(context)
  if (isProblem(workspace)) return { kind: 'todo' } // acting says what is missing
  return withObserver(connectionOf(context, workspace), async (observer) => {
    const work = { context, workspace, observer, timing }
    const facts = await observer.glance((client) => factsOf(work, client))
    if (facts === null) return { kind: 'todo' }
    const action = decideNext(work, facts)
    if (action.kind === 'all_applied') {
      const tasks = tasksIn(work, facts)
      await noteApplied({ context, base: workspace.base }, tasks)
      await noteMisplaced(work, facts.attempt?.attempt ?? null)
      return withFigures({ kind: 'done' as const, output: doneText(workspace.base, facts), data: { migrations: tasks } }, workspace.base)
    }
    if (action.kind === 'living' || action.kind === 'next' || action.kind === 'failed') return { kind: 'todo' }
    const analysis = await analyseFailure(work, action, tasksIn(work, facts), null)
    return analysis.kind === 'end' && analysis.end.kind === 'unknown'
      ? { kind: 'unknown', outcome: analysis.end.outcome }
      : { kind: 'todo' }
  })
}

/** Looks, does the next thing, and looks again, until all is applied or something is in the way. */
export async function applyAll(context: RunContext, timing: Timing, ahead: Pick<Ahead, 'take'>): Promise<StepEnd> {
  const workspace = await openAnyWorkspace(context)
  if (isProblem(workspace)) return notStarted(workspace)
  return withObserver(connectionOf(context, workspace), async (observer) => {
    const work = { context, workspace, observer, timing }
    const blocked = blockedOf(work)
    const end = await applyRest(work, blocked, ahead)
    await blocked.over()
    return withFigures(end, workspace.base)
  })
}

async function applyRest(work: Work, blocked: Blocked, ahead: Pick<Ahead, 'take'>): Promise<StepEnd> {
  const { context, workspace } = work
  let version: ToolVersion | null = null
  let stopped: Stopped | null = null
  for (;;) {
    const facts = await factsWithin(work)
    if (facts === null) return silent(work)
    const tasks = tasksIn(work, facts)
    const action = decideNext(work, facts)
    context.progress(dataWithFigures({ migrations: tasks }, workspace.base))
    await noteApplied({ context, base: workspace.base }, tasks)
    if (action.kind === 'all_applied' || action.kind === 'next') await noteMisplaced(work, facts.attempt?.attempt ?? null)
    if (action.kind === 'all_applied') return { kind: 'done', output: doneText(workspace.base, facts), data: { migrations: tasks } }
    if (action.kind === 'living') {
      const ended = await accompany(work, blocked, facts.attempt?.attempt ?? null)
      if (ended.kind === 'end') return ended.end
      stopped = ended.stopped ?? stopped
      continue
    }
    if (action.kind !== 'next') {
      const analysis: FailureAnalysis = await analyseFailure(work, action, tasks, stopped)
      if (analysis.kind === 'end') return analysis.end
      settle(analysis.attempt)
      context.report(analysis.report)
      await blocked.pause(analysis.pauseMs, context.signal)
      continue
    }
    if (context.isCancelled())
      return { kind: 'cancelled', output: 'cancelled', outcome: cancelledOutcome(tasks, null), data: { migrations: tasks } }
    if (context.signal.aborted) return lostHold(context, tasks)
    if (version === null) {
      const proof: Proof = await proveAll(work, action, tasks, (last) => ahead.take(context.requestId, last))
      if (proof.kind === 'hindered') return proof.end
      version = proof.version
    }
    if (!context.signal.aborted) await startGroup(work, action.group, version)
  }
}

/** The migrator writes as it is, since nobody may be there to redact it; once it has ended its own log is redacted too. */
function decideNext({ context, workspace }: Work, facts: Facts): ReturnType<typeof nextAction> {
  const action = nextAction(facts, workspace.tool.leaves)
  if (action.kind !== 'living' && facts.attempt !== null) hideOutput(facts.attempt.attempt, context.redactor)
  return action
}

/** Watches the migrator to its end, or stops it when there is a reason. */
async function accompany(
  work: Work,
  blocked: Blocked,
  attempt: Attempt | null,
): Promise<{ readonly kind: 'on'; readonly stopped?: Stopped } | { readonly kind: 'end'; readonly end: StepEnd }> {
  const { context, workspace, observer, timing } = work
  const guard = guardOf(
    { context, observer, blocked, applicationName: workspace.applicationName, base: workspace.base, host: workspace.parsed.host },
    attempt,
  )
  const watched: Watched = {
    context,
    observer,
    guard,
    files: workspace.approved.migrations,
    recordsStart: workspace.tool.recordsStart,
    readState: workspace.readState,
    applicationName: workspace.applicationName,
    base: workspace.base,
    readable: workspace.tool.readable,
    pollMs: timing.pollMs,
    maximumMs: attempt?.intent.concurrently === true ? timing.concurrentMaximumMs : null,
    silenceMs: timing.silenceMs,
    tryText: tryText(work, attempt),
  }
  const end = await watchAttempt(watched, attempt)
  keepFigures(workspace.base, guard.figures())
  if (end.kind === 'ended') failpoint('after-migrator-exit')
  if (end.kind === 'ended') return { kind: 'on' }
  if (end.kind === 'unreachable') return { kind: 'end', end: silent(work) }
  context.report('Stopping: the statement is cancelled first, then the session, then the program.')
  const sure = await stopMigrator(observer, attempt, workspace.applicationName, {
    pollMs: Math.min(200, timing.pollMs),
    patienceMs: timing.patienceMs,
  })
  if (!sure) return { kind: 'end', end: silent(work) }
  if (end.kind !== 'stray') return { kind: 'on', stopped: end.kind }
  const tasks = tasksIn(work, await observer.look((client) => factsOf(work, client)))
  return {
    kind: 'end',
    end: {
      kind: 'unknown',
      output: 'stopped: another database',
      data: { migrations: tasks },
      outcome: unclearOutcome({
        headline: `The migrator was at work in the database \`${end.database}\`, which was not approved, and was stopped.`,
        tasks,
        notKnown: `What it changed in \`${end.database}\`.`,
        next: isPrisma(context.target.tool)
          ? `Find out why the repository's configuration leads Prisma there (\`prisma.config.ts\`, an adapter with an address of its own), and look at \`_prisma_migrations\` in \`${end.database}\`. Then cancel this request.`
          : `Find out why the repository's configuration leads ${workspace.tool.name} there, and look at what it has changed in \`${end.database}\`. Then cancel this request.`,
      }),
    },
  }
}

async function factsOf({ context, workspace }: Pick<Work, 'context' | 'workspace'>, client: Queryable): Promise<Facts> {
  const attempt = attemptsIn(workspace.base).at(-1)
  const state = attempt === undefined ? null : await stateOf(attempt)
  const sessions = await sessionsOf(client, workspace.applicationName)
  return {
    plan: context.plan,
    files: workspace.approved.migrations,
    // after the sessions: what they did last must be in it
    state: await workspace.readState(client),
    attempt: attempt === undefined || state === null ? null : { attempt, state, settled: isSettled(attempt) },
    sessions: sessions.length,
  }
}

/** Null when the database was silent for too long. */
async function factsWithin(work: Work): Promise<Facts | null> {
  const began = performance.now()
  for (;;) {
    const facts = await work.observer.glance((client) => factsOf(work, client))
    if (facts !== null) return facts
    if (performance.now() - began > work.timing.silenceMs || work.context.signal.aborted) return null
    work.context.report('The database does not answer. Trying again.')
    await sleep(work.timing.pollMs)
  }
}

const tasksIn = ({ context, workspace }: Pick<Work, 'context' | 'workspace'>, facts: Facts): readonly MigrationTask[] =>
  tasksOf(statusOf(facts.state, facts.files), context.plan.list, workspace.base)

const doneText = (base: string, facts: Facts): string => `${summaryOf(facts)}${waitedText(figuresIn(base))}`

/** `3 migrations in 0.6 s`: from the start of the first to the end of the last. */
function summaryOf({ plan, state, files }: Facts): string {
  const names = new Set(plan.list.map(({ name }) => name))
  const rows = statusOf(state, files).applied.flatMap(({ name, row }) => (names.has(name) && row?.finishedAt != null ? [row] : []))
  const from = Math.min(...rows.map((row) => row.startedAt.getTime()))
  const to = Math.max(...rows.map((row) => row.finishedAt?.getTime() ?? 0))
  const timed = rows.every(({ startedAt }) => startedAt.getTime() > 0) // a record without times says none
  return timed ? `${count(names.size, 'migration')} in ${seconds(to - from)}` : count(names.size, 'migration')
}

const connectionOf = (context: RunContext, workspace: Workspace) => ({
  url: workspace.url,
  applicationName: `lockkeeper-watch-${context.requestId}`,
})

const notStarted = (problem: WorkspaceProblem): StepEnd => ({
  kind: 'failed',
  output: 'not started',
  outcome: { headline: `*${problem.headline} Nothing was changed.*`, next: problem.next },
})

function silent({ context, workspace }: Work): StepEnd {
  const begun = attemptsIn(workspace.base).length > 0
  const where = `\`${workspace.parsed.host}:${workspace.parsed.port}\``
  if (!begun)
    return notStarted({
      headline: `The database server ${where} cannot be reached.`,
      next: 'Check that the server is up and that this machine may reach it (address, firewall, VPN), then ask again.',
    })
  const tasks = context.plan.list.map(({ name }): MigrationTask => ({ name, state: 'pending', seconds: null, output: null }))
  return {
    kind: 'unknown',
    output: 'unclear',
    outcome: unclearOutcome({
      headline: `The connection to the database was lost while migrating.`,
      tasks: [],
      known: ['The migrator had been started.'],
      notKnown: `How far it came with ${count(tasks.length, 'migration')}: ${where} does not answer.`,
      next: `Look again when the database answers: \`${context.command} status\` shows what is applied. Then cancel this request and ask anew for the rest.`,
    }),
  }
}

/** The lock of the target went away with its session, so nothing new may start. When the store was lost too, the run comes back here. */
const lostHold = ({ command }: RunContext, tasks: readonly MigrationTask[]): StepEnd => ({
  kind: 'unknown',
  output: 'interrupted',
  data: { migrations: tasks },
  outcome: unclearOutcome({
    headline: 'The hold on the target was lost between two migrations.',
    tasks,
    known: ['Nothing of this run is at work.'],
    notKnown: 'Whether somebody else has begun to change the database meanwhile.',
    next: `Look at \`${command} status\`, then cancel this request and ask anew for the rest.`,
  }),
})
