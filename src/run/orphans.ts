import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { endProcess } from '../process/detached.ts'
import { isGroupAlive, startTime, type ProcessId } from '../process/process-id.ts'
import { readJson } from '../lib/durable-file.ts'

/**
 * A killed process takes its children with it, but not theirs: the scripts of an installer, the workers of a build. So each command's
 * process group is noted in the run's directory, and whoever takes the run over ends what is left of it.
 */
export function noteChild(directory: string, pid: number): () => void {
  mkdirSync(notesIn(directory), { recursive: true, mode: 0o700 })
  const file = join(notesIn(directory), `${pid}.json`)
  // whole or absent, but not waited for until it is on the disk: a crash of the machine ends the child as well
  writeFileSync(`${file}.partial`, JSON.stringify({ pid, startedAt: startTime(pid) ?? 'unknown' } satisfies ProcessId), { mode: 0o600 })
  renameSync(`${file}.partial`, file)
  return () => rmSync(file, { force: true })
}

/** Ends, by kill, what dead processes left of this run's commands. The migrator is not among them. */
export function endOrphans(directory: string): void {
  mkdirSync(notesIn(directory), { recursive: true, mode: 0o700 })
  for (const name of readdirSync(notesIn(directory)).filter((name) => name.endsWith('.json'))) {
    const child = shape.parse(readJson(join(notesIn(directory), name)))
    if (child.startedAt !== 'unknown' && isGroupAlive(child)) endProcess(child, 'SIGKILL')
    rmSync(join(notesIn(directory), name), { force: true })
  }
}

const shape = z.object({ pid: z.int(), startedAt: z.string() })

const notesIn = (directory: string): string => join(directory, 'children')
