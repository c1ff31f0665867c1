import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, isAbsolute, join, resolve } from 'node:path'
import type { CommandSettings } from '../../config/schema.ts'
import { bareCloneOf } from '../../deploy/checkout.ts'
import { stepTitle } from '../../deploy/planned.ts'
import { together } from '../../lib/together.ts'
import type { GitDeps } from '../../plan/deps.ts'
import type { Plan } from '../../plan/plan.ts'
import { captureChild } from '../../process/capture.ts'
import { childEnvironment } from '../../process/environment.ts'
import type { Finding } from './finding.ts'
import { carried, halfway, inTheWayThere, locked, notThere, overwritten, overwrittenIgnored, unread } from './live-checkout-words.ts'
import { overwrittenUnasked } from './unasked.ts'

/**
 * What git would say to the deploy steps that switch a checkout to the approved commit, asked before anything is touched: files that were
 * changed there by hand would otherwise be met after the migrations. Nothing is written to that checkout: the question is put with a copy
 * of its index, and the commit is read from our own clone.
 */
export async function liveCheckoutFindings(
  deps: GitDeps,
  target: { readonly name: string; readonly path: string },
  commit: string,
  switches: readonly Switch[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const each of switches) findings.push(...(await findingsOf(deps, target, commit, each)))
  return findings
}

export type Switch = {
  readonly title: string
  readonly directory: string
  /** Changes made by hand are overwritten rather than refused. */
  readonly isForced: boolean
  /** `git switch`, which unlike `git checkout` refuses while a merge, a rebase and the like go on. */
  readonly isStrict: boolean
}

const FORCING = new Set(['-f', '--force', '--discard-changes', '--hard'])
/** They say where the checkout is, or merge what was changed by hand: what git would do then is not asked. */
const UNREAD = /^(--git-dir|--work-tree|--namespace|--bare|--exec-path|--merge|--conflict|--soft|--mixed|--keep|-m$|--$)/

/** The deploy steps of a plan that switch a checkout outside of the run's own. */
export const switchesIn = (plan: Pick<Plan, 'steps'>, home: string): readonly Switch[] =>
  plan.steps.flatMap(({ phase, settings }) => {
    const found = phase === 'deploy' ? switchOf(settings as CommandSettings, home) : null // written by `plannedSteps`
    return found === null ? [] : [found]
  })

/** `git [-C directory] checkout|switch|reset --hard … {commit}` outside of the run's own checkout; null for everything else. */
export function switchOf(settings: CommandSettings, home: string): Switch | null {
  const [program = '', ...rest] = settings.run
  if (settings.shell || basename(program) !== 'git' || Object.keys(settings.env).some((name) => name.startsWith('GIT_'))) return null
  if (rest.some((argument) => UNREAD.test(argument))) return null
  let directory = settings.cwd === undefined ? null : resolve(home, settings.cwd)
  while (rest[0]?.startsWith('-') === true) {
    const option = rest.shift()
    if (option !== '-C' && option !== '-c') continue
    const value = rest.shift() ?? ''
    if (option === '-C') directory = directory === null && !isAbsolute(value) ? '{checkout}' : resolve(directory ?? '/', value)
  }
  const [verb = '', ...words] = rest
  const isForced = words.some((word) => FORCING.has(word))
  const isSwitch = verb === 'checkout' || verb === 'switch' || (verb === 'reset' && isForced)
  if (!isSwitch || !words.includes('{commit}') || directory === null || directory.includes('{')) return null
  return { title: stepTitle(settings), directory, isForced, isStrict: verb === 'switch' }
}

