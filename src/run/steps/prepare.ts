import { escapeMarkup } from '../../lib/text/escape.ts'
import { stepChild } from '../../deploy/command.ts'
import { diagnoseStep } from '../../deploy/diagnoses.ts'
import { stepTitle } from '../../deploy/planned.ts'
import type { Target } from '../../config/config.ts'
import type { StepSettings } from '../../config/schema.ts'
import { seconds } from '../../lib/text/sentences.ts'
import type { RunContext, Step, StepEnd } from '../../request/step.ts'
import { installed } from './checkout.ts'
import { runCommand } from './command.ts'

/** One step per configured preparation. They work in the checkout before anything is touched, so each is safe to repeat. */
export const prepareSteps = (target: Target, ports: { readonly home: string }): readonly Step[] =>
  target.prepare.map((settings, index) => ({
    name: `prepare-${index + 1}`,
    title: stepTitle(settings),
    changes: 'files',
    inspect: async () => ({ kind: 'todo' }),
    act: (context) => prepare(settings, ports, context),
  }))

/** What the placeholders and LOCKKEEPER_ variables of this run's steps say. */
export const valuesOf = (context: RunContext) => ({
  target: context.target.name,
  run: context.requestId,
  commit: context.plan.commit,
  previousCommit: installed(context).previousCommit,
  checkout: context.checkout,
})

async function prepare(settings: StepSettings, ports: { readonly home: string }, context: RunContext): Promise<StepEnd> {
  const end = await runCommand(context, stepChild({ ...context, settings, values: valuesOf(context), home: ports.home }))
  if (end.why === null) return { kind: 'done', output: seconds(end.durationMs) }
  const title = escapeMarkup(stepTitle(settings))
  const untouched = 'It comes before the backup and the migration, so the database is as it was.'
  const excerpt = end.excerpt === '' ? {} : { excerpt: end.excerpt }
  if (end.ended === 'aborted')
    return { kind: 'cancelled', output: 'stopped', outcome: { headline: `*Stopped during "${title}".* ${untouched}`, ...excerpt } }
  const diagnosis = diagnoseStep(end.tail)
  return {
    kind: 'failed',
    output: end.ended === 'timed-out' ? 'timed out' : 'failed',
    outcome: {
      headline: `*"${title}" failed.* ${untouched}`,
      why: `${end.why} ${diagnosis.why}`.trim(),
      next: end.ended === 'exited' ? diagnosis.next : 'Correct the step in lockkeeper.yaml, or what it runs, and ask again.',
      ...excerpt,
    },
  }
}
