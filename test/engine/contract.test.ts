import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DBOSExecutor } from '@dbos-inc/dbos-sdk/internal/dbos-executor'
import { expect, onTestFinished, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { wfQueueRunner } from '@dbos-inc/dbos-sdk/internal/wfqueue'
import { workflowTimeoutConfig } from '@dbos-inc/dbos-sdk/internal/workflow_management'
import { openEngine } from '../../src/engine/engine.ts'
import { QUEUE_POLL_MS, RECOVERIES, UNUSED_MS } from '../../src/engine/poll-queue.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { createStore } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'

/** What is used of the engine's inside. Whoever changes its version reads adopt.ts, engine.ts and this again, and runs the fault tests. */
const READ = '5.3.0'

test('the engine is exactly the version whose inside was read', () => {
  const installed = JSON.parse(readFileSync(join(import.meta.dirname, '../../node_modules/@dbos-inc/dbos-sdk/package.json'), 'utf8')) as {
    version: string
  }
  expect([packageJson.dependencies['@dbos-inc/dbos-sdk'], installed.version]).toEqual([READ, READ])
})

test('its internal recovery, its rows and its function for signals are as this house uses them', async () => {
  const store = await createStore()
  onTestFinished(store.close)
  const released = Promise.withResolvers<void>()
  const engine = await openEngine({ db: store.db, log: createLog(createRedactor([]), 'warn', process.stderr) })
  onTestFinished(engine.close)
  onTestFinished(() => released.resolve())
  await engine.run((_id, { step }) => step('hold', () => released.promise))
  const executor = DBOSExecutor.globalInstance
  expect([typeof executor?.recoverPendingWorkflows, DBOSExecutor.prototype.recoverPendingWorkflows.length]).toEqual(['function', 0])
  // nobody's work: it answers with what it took over, which is nothing
  expect(await executor?.recoverPendingWorkflows(['nobody'])).toEqual([])
  await store.db.transaction((tx) => engine.start(tx, 1))
  const row = await until('it runs', async () => {
    const [found] = await store.db.query(
      `select status, executor_id, application_name, application_version, workflow_uuid from dbos.workflow_status where status = 'PENDING'`,
    )
    return found
  })
  expect(row).toEqual({
    status: 'PENDING',
    executor_id: engine.liveness.executorId,
    application_name: 'lockkeeper',
    application_version: 'PATCHING_ENABLED',
    workflow_uuid: 'request-1',
  })
  const [signal] = await store.db.query(
    `select pg_get_function_arguments(oid) as arguments from pg_proc where proname = 'send_message' and pronamespace = 'dbos'::regnamespace`,
  )
  expect(signal?.['arguments']).toBe('destination_id text, message json, topic text DEFAULT NULL::text, message_id text DEFAULT NULL::text')
})

type Rounds = {
  readonly states: ReadonlyMap<string, { readonly currentPollingMs: number }>
  readonly constructor: Readonly<Record<'reconcileIntervalMs' | 'transitionIntervalMs', number>>
}

test('its rounds are as seldom as this house sets them, in both queues', async () => {
  const store = await createStore()
  onTestFinished(store.close)
  const engine = await openEngine({ db: store.db, log: createLog(createRedactor([]), 'warn', process.stderr) })
  onTestFinished(engine.close)
  await engine.run(async () => {})
  const runner = wfQueueRunner as unknown as Rounds
  const { reconcileIntervalMs, transitionIntervalMs } = runner.constructor
  expect([reconcileIntervalMs, transitionIntervalMs, workflowTimeoutConfig]).toEqual([
    10_000,
    UNUSED_MS,
    { batchSize: 1000, pollingIntervalMs: UNUSED_MS },
  ])
  // the first round of its own queue comes a second after the launch, and ours is found by its first look at which there are
  const intervals = () => Object.fromEntries([...runner.states].map(([name, { currentPollingMs }]) => [name, currentPollingMs]))
  await until(
    'both are known and slow',
    () => intervals()[RECOVERIES] === QUEUE_POLL_MS && intervals()['requests'] === QUEUE_POLL_MS,
    20_000,
  )
  expect(intervals()).toEqual({ [RECOVERIES]: QUEUE_POLL_MS, requests: QUEUE_POLL_MS })
})
