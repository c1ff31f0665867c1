import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAudit } from '../../audit/write.ts'
import type { Config, Target } from '../../config/config.ts'
import type { Db, Queries, Tx } from '../../store/pool.ts'
import type { Liveness } from '../../engine/liveness.ts'
import { killPoint } from '../../lib/failpoint.ts'
import type { Log } from '../../lib/log.ts'
import { during, withFields } from '../../lib/telemetry.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Redactor } from '../../redact/redact.ts'
import { isRefusal, type Refusal } from '../../lib/refusal.ts'
import { endLeft } from '../orphans.ts'
import { MAINTENANCE_OFF, MAINTENANCE_ON, NOT_BEGUN, notOffEither, offAgain, staysOn, stillOn } from '../../request/maintenance-mode.ts'
import { persist } from '../../store/retry-store.ts'
import type { RequestRow, RunOutcome, StepRow, StepState, Ending } from '../../request/request.ts'
import { about, addEvent, addEventOnce, endLater, requestById, stepsOf, transition } from '../../request/store.ts'
import type { RunContext, Step, StepEnd } from '../../request/step.ts'
import { notSwitchedOff } from '../steps/maintenance.ts'
import { doneHeadline } from '../../request/render/words.ts'
import type { Working } from '../in-flight.ts'

export type Compared =
  { readonly kind: 'same' } | { readonly kind: 'changed'; readonly why: string } | { readonly kind: 'unknown'; readonly why: string }

export type RunPorts = {
  readonly db: Db
  readonly log: Log
  readonly config: Config
  readonly redactor: Redactor
  readonly env: Readonly<Record<string, string | undefined>>
  readonly liveness: () => Liveness
  readonly working: Working
  readonly owns: (db: Queries, requestId: number) => Promise<boolean>
  /** From `approvals/`, which is above: whether this request may still change anything. */
  readonly stillGranted: (requestId: number) => Promise<true | Refusal>
  /** Whether a run may begin at all now, whatever was approved: the record, the store, the clocks. */
  readonly whyNoRun: (request: RequestRow) => Promise<Refusal | null>
  /** Whether a run that has begun must not go on, since its own record is not the newest. Asks nobody. */
  readonly whyStop: () => Refusal | null
  readonly compare: (plan: Plan, request: RequestRow, phase: 'before-migrate' | 'after-migrate') => Promise<Compared>
  /** Why the target's present configuration is not the one that was approved, as a sentence; null when it is. Looks at nothing else. */
  readonly reconfigured: (plan: Plan, request: RequestRow) => string | null
  /** Runs `work` under the session lock in the target database; its signal aborts when that session is lost. */
  readonly underTargetLock: <T>(target: Target, requestId: number, work: (signal: AbortSignal) => Promise<T>) => Promise<T | Refusal>
}

/**
 * `ended`: the run has come to its end, or needs a person. `off first`: it ends when maintenance mode is off. `off when closed`: it needs
 * a person, and maintenance mode stays on until that person has decided.
 */
export type Next = 'next' | 'ended' | 'off first' | 'off when closed'

/** How often a running step looks whether somebody asked to cancel. */
const CANCEL_LOOK_MS = 500
/** At most one write a second for what a step reports. */
const REPORT_MS = 1_000

/**
 * One step of a run, from its first look to its record. Called again after a crash, it looks again: nothing is repeated blindly. While
 * this process cannot prove that it lives, nothing new starts; if another has taken the run over meanwhile, it never returns.
 */
export async function performStep(
  ports: RunPorts,
  stepsFor: (request: RequestRow, plan: Plan) => readonly Step[],
  id: number,
  name: string,
): Promise<Next> {
  return withFields({ run: id, step: name }, async () => {
    try {
      return await perform(ports, stepsFor, id, name)
    } catch (error) {
      // thrown on, it would end the workflow and leave the request running for ever, and its target taken
      return stopUnclear(ports, id, name, error as Error)
    }
  })
}

