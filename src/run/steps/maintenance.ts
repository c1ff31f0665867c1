import { escapeMarkup } from '../../lib/text/escape.ts'
import { setTimeout as pause } from 'node:timers/promises'
import type { CommandSettings } from '../../config/schema.ts'
import { stepChild } from '../../deploy/command.ts'
import { diagnoseStep } from '../../deploy/diagnoses.ts'
import { maintenanceModeOf, stepTitle, type MaintenanceMode } from '../../deploy/planned.ts'
import { waitUntilHealthy } from '../../watching/probe.ts'
import { code } from '../../lib/text/code.ts'
import type { Plan } from '../../plan/plan.ts'
import { MAINTENANCE_OFF, MAINTENANCE_ON, NOT_BEGUN, type SwitchedOff } from '../../request/maintenance-mode.ts'
import type { RunOutcome } from '../../request/request.ts'
import { count, seconds } from '../../lib/text/sentences.ts'
import type { RunContext, Step, StepEnd } from '../../request/step.ts'
import { runCommand, whyNotStartable } from './command.ts'
import { valuesOf } from './prepare.ts'

type Ports = { readonly home: string }

/**
 * The two ends of maintenance mode. Both set a switch and may do it twice: after a crash they are simply run again. Nothing is looked at
 * before, since what a probe says is as much about the application as about the switch.
 */
export function maintenanceModeSteps(plan: Plan, ports: Ports): { readonly on: readonly Step[]; readonly off: readonly Step[] } {
  const mode = maintenanceModeOf(plan)
  if (mode === null) return { on: [], off: [] }
  const inspect: Step['inspect'] = async () => ({ kind: 'todo' })
  return {
    on: [
      { name: MAINTENANCE_ON, title: 'Maintenance on', changes: 'application', inspect, act: (context) => switchOn(mode, ports, context) },
    ],
    off: [
      {
        name: MAINTENANCE_OFF,
        title: 'Maintenance off',
        changes: 'application',
        isOwed: true,
        inspect,
        act: (context) => switchOff(mode, ports, context),
      },
    ],
  }
}

/** How often a command that switches it off is tried, and how long it is given in between: users wait for it. */
const TRIES = 3
const BETWEEN_TRIES_MS = 1_000

async function switchOn(mode: MaintenanceMode, ports: Ports, context: RunContext): Promise<StepEnd> {
  const hindrance = context.attempt > 1 ? null : await whyNoWayBack(mode, ports, context)
  if (hindrance !== null) return hindrance
  let durationMs = 0
  for (const settings of mode.on) {
    if (context.signal.aborted) return stopped(context)
    const end = await runCommand(context, childOf(settings, ports, context))
    if (end.ended === 'aborted') return stopped(context)
    durationMs += end.durationMs
    if (end.why === null) continue
    const diagnosis = diagnoseStep(end.tail)
    return {
      kind: 'failed',
      output: end.ended === 'timed-out' ? 'timed out' : 'failed',
      outcome: {
        headline: `*Maintenance mode could not be switched on.* ${UNTOUCHED}`,
        why: `${end.why} ${end.ended === 'exited' ? diagnosis.why : ''}`.trim(),
        next: `Mend that, and ask again with \`${context.command} deploy ${context.target.name}\`.`,
        ...(end.excerpt === '' ? {} : { excerpt: end.excerpt }),
      },
    }
  }
  return { kind: 'done', output: `on, ${seconds(durationMs)}` }
}

const UNTOUCHED = 'No migration ran, and the application was not changed.'

/** What cannot be switched off is not switched on. */
async function whyNoWayBack(mode: MaintenanceMode, ports: Ports, context: RunContext): Promise<StepEnd | null> {
  for (const settings of mode.off) {
    const why = await whyNotStartable(childOf(settings, ports, context), context)
    if (why !== null)
      return {
        kind: 'failed',
        output: 'not started',
        data: NOT_BEGUN,
        outcome: {
          headline: `*Maintenance mode was not switched on, since it could not be switched off again.* ${UNTOUCHED}`,
          why,
          next: 'Correct `maintenance.off` in lockkeeper.yaml, or what it runs, and ask again.',
        },
      }
  }
  return null
}

