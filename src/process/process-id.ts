import { readdirSync, readFileSync } from 'node:fs'

/** A process is known by its id and its start time, since ids are given out again. */
export type ProcessId = { readonly pid: number; readonly startedAt: string }

/** True while that very process lives (a zombie does not). */
export function isAlive(id: ProcessId): boolean {
  try {
    process.kill(id.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const now = startTime(id.pid)
  return now !== undefined && (id.startedAt === 'unknown' || now === id.startedAt) && !isZombie(id.pid)
}

/**
 * True while anybody of the group that `id` leads lives, though the leader may be dead. The kernel gives a leader's id to nobody else
 * while its group has members.
 */
export function isGroupAlive(id: ProcessId): boolean {
  if (isAlive(id)) return true
  if (isSomebodyElse(id)) return false // its group had no members left, or the id could not have been given out again
  if (process.platform === 'linux') return membersOf(id.pid).some((pid) => pid !== id.pid && !isZombie(pid))
  try {
    process.kill(-id.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function isSomebodyElse(id: ProcessId): boolean {
  const now = startTime(id.pid)
  return id.startedAt !== 'unknown' && now !== undefined && now !== id.startedAt
}

/** Linux: field 22 of /proc/PID/stat. Elsewhere the id alone has to do. Undefined when there is no such process. */
export function startTime(pid: number): string | undefined {
  return process.platform === 'linux' ? statFields(pid)?.[19] : 'unknown'
}

const isZombie = (pid: number): boolean => process.platform === 'linux' && statFields(pid)?.[0] === 'Z'

const membersOf = (group: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statFields(pid)?.[2] === String(group))

/** The fields after the command name, which may hold spaces and brackets itself. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined // no such process
  }
}
