import { DBOSExecutor } from '@dbos-inc/dbos-sdk/internal/dbos-executor'
import { wfQueueRunner, type WorkflowQueue } from '@dbos-inc/dbos-sdk/internal/wfqueue'
import { workflowTimeoutConfig } from '@dbos-inc/dbos-sdk/internal/workflow_management'
import type { Log } from '../lib/log.ts'

/** What the engine keeps private: one look into a queue, and its rounds. Its version is pinned; a test fails when it changes. */
type Runner = {
  readonly pollQueue: (executor: DBOSExecutor, queue: WorkflowQueue) => Promise<boolean>
  readonly constructor: { reconcileIntervalMs: number; transitionIntervalMs: number }
}
const runner = wfQueueRunner as unknown as Runner

/** What a recovery puts back to be begun lies here. */
export const RECOVERIES = '_dbos_internal_queue'

/** Said in the transaction that writes something into a queue, so that every process looks as soon as it is committed. */
export const QUEUE_CHANNEL = 'lockkeeper_queue'
export const callToQueue = `select pg_notify('${QUEUE_CHANNEL}', '')`

/** Every process is called when there is something; this is for a call that nobody heard. */
export const QUEUE_POLL_MS = 5_000
/** Rounds for what this house does not use: workflows with a deadline, delayed ones, schedules. */
export const UNUSED_MS = 60_000
/** How often it is read which queues there are: the one of ours is there a moment after the first start of all. */
const RECONCILE_MS = 10_000

/** By itself the engine asks the store about each of these once a second, for ever. Called before its launch. */
export function slowRounds(): void {
  workflowTimeoutConfig.pollingIntervalMs = UNUSED_MS
  runner.constructor.transitionIntervalMs = UNUSED_MS
  runner.constructor.reconcileIntervalMs = RECONCILE_MS
}

/** The queue of recoveries is the engine's own, made at its launch with a round each second. */
export function slowRecoveries(): void {
  const queue = wfQueueRunner.getInternalQueue(RECOVERIES)
  if (queue === undefined) throw new Error(`the engine has no queue ${RECOVERIES}`)
  queue.minPollingIntervalMs = QUEUE_POLL_MS
}

/**
 * Looks into both queues now rather than at the next round, which comes seldom. Several looks at once are safe, here and in other
 * processes: the engine gives each entry to one of them. A look that fails is made up for by that round.
 */
export function pollQueues(queue: WorkflowQueue, log: Log): void {
  const executor = DBOSExecutor.globalInstance
  if (executor === undefined) return
  for (const one of [queue, wfQueueRunner.getInternalQueue(RECOVERIES)])
    if (one !== undefined)
      runner.pollQueue
        .call(wfQueueRunner, executor, one)
        .catch((error: Error) => log.debug({ error: error.message }, 'a look into the queue failed; the next round follows'))
}
