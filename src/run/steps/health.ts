import { escapeMarkup } from '../../lib/text/escape.ts'
import { waitUntilHealthy, type Answer } from '../../watching/probe.ts'
import { versionIn } from '../../watching/version.ts'
import { code } from '../../lib/text/code.ts'
import type { GitDeps } from '../../plan/deps.ts'
import { count, seconds } from '../../lib/text/sentences.ts'
import type { RunContext, Step, StepEnd } from '../../request/step.ts'
import { installed } from './checkout.ts'
import { whatIsLive } from './live.ts'
import { isAppFirst } from '../../plan/rules/by-class.ts'
import { againPhrase, migrationsSentence } from '../order.ts'
import { wayBack } from '../../deploy/way-back.ts'

/** Every configured probe, until the application proves that it is up, and on the new version where its answers name one. */
export const healthStep = (directories: Pick<GitDeps, 'home' | 'varDirectory'>, which: Which = HEALTH): Step => ({
  ...which,
  changes: 'nothing',
  inspect: async () => ({ kind: 'todo' }),
  act: (context) => act(directories, which, context),
})

type Which = Pick<Step, 'name' | 'title'>

const HEALTH: Which = { name: 'health', title: 'Health' }
/** After the migrations, where the application comes first. */
export const HEALTH_AGAIN: Which = { name: 'health-again', title: 'Health on the new schema' }

async function act(directories: Pick<GitDeps, 'home' | 'varDirectory'>, which: Which, context: RunContext): Promise<StepEnd> {
  const { target, signal, report } = context
  const isOpen = isAppFirst(context.plan) && which !== HEALTH_AGAIN
  if (target.health.length === 0) return { kind: 'done', output: 'no probe is configured' }
  const health = await waitUntilHealthy(target.health, { signal, report, accept: (answer) => wrongVersion(context, answer) })
  if (health.kind === 'aborted')
    return {
      kind: 'cancelled',
      output: 'stopped',
      outcome: { headline: `*Stopped while waiting for health.* ${await whatIsLive(context)}` },
    }
  if (health.kind === 'healthy')
    return {
      kind: 'done',
      output: `${count(health.answers.length, 'check')} passed, ${seconds(health.durationMs)}`,
      data: { seconds: health.durationMs / 1000, answers: health.answers.map(({ url, said }) => ({ url, said })) },
    }
  return {
    kind: 'failed',
    output: escapeMarkup(health.answer.said),
    outcome: {
      headline: `*The application is not healthy after the ${which === HEALTH_AGAIN ? 'migrations' : 'deploy'}.* ${migrationsSentence(context.plan, isOpen)}`,
      why: `${code(health.answer.url)}: ${escapeMarkup(health.why)}${health.answer.ok ? ` ${await whatIsLive(context)}` : ''}`,
      next: `Look at the application's log. When it is mended, \`${context.command} deploy ${target.name}\` ${isOpen ? againPhrase(context.plan) : 'runs the steps again'}. ${await wayBack({ ...directories, env: context.env, redactor: context.redactor }, isOpen ? { ...context, plan: { ...context.plan, list: [] } } : context, installed(context).previousCommit)}`,
      ...(health.answer.body.trim() === '' ? {} : { excerpt: health.answer.body.slice(0, 600) }),
    },
  }
}

/** A good answer from the old version after the switch means that the restart has not happened. */
function wrongVersion(context: RunContext, answer: Answer): string | null {
  const { previousCommit } = installed(context)
  const switched = context.plan.steps.some((step) => step.phase === 'deploy')
  if (!switched || previousCommit === null || context.plan.commit.startsWith(previousCommit)) return null
  const version = versionIn(answer.body, { next: context.plan.commit, previous: previousCommit })
  return version === 'previous' ? `it still answers from the old version ${previousCommit.slice(0, 7)}` : null
}