async function perform(
  ports: RunPorts,
  stepsFor: (request: RequestRow, plan: Plan) => readonly Step[],
  id: number,
  name: string,
): Promise<Next> {
  for (let isAgain = false; ; isAgain = true) {
    if (ports.working.isStopping()) return never()
    const { request, plan, target, step, row } = await load(ports, stepsFor, id, name)
    if (request.state !== 'running' || (request.ending !== null && name !== MAINTENANCE_OFF)) return endOf(request)
    if (row?.state === 'done' || row?.state === 'skipped') return 'next'
    await ports.liveness().held()
    if (!(await persist(ports.log, () => ports.owns(ports.db, id)))) return never()
    if (target === undefined || step === undefined) {
      const why = ports.reconfigured(plan, request) ?? 'The configuration of this target has other steps now.'
      const title = row?.title ?? name
      if (name === MAINTENANCE_OFF) return record(ports, request, { name, title }, notOff(plan, id, why))
      return record(ports, request, { name, title }, (row?.attempt ?? 0) > 0 ? leftBehind(title, why) : notAsApproved(title, why))
    }
    const work = { request, plan, target, step, previous: row, isAgain }
    const end = await during(
      { kind: 'step', step: name, attempt: (row?.attempt ?? 0) + 1, request: id, target: target.name },
      async () => (await mayStart(ports, request, step, row)) ?? ports.working.during(step.changes, () => attempt(ports, work)),
      (end) => (end === 'lost' ? end : end.kind),
    )
    if (end === 'lost') continue // the store went away in the middle, or this process is stopping: look again
    killPoint('before-step-record', name)
    return record(ports, request, step, end)
  }
}

/** What the workflow does about a run that has stopped. */
function endOf({ state, ending, owesOff }: RequestRow): Exclude<Next, 'next'> {
  if (state === 'running' && ending !== null) return 'off first'
  return state === 'needs_human' && owesOff ? 'off when closed' : 'ended'
}

const notOff = (plan: Plan, id: number, why: string): StepEnd => ({
  kind: 'unknown',
  output: 'NOT switched off',
  outcome: notSwitchedOff(plan, id, why),
})

/** Nothing that could say what this step did is left to ask. */
const leftBehind = (title: string, why: string): StepEnd => ({
  kind: 'unknown',
  output: 'unclear',
  outcome: {
    headline: `*"${escape(title)}" had begun, and the configuration no longer knows it.*`,
    why,
    notKnown: 'How far this step came.',
    next: 'Look at `/migrate status` and at the log in the thread. `/migrate cancel` closes this request when it is clear.',
  },
})

const notAsApproved = (title: string, why: string): StepEnd => ({
  kind: 'failed',
  output: 'not started',
  outcome: {
    headline: `*Stopped before "${escape(title)}": what was approved is no longer what would run.*`,
    why,
    next: 'Nothing was changed by this step. Look at `/migrate status`, then ask again for what is there now.',
  },
})

/** What this store calls open may have been done since its copy was made. */
const recordIsOld = (title: string, why: Refusal): StepEnd => ({
  kind: 'unknown',
  output: 'not started',
  outcome: {
    headline: `*Stopped before "${escape(title)}": the record of this run is not the newest.*`,
    why: why.text,
    notKnown: 'What this run has done since the copy of the store was made.',
    next: 'Look at `/migrate status` and at the thread in Slack. When it is clear, `/migrate cancel` closes this request so that a new one can be asked.',
  },
})

