import { escapeMarkup } from '../../lib/text/escape.ts'
import { join } from 'node:path'
import type { Target } from '../../config/config.ts'
import type { StepSettings } from '../../config/schema.ts'
import { stepChild } from '../../deploy/command.ts'
import { diagnoseStep } from '../../deploy/diagnoses.ts'
import { stepTitle } from '../../deploy/planned.ts'
import { failpoint } from '../../lib/failpoint.ts'
import { code } from '../../lib/text/code.ts'
import { isAlive } from '../../process/process-id.ts'
import { seconds } from '../../lib/text/sentences.ts'
import type { RunOutcome } from '../../request/request.ts'
import type { Inspection, RunContext, Step, StepEnd } from '../../request/step.ts'
import { runCommand, type CommandEnd } from './command.ts'
import { readNote, writeNote, type Note } from './deploy-note.ts'
import { againPhrase, migrationsSentence } from '../order.ts'
import { whatIsLive } from './live.ts'
import { valuesOf } from './prepare.ts'

/**
 * One step per configured deploy command. A command says nothing about the world that can be inspected, so each one leaves a note before
 * it starts and after it ended. Started and not ended means that a process died in the middle: it is repeated only when the
 * configuration says `repeatable: true`, and is a person's decision otherwise (docs/adr/0004-deploy-steps-that-were-interrupted.md).
 */
export const deploySteps = (target: Target, ports: { readonly home: string }): readonly Step[] =>
  target.deploy.map((settings, index) => {
    const name = `deploy-${index + 1}`
    return {
      name,
      title: stepTitle(settings),
      changes: 'application',
      inspect: (context) => inspect(settings, noteFile(context, name), context),
      act: (context) => act(settings, noteFile(context, name), ports, context),
    }
  })

const noteFile = (context: RunContext, name: string) => join(context.directory, `${name}.json`)

async function inspect(settings: StepSettings, file: string, context: RunContext): Promise<Inspection> {
  const note = await readNote(file)
  if (note === null) return { kind: 'todo' }
  if (note.state === 'ended') return note.why === null ? { kind: 'done', output: seconds(note.durationMs) } : { kind: 'todo' }
  if (note.pid !== null && isAlive({ pid: note.pid, startedAt: 'unknown' }))
    return { kind: 'unknown', outcome: await stillRuns(settings, note.pid, context) }
  if (settings.repeatable) return { kind: 'todo' }
  return { kind: 'unknown', outcome: await interrupted(settings, context) }
}

async function act(settings: StepSettings, file: string, ports: { readonly home: string }, context: RunContext): Promise<StepEnd> {
  const note = await readNote(file)
  // it ended, and only the record of that was lost: say so instead of running it again
  if (note?.state === 'ended' && note.why !== null) return failure(settings, { ...note, why: note.why }, context)
  const began: Note = { state: 'started', pid: null }
  const hindrance = await leave(file, began)
  if (hindrance !== null) return notBegun(settings, hindrance, context)
  let pidNoted: Promise<string | null> = Promise.resolve(null)
  const end = await runCommand(context, {
    ...stepChild({ ...context, settings, values: valuesOf(context), home: ports.home }),
    onStart(pid) {
      pidNoted = leave(file, { ...began, pid }).finally(() => failpoint('in-deploy-step'))
    },
  })
  const unnoted = [await pidNoted] // awaited here, else it could replace the note of the end
  if (end.ended === 'aborted' && context.isCancelled()) return stopped(settings, end, context)
  if (end.ended === 'aborted') return { kind: 'unknown', output: 'interrupted', outcome: await interrupted(settings, context) }
  const ended = {
    state: 'ended' as const,
    why: end.why,
    excerpt: end.excerpt,
    tail: end.tail.slice(-8_000),
    durationMs: end.durationMs,
    how: end.ended,
  }
  unnoted.push(await leave(file, ended))
  const fault = unnoted.find((one) => one !== null)
  if (fault !== undefined) await context.note({ kind: 'finding', data: { text: notNoted(settings, fault) } })
  return end.why === null ? { kind: 'done', output: seconds(end.durationMs) } : failure(settings, { ...ended, why: end.why }, context)
}

