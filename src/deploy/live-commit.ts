import type { Target } from '../config/config.ts'
import { code } from '../lib/text/code.ts'
import { captureChild } from '../process/capture.ts'
import { childEnvironment } from '../process/environment.ts'
import type { Redactor } from '../redact/redact.ts'
import { applicationPath } from './command.ts'

/** `commit` in full or shortened, as the command prints it; `why` is one sentence of mrkdwn. */
export type LiveCommit = { readonly commit: string } | { readonly why: string }

/** Which commit is live, by the target's `current` command; null when none is configured. It may take 30 s. */
export async function askLiveCommit(options: {
  readonly target: Pick<Target, 'current' | 'source'>
  /** Where it runs. */
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}): Promise<LiveCommit | null> {
  const { target, env } = options
  if (target.current === undefined) return null
  const end = await captureChild({
    argv: target.current,
    cwd: options.home,
    env: childEnvironment(env, applicationPath(target, env)),
    redactor: options.redactor,
    timeoutMs: options.timeoutMs ?? 30_000,
    maxBytes: 64 * 1024,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  const commit = end.stdout.toString('utf8').trim().toLowerCase()
  if (end.exitCode === 0 && /^[0-9a-f]{7,64}$/.test(commit)) return { commit }
  const what =
    end.exitCode === 0
      ? 'printed something that is not a commit'
      : end.ended === 'timed-out'
        ? 'did not end in time'
        : `failed${end.exitCode === null ? '' : ` with exit code ${end.exitCode}`}`
  return { why: `The command ${code(target.current.join(' '))}, which should print the live commit, ${what}.` }
}