/** A fault outside the step itself: in what is asked before it, or in its record. */
async function stopUnclear(ports: RunPorts, id: number, name: string, error: Error): Promise<Next> {
  const reason = ports.redactor.text(error.message).slice(0, 500)
  ports.log.error({ error: ports.redactor.text(String(error.stack)) }, 'a run met a fault')
  const outcome: RunOutcome = {
    headline: '*The run met a fault. Lockkeeper will not guess.*',
    known: `The fault: ${escape(reason)}`,
    notKnown: `Whether "${escape(name)}" changed something before that.`,
    next: `Look at \`/migrate status\` and at the log in the thread. When it is clear, \`/migrate cancel ${id}\` closes this request so that a new one can be asked.`,
  }
  const next = await persist(ports.log, () =>
    ports.db.transaction(async (tx) => {
      if (!(await ports.owns(tx, id))) return null
      await tx.query(
        `update lockkeeper.step set state = 'unknown', output = 'unclear', details = null, ended_at = lockkeeper.now()
         where request_id = $1 and name = $2 and state in ('pending', 'running')`,
        [id, name],
      )
      const request = await requestById(tx, id)
      if (request?.state !== 'running') return request === undefined ? 'ended' : endOf(request)
      await writeAudit(tx, { ...about(request), act: 'step', result: 'unknown', data: { step: name } })
      const off =
        name === MAINTENANCE_OFF && request.plan !== null ? notSwitchedOff(request.plan, id, `The fault: ${escape(reason)}`) : null
      return stopRun(tx, request, name, 'needs_human', off ?? outcome)
    }),
  )
  return next ?? never()
}

type Work = {
  readonly request: RequestRow
  readonly plan: Plan
  readonly target: Target
  readonly step: Step
  readonly previous: StepRow | undefined
  /** This very process began it and lost the store in the middle. */
  readonly isAgain: boolean
}

async function load(ports: RunPorts, stepsFor: (request: RequestRow, plan: Plan) => readonly Step[], id: number, name: string) {
  const [request, rows] = await persist(ports.log, () => Promise.all([requestById(ports.db, id), stepsOf(ports.db, id)]))
  const target = request === undefined ? undefined : ports.config.targets.get(request.target)
  if (request?.plan == null) throw new Error(`request ${id} has no plan`)
  const step = stepsFor(request, request.plan).find((one) => one.name === name)
  return { request, plan: request.plan, target, step, row: rows.find((one) => one.name === name) }
}

/** Asked before every step but the one that a run owes: was it cancelled? Before every changing step also: is it still granted, is the world still the approved one? */
async function mayStart(ports: RunPorts, request: RequestRow, step: Step, row: StepRow | undefined): Promise<StepEnd | undefined> {
  if (step.isOwed === true) return undefined
  // a change of the database that was under way when its process died: only its own inspection knows how far it came
  const underWay = step.changes === 'database' && (row?.attempt ?? 0) > 0
  if (request.cancelRequestedAt !== null && !underWay)
    return {
      kind: 'cancelled',
      output: 'not started',
      outcome: { headline: `*Cancelled by ${personOf(request.cancelRequestedBy)} before "${step.title}" started.*` },
    }
  const changed = request.plan === null || underWay ? null : ports.reconfigured(request.plan, request)
  if (changed !== null) return notAsApproved(step.title, changed)
  if (step.changes !== 'database' && step.changes !== 'application') return undefined
  const stop = ports.whyStop()
  if (stop !== null) return recordIsOld(step.title, stop)
  const granted = await persist(ports.log, () => ports.stillGranted(request.id))
  if (isRefusal(granted))
    return {
      kind: 'failed',
      output: 'not started',
      outcome: { headline: `*Stopped before "${step.title}": the approval no longer holds.*`, why: granted.text },
    }
  // taken over in the middle: the step's own inspection knows what a half-done change looks like
  if (request.plan === null || (row?.attempt ?? 0) > 0) return undefined
  const isBefore = step.changes === 'database' || step.name === MAINTENANCE_ON
  const compared = await ports.compare(request.plan, request, isBefore ? 'before-migrate' : 'after-migrate')
  return compared.kind === 'same' ? undefined : notAsApproved(step.title, compared.why)
}

