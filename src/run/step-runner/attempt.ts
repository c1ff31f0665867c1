import { escapeMarkup } from '../../lib/text/escape.ts'
import { writeAudit } from '../../audit/write.ts'
import type { Refusal } from '../../lib/refusal.ts'
import { MAINTENANCE_ON, NOT_BEGUN } from '../../request/maintenance-mode.ts'
import type { RequestRow, RunOutcome } from '../../request/request.ts'
import type { Step, StepEnd } from '../../request/step.ts'
import { about, addEvent } from '../../request/store.ts'
import { retryStore } from '../../store/retry-store.ts'
import { endOrphans } from '../orphans.ts'
import { watchForCancel, type CancelWatch } from './cancel-watch.ts'
import { contextOf } from './context.ts'
import { isUnderWay } from './may-start.ts'
import { commandOf, type RunPorts } from './ports.ts'
import { writeBegin } from './step-rows.ts'
import { cancelledBefore, notLookedAt, notOff } from './texts.ts'
import type { Work } from './work.ts'

/** Begins a step, or goes on with one that a dead process began, under the lock of the target where it changes something there. */
export async function attempt(ports: RunPorts, work: Work): Promise<StepEnd | 'lost'> {
  const { request, step } = work
  const before = work.previous?.attempt ?? 0
  await retryStore(ports.log, () => writeBegin(ports, { id: request.id, name: step.name }, before + 1))
  if (before > 0 && !work.isAgain) await retryStore(ports.log, () => adopted(ports, request, step))
  const alive = AbortSignal.any([ports.liveness().signal(), ports.inFlight.signalFor(step.changes)])
  const cancel = watchForCancel(ports, request)
  try {
    const end = await underLock(ports, work, { alive, cancel })
    return alive.aborted && end.kind !== 'done' ? 'lost' : end
  } catch (error) {
    if (alive.aborted) return 'lost'
    return faulted(ports, work, error as Error)
  } finally {
    await cancel.stop()
  }
}

type Signals = { readonly alive: AbortSignal; readonly cancel: CancelWatch }

async function underLock(ports: RunPorts, work: Work, signals: Signals): Promise<StepEnd> {
  const { request, step, target } = work
  const { alive, cancel } = signals
  // what is owed is not cancelled, and does not wait for a database that may be the reason why it is owed
  if (step.isOwed === true) return lookAndAct(ports, work, alive, () => false)
  const signal = AbortSignal.any([alive, cancel.signal])
  if (step.changes !== 'database' && step.changes !== 'application') return lookAndAct(ports, work, signal, cancel.isCancelled)
  const waits = { target, requestId: request.id, signal: isUnderWay(step, work.previous) ? alive : signal }
  const locked = await ports.underTargetLock(waits, (lost) => lookAndAct(ports, work, AbortSignal.any([signal, lost]), cancel.isCancelled))
  if (locked.kind === 'held') return locked.value
  // by a cancel; when this process ends, nobody asks for what is given here
  if (locked.kind === 'aborted') return cancelledBefore(step, cancel.by())
  return notBegun(ports, work, locked.refusal)
}

async function lookAndAct(ports: RunPorts, work: Work, signal: AbortSignal, isCancelled: () => boolean): Promise<StepEnd> {
  const context = await contextOf(ports, work, signal, isCancelled)
  if (context.attempt > 1) endOrphans(context.directory)
  const found = await work.step.inspect(context)
  if (found.kind === 'done') return { kind: 'done', output: found.output, data: found.data }
  if (found.kind === 'unknown') return { kind: 'unknown', output: 'unclear', outcome: found.outcome }
  return work.step.act(context)
}

/** The lock could not be had. That is a plain failure unless an earlier process may have done something that nobody can look at now. */
function notBegun(ports: RunPorts, { step, previous }: Work, refusal: Refusal): StepEnd {
  const isFirst = (previous?.attempt ?? 0) === 0
  if (!isFirst && step.name !== MAINTENANCE_ON) return notLookedAt(ports, step.title, refusal)
  return {
    kind: 'failed',
    output: 'not started',
    outcome: {
      headline: `*"${escapeMarkup(step.title)}" was not started.*`,
      why: refusal.text,
      next: 'Nothing was changed by this step. When that is mended, ask again.',
    },
    ...(step.name === MAINTENANCE_ON && isFirst ? { data: NOT_BEGUN } : {}),
  }
}

/** A fault of ours in a step that changes something leaves it unclear, and unclear means a person. */
function faulted(ports: RunPorts, { step, plan, request }: Work, error: Error): StepEnd {
  const reason = ports.redactor.text(error.message).slice(0, 500)
  ports.log.error({ error: ports.redactor.text(String(error.stack)) }, 'a step met a fault')
  if (step.isOwed === true) return notOff(ports, plan, request.id, `The fault: ${escapeMarkup(reason)}`)
  const changes = step.changes === 'database' || step.changes === 'application'
  const outcome: RunOutcome = changes
    ? {
        headline: `*"${step.title}" met a fault. Lockkeeper will not guess.*`,
        known: `The fault: ${escapeMarkup(reason)}`,
        notKnown: 'Whether this step changed something before that.',
        next: `Look at \`${commandOf(ports)} status\` and at the log in the thread. When it is clear, \`${commandOf(ports)} cancel\` closes this request so that a new one can be asked.`,
      }
    : { headline: `*"${step.title}" met a fault; nothing was changed by it.*`, why: escapeMarkup(reason), next: 'Mend that and ask again.' }
  return changes ? { kind: 'unknown', output: 'unclear', outcome } : { kind: 'failed', output: 'fault', outcome }
}

const adopted = (ports: RunPorts, request: RequestRow, step: Step) =>
  ports.db.transaction(async (tx) => {
    await addEvent(tx, request.id, { kind: 'adopted', data: { step: step.title } })
    await writeAudit(tx, { ...about(request), entry: 'recovery', act: 'adopt', result: 'allowed', data: { step: step.name } })
  })
