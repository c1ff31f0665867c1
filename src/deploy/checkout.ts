import { mkdir, realpath, rm } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { gitIn } from '../plan/git.ts'
import type { GitDeps } from '../plan/deps.ts'

/** The bare clone in which a target's repository is kept; `plan/repository.ts` fetches into it. */
export const bareCloneOf = (varDirectory: string, target: string): string => resolve(varDirectory, 'repositories', `${target}.git`)

export type Checkout = {
  readonly deps: GitDeps
  /** The bare clone that holds the commit. */
  readonly repository: string
  /** Where it goes; whatever is there is replaced. */
  readonly directory: string
  readonly commit: string
}

/** Checking out a large repository on a slow disk. */
const CHECKOUT_MS = 300_000

/**
 * Checks the approved commit out below `var/`, as a detached work tree of the bare clone, which therefore keeps the commit for as long
 * as the checkout is there. No hook or filter runs: files in Git LFS are pointers until `fetchLfs` replaces them. Throws when git fails,
 * since the plan has just read the same commit from the clone.
 */
export async function makeCheckout({ deps, repository, directory, commit }: Checkout): Promise<void> {
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 })
  await oneAtATime(repository, async () => {
    await remove({ deps, repository, directory })
    await mkdir(directory, { mode: 0o700 }) // git keeps the mode of an empty directory
    const added = await gitIn(deps, repository)(['worktree', 'add', '--quiet', '--force', '--detach', directory, commit], {
      timeoutMs: CHECKOUT_MS,
    })
    if (added.exitCode !== 0) throw new Error(`git could not check out ${commit} into ${directory}: ${added.stderr.trim()}`)
  })
}

/** Removes a checkout and what the clone remembers of it. */
export const removeCheckout = (checkout: Omit<Checkout, 'commit'>): Promise<void> => oneAtATime(checkout.repository, () => remove(checkout))

async function remove({ deps, repository, directory }: Omit<Checkout, 'commit'>): Promise<void> {
  await rm(directory, { recursive: true, force: true })
  await gitIn(deps, repository)(['worktree', 'prune'])
}

const lastOf = new Map<string, Promise<unknown>>()

/** git reads the records of all work trees while it adds or prunes one, and fails on one that is just being written. */
function oneAtATime<T>(repository: string, act: () => Promise<T>): Promise<T> {
  const mine = (lastOf.get(repository) ?? Promise.resolve()).then(act, act)
  lastOf.set(repository, mine)
  return mine
}

/** `source.directory` inside the checkout, or null when the commit has no such directory, or a link that leads out of it. */
export async function applicationDirectoryIn(checkout: string, directory: string): Promise<string | null> {
  try {
    const [root, application] = await Promise.all([realpath(checkout), realpath(join(checkout, directory))])
    return relative(root, application).split('/')[0] === '..' ? null : application
  } catch {
    return null
  }
}
