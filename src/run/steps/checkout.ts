import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { applicationDirectoryIn, bareCloneOf, makeCheckout } from '../../deploy/checkout.ts'
import { applicationPath, needsPreviousCommit } from '../../deploy/command.ts'
import { askLiveCommit } from '../../deploy/live-commit.ts'
import { diagnoseInstall } from '../../deploy/diagnoses.ts'
import { fetchLfs } from '../../deploy/lfs.ts'
import { installDependencies } from '../../deploy/install.ts'
import { maintenanceModeOf } from '../../deploy/planned.ts'
import { code } from '../../lib/text/code.ts'
import { worksOnCheckout } from '../../plan/plan.ts'
import { fetchRepository } from '../../plan/repository.ts'
import { systemClock } from '../../lib/clock.ts'
import { isRefusal } from '../../lib/refusal.ts'
import type { RunOutcome } from '../../request/request.ts'
import { seconds } from '../../lib/text/sentences.ts'
import type { RunContext, Step, StepEnd } from '../../request/step.ts'
import { runCommand } from './command.ts'

export type InstallPorts = {
  readonly home: string
  readonly varDirectory: string
  /** The commit of the target's last successful deploy, when there is one; asked only where no `current` command is configured. */
  readonly lastCommit?: (target: string) => Promise<string | null>
}

/** What later steps know from this one. */
export type InstallData = { readonly previousCommit: string | null; readonly cached: boolean }

/**
 * The approved commit in a checkout of its own, with its dependencies. It also writes down which commit is live before anything changes.
 * Safe to repeat: it begins by removing what an earlier try left.
 */
export function installStep(ports: InstallPorts): Step {
  return {
    name: 'install',
    title: 'Install',
    changes: 'files',
    inspect: async () => ({ kind: 'todo' }),
    act: (context) => install(ports, context),
  }
}

/** The data of this run's install step. */
export function installed(context: Pick<RunContext, 'dataOf'>): InstallData {
  const data = context.dataOf('install')
  const known = typeof data === 'object' && data !== null ? (data as Partial<InstallData>) : {}
  return { previousCommit: typeof known.previousCommit === 'string' ? known.previousCommit : null, cached: known.cached === true }
}

async function install(ports: InstallPorts, context: RunContext): Promise<StepEnd> {
  const { target, plan, checkout, redactor, env } = context
  const started = performance.now()
  context.report(`checking out ${plan.commit.slice(0, 7)}`)
  const deps = { home: ports.home, varDirectory: ports.varDirectory, redactor, env }
  const repository = bareCloneOf(ports.varDirectory, target.name)
  // whoever took the run over on another machine has not read the commit yet
  const fetched = existsSync(join(repository, 'HEAD')) ? null : await fetchRepository(deps, target)
  if (fetched !== null && isRefusal(fetched)) return failed({ why: fetched.text, next: 'Ask again when the repository can be read.' })
  await makeCheckout({ deps, repository, directory: checkout, commit: plan.commit })
  const applicationDirectory = await applicationDirectoryIn(checkout, target.source.directory)
  if (applicationDirectory === null)
    return failed({
      why: `The commit has no directory ${code(target.source.directory)} of its own.`,
      next: 'Correct `source.directory` in lockkeeper.yaml.',
    })
  const { signal, report } = context
  const lfs = worksOnCheckout(plan.steps)
    ? await fetchLfs({ deps, repository, checkout, commit: plan.commit, target, signal, report, now: systemClock.now() })
    : 'whole'
  if (signal.aborted) return cancelled()
  if (lfs !== 'whole') return failed(lfs)
  const previous = await previousCommit(ports, context)
  if ('why' in previous && mustKnow(context)) return failed(previous)
  const result = await installDependencies({
    target,
    checkout,
    applicationDirectory,
    cache: join(ports.varDirectory, 'modules'),
    env,
    redactor,
    run: (child) => runCommand(context, child),
    succeeded: (end) => end.why === null,
  })
  if (result.kind === 'no-node')
    return failed({
      why: `The application's commands find no \`node\`: their PATH is ${code(applicationPath(target, env))}.`,
      next: 'Set `source.path` in lockkeeper.yaml to a PATH that has it.',
    })
  if (result.kind === 'failed') {
    if (result.end.ended === 'aborted') return cancelled()
    if (result.end.ended !== 'exited')
      return failed({ why: result.end.why ?? '', excerpt: result.end.excerpt, next: 'Mend that and ask again.' })
    const diagnosis = diagnoseInstall(result.end.tail)
    return failed({
      why: `${result.end.why} ${diagnosis.why}`,
      next: diagnosis.next,
      ...(result.end.excerpt === '' ? {} : { excerpt: result.end.excerpt }),
    })
  }
  if (context.signal.aborted) return cancelled()
  const data: InstallData = { previousCommit: 'commit' in previous ? previous.commit : null, cached: result.kind === 'cached' }
  const how = { cached: 'dependencies unchanged, ', nothing: 'nothing to install, ', installed: '' }[result.kind]
  return { kind: 'done', output: `${plan.commit.slice(0, 7)}, ${how}${seconds(performance.now() - started)}`, data }
}

type Previous = { readonly commit: string | null } | { readonly why: string; readonly next: string }

/** Which commit is live now: what the configured command prints, or the last one that was deployed from here. */
async function previousCommit(ports: InstallPorts, context: RunContext): Promise<Previous> {
  const { target, env } = context
  const live = await askLiveCommit({ target, home: ports.home, env, redactor: context.redactor, signal: context.signal })
  if (live === null) {
    const commit = (await ports.lastCommit?.(target.name)) ?? null
    if (commit !== null || !mustKnow(context)) return { commit }
    return {
      why: 'A step uses {previousCommit}, and which commit is live is not known: nothing was deployed from here yet.',
      next: 'Add `current` to the target, a command that prints it, for example `[git, -C, /srv/shop, rev-parse, HEAD]`.',
    }
  }
  return 'why' in live ? { ...live, next: 'Correct `current` in lockkeeper.yaml.' } : live
}

const mustKnow = (context: RunContext) =>
  [
    ...context.target.prepare,
    ...(context.plan.steps.some((step) => step.phase === 'deploy') ? context.target.deploy : []),
    ...(maintenanceModeOf(context.plan)?.on ?? []),
    ...(maintenanceModeOf(context.plan)?.off ?? []),
  ].some(needsPreviousCommit)

/** Certain without looking: nothing outside `var/` has been touched so far. */
const failed = (outcome: Omit<RunOutcome, 'headline'>): StepEnd => ({
  kind: 'failed',
  output: 'failed',
  outcome: {
    headline: '*Install failed. Nothing was touched: no backup was made, no migration ran, and the application was left as it was.*',
    ...outcome,
  },
})

const cancelled = (): StepEnd => ({
  kind: 'cancelled',
  output: 'stopped',
  outcome: {
    headline:
      '*Stopped while installing. Nothing was touched: no backup was made, no migration ran, and the application was left as it was.*',
  },
})
