import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { cancelRequest } from '../../approvals/decisions/cancel.ts'
import type { Db } from '../../src/store/pool.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { eventsOf, requestById, stepsOf, transition } from '../../src/request/store.ts'
import type { Step, StepEnd } from '../../src/request/step.ts'
import { requestWorkflow } from '../../src/run/workflow/workflow.ts'
import { createInFlight } from '../../src/run/in-flight.ts'
import { createStore } from '../helpers/postgres.ts'
import { targetFor } from '../helpers/run-context.ts'
import { until } from '../helpers/until.ts'
import { digest, evidence, planOf } from '../helpers/views.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const UNCLEAR: StepEnd = { kind: 'unknown', output: 'unclear', outcome: { headline: '*The database went silent.*', next: 'Look at it.' } }
const DONE: StepEnd = { kind: 'done', output: 'done' }
const OFF: StepEnd = { ...DONE, data: { probe: null } }

test('while it is unclear what the database does, the page stays on, and closing the request switches it off before it ends', async () => {
  const run = await started({ migrate: UNCLEAR })
  await until('it needs a person', async () => (await run.request()).state === 'needs_human')
  expect(run.acts).toEqual(['maintenance-on', 'migrate'])
  expect((await run.request()).owesOff).toBe(true)
  expect((await run.request()).outcome?.maintenance).toBe(
    'It is still on, since it is not clear what the database is doing. Closing this request switches it off, so make sure of the database first.',
  )
  expect(await run.close()).toBe(
    '#1 closes as soon as maintenance mode is off, and its card says how that went. The record says that you took over. Lockkeeper changes nothing else about what it found: make sure of the state of `prod` before the next run, which is possible then.',
  )
  expect(await run.close()).toBe(
    '#1 has stopped already, and only maintenance mode is still being switched off, which is not interrupted. Its card says how that ends. Nothing was changed.',
  )
  run.wake()
  await run.over
  expect(run.acts).toEqual(['maintenance-on', 'migrate', 'maintenance-off'])
  const ended = await run.request()
  expect(ended.state).toBe('cancelled')
  expect(ended.ending).toBe(null)
  expect(ended.outcome?.headline).toBe('Closed by <@U0BOB>, who took over.')
  expect(ended.outcome?.maintenance).toMatch(/^It was on for .* and is off again; no probe is configured, so nobody has looked\.$/)
  expect(await run.events()).toEqual([
    'requested',
    'started',
    'step_done maintenance-on',
    'ended needs_human',
    'ending cancelled',
    'step_done maintenance-off',
    'ended cancelled',
  ])
})

test('unclear after the migrations: the page goes off first, then a person is called', async () => {
  const run = await started({ deploy: UNCLEAR })
  await run.over
  expect(run.acts).toEqual(['maintenance-on', 'migrate', 'deploy', 'maintenance-off'])
  expect((await run.request()).state).toBe('needs_human')
  expect((await run.request()).owesOff).toBe(false)
  expect((await run.events()).slice(-3)).toEqual(['ending needs_human', 'step_done maintenance-off', 'ended needs_human'])
})

test('a fault in what is asked before a step switches the page off as well', async () => {
  const run = await started({}, { faultsBefore: 'deploy' })
  await run.over
  expect(run.acts).toEqual(['maintenance-on', 'migrate', 'maintenance-off'])
  expect((await run.request()).state).toBe('needs_human')
  expect((await run.request()).outcome?.headline).toBe('*The run met a fault. Lockkeeper will not guess.*')
  expect((await run.request()).outcome?.maintenance).toContain('is off again')
})

test('whoever takes over a run that is ending does only what is owed', async () => {
  const run = await started({ deploy: UNCLEAR, 'maintenance-off': new Error('killed here') }, { dies: true })
  await run.over
  expect((await run.request()).state).toBe('running')
  expect((await run.request()).ending).toBe('needs_human')
  const successor = await started({ 'maintenance-off': OFF }, { store: run.store })
  await successor.over
  expect(successor.acts).toEqual(['maintenance-off'])
  expect((await successor.request()).state).toBe('needs_human')
  expect((await stepsOf(run.store, 1)).map(({ name, state }) => `${name} ${state}`)).toEqual([
    'maintenance-on done',
    'migrate done',
    'deploy unknown',
    'maintenance-off done',
  ])
})

