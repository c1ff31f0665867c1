import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { transition } from '../../src/request/store.ts'
import type { Step } from '../../src/request/step.ts'
import { createInFlight } from '../../src/run/in-flight.ts'
import type { WorkflowPorts } from '../../src/run/workflow/ports.ts'
import { requestWorkflow } from '../../src/run/workflow/workflow.ts'
import { createStore } from './postgres.ts'
import { targetFor } from './run-context.ts'
import { digest, evidence, planOf } from './views.ts'

export type OneRequest = Awaited<ReturnType<typeof oneRequest>>

/** A request in a store of its own, and its workflow with steps that the test gives; everything around them says yes. */
export async function oneRequest() {
  const [store, directory] = [await createStore(), await mkdtemp(join(tmpdir(), 'lockkeeper-workflow-'))]
  const [row] = await store.db.query<{ id: number }>(
    `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state)
     values ('r_workflow', 'prod', 'U0ALICE', 'U0ALICE', 'C0DEPLOYS', '{"ref":null,"reason":null,"skipApp":false}', 'planning') returning id`,
  )
  const id = row?.id ?? 0
  const ports = (steps: readonly Step[], over: Partial<WorkflowPorts>): WorkflowPorts => ({
    db: store.db,
    log: createLog(createRedactor([]), 'fatal', process.stderr),
    // what the workflow itself reads of a configuration
    config: {
      file: { targets: {}, slack: { command: '/migrate' } },
      home: directory,
      varDirectory: directory,
      targets: new Map([['prod', targetFor(directory)]]),
      secret: () => '',
    } as never,
    redactor: createRedactor([]),
    env: {},
    whyNoRun: () => Promise.resolve(null),
    whyStop: () => null,
    liveness: () => ({
      executorId: 'test',
      signal: () => new AbortController().signal,
      held: () => Promise.resolve(),
      isHeld: () => true,
      isSettled: () => true,
      close: () => Promise.resolve(),
    }),
    inFlight: createInFlight(),
    owns: () => Promise.resolve(true),
    stillGranted: () => Promise.resolve(true),
    grantAtOnce: () => Promise.resolve(),
    reconfigured: () => null,
    gate: () => Promise.resolve({ kind: 'open', closesAt: null, windowId: null }),
    compare: () => Promise.resolve({ kind: 'same' }),
    underTargetLock: async (_, work) => ({ kind: 'held', value: await work(new AbortController().signal) }),
    makePlan: () => Promise.resolve(planned),
    stepsFor: () => steps,
    ...over,
  })
  return {
    id,
    db: store.db,
    storeUrl: store.db.url,
    /** What its workflow asks of the world, for a part of it alone. */
    ports: (over: Partial<WorkflowPorts> = {}) => ports([], over),
    /** Its whole workflow, approved at the first look. */
    run: (steps: readonly Step[], over: Partial<WorkflowPorts> = {}): Promise<void> =>
      requestWorkflow(ports(steps, over))(id, {
        step: (_name, act) => act(),
        nextSignal: async () => void (await transition(store.db, id, ['waiting'], 'granted', { grantExpiresIn: 60_000 })),
      }),
    close: async () => {
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export const planned = {
  plan: planOf(),
  digest,
  evidence,
  policy: { required: 1, from: ['user:U0BOB'], members: {}, expiresMs: 60_000, grantExpiresMs: 60_000 },
}

/** A step that has everything to do. */
export const stepThat = (act: Step['act'], over: Partial<Step> = {}): Step => ({
  name: 'migrate',
  title: 'Migrate',
  changes: 'database',
  inspect: async () => ({ kind: 'todo' }),
  act,
  ...over,
})
