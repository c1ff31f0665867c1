import type { Durable, WorkflowBody } from '../../engine/engine.ts'
import { failpoint } from '../../lib/failpoint.ts'
import { during, emit, withFields } from '../../lib/telemetry.ts'
import { MAINTENANCE_OFF } from '../../request/maintenance-mode.ts'
import { requestById } from '../../request/store.ts'
import { retryStore } from '../../store/retry-store.ts'
import type { Next } from '../step-runner/end.ts'
import { performStep } from '../step-runner/step-runner.ts'
import { begin } from './begin.ts'
import { checkAtQuorum } from './check-at-quorum.ts'
import { finish } from './finish.ts'
import { checkAhead, stateOf } from './look.ts'
import { planFirst } from './planning.ts'
import type { WorkflowPorts } from './ports.ts'

/**
 * A request from asking to proof: plan, wait for the votes, check again, run. Each line that begins with `step` is checkpointed; the
 * loops repeat only when the world changed and people have to be asked anew.
 */
export function requestWorkflow(ports: WorkflowPorts): WorkflowBody {
  return async (id, durable) => {
    const request = await retryStore(ports.log, () => requestById(ports.db, id))
    const about = { request: id, target: request?.target ?? '' }
    await withFields(about, () => carry(ports, about, durable))
    await withFields(about, () => emitEnd(ports, id))
  }
}

type About = { readonly request: number; readonly target: string }

async function carry(ports: WorkflowPorts, about: About, durable: Durable): Promise<void> {
  const id = about.request
  const phase = <T extends string>(phase: 'plan' | 'check', work: () => Promise<T>) =>
    during({ kind: 'phase', phase, ...about }, work, (result) => result)
  if ((await durable.step('plan', () => phase('plan', () => planFirst(ports, id)))) === 'ended') return
  for (let round = 1; ; round++) {
    if ((await granted(ports, id, round, durable)) === 'ended') return
    const checked = await durable.step(`check before the run ${round}`, () => phase('check', () => checkAtQuorum(ports, id)))
    if (checked === 'ended') return
    if (checked === 'go') break
  }
  const steps = await durable.step('begin', () => begin(ports, id))
  failpoint('after-claim')
  for (const name of steps) {
    const next = await durable.step(name, () => performStep(ports, ports.stepsFor, id, name))
    if (next !== 'next') return settle(ports, id, next, durable)
  }
  await durable.step('finish', () => finish(ports, id))
}

/** A run that has stopped with maintenance mode on is not over: whatever stopped it, the switch is set before it ends. */
async function settle(ports: WorkflowPorts, id: number, next: Exclude<Next, 'next'>, { step, nextSignal }: Durable): Promise<void> {
  if (next === 'ended') return
  if (next === 'off when closed') {
    await step('tell that it needs a person', () => emitEnd(ports, id))
    for (let look = 1; (await step(`look whether it is closed ${look}`, () => stateOf(ports, id))) === 'needs_human'; look++)
      await nextSignal()
  }
  await step(MAINTENANCE_OFF, () => performStep(ports, ports.stepsFor, id, MAINTENANCE_OFF))
}

/** Told once the workflow has nothing more to do, which for a run that needs a person is before somebody closes it. */
async function emitEnd(ports: WorkflowPorts, id: number): Promise<void> {
  const request = await retryStore(ports.log, () => requestById(ports.db, id))
  if (request === undefined) return
  const { target, state, createdAt, startedAt, endedAt } = request
  emit({ kind: 'request ended', request: id, target, state, createdAt, startedAt, endedAt: endedAt ?? new Date() })
}

/** The votes are rows; a signal only says that it is time to look. */
async function granted(ports: WorkflowPorts, id: number, round: number, { step, nextSignal }: Durable): Promise<'granted' | 'ended'> {
  for (let look = 1; ; look++) {
    const state = await step(`look ${round}.${look}`, () => stateOf(ports, id))
    if (state === 'granted') return 'granted'
    if (state === 'to check') {
      await step(`check ahead ${round}.${look}`, () => checkAhead(ports, id))
      continue
    }
    if (state !== 'waiting' && state !== 'queued') return 'ended'
    await nextSignal()
  }
}
