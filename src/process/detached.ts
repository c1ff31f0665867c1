import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { emit } from '../lib/telemetry.ts'
import { programOf, type Child } from './child.ts'
import { signalGroup } from './group.ts'
import { isAlive, isGroupAlive, startTime, type ProcessId } from './process-id.ts'

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
    const { pid } = subprocess
    if (pid === undefined) throw new Error(`${child.argv[0]} could not be started in ${child.cwd}`)
    noteEnd(subprocess, pid)
    emit({ kind: 'child left', program: programOf(child) })
    return { pid, startedAt: startTime(pid) ?? 'unknown' }
  } finally {
    closeSync(file)
  }
}

/** Aborts when a child that this process started and left to itself ends; undefined when it is gone already or another one started it. */
export const endOf = ({ pid }: Pick<ProcessId, 'pid'>): AbortSignal | undefined => ends.get(pid)

const ends = new Map<number, AbortSignal>()

function noteEnd(subprocess: ChildProcess, pid: number): void {
  const end = new AbortController()
  ends.set(pid, end.signal)
  subprocess.once('exit', () => {
    ends.delete(pid)
    end.abort()
  })
}

/** Ends a process group that this product started, by id; does nothing when the id belongs to another process by now. */
export function endProcess(id: ProcessId, signal: NodeJS.Signals = 'SIGTERM'): void {
  if (isAlive(id) || isGroupAlive(id)) signalGroup(id.pid, signal)
}