/**
 * Why the note could not be left; null when it stands. Once a command was started, a note that is missing changes nothing about it:
 * whoever takes the run over finds the one before, which says less and asks a person.
 */
const leave = (file: string, note: Note): Promise<string | null> =>
  writeNote(file, note).then(
    () => null,
    (error: Error) => error.message,
  )

/** Without a note nobody could tell afterwards that it was started. */
const notBegun = (settings: StepSettings, why: string, context: RunContext): StepEnd => ({
  kind: 'failed',
  output: 'not started',
  outcome: {
    headline: `*"${titleOf(settings)}" was not started.* ${database(context)}`,
    why: `Lockkeeper could not write down that it begins: ${escapeMarkup(context.redactor.text(why))}.`,
    next: `Mend that where Lockkeeper runs. ${again(context)}`,
  },
})

const notNoted = (settings: StepSettings, why: string): string =>
  `"${titleOf(settings)}" ran, but Lockkeeper could not write down for a successor how far it was: ${escapeMarkup(why)}. Mend that where Lockkeeper runs.`

async function failure(
  settings: StepSettings,
  end: { readonly why: string; readonly excerpt: string; readonly tail: string; readonly how: CommandEnd['ended'] },
  context: RunContext,
): Promise<StepEnd> {
  const diagnosis = diagnoseStep(end.tail)
  const mend = end.how === 'exited' ? diagnosis.next : 'Correct the step in lockkeeper.yaml, or what it runs.'
  return {
    kind: 'failed',
    output: end.how === 'timed-out' ? 'timed out' : 'failed',
    outcome: {
      headline: `*"${titleOf(settings)}" failed.* ${await whatIsLive(context)}`,
      why: `${end.why} ${diagnosis.why}`.trim(),
      next: `${mend} ${again(context)}`,
      ...(end.excerpt === '' ? {} : { excerpt: end.excerpt }),
    },
  }
}

async function stopped(settings: StepSettings, end: CommandEnd, context: RunContext): Promise<StepEnd> {
  const outcome: RunOutcome = {
    headline: `*Stopped in the middle of "${titleOf(settings)}".* ${await whatIsLive(context)}`,
    next: again(context, ''),
    ...(end.why === null ? {} : { why: end.why }),
    ...(end.excerpt === '' ? {} : { excerpt: end.excerpt }),
  }
  return { kind: 'cancelled', output: 'stopped', outcome }
}

async function interrupted(settings: StepSettings, context: RunContext): Promise<RunOutcome> {
  return {
    headline: `*Lockkeeper was interrupted during "${titleOf(settings)}" and does not run it a second time by itself.*`,
    known: `${code(settings.run.join(' '))} was started. ${database(context)} ${await whatIsLive(context)}`,
    notKnown: 'Whether it did all of its work.',
    next: `Look at what it changes. Then \`${context.command} cancel ${context.requestId}\` closes this request. ${again(context)} \`repeatable: true\` beside a step that may run twice lets the next run go on by itself.`,
  }
}

async function stillRuns(settings: StepSettings, pid: number, context: RunContext): Promise<RunOutcome> {
  return {
    headline: `*"${titleOf(settings)}" was started by a Lockkeeper that has gone, and process ${pid} may still be at it.*`,
    known: `${code(settings.run.join(' '))} was started. ${database(context)} ${await whatIsLive(context)}`,
    notKnown: `Whether process ${pid} is that command, and how it will end.`,
    next: `Look at that process and let it end, or end it. Then \`${context.command} cancel ${context.requestId}\` closes this request. ${again(context)}`,
  }
}

const titleOf = (settings: StepSettings) => escapeMarkup(stepTitle(settings))

const database = ({ plan }: RunContext) => migrationsSentence(plan)

const again = ({ plan, target, command }: RunContext, when = 'then ') => `\`${command} deploy ${target.name}\` ${when}${againPhrase(plan)}.`
