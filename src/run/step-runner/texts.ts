import { escapeMarkup } from '../../lib/text/escape.ts'
import type { Refusal } from '../../lib/refusal.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Step, StepEnd } from '../../request/step.ts'
import { notSwitchedOff } from '../steps/maintenance.ts'
import { commandOf, type RunPorts } from './ports.ts'

export const notOff = (ports: Pick<RunPorts, 'config'>, plan: Plan, id: number, why: string): StepEnd => ({
  kind: 'unknown',
  output: 'NOT switched off',
  outcome: notSwitchedOff({ plan, requestId: id, command: commandOf(ports) }, why),
})

/** Nothing that could say what this step did is left to ask. */
export const leftBehind = (ports: Pick<RunPorts, 'config'>, title: string, why: string): StepEnd => ({
  kind: 'unknown',
  output: 'unclear',
  outcome: {
    headline: `*"${escapeMarkup(title)}" had begun, and the configuration no longer knows it.*`,
    why,
    notKnown: 'How far this step came.',
    next: `Look at \`${commandOf(ports)} status\` and at the log in the thread. \`${commandOf(ports)} cancel\` closes this request when it is clear.`,
  },
})

export const notAsApproved = (ports: Pick<RunPorts, 'config'>, title: string, why: string): StepEnd => ({
  kind: 'failed',
  output: 'not started',
  outcome: {
    headline: `*Stopped before "${escapeMarkup(title)}": what was approved is no longer what would run.*`,
    why,
    next: `Nothing was changed by this step. Look at \`${commandOf(ports)} status\`, then ask again for what is there now.`,
  },
})

/** Nothing speaks against what was approved; it could only not be looked at. */
export const notCompared = (title: string, why: string): StepEnd => ({
  kind: 'failed',
  output: 'not started',
  outcome: {
    headline: `*Stopped before "${escapeMarkup(title)}": whether it is still what was approved could not be checked.*`,
    why,
    next: 'Nothing was changed by this step. Ask again when it can be read.',
  },
})

/** An earlier process had begun it, and its work cannot be looked at now. */
export const notLookedAt = (ports: Pick<RunPorts, 'config'>, title: string, why: Refusal): StepEnd => ({
  kind: 'unknown',
  output: 'unclear',
  outcome: {
    headline: `*"${escapeMarkup(title)}" had begun, and could not be looked at again.*`,
    why: why.text,
    notKnown: 'How far this step came.',
    next: `Look at \`${commandOf(ports)} status\` and at the log in the thread. When it is clear, \`${commandOf(ports)} cancel\` closes this request so that a new one can be asked.`,
  },
})

export const cancelledBefore = ({ title }: Pick<Step, 'title'>, by: string | null): StepEnd => ({
  kind: 'cancelled',
  output: 'not started',
  outcome: { headline: `*Cancelled by ${personOf(by)} before "${escapeMarkup(title)}" started.*` },
})

const personOf = (actor: string | null) =>
  actor === null ? 'somebody' : /^[UW][A-Z0-9]+$/.test(actor) ? `<@${actor}>` : escapeMarkup(actor)

/** What this store calls open may have been done since its copy was made. */
export const recordIsOld = (ports: Pick<RunPorts, 'config'>, title: string, why: Refusal): StepEnd => ({
  kind: 'unknown',
  output: 'not started',
  outcome: {
    headline: `*Stopped before "${escapeMarkup(title)}": the record of this run is not the newest.*`,
    why: why.text,
    notKnown: 'What this run has done since the copy of the store was made.',
    next: `Look at \`${commandOf(ports)} status\` and at the thread in Slack. When it is clear, \`${commandOf(ports)} cancel\` closes this request so that a new one can be asked.`,
  },
})
