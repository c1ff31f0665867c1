import { captureChild, type Captured } from '../process/capture.ts'
import { childEnvironment, operatorPath } from '../process/environment.ts'
import type { GitDeps } from './deps.ts'

/** Asks `git` about a bare clone of ours. Objects are only read: nothing is checked out, and no hook, filter or helper of the repository runs. */
export type Git = (args: readonly string[], options?: GitOptions) => Promise<Captured>

export type GitOptions = {
  readonly input?: string
  readonly timeoutMs?: number
  readonly maxBytes?: number
  /** Settings that may hold credentials: they travel in the environment, never in argv or in a file. */
  readonly config?: readonly (readonly [string, string])[]
}

const QUICK_MS = 30_000

const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'credential.helper=',
  'protocol.ext.allow=never',
  'fetch.recurseSubmodules=false',
  'submodule.recurse=false',
  'gc.autoDetach=false',
  'maintenance.autoDetach=false',
]

export function gitIn(deps: GitDeps, directory: string): Git {
  return (args, options = {}) => {
    const config = options.config ?? []
    const env = {
      GIT_DIR: directory,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: `${directory}/lockkeeper.config`,
      GIT_ATTR_NOSYSTEM: '1',
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '/bin/false',
      GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=15',
      GIT_ALLOW_PROTOCOL: 'file:https:ssh',
      GIT_PROTOCOL_FROM_USER: '0',
      GIT_CONFIG_COUNT: String(config.length),
      ...Object.fromEntries(
        config.flatMap(([key, value], at) => [
          [`GIT_CONFIG_KEY_${at}`, key],
          [`GIT_CONFIG_VALUE_${at}`, value],
        ]),
      ),
    }
    const path = operatorPath(deps.env['PATH'])
    return captureChild({
      argv: ['git', ...SETTINGS.flatMap((setting) => ['-c', setting]), ...args],
      cwd: deps.varDirectory,
      // messages are compared below and shown to people, so they must be in one language
      env: childEnvironment(deps.env, path, { ...env, LC_ALL: 'C', LANGUAGE: '' }, Object.keys(env)),
      timeoutMs: options.timeoutMs ?? QUICK_MS,
      redactor: deps.redactor,
      ...(options.input === undefined ? {} : { input: options.input }),
      ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
    })
  }
}

/** For questions that must have an answer: anything but exit code 0 is a fault. */
export async function gitOutput(git: Git, args: readonly string[], options?: GitOptions): Promise<Buffer> {
  const end = await git(args, options)
  if (end.exitCode !== 0) throw new Error(`git ${args[0]} ended with ${end.exitCode ?? end.signal ?? end.ended}: ${end.stderr.trim()}`)
  return end.stdout
}