async function attempt(ports: RunPorts, work: Work): Promise<StepEnd | 'lost'> {
  const { request, step, target } = work
  await persist(ports.log, () => started(ports, request.id, step.name))
  if ((work.previous?.attempt ?? 0) > 0 && !work.isAgain) await persist(ports.log, () => adopted(ports, request, step))
  const alive = AbortSignal.any([ports.liveness().signal(), ports.working.signalFor(step.changes)])
  const cancel = watchForCancel(ports, request)
  const acting = async (signal: AbortSignal): Promise<StepEnd> => {
    const context = await contextOf(ports, work, signal, step.isOwed === true ? () => false : cancel.isCancelled)
    if (context.attempt > 1) endLeft(context.directory)
    const found = await step.inspect(context)
    if (found.kind === 'done') return { kind: 'done', output: found.output, data: found.data }
    if (found.kind === 'unknown') return { kind: 'unknown', output: 'unclear', outcome: found.outcome }
    return step.act(context)
  }
  try {
    const signal = step.isOwed === true ? alive : AbortSignal.any([alive, cancel.signal])
    // what is owed does not wait for a database that may be the reason why it is owed
    const changes = step.isOwed !== true && (step.changes === 'database' || step.changes === 'application')
    const end = changes
      ? await ports.underTargetLock(target, request.id, (lost) => acting(AbortSignal.any([signal, lost])))
      : await acting(signal)
    if (isRefusal(end))
      return {
        kind: 'failed',
        output: 'not started',
        outcome: { headline: `*"${step.title}" was not started.*`, why: end.text },
        ...(step.name === MAINTENANCE_ON && (work.previous?.attempt ?? 0) === 0 ? { data: NOT_BEGUN } : {}),
      }
    if (alive.aborted && end.kind !== 'done') return 'lost'
    return end
  } catch (error) {
    if (alive.aborted) return 'lost'
    return faulted(ports, work, error as Error)
  } finally {
    cancel.stop()
  }
}

/** A fault of ours in a step that changes something leaves it unclear, and unclear means a person. */
function faulted(ports: RunPorts, { step, plan, request }: Work, error: Error): StepEnd {
  const reason = ports.redactor.text(error.message).slice(0, 500)
  ports.log.error({ error: ports.redactor.text(String(error.stack)) }, 'a step met a fault')
  if (step.isOwed === true) return notOff(plan, request.id, `The fault: ${escape(reason)}`)
  const changes = step.changes === 'database' || step.changes === 'application'
  const outcome: RunOutcome = changes
    ? {
        headline: `*"${step.title}" met a fault. Lockkeeper will not guess.*`,
        known: `The fault: ${escape(reason)}`,
        notKnown: 'Whether this step changed something before that.',
        next: 'Look at `/migrate status` and at the log in the thread. When it is clear, `/migrate cancel` closes this request so that a new one can be asked.',
      }
    : { headline: `*"${step.title}" met a fault; nothing was changed by it.*`, why: escape(reason), next: 'Mend that and ask again.' }
  return changes ? { kind: 'unknown', output: 'unclear', outcome } : { kind: 'failed', output: 'fault', outcome }
}

const adopted = (ports: RunPorts, request: RequestRow, step: Step) =>
  ports.db.transaction(async (tx) => {
    await addEvent(tx, request.id, { kind: 'adopted', data: { step: step.title } })
    await writeAudit(tx, { ...about(request), entry: 'recovery', act: 'adopt', result: 'allowed', data: { step: step.name } })
  })

async function started(ports: RunPorts, id: number, name: string): Promise<void> {
  await ports.db.query(
    `with begun as (
       update lockkeeper.step set state = 'running', attempt = attempt + 1, details = null,
         started_at = coalesce(started_at, lockkeeper.now()), ended_at = null
       where request_id = $1 and name = $2)
     update lockkeeper.request set revision = revision + 1, draw_after = clock_timestamp() where id = $1`,
    [id, name],
  )
}

