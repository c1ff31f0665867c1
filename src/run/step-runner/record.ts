import { escapeMarkup } from '../../lib/text/escape.ts'
import { writeAudit } from '../../audit/write.ts'
import { MAINTENANCE_OFF } from '../../request/maintenance-mode.ts'
import type { RequestRow, RunOutcome } from '../../request/request.ts'
import type { Step, StepEnd } from '../../request/step.ts'
import { about, addEvent, requestById } from '../../request/store.ts'
import { retryStore } from '../../store/retry-store.ts'
import { notSwitchedOff } from '../steps/maintenance.ts'
import { endOf, endRun, stopRun, type Next } from './end.ts'
import { commandOf, type RunPorts } from './ports.ts'
import { asRedactedJson, writeEnd, writeUnclear } from './step-rows.ts'

export async function record(ports: RunPorts, request: RequestRow, step: Pick<Step, 'name' | 'title'>, end: StepEnd): Promise<Next> {
  const next = await retryStore(ports.log, () =>
    ports.db.transaction(async (tx): Promise<Next | null> => {
      // frozen past its adoption and awake again: what it saw of its step is not how the step ended
      if (!(await ports.owns(tx, request.id))) return null
      const isRecorded = await writeEnd(tx, ports.redactor, { id: request.id, name: step.name }, { ...end, state: end.kind })
      const now = (await requestById(tx, request.id)) ?? request
      // the commit of an earlier try arrived, only its answer was lost
      if (!isRecorded) return end.kind === 'done' && now.state === 'running' && now.ending === null ? 'next' : endOf(now)
      await writeAudit(tx, { ...about(request), act: 'step', result: end.kind, data: { step: step.name } })
      if (end.kind !== 'done')
        return stopRun(tx, now, step.name, end.kind === 'unknown' ? 'needs_human' : end.kind, asRedactedJson(ports.redactor, end.outcome))
      await addEvent(tx, request.id, {
        kind: 'step_done',
        data: { step: step.name, title: step.title, output: ports.redactor.text(end.output) },
      })
      return now.ending === null ? 'next' : endRun(tx, now, step.name, now.ending, now.outcome ?? { headline: '' })
    }),
  )
  return next ?? never()
}

/** A fault outside the step itself: in what is asked before it, or in its record. */
export async function stopUnclear(ports: RunPorts, id: number, name: string, error: Error): Promise<Next> {
  const reason = ports.redactor.text(error.message).slice(0, 500)
  ports.log.error({ error: ports.redactor.text(String(error.stack)) }, 'a run met a fault')
  const outcome: RunOutcome = {
    headline: '*The run met a fault. Lockkeeper will not guess.*',
    known: `The fault: ${escapeMarkup(reason)}`,
    notKnown: `Whether "${escapeMarkup(name)}" changed something before that.`,
    next: `Look at \`${commandOf(ports)} status\` and at the log in the thread. When it is clear, \`${commandOf(ports)} cancel ${id}\` closes this request so that a new one can be asked.`,
  }
  const next = await retryStore(ports.log, () =>
    ports.db.transaction(async (tx) => {
      if (!(await ports.owns(tx, id))) return null
      await writeUnclear(tx, { id, name })
      const request = await requestById(tx, id)
      if (request?.state !== 'running') return request === undefined ? 'ended' : endOf(request)
      await writeAudit(tx, { ...about(request), act: 'step', result: 'unknown', data: { step: name } })
      const off =
        name === MAINTENANCE_OFF && request.plan !== null
          ? notSwitchedOff({ plan: request.plan, requestId: id, command: commandOf(ports) }, `The fault: ${escapeMarkup(reason)}`)
          : null
      return stopRun(tx, request, name, 'needs_human', off ?? outcome)
    }),
  )
  return next ?? never()
}

/** Another process carries this run now. Returning would record an outcome that is not ours to record. */
export const never = () => new Promise<never>(() => {})
