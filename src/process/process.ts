import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, openSync, closeSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { basename } from 'node:path'
import type { execa, Options } from 'execa'
import { during, tell } from '../lib/telemetry.ts'
import { isAlive, isGroupAlive, startTime, type ProcessId } from './process-id.ts'
import type { Redactor } from '../redact/redact.ts'

export { isAlive, isGroupAlive, startTime, type ProcessId } from './process-id.ts'

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

export const TAIL_BYTES = 64 * 1024

/** What has no line break for longer is given in pieces. */
export const LONGEST_LINE = 64 * 1024

/** Of one child; a loop that prints for ever must not fill the disk on which the records are kept. */
export const MOST_SPOOL_BYTES = 50 * 1024 * 1024

/** Between asking a group to end and making it end. */
const GRACE_MS = 5_000

/** Runs a child to its end in a process group of its own; the whole group ends with it, and it dies with this process. Never throws for what the child does. */
export const runChild = (child: Child): Promise<ChildEnd> =>
  during(
    { kind: 'child', program: programOf(child) },
    () => run(child),
    ({ ended, exitCode }) => resultOf(ended, exitCode),
  )

/** A shell's first argument is a whole line, which may hold anything. */
const programOf = ({ argv, shell }: { readonly argv: readonly string[]; readonly shell?: boolean }): string =>
  shell === true ? 'sh' : basename(argv[0] ?? '')

const resultOf = (ended: ChildEnd['ended'], exitCode: number | null) => (ended === 'exited' ? (exitCode === 0 ? 'ok' : 'nonzero') : ended)

async function run(child: Child): Promise<ChildEnd> {
  const { execa } = await starter()
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
  if (subprocess.pid !== undefined) child.onStart?.(subprocess.pid)
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
  if (ended === 'not-started') output.write('stderr', Buffer.from(notStarted(child, result)))
  return {
    exitCode: result.exitCode ?? null,
    signal: result.signal ?? null,
    ended,
    tail: await output.end(),
    durationMs: performance.now() - started,
  }
}

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
  const started = performance.now()
  const { execa } = await starter()
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

/**
 * Starts a child that outlives this process: the migrator, whose death would not stop its backend. Its raw output goes to `output`
 * (0600), which is redacted when read. Resolves as soon as it runs.
 */
export function startDetached(child: Pick<Child, 'argv' | 'cwd' | 'env'> & { readonly output: string }): ProcessId {
  const file = openSync(child.output, 'a', 0o600)
  try {
    // Node's own spawn: the files must be the child's descriptors, with nothing of ours in between
    const subprocess = spawn(child.argv[0]!, child.argv.slice(1), {
      cwd: child.cwd,
      env: { ...child.env },
      detached: true,
      stdio: ['ignore', file, file],
    })
    subprocess.on('error', () => {}) // reported below: without a pid it never ran
    subprocess.unref()
    if (subprocess.pid === undefined) throw new Error(`${child.argv[0]} could not be started in ${child.cwd}`)
    tell({ kind: 'child left', program: programOf(child) })
    return { pid: subprocess.pid, startedAt: startTime(subprocess.pid) ?? 'unknown' }
  } finally {
    closeSync(file)
  }
}

/** Ends a process group that this product started, by id; does nothing when the id belongs to another process by now. */
export function endProcess(id: ProcessId, signal: NodeJS.Signals = 'SIGTERM'): void {
  if (isAlive(id) || isGroupAlive(id)) signalGroup(id.pid, signal)
}

/** What every child may see of the operator's environment. NODE_OPTIONS, LD_PRELOAD, PG* and the like never pass. */
const PASSED = [
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'PM2_HOME',
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
]

const REFUSED = /^(NODE_OPTIONS|NODE_PATH|LD_.*|DYLD_.*|PG.*|BASH_ENV|ENV|PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK|GIT_.*)$/

/** `extra` wins over the operator's environment, but cannot bring back a refused name unless `permit` names it. */
export function childEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  path: string,
  extra: Readonly<Record<string, string>> = {},
  permit: readonly string[] = [],
): Record<string, string> {
  const env: Record<string, string> = { PATH: path }
  for (const name of PASSED) if (own[name] !== undefined) env[name] = own[name]
  for (const [name, value] of Object.entries(extra)) if (!REFUSED.test(name) || permit.includes(name)) env[name] = value
  return env
}