test('without maintenance steps a run that stopped has ended, and nothing more is asked of the engine', async () => {
  const run = await started({ migrate: UNCLEAR }, { without: true })
  await run.over
  expect(run.acts).toEqual(['migrate'])
  expect(run.checkpoints()).toEqual(['plan', 'look 1.1', 'look 1.2', 'check before the run 1', 'begin', 'migrate'])
})

type Options = { readonly store?: Db; readonly dies?: boolean; readonly without?: boolean; readonly faultsBefore?: string }

/** A run of four steps that end as they are told, from its approval on. */
async function started(ends: Readonly<Partial<Record<string, StepEnd | Error>>>, options: Options = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-maintenance-'))
  cleanups.push(() => rm(directory, { recursive: true, force: true }))
  const db = options.store ?? (await freshStore())
  const acts: string[] = []
  const checkpoints: string[] = []
  const died = Promise.withResolvers<void>()
  const step = (name: string, changes: Step['changes']): Step => ({
    name,
    title: name,
    changes,
    ...(name === 'maintenance-off' ? { isOwed: true as const } : {}),
    inspect: async () => ({ kind: 'todo' }),
    async act() {
      const end = ends[name] ?? (name === 'maintenance-off' ? OFF : DONE)
      acts.push(name)
      if (!(end instanceof Error)) return end
      if (options.dies !== true) throw end
      died.resolve()
      return new Promise(() => {})
    },
  })
  const around = options.without === true ? [] : [step('maintenance-on', 'application'), step('maintenance-off', 'application')]
  const steps = [...around.slice(0, 1), step('migrate', 'database'), step('deploy', 'application'), ...around.slice(1)]
  const waiting: (() => void)[] = []
  const body = requestWorkflow({
    grantAtOnce: () => Promise.resolve(),
    db,
    gate: () => Promise.resolve({ kind: 'open', closesAt: null, windowId: null }),
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
    compare: () =>
      options.faultsBefore === 'deploy' && acts.includes('migrate')
        ? Promise.reject(new Error('the disk is gone'))
        : Promise.resolve({ kind: 'same' }),
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
  const request = async () => {
    const row = await requestById(db, 1)
    if (row === undefined) throw new Error('the request is gone')
    return row
  }
  const isSuccessor = options.store !== undefined
  const over = body(1, {
    step: (name, act) => {
      checkpoints.push(name)
      // what the dead process had checkpointed: the plan, the votes, the check
      if (isSuccessor && name === 'plan') return Promise.resolve('waiting' as never)
      if (isSuccessor && name.startsWith('look 1.')) return Promise.resolve('granted' as never)
      return act()
    },
    nextSignal: async () => {
      if ((await request()).state === 'waiting') await transition(db, 1, ['waiting'], 'granted', { grantExpiresIn: 60_000 })
      else await new Promise<void>((resolve) => waiting.push(resolve))
    },
  })
  return {
    store: db,
    acts,
    request,
    checkpoints: () => checkpoints,
    over: Promise.race([over, died.promise]),
    events: async () =>
      (await eventsOf(db, 1)).map(({ kind, data }) => {
        const detail = data as { readonly step?: string; readonly state?: string }
        return [kind, detail.step ?? detail.state].filter((part) => part !== undefined).join(' ')
      }),
    wake: () => waiting.splice(0).forEach((resolve) => resolve()),
    async close() {
      const answer = await cancelRequest(
        {
          db,
          commands: { migrate: '/migrate', maintenance: '/maintenance' },
          targets: new Map(),
          freezes: [],
          people: {
            identify: () => Promise.resolve({ account: 'U0BOB', human: 'U0BOB' }),
            humanOf: (account: string) => account,
            membersOf: () => Promise.resolve({}),
          } as never, // what cancelling asks of people
          engine: { start: () => Promise.resolve(), signal: () => Promise.resolve() },
          command: '/migrate',
        },
        { account: 'U0BOB', entry: 'slash', id: 1 },
      )
      return answer.text
    },
  }
}

async function freshStore(): Promise<Db> {
  const store = await createStore()
  cleanups.push(store.close)
  await store.db.query(
    `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state)
     values ('r_maintenance', 'prod', 'U0ALICE', 'U0ALICE', 'C0DEPLOYS', '{"ref":null,"reason":null,"skipApp":false}', 'planning')`,
  )
  return store.db
}
