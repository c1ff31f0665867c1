import { readExecutors, readPending, type Executor, type Pending } from '../../../src/engine/executors.ts'
import type { Db } from '../../../src/store/pool.ts'
import { ageText, count, ok, requests, warning, wrong, type Finding } from './finding.ts'

/** Which processes live, and whether each unfinished run has one that carries it. */
export async function lookAtEngine(db: Db): Promise<readonly Finding[]> {
  const [executors, pending] = await Promise.all([readExecutors(db), readPending(db)])
  return [processes(executors), ...work(pending, executors.length > 0)]
}

function processes(executors: readonly Executor[]): Finding {
  if (executors.length === 0)
    return wrong('processes', 'no Lockkeeper runs with this store', 'Start it. Requests and runs go on where they were.')
  const named = executors.slice(0, 5).map(({ id, seconds }) => `${id} for ${ageText(seconds)}`)
  return ok('processes', `${executors.length} alive: ${named.join(', ')}${executors.length > 5 ? ' and more' : ''}`)
}

/** The others look for dead owners each second, and take over within five. */
const ADOPTED_SECONDS = 15
const TAKEN_SECONDS = 30

function work(pending: readonly Pending[], isAnybodyThere: boolean): readonly Finding[] {
  const foreign = pending.filter(({ isOurVersion }) => !isOurVersion)
  const own = pending.filter(({ isOurVersion }) => isOurVersion)
  const orphans = own.filter(({ isOwnerAlive, status }) => status === 'PENDING' && !isOwnerAlive)
  const late = orphans.filter(({ seconds }) => seconds > ADOPTED_SECONDS)
  const untaken = own.filter(({ status, seconds }) => status === 'ENQUEUED' && seconds > TAKEN_SECONDS)
  const ids = (some: readonly Pending[]) => requests(some.map(({ request }) => request))
  const found = [
    ...(foreign.length === 0
      ? []
      : [
          wrong(
            'runs',
            `${ids(foreign)} ${foreign.length === 1 ? 'was' : 'were'} begun by another version (${[...new Set(foreign.map(({ version }) => version))].join(', ')}), which no process of this one goes on with`,
            `Start that version until ${foreign.length === 1 ? 'it has' : 'they have'} ended.`,
          ),
        ]),
    ...(orphans.length > 0 && !isAnybodyThere
      ? [
          warning(
            'runs',
            `${ids(orphans)} ${orphans.length === 1 ? 'has' : 'have'} lost the process that carried ${orphans.length === 1 ? 'it' : 'them'}`,
            'A start goes on with them.',
          ),
        ]
      : []),
    ...(late.length > 0 && isAnybodyThere
      ? [
          wrong(
            'runs',
            `${ids(late)} ${late.length === 1 ? 'has' : 'have'} lost the process that carried ${late.length === 1 ? 'it' : 'them'}, and nobody has taken over`,
            'Look at the log of the living ones for "dead replicas"; a restart of one of them takes over.',
          ),
        ]
      : []),
    ...(untaken.length > 0 && isAnybodyThere
      ? [
          wrong(
            'runs',
            `${ids(untaken)} ${untaken.length === 1 ? 'waits' : 'wait'} in the queue, and nobody begins`,
            'Look at the log of the living processes, and restart one of them.',
          ),
        ]
      : []),
  ]
  if (found.length > 0) return found
  return [ok('runs', own.length === 0 ? 'nothing is unfinished' : `${count(own.length, 'request')} carried by living processes`)]
}
