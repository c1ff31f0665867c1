import { escapeMarkup } from '../../lib/text/escape.ts'
import { probeOnce } from '../../watching/probe.ts'
import { versionIn } from '../../watching/version.ts'
import { code } from '../../lib/text/code.ts'
import type { RunContext } from '../../request/step.ts'
import { installed } from './checkout.ts'

/** What is live right now, by asking: said only as far as the answers prove it. One mrkdwn sentence. */
export async function whatIsLive(context: Pick<RunContext, 'target' | 'plan' | 'dataOf'>): Promise<string> {
  const { health } = context.target
  const { previousCommit } = installed(context)
  if (health.length === 0) return 'Which version is live is not known here, since no health probe is configured.'
  const answers = await Promise.all(health.map((probe) => probeOnce(probe)))
  const bad = answers.find((answer) => !answer.ok)
  if (bad !== undefined) return `The application does not answer as it should: ${code(bad.url)} says ${escapeMarkup(bad.said)}.`
  const versions = new Set(answers.map((answer) => versionIn(answer.body, { next: context.plan.commit, previous: previousCommit })))
  if (versions.has('next') && versions.has('previous'))
    return 'The application answers, partly from the old version and partly from the new one.'
  if (versions.has('next')) return `The application is up on the new version ${short(context.plan.commit)}.`
  if (versions.has('previous') && previousCommit !== null) return `The application is up on the old version ${short(previousCommit)}.`
  return 'The application answers, but its health answer does not say which version it is.'
}

const short = (commit: string) => code(commit.slice(0, 7))
