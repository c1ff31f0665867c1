import { posix } from 'node:path'
import type { Target } from '../config/config.ts'
import { code } from '../lib/text/code.ts'
import { isRefusal } from '../lib/refusal.ts'
import type { GitDeps } from '../plan/deps.ts'
import type { Plan } from '../plan/plan.ts'
import { fetchRepository, isReachable } from '../plan/repository.ts'
import { migrationsDirectory } from '../config/tool.ts'

type Run = { readonly target: Target; readonly plan: Pick<Plan, 'commit' | 'baseline' | 'list'>; readonly command: string }

/**
 * How people get the old code back, in mrkdwn: the previous commit by name only where a plan of it would be made, since a commit without
 * the migrations that are applied is refused.
 */
export async function wayBack(deps: GitDeps, run: Run, previousCommit: string | null): Promise<string> {
  const { target, command } = run
  const deploy = `${command} deploy ${target.name}`
  if (previousCommit !== null && !run.plan.commit.startsWith(previousCommit) && (await hasWhatIsApplied(deps, run, previousCommit)))
    return `To go back, ${code(`${deploy} --ref ${previousCommit.slice(0, 10)}`)}.`
  return `To go back to the old code, revert it on ${code(target.source.branch)}, but keep everything below ${code(migrationsOf(target))} (a commit without what is applied is refused), and ${code(deploy)} again. The old code then has to fit the new schema.`
}

async function hasWhatIsApplied(deps: GitDeps, { target, plan }: Run, commit: string): Promise<boolean> {
  const repository = await fetchRepository(deps, target)
  if (isRefusal(repository) || !(await isReachable(repository, target, commit))) return false
  const listed = await repository.git(['ls-tree', '-z', '--name-only', `${commit}:${migrationsOf(target)}`])
  const there = new Set(listed.stdout.toString('utf8').split('\0'))
  return listed.exitCode === 0 && [...plan.baseline, ...plan.list].every(({ name }) => there.has(name))
}

const migrationsOf = ({ source, tool }: Target): string => posix.join(source.directory, migrationsDirectory(tool))