async function record(ports: RunPorts, request: RequestRow, step: Pick<Step, 'name' | 'title'>, end: StepEnd): Promise<Next> {
  const state: StepState = end.kind
  const next = await persist(ports.log, () =>
    ports.db.transaction(async (tx): Promise<Next | null> => {
      // frozen past its adoption and awake again: what it saw of its step is not how the step ended
      if (!(await ports.owns(tx, request.id))) return null
      const recorded = await tx.query(
        `update lockkeeper.step set state = $3, output = $4, details = null, data = coalesce($5::jsonb, data), ended_at = lockkeeper.now(),
           started_at = coalesce(started_at, lockkeeper.now())
         where request_id = $1 and name = $2 and ended_at is null returning 1`,
        [request.id, step.name, state, ports.redactor.text(end.output), end.data !== undefined ? JSON.stringify(end.data) : null],
      )
      const now = (await requestById(tx, request.id)) ?? request
      // the commit of an earlier try arrived, only its answer was lost
      if (recorded.length === 0) return end.kind === 'done' && now.state === 'running' && now.ending === null ? 'next' : endOf(now)
      await writeAudit(tx, { ...about(request), act: 'step', result: end.kind, data: { step: step.name } })
      if (end.kind !== 'done')
        return stopRun(tx, now, step.name, end.kind === 'unknown' ? 'needs_human' : end.kind, redacted(ports.redactor, end.outcome))
      await addEvent(tx, request.id, {
        kind: 'step_done',
        data: { step: step.name, title: step.title, output: ports.redactor.text(end.output) },
      })
      return now.ending === null ? 'next' : endRun(tx, now, step.name, now.ending, now.outcome ?? { headline: '' })
    }),
  )
  return next ?? never()
}

/** A run that has switched maintenance mode on only says that it stops, and ends when that is off again. */
async function stopRun(tx: Tx, request: RequestRow, step: string, ending: Ending, outcome: RunOutcome): Promise<Exclude<Next, 'next'>> {
  const whole = await withBackup(tx, request.id, outcome)
  if (step === MAINTENANCE_OFF) return endRun(tx, request, step, 'needs_human', withRest(request, whole))
  if (!request.owesOff) return endRun(tx, request, step, ending, whole)
  if (staysOn(ending, step)) return endRun(tx, request, step, ending, stillOn(whole))
  await endLater(tx, request.id, 'running', ending, whole)
  return 'off first'
}

/** The switch could not be set: beside that stands what had stopped the run before, or that all of it is done. */
function withRest({ plan, ending, outcome }: RequestRow, off: RunOutcome): RunOutcome {
  if (ending !== null && outcome !== null) return notOffEither(off, outcome)
  return plan === null ? off : { ...off, known: `All else is done. ${doneHeadline(plan).replaceAll('*', '')}` }
}

async function endRun(tx: Tx, request: RequestRow, step: string, ending: Ending, outcome: RunOutcome): Promise<Exclude<Next, 'next'>> {
  const off = await offAgain(tx, request.id)
  const told = off === null ? outcome : { ...outcome, maintenance: off }
  if (!(await transition(tx, request.id, ['running'], ending, { outcome: told, isOver: true }))) return 'ended'
  await addEvent(tx, request.id, { kind: 'ended', data: { state: ending } })
  await writeAudit(tx, { ...about(request), act: 'run', result: ending, data: { step } })
  const now = await requestById(tx, request.id)
  return now === undefined ? 'ended' : endOf(now)
}

/** Whoever reads that it failed wants to know at once what there is to go back to. */
async function withBackup(tx: Queries, id: number, outcome: RunOutcome): Promise<RunOutcome> {
  const [backup] = await tx.query<{ name: string }>(
    `select name from lockkeeper.backup where request_id = $1 and state in ('written', 'verified') order by created_at desc limit 1`,
    [id],
  )
  return backup === undefined ? outcome : { backup: backup.name, ...outcome }
}

