import { DBOSExecutor } from '@dbos-inc/dbos-sdk/internal/dbos-executor'
import { wfQueueRunner, type WorkflowQueue } from '@dbos-inc/dbos-sdk/internal/wfqueue'
import type { Log } from '../lib/log.ts'

/** What the engine keeps private: one look into a queue. Its version is pinned; a test fails when it changes. */
type Runner = { readonly pollQueue: (executor: DBOSExecutor, queue: WorkflowQueue) => Promise<boolean> }

/**
 * Looks into a queue now rather than at the next round, which may then come seldom. Several looks at once are safe, here and in other
 * processes: the engine gives each entry to one of them. A look that fails is made up for by that round.
 */
export function lookIntoQueue(queue: WorkflowQueue, log: Log): void {
  const executor = DBOSExecutor.globalInstance
  if (executor === undefined) return
  const { pollQueue } = wfQueueRunner as unknown as Runner
  pollQueue
    .call(wfQueueRunner, executor, queue)
    .catch((error: Error) => log.debug({ error: error.message }, 'a look into the queue failed; the next round follows'))
}