/** The operator's PATH without our own `node_modules/.bin`, which npm puts in front of it. */
export const operatorPath = (path: string | undefined): string =>
  (path ?? '/usr/local/bin:/usr/bin:/bin')
    .split(':')
    .filter((part) => part !== '' && !part.includes('node_modules/.bin') && !part.includes('node-gyp-bin'))
    .join(':')

/** Loaded by the first child, in about 60 ms. */
const starter = () => import('execa')

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

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  signalGroup(pid, 'SIGTERM')
  setTimeout(() => signalGroup(pid, 'SIGKILL'), GRACE_MS).unref()
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // ESRCH: nobody of the group is left, which is what we wanted
  }
}

function collectOutput(child: Child) {
  const spool = child.spool === undefined ? undefined : createWriteStream(child.spool, { flags: 'a', mode: 0o600 })
  let spoolFault: Error | undefined
  spool?.on('error', (error) => (spoolFault = error)) // a full disk must not end the child; the tail says what is missing
  const streams = { stdout: lines('stdout'), stderr: lines('stderr') }
  let tail = ''
  let spooled = 0
  function toSpool(text: string) {
    if (spool === undefined || spoolFault !== undefined || spooled > MOST_SPOOL_BYTES) return
    spooled += Buffer.byteLength(text)
    spool.write(text)
    if (spooled > MOST_SPOOL_BYTES)
      spool.write(`\n… The rest of this output is left out of the log, which takes ${MOST_SPOOL_BYTES / 1024 / 1024} MB of one command.\n`)
  }
  function take(text: string) {
    if (text === '') return
    toSpool(text)
    tail = (tail + text).slice(-TAIL_BYTES)
  }
  function lines(name: 'stdout' | 'stderr') {
    const redacted = child.redactor.stream()
    const decoder = new TextDecoder()
    let open = ''
    const pass = (text: string) => {
      take(text)
      if (child.onLine === undefined) return
      const parts = (open + text).split(/\r?\n/)
      open = parts.pop() ?? ''
      for (const line of parts) inPieces(line)
      // else it would be read again, whole, with every piece that follows
      const whole = open.length - (open.length % LONGEST_LINE)
      inPieces(open.slice(0, whole), whole > 0)
      open = open.slice(whole)
    }
    const inPieces = (line: string, isWritten = true) => {
      if (!isWritten) return
      for (let at = 0; at === 0 || at < line.length; at += LONGEST_LINE) child.onLine?.(line.slice(at, at + LONGEST_LINE), name)
    }
    return {
      write: (chunk: Buffer) => pass(redacted.write(decoder.decode(chunk, { stream: true }))),
      end() {
        pass(redacted.end())
        if (open !== '') child.onLine?.(open, name)
      },
    }
  }
  return {
    write: (name: 'stdout' | 'stderr', chunk: Buffer) => streams[name].write(chunk),
    isBehind: () => spoolFault === undefined && spool?.writableNeedDrain === true,
    /** Also when the log can be written no more, else the child would wait for ever. */
    caughtUp(act: () => void) {
      let isDone = false
      const once = () => {
        if (!isDone) act()
        isDone = true
      }
      spool?.once('drain', once).once('error', once)
    },
    async end() {
      streams.stdout.end()
      streams.stderr.end()
      if (spool !== undefined && spoolFault === undefined) {
        spool.end()
        await finished(spool).catch((error: Error) => (spoolFault = error))
      }
      return spoolFault === undefined ? tail : `${tail}\n(the log file is incomplete: ${spoolFault.message})\n`
    },
  }
}

function notStarted(
  child: Child,
  result: { readonly originalMessage?: string | undefined; readonly shortMessage?: string | undefined },
): string {
  if (!existsSync(child.cwd)) return `The directory ${child.cwd} does not exist, so ${child.argv[0]} was not started.\n`
  return `${child.argv[0]} could not be started: ${result.originalMessage ?? result.shortMessage ?? 'no reason given'}\n`
}
