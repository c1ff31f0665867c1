import { during } from '../lib/telemetry.ts'
import { programOf, resultOf, type Child, type ChildEnd } from './child.ts'

export type Captured = Omit<ChildEnd, 'tail'> & { readonly stdout: Buffer; readonly stderr: string }

/** For short commands whose whole output is the answer (`git cat-file`, `pg_dump --version`). Standard output is returned as it came, not redacted. */
export const captureChild = (child: Capturable): Promise<Captured> =>
  during(
    { kind: 'child', program: programOf(child) },
    () => capture(child),
    ({ ended, exitCode }) => resultOf(ended, exitCode),
  )

type Capturable = Omit<Child, 'spool' | 'onLine' | 'shell'> & { readonly maxBytes?: number }

async function capture(child: Capturable): Promise<Captured> {
  const { execa } = await import('execa') // by the first child, in about 60 ms
  const started = performance.now()
  const result = await execa(child.argv[0]!, child.argv.slice(1), {
    cwd: child.cwd,
    env: { ...child.env },
    extendEnv: false,
    reject: false,
    encoding: 'buffer',
    stripFinalNewline: false,
    maxBuffer: child.maxBytes ?? 64 * 1024 * 1024,
    ...(child.input === undefined ? { stdin: 'ignore' as const } : { input: child.input }),
    ...(child.timeoutMs === undefined ? {} : { timeout: child.timeoutMs }),
    ...(child.signal === undefined ? {} : { cancelSignal: child.signal }),
    ...child.as,
  })
  const started_ = result.exitCode !== undefined || result.signal !== undefined
  return {
    exitCode: result.exitCode ?? null,
    signal: result.signal ?? null,
    ended: result.timedOut ? 'timed-out' : result.isCanceled ? 'aborted' : started_ ? 'exited' : 'not-started',
    durationMs: performance.now() - started,
    stdout: Buffer.from(result.stdout ?? []),
    stderr: child.redactor.text(
      started_ ? Buffer.from(result.stderr ?? []).toString('utf8') : (result.originalMessage ?? result.shortMessage ?? ''),
    ),
  }
}
