import { existsSync } from 'node:fs'
import { captureChild } from '../../process/capture.ts'
import { childEnvironment, operatorPath } from '../../process/environment.ts'
import type { GitDeps } from '../../plan/deps.ts'
import { hasGitLfs } from '../../plan/git.ts'
import { fetchRepository, isReachable, type SourceOf } from '../../plan/repository.ts'
import { quoted } from '../../lib/text/quoted.ts'
import { isRefusal } from '../../lib/refusal.ts'
import { stop, type Finding } from './finding.ts'
import { together } from '../../lib/together.ts'

/** B2: the approved commit is still there and still on a branch that this target takes commits from. */
export async function commitFindings(deps: GitDeps, target: SourceOf, commit: string): Promise<readonly Finding[]> {
  const repository = await fetchRepository(deps, target)
  if (isRefusal(repository)) return [stop('commit_gone', repository.text)]
  if (await isReachable(repository, target, commit)) return []
  return [
    stop(
      'commit_gone',
      `The approved commit ${quoted(commit.slice(0, 12))} is no longer on ${quoted(target.source.branch)}. Ask again for what is there now.`,
    ),
  ]
}

const SETTINGS = ['core.hooksPath=/dev/null', 'core.fsmonitor=false']

/**
 * The filter is for files that were fetched from Git LFS: by their pointers they are compared with the commit. Without git-lfs the checkout
 * has pointers, and a filter of the machine's own configuration, which git could not start, is taken away.
 */
const filterSettings = (hasLfs: boolean): readonly string[] =>
  hasLfs
    ? ['filter.lfs.process=git-lfs filter-process', 'filter.lfs.required=false']
    : ['filter.lfs.process=', 'filter.lfs.clean=', 'filter.lfs.smudge=', 'filter.lfs.required=false']

/** A checkout of an earlier attempt must still be the commit and nothing else; one that is not made yet is made from the commit. */
export async function treeFindings(deps: GitDeps, checkout: string, commit: string): Promise<readonly Finding[]> {
  if (!existsSync(`${checkout}/.git`)) return []
  const settings = [...SETTINGS, ...filterSettings(await hasGitLfs(deps))]
  const git = (...args: readonly string[]) =>
    captureChild({
      argv: ['git', ...settings.flatMap((setting) => ['-c', setting]), ...args],
      cwd: checkout,
      env: childEnvironment(deps.env, operatorPath(deps.env['PATH']), { LC_ALL: 'C' }),
      timeoutMs: 30_000,
      redactor: deps.redactor,
    })
  const [head, changes] = await together([git('rev-parse', 'HEAD'), git('status', '--porcelain', '--untracked-files=no')])
  const found = head.stdout.toString('utf8').trim()
  if (head.exitCode !== 0 || found !== commit)
    return [
      stop(
        'tree_changed',
        `The checkout of this run is not at the approved commit ${quoted(commit.slice(0, 12))}. Ask again; a new one is made.`,
      ),
    ]
  const [first] = changes.stdout.toString('utf8').split('\n')
  if (changes.exitCode === 0 && (first === undefined || first === '')) return []
  return [stop('tree_changed', `The checkout of this run was changed by hand: ${quoted(first ?? '')}. Ask again; a new one is made.`)]
}
