import { existsSync } from 'node:fs'
import type { execa, Options } from 'execa'
import { during } from '../lib/telemetry.ts'
import { programOf, resultOf, type Child, type ChildEnd } from './child.ts'
import { endGroup, signalGroup } from './group.ts'
import { collectOutput } from './output.ts'

/** Runs a child to its end in a process group of its own; the whole group ends with it, and it dies with this process. Never throws for what the child does. */
export const runChild = (child: Child): Promise<ChildEnd> =>
  during(
    { kind: 'child', program: programOf(child) },
    () => run(child),
    ({ ended, exitCode }) => resultOf(ended, exitCode),
  )

async function run(child: Child): Promise<ChildEnd> {
  const { execa } = await import('execa') // by the first child, in about 60 ms
  const started = performance.now()
  const output = collectOutput(child)
  const subprocess = startInGroup(execa, dieWithParent(child.argv, child.shell), child)
  let ended: ChildEnd['ended'] = 'exited'
  const stop = (why: 'timed-out' | 'aborted') => {
    if (ended !== 'exited') return
    ended = why
    endGroup(subprocess.pid)
  }
  const onAbort = () => stop('aborted')
  const timer = child.timeoutMs === undefined ? undefined : setTimeout(() => stop('timed-out'), child.timeoutMs)
  child.signal?.addEventListener('abort', onAbort, { once: true })
  if (child.signal?.aborted) onAbort()
  const fault = subprocess.pid === undefined ? undefined : noteStart(child, subprocess.pid)
  const { stdout, stderr } = subprocess
  // a log that cannot be written as fast as the child prints holds the child back, not the memory
  const passOn = (name: 'stdout' | 'stderr', stream: typeof stdout) =>
    stream?.on('data', (chunk: Buffer) => {
      output.write(name, chunk)
      if (!output.isBehind()) return
      stream.pause()
      output.caughtUp(() => stream.resume())
    })
  passOn('stdout', stdout)
  passOn('stderr', stderr)
  const result = await subprocess
  clearTimeout(timer)
  child.signal?.removeEventListener('abort', onAbort)
  if (subprocess.pid === undefined) ended = 'not-started'
  else signalGroup(subprocess.pid, 'SIGKILL') // whatever it left behind
  if (fault !== undefined) {
    await output.end()
    throw fault
  }
  if (ended === 'not-started') output.write('stderr', Buffer.from(notStarted(child, result)))
  return {
    exitCode: result.exitCode ?? null,
    signal: result.signal ?? null,
    ended,
    tail: await output.end(),
    durationMs: performance.now() - started,
  }
}

/** Who cannot note that a child runs, so that it could be found again, must not let it run: it is ended, and the fault is thrown after that. */
function noteStart({ onStart }: Child, pid: number): Error | undefined {
  try {
    onStart?.(pid)
    return undefined
  } catch (error) {
    signalGroup(pid, 'SIGKILL')
    return error as Error
  }
}

function startInGroup(start: typeof execa, argv: readonly string[], child: Child) {
  const options = {
    cwd: child.cwd,
    env: { ...child.env },
    extendEnv: false,
    detached: true,
    cleanup: true,
    reject: false,
    buffer: false,
    ...(child.input === undefined ? { stdin: 'ignore' } : { input: child.input }),
    ...(child.shell === true ? { shell: true } : {}),
    ...child.as,
  } satisfies Options
  return start(argv[0]!, argv.slice(1), options)
}

const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => process.platform === 'linux' && existsSync(path))

/** Where the kernel offers it the child is killed when we die; elsewhere its group is ended at adoption. */
const dieWithParent = (argv: readonly string[], shell: boolean | undefined): readonly string[] =>
  SETPRIV === undefined || shell === true ? argv : [SETPRIV, '--pdeathsig', 'KILL', '--', ...argv]

function notStarted(
  child: Child,
  result: { readonly originalMessage?: string | undefined; readonly shortMessage?: string | undefined },
): string {
  if (!existsSync(child.cwd)) return `The directory ${child.cwd} does not exist, so ${child.argv[0]} was not started.\n`
  return `${child.argv[0]} could not be started: ${result.originalMessage ?? result.shortMessage ?? 'no reason given'}\n`
}
