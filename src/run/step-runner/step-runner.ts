import { failpoint } from '../../lib/failpoint.ts'
import { during, withFields } from '../../lib/telemetry.ts'
import type { Plan } from '../../plan/plan.ts'
import { MAINTENANCE_OFF } from '../../request/maintenance-mode.ts'
import type { RequestRow } from '../../request/request.ts'
import type { Step } from '../../request/step.ts'
import { requestById, stepsOf } from '../../request/store.ts'
import { retryStore } from '../../store/retry-store.ts'
import { attempt } from './attempt.ts'
import { endOf, type Next } from './end.ts'
import { mayStart } from './may-start.ts'
import type { RunPorts } from './ports.ts'
import { never, record, stopUnclear } from './record.ts'
import { leftBehind, notAsApproved, notOff } from './texts.ts'

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
    if (ports.inFlight.isStopping()) return never()
    const { request, plan, target, step, row } = await load(ports, stepsFor, id, name)
    if (request.state !== 'running' || (request.ending !== null && name !== MAINTENANCE_OFF)) return endOf(request)
    if (row?.state === 'done' || row?.state === 'skipped') return 'next'
    await ports.liveness().held()
    if (!(await retryStore(ports.log, () => ports.owns(ports.db, id)))) return never()
    if (target === undefined || step === undefined) {
      const why = ports.reconfigured(plan, request) ?? 'The configuration of this target has other steps now.'
      const title = row?.title ?? name
      if (name === MAINTENANCE_OFF) return record(ports, request, { name, title }, notOff(ports, plan, id, why))
      return record(
        ports,
        request,
        { name, title },
        (row?.attempt ?? 0) > 0 ? leftBehind(ports, title, why) : notAsApproved(ports, title, why),
      )
    }
    const work = { request, plan, target, step, previous: row, isAgain }
    const end = await during(
      { kind: 'step', step: name, attempt: (row?.attempt ?? 0) + 1, request: id, target: target.name },
      async () => (await mayStart(ports, request, step, row)) ?? ports.inFlight.during(step.changes, () => attempt(ports, work)),
      (end) => (end === 'lost' ? end : end.kind),
    )
    if (end === 'lost') continue // the store went away in the middle, or this process is stopping: look again
    failpoint('before-step-record', name)
    return record(ports, request, step, end)
  }
}

async function load(ports: RunPorts, stepsFor: (request: RequestRow, plan: Plan) => readonly Step[], id: number, name: string) {
  const [request, rows] = await retryStore(ports.log, () => Promise.all([requestById(ports.db, id), stepsOf(ports.db, id)]))
  const target = request === undefined ? undefined : ports.config.targets.get(request.target)
  if (request?.plan == null) throw new Error(`request ${id} has no plan`)
  const step = stepsFor(request, request.plan).find((one) => one.name === name)
  return { request, plan: request.plan, target, step, row: rows.find((one) => one.name === name) }
}