const redacted = <T>(redactor: Redactor, value: T): T => JSON.parse(redactor.text(JSON.stringify(value))) as T // of the same shape: only texts change

async function contextOf(ports: RunPorts, work: Work, signal: AbortSignal, isCancelled: () => boolean): Promise<RunContext> {
  const { request, plan, target, step } = work
  const directory = join(ports.config.varDirectory, 'runs', String(request.id))
  const checkout = join(ports.config.varDirectory, 'checkouts', String(request.id))
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const rows = await persist(ports.log, () => stepsOf(ports.db, request.id))
  return {
    requestId: request.id,
    digest: request.digest ?? '',
    target,
    plan,
    attempt: (work.previous?.attempt ?? 0) + 1,
    directory,
    checkout,
    applicationDirectory: join(checkout, target.source.directory),
    spool: join(directory, 'output.log'),
    signal,
    isCancelled,
    redactor: ports.redactor,
    secret: ports.config.secret,
    env: ports.env,
    ...reporter(ports, request.id, step.name),
    note: (event) => {
      const shown = redacted(ports.redactor, event)
      return persist(ports.log, () =>
        shown.kind === 'migration_done' ? addEventOnce(ports.db, request.id, shown) : addEvent(ports.db, request.id, shown),
      )
    },
    audit: (act, result, data) =>
      persist(ports.log, () => writeAudit(ports.db, { ...about(request), act, result, data: redacted(ports.redactor, data) })),
    dataOf: (name) => rows.find((row) => row.name === name)?.data,
  }
}

/** The newest report wins; in between nothing is written. Losing one is no loss, so a store that is away is only logged. */
function reporter(ports: RunPorts, id: number, name: string): Pick<RunContext, 'report' | 'progress'> {
  let timer: NodeJS.Timeout | undefined
  let next: { details?: string; data?: unknown } = {}
  const write = () => {
    timer = undefined
    const { details, data } = next
    next = {}
    ports.db
      .query(
        `with told as (update lockkeeper.step set details = coalesce($3, details), data = coalesce($4::jsonb, data)
           where request_id = $1 and name = $2 and state = 'running' returning 1)
         update lockkeeper.request set revision = revision + 1 where id = $1 and exists (select 1 from told)`,
        [
          id,
          name,
          details === undefined ? null : ports.redactor.text(details).slice(0, 500),
          data === undefined ? null : JSON.stringify(data),
        ],
      )
      .catch((error: Error) => ports.log.debug({ error: error.message }, 'a report was not written'))
  }
  const plan = (news: { details?: string; data?: unknown }) => {
    next = { ...next, ...news }
    timer ??= setTimeout(write, REPORT_MS)
    timer.unref()
  }
  return { report: (details) => plan({ details }), progress: (data) => plan({ data }) }
}

function watchForCancel(ports: RunPorts, { id, cancelRequestedAt }: RequestRow) {
  const controller = new AbortController()
  if (cancelRequestedAt !== null) controller.abort(new Error('cancelled'))
  const timer = setInterval(() => {
    ports.db
      .query<{ asked: boolean }>('select cancel_requested_at is not null as asked from lockkeeper.request where id = $1', [id])
      .then(([row]) => {
        if (row?.asked === true) controller.abort(new Error('cancelled'))
      })
      .catch((error: Error) => ports.log.debug({ error: error.message }, 'could not look for a cancel request'))
  }, CANCEL_LOOK_MS)
  return { signal: controller.signal, isCancelled: () => controller.signal.aborted, stop: () => clearInterval(timer) }
}

const personOf = (actor: string | null) => (actor === null ? 'somebody' : /^[UW][A-Z0-9]+$/.test(actor) ? `<@${actor}>` : escape(actor))

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Another process carries this run now. Returning would record an outcome that is not ours to record. */
const never = () => new Promise<never>(() => {})