const stopped = (context: RunContext): StepEnd =>
  context.isCancelled()
    ? {
        kind: 'cancelled',
        output: 'stopped',
        outcome: { headline: `*Stopped while switching maintenance mode on.* ${UNTOUCHED}` },
      }
    : {
        kind: 'failed',
        output: 'interrupted',
        outcome: {
          headline: `*Interrupted while switching maintenance mode on.* ${UNTOUCHED}`,
          why: "Lockkeeper's session in the database was lost, and without it nothing is changed.",
          next: `Ask again with \`${context.command} deploy ${context.target.name}\`.`,
        },
      }

async function switchOff(mode: MaintenanceMode, ports: Ports, context: RunContext): Promise<StepEnd> {
  let durationMs = 0
  for (const [index, settings] of mode.off.entries()) {
    const end = await tryCommand(settings, ports, context)
    if ('why' in end) return notOff(mode.off.slice(index), context, end)
    durationMs += end.durationMs
  }
  if (mode.probe === null) return done({ probe: null }, `off again, ${seconds(durationMs)}, no probe to ask`)
  const health = await waitUntilHealthy([mode.probe], { signal: context.signal, report: context.report })
  const { http } = mode.probe
  if (health.kind === 'healthy') {
    const said = health.answers[0]?.said ?? ''
    return done({ probe: { url: http, said } }, `off again, ${seconds(durationMs + health.durationMs)}, the probe says ${said}`)
  }
  const commands =
    mode.off.length === 1 ? 'The command that switches it off has' : `The ${mode.off.length} commands that switch it off have`
  const saw = health.kind === 'unhealthy' ? escapeMarkup(health.why) : 'It was not asked to the end.'
  return notOff(mode.off, context, {
    why: `${commands} succeeded, but ${code(http)} does not answer as it should. ${saw}`,
    excerpt: health.kind === 'unhealthy' ? health.answer.body.slice(0, 600) : '',
  })
}

const done = (data: SwitchedOff, output: string): StepEnd => ({ kind: 'done', output, data })

type Failed = { readonly why: string; readonly excerpt: string }

/** A fault of ours is no reason to leave it on either: it counts as a try. */
async function tryCommand(settings: CommandSettings, ports: Ports, context: RunContext): Promise<{ readonly durationMs: number } | Failed> {
  for (let attempt = 1; ; attempt++) {
    const end = await runCommand(context, childOf(settings, ports, context)).catch((error: Error) => ({
      why: `It met a fault: ${escapeMarkup(context.redactor.text(error.message).slice(0, 500))}`,
      excerpt: '',
      durationMs: 0,
    }))
    if (end.why === null) return { durationMs: end.durationMs }
    if (attempt === TRIES || context.signal.aborted)
      return { why: `${end.why} It was tried ${count(attempt, 'time')}.`, excerpt: end.excerpt }
    context.report(`${stepTitle(settings)}: try ${attempt} of ${TRIES} failed`)
    await pause(BETWEEN_TRIES_MS, undefined, { signal: context.signal }).catch(() => {}) // aborted: the next try ends at once
  }
}

const childOf = (settings: CommandSettings, ports: Ports, context: RunContext) =>
  stepChild({ ...context, settings, values: valuesOf(context), home: ports.home })

const notOff = (commands: readonly CommandSettings[], about: About, { why, excerpt }: Failed): StepEnd => ({
  kind: 'unknown',
  output: 'NOT switched off',
  outcome: { ...notSwitchedOff(about, why, commands), ...(excerpt === '' ? {} : { excerpt }) },
})

type About = Pick<RunContext, 'plan' | 'requestId' | 'command'>

/** What a person is told who has to do it by hand. `why` is mrkdwn. */
export function notSwitchedOff(
  { plan, requestId, command }: About,
  why: string,
  commands: readonly CommandSettings[] = maintenanceModeOf(plan)?.off ?? [],
): RunOutcome {
  const probe = maintenanceModeOf(plan)?.probe ?? null
  const byHand = commands.map(({ run, cwd }) => `${code(run.join(' '))}${cwd === undefined ? '' : ` in ${code(cwd)}`}`)
  return {
    headline: '*Maintenance mode could NOT be switched off.*',
    why,
    next: [
      `Users may still see the maintenance page. Switch it off by hand: ${byHand.join(', then ')}.`,
      ...(probe === null ? [] : [`${code(probe.http)} must answer HTTP ${probe.expect} then.`]),
      `\`${command} cancel ${requestId}\` closes this request.`,
    ].join(' '),
  }
}
