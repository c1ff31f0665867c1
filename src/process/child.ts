import { basename } from 'node:path'
import type { Redactor } from '../redact/redact.ts'

/** A child to start. Never a shell unless the configuration file, where only the operator writes, says so. */
export type Child = {
  readonly argv: readonly string[]
  readonly cwd: string
  /** The whole environment; build it with `childEnvironment`. */
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Redacted output is appended here (mode 0600). */
  readonly spool?: string
  /** Each redacted line of output as it arrives. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** The child's process id, which is also the id of its process group. */
  readonly onStart?: (pid: number) => void
  readonly input?: string
  readonly shell?: boolean
  /** Only root can start a child as somebody else. */
  readonly as?: { readonly uid: number; readonly gid: number }
  readonly redactor: Redactor
}

export type ChildEnd = {
  /** Null when a signal ended it or when it could not be started. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly ended: 'exited' | 'timed-out' | 'aborted' | 'not-started'
  /** The last `TAIL_BYTES` of both streams in order of arrival, redacted. */
  readonly tail: string
  readonly durationMs: number
}

/** A shell's first argument is a whole line, which may hold anything. */
export const programOf = ({ argv, shell }: { readonly argv: readonly string[]; readonly shell?: boolean }): string =>
  shell === true ? 'sh' : basename(argv[0] ?? '')

export const resultOf = (ended: ChildEnd['ended'], exitCode: number | null) =>
  ended === 'exited' ? (exitCode === 0 ? 'ok' : 'nonzero') : ended
