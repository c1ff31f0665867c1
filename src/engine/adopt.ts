import { DBOSExecutor } from '@dbos-inc/dbos-sdk/internal/dbos-executor'

/**
 * Takes over what another executor left unfinished. The import is the engine's internal door, which is why its version is pinned
 * exactly and a contract test fails loudly when it changes. `resumeWorkflow` is no substitute: it starts work that is still alive.
 */
export async function adoptFrom(executorId: string): Promise<number> {
  const executor = DBOSExecutor.globalInstance
  if (executor === undefined) throw new Error('the engine is not running')
  return (await executor.recoverPendingWorkflows([executorId])).length
}