async function findingsOf(
  deps: GitDeps,
  target: { readonly name: string; readonly path: string },
  commit: string,
  { title, directory: place, isForced, isStrict }: Switch,
): Promise<readonly Finding[]> {
  if (!existsSync(place)) return [notThere(title, place)]
  let directory = place
  const scratch = await mkdtemp(join(tmpdir(), 'lockkeeper-index-'))
  const index = join(scratch, 'index')
  const clone = join(bareCloneOf(deps.varDirectory, target.name), 'objects')
  const git = (...args: readonly string[]) =>
    captureChild({
      argv: ['git', '-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', ...args],
      cwd: directory,
      env: childEnvironment(
        deps.env,
        target.path,
        // quoted as git reads it, so that a path may have colons
        { LC_ALL: 'C', GIT_INDEX_FILE: index, GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(clone) },
        ['GIT_INDEX_FILE', 'GIT_ALTERNATE_OBJECT_DIRECTORIES'],
      ),
      timeoutMs: 60_000,
      redactor: deps.redactor,
    })
  try {
    const repository = await git('rev-parse', '--absolute-git-dir')
    if (repository.exitCode !== 0) return [unread(title, directory, repository)]
    const own = repository.stdout.toString('utf8').trim()
    // a step may work further below, where git says names otherwise, and so would have to who copies a command
    const top = await git('rev-parse', '--show-toplevel')
    if (top.exitCode === 0) directory = top.stdout.toString('utf8').replace(/\n$/, '')
    if (existsSync(join(own, 'index.lock'))) return [locked(title, directory, join(own, 'index.lock'))]
    // one without an index has an empty one
    if (existsSync(join(own, 'index'))) await copyIndex(join(own, 'index'), index)
    const unmerged = isForced
      ? []
      : [...new Set(namesIn((await git('ls-files', '-u', '-z')).stdout).map((line) => line.replace(/^.*\t/, '')))]
    const going = UNFINISHED.find(([file]) => existsSync(join(own, file)))?.[1]
    if (unmerged.length > 0 || (isStrict && going !== undefined)) return [halfway(title, directory, { going, unmerged })]
    await git('update-index', '-q', '--refresh') // a file that was only touched is no change
    const changed = await git('diff-index', '--name-only', '-z', 'HEAD', '--')
    if (changed.exitCode !== 0) return [unread(title, directory, changed, { index, own })]
    const byHand = namesIn(changed.stdout)
    if (isForced) {
      const names = [...new Set([...byHand, ...(await overwrittenUnasked(git, commit))])].toSorted()
      return names.length === 0 ? [] : [overwritten(title, directory, names)]
    }
    const tried = await git('read-tree', '-n', '-u', '-m', '--exclude-per-directory=.gitignore', 'HEAD', commit)
    if (tried.exitCode === 0) {
      const ignored = await overwrittenUnasked(git, commit)
      return [
        ...(byHand.length === 0 ? [] : [carried(title, directory, byHand)]),
        ...(ignored.length === 0 ? [] : [overwrittenIgnored(title, directory, ignored)]),
      ]
    }
    // of several it may name the first alone, and of a name with a line break or a quotation mark not the whole
    const named = [...tried.stderr.matchAll(/'(.+)'/g)].map(([, name = '']) => name)
    if (named.length === 0) return [unread(title, directory, tried, { index, own })]
    const [differing, unknown] = await together([
      git('diff-tree', '-r', '--name-only', '-z', 'HEAD', commit),
      git('ls-files', '--others', '--exclude-standard', '--full-name', '-z'),
    ])
    const changedOrNew = new Set([...byHand, ...namesIn(unknown.stdout)])
    const known = namesIn(differing.stdout)
    const isKnown = (name: string) => known.some((one) => one === name || one.startsWith(`${name}/`) || name.startsWith(`${one}/`))
    const found = [...named.filter(isKnown), ...known.filter((name) => changedOrNew.has(name))]
    const inTheWay = new Set(found.length === 0 ? named : found)
    const names = [...inTheWay].toSorted()
    const [flagged, announced] = await together([
      git('ls-files', '-v', '-z', '--', ...names),
      git('diff-files', '--diff-filter=A', '--name-only', '-z', '--', ...names),
    ])
    const marked = namesIn(flagged.stdout).map((line) => ({ mark: line.charAt(0), name: line.slice(2) }))
    return [
      inTheWayThere(title, directory, names, {
        '--no-assume-unchanged': marked.flatMap(({ mark, name }) => (/[a-z]/.test(mark) ? [name] : [])),
        '--no-skip-worktree': marked.flatMap(({ mark, name }) => (/s/i.test(mark) ? [name] : [])),
        '--add': namesIn(announced.stdout),
      }),
    ]
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** With its time, by which git knows that a file was changed in the very second in which the index was written. */
async function copyIndex(from: string, to: string): Promise<void> {
  const { atime, mtimeMs } = await stat(from)
  await copyFile(from, to)
  await utimes(to, atime, Math.floor(mtimeMs / 1000))
}

/** What git keeps while something goes on that took more than one command. */
const UNFINISHED = [
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['BISECT_LOG', 'bisect'],
] as const

const namesIn = (output: Buffer): readonly string[] =>
  output
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '')
