import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Db } from '../../src/store/pool.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { createInFlight } from '../../src/run/in-flight.ts'
import { eventsOf, requestById, stepsOf, transition } from '../../src/request/store.ts'
import type { Step } from '../../src/request/step.ts'
import { requestWorkflow } from '../../src/run/workflow/workflow.ts'
import { createStore } from '../helpers/postgres.ts'
import { oneRequest, stepThat } from '../helpers/workflow.ts'
import { targetFor } from '../helpers/run-context.ts'
import { digest, evidence, planOf } from '../helpers/views.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

test('when the answer to every commit is lost once, the run ends as it should and records everything once', async () => {
  const [store, directory] = [await createStore(), await mkdtemp(join(tmpdir(), 'lockkeeper-lost-'))]
  cleanups.push(store.close, () => rm(directory, { recursive: true, force: true }))
  const [row] = await store.db.query<{ id: number }>(
    `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state)
     values ('r_lost', 'prod', 'U0ALICE', 'U0ALICE', 'C0DEPLOYS', '{"ref":null,"reason":null,"skipApp":false}', 'planning') returning id`,
  )
  const id = row?.id ?? 0
  const acts: string[] = []
  const steps = ['one', 'two'].map((name): Step => ({
    name,
    title: name,
    changes: 'files',
    inspect: async () => ({ kind: 'todo' }),
    async act() {
      acts.push(name)
      return { kind: 'done', output: 'done' }
    },
  }))
  const target = targetFor(directory)
  const body = requestWorkflow({
    grantAtOnce: () => Promise.resolve(),
    db: losingAnswers(store.db),
    log: createLog(createRedactor([]), 'error', process.stderr),
    // what the workflow itself reads of a configuration
    config: {
      file: { targets: {}, slack: { command: '/migrate' } },
      home: directory,
      varDirectory: directory,
      targets: new Map([['prod', target]]),
      secret: () => '',
    } as never,
    redactor: createRedactor([]),
    whyNoRun: () => Promise.resolve(null),
    whyStop: () => null,
    env: {},
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
    reconfigured: () => null,
    gate: () => Promise.resolve({ kind: 'open', closesAt: null, windowId: null }),
    compare: () => Promise.resolve({ kind: 'same' }),
    underTargetLock: async (_, work) => ({ kind: 'held', value: await work(new AbortController().signal) }),
    makePlan: () =>
      Promise.resolve({
        plan: planOf(),
        digest,
        evidence,
        policy: { required: 1, from: ['user:U0BOB'], members: {}, expiresMs: 60_000, grantExpiresMs: 60_000 },
      }),
    stepsFor: () => steps,
  })
  await body(id, {
    step: (_name, act) => act(),
    nextSignal: async () => void (await transition(store.db, id, ['waiting'], 'granted', { grantExpiresIn: 60_000 })),
  })
  expect((await requestById(store.db, id))?.state).toBe('succeeded')
  expect(acts).toEqual(['one', 'two'])
  expect((await stepsOf(store.db, id)).map(({ name, state, attempt }) => ({ name, state, attempt }))).toEqual([
    { name: 'one', state: 'done', attempt: 1 },
    { name: 'two', state: 'done', attempt: 1 },
  ])
  expect((await eventsOf(store.db, id)).map(({ kind }) => kind)).toEqual(['requested', 'started', 'step_done', 'step_done', 'ended'])
})

/** Each transaction commits, and then its connection breaks before the answer arrives; the next try is heard. */
function losingAnswers(db: Db): Db {
  let isHeard = true
  return {
    ...db,
    async transaction(work) {
      const result = await db.transaction(work)
      isHeard = !isHeard
      if (!isHeard) throw Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' })
      return result
    },
  }
}

test('what a step finds is said once, though the answer to its row was lost', async () => {
  const request = await oneRequest()
  cleanups.push(request.close)
  let isHeard = false
  const db: Db = {
    ...request.db,
    async query(sql, values) {
      const rows = await request.db.query(sql, values)
      if (isHeard || !sql.includes('insert into lockkeeper.event') || values?.[1] !== 'finding') return rows as never
      isHeard = true
      throw Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' })
    },
  }
  const step = stepThat(async (context) => {
    await context.note({ kind: 'finding', data: { text: 'The live schema differs.' } })
    return { kind: 'done', output: 'done' }
  })
  await request.run([step], { db })
  expect(isHeard).toBe(true)
  expect((await eventsOf(request.db, request.id)).map(({ kind }) => kind)).toEqual([
    'requested',
    'started',
    'finding',
    'step_done',
    'ended',
  ])
})
