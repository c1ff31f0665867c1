import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRedactor } from '../../../src/redact/redact.ts'
import { refuse } from '../../../src/lib/refusal.ts'
import { requestById, stepsOf } from '../../../src/request/store.ts'
import type { StepEnd } from '../../../src/request/step.ts'
import type { Compared } from '../../../src/run/step-runner/ports.ts'
import type { WorkflowPorts } from '../../../src/run/workflow/ports.ts'
import type { Db } from '../../../src/store/pool.ts'
import { until } from '../../helpers/until.ts'
import { oneRequest, planned, stepThat, type OneRequest } from '../../helpers/workflow.ts'

const DONE: StepEnd = { kind: 'done', output: 'done' }
const AWAY = 'Nothing listens at db:5432. Check host and port of the URL, and that PostgreSQL runs.'

let request: OneRequest
beforeEach(async () => {
  request = await oneRequest()
})
afterEach(() => request.close())

/** Says `same` at the check before the run, then these in turn, then `same`. */
function comparing(...answers: Compared[]): WorkflowPorts['compare'] {
  const rest: Compared[] = [{ kind: 'same' }, ...answers]
  return () => Promise.resolve(rest.shift() ?? { kind: 'same' })
}

const end = async () => {
  const row = await requestById(request.db, request.id)
  return { state: row?.state, outcome: row?.outcome }
}

test('a database that does not answer before a step is asked again, and the run goes on when it does', async () => {
  await request.run([stepThat(async () => DONE)], { compare: comparing({ kind: 'unknown', why: AWAY }, { kind: 'unknown', why: AWAY }) })
  expect((await end()).state).toBe('succeeded')
})

test('a database that stays away ends the run as that, not as a change of what was approved', async () => {
  await request.run([stepThat(async () => DONE)], { compare: comparing({ kind: 'unknown', why: AWAY }), compareWithinMs: 0 })
  expect(await end()).toEqual({
    state: 'failed',
    outcome: {
      headline: '*Stopped before "Migrate": whether it is still what was approved could not be checked.*',
      why: AWAY,
      next: 'Nothing was changed by this step. Ask again when it can be read.',
    },
  })
})

test.each([
  ['after the migrations', undefined, ['before-migrate', 'after-migrate']],
  ['before them', { class: 'breaking', order: 'app-first', maintenance: 'on' } as const, ['before-migrate', 'before-migrate']],
])('a deploy step that comes %s is compared with the database as it has to be then', async (_, rules, phases) => {
  const asked: string[] = []
  const compare: WorkflowPorts['compare'] = async (_plan, _request, phase) => {
    asked.push(phase)
    return { kind: 'same' }
  }
  const plan = rules === undefined ? planned.plan : { ...planned.plan, rules }
  const deploy = stepThat(async () => DONE, { name: 'deploy-1', changes: 'application' })
  await request.run([deploy], { compare, makePlan: async () => ({ ...planned, plan }) })
  expect(asked).toEqual(phases)
})

test('a cancel is seen while the database is asked again', async () => {
  const compare: WorkflowPorts['compare'] = async () => {
    const row = await requestById(request.db, request.id)
    if (row?.state !== 'running') return { kind: 'same' }
    await cancel()
    return { kind: 'unknown', why: AWAY }
  }
  await request.run([stepThat(async () => DONE)], { compare })
  expect(await end()).toEqual({ state: 'cancelled', outcome: { headline: '*Cancelled by <@U0BOB> before "Migrate" started.*' } })
})

test('a lock that could not be had because the database does not answer is a failure in which nothing began', async () => {
  const acts: string[] = []
  const refusal = refuse('target_unreachable', `The database of \`prod\` cannot be reached. ${AWAY}`)
  await request.run([stepThat(async () => (acts.push('acted'), DONE))], { underTargetLock: async () => ({ kind: 'refused', refusal }) })
  expect(await end()).toEqual({
    state: 'failed',
    outcome: {
      headline: '*"Migrate" was not started.*',
      why: `The database of \`prod\` cannot be reached. ${AWAY}`,
      next: 'Nothing was changed by this step. When that is mended, ask again.',
    },
  })
  expect(acts).toEqual([])
})

test('a lock that could not be had again for a step that had begun is for a person', async () => {
  const lost = new AbortController()
  const signals = [lost.signal]
  const liveness: WorkflowPorts['liveness'] = () => ({
    executorId: 'test',
    signal: () => signals.shift() ?? new AbortController().signal,
    held: () => Promise.resolve(),
    isHeld: () => true,
    isSettled: () => true,
    close: () => Promise.resolve(),
  })
  const refusal = refuse('target_unreachable', AWAY)
  let tries = 0
  await request.run(
    [
      stepThat(async () => {
        lost.abort(new Error('the store is away'))
        throw new Error('cut off')
      }),
    ],
    {
      liveness,
      underTargetLock: async (_, work) =>
        tries++ === 0 ? { kind: 'held', value: await work(new AbortController().signal) } : { kind: 'refused', refusal },
    },
  )
  expect(await end()).toEqual({
    state: 'needs_human',
    outcome: {
      headline: '*"Migrate" had begun, and could not be looked at again.*',
      why: AWAY,
      notKnown: 'How far this step came.',
      next: 'Look at `/migrate status` and at the log in the thread. When it is clear, `/migrate cancel` closes this request so that a new one can be asked.',
    },
  })
})

test('a cancel is seen by who waits for the lock of the target', async () => {
  const underTargetLock: WorkflowPorts['underTargetLock'] = async ({ signal }) => {
    await cancel()
    await until('the wait is ended', () => signal.aborted)
    return { kind: 'aborted' }
  }
  await request.run([stepThat(async () => DONE)], { underTargetLock })
  expect(await end()).toEqual({ state: 'cancelled', outcome: { headline: '*Cancelled by <@U0BOB> before "Migrate" started.*' } })
})

test('whether somebody cancelled is not asked again before the last answer came', async () => {
  const asked = { open: 0, most: 0, all: 0 }
  const answered = Promise.withResolvers<void>()
  const db: Db = {
    ...request.db,
    async query(sql, values) {
      if (!sql.includes('cancel_requested_at is not null as asked')) return request.db.query(sql, values)
      asked.all++
      asked.most = Math.max(asked.most, ++asked.open)
      if (asked.all === 1) await answered.promise
      asked.open--
      return request.db.query(sql, values)
    },
  }
  const step = stepThat(async () => {
    const began = performance.now()
    await until('the time of three looks is over', () => asked.all > 0 && performance.now() - began > 1_600)
    answered.resolve()
    await until('it is asked again', () => asked.all > 1)
    return DONE
  })
  await request.run([step], { db })
  expect((await end()).state).toBe('succeeded')
  expect(asked.most).toBe(1)
})

const CANARY = 'canary-Geheimnis/2026'

test('what a step leaves and reports as data is written without secrets, at any depth', async () => {
  const told = { url: `postgresql://u:${CANARY}@db`, list: [{ [CANARY]: encodeURIComponent(CANARY) }, 7, null, true], at: new Date(0) }
  const step = stepThat(async (context) => {
    context.progress({ told })
    await until('the progress is written', async () => (await stepsOf(request.db, request.id))[0]?.data != null)
    expect((await stepsOf(request.db, request.id))[0]?.data).toEqual({ told: shown })
    return { kind: 'failed', output: `failed at ${CANARY}`, outcome: { headline: `*${CANARY}*` }, data: told }
  })
  const shown = {
    url: 'postgresql://u:[redacted]@db',
    list: [{ '[redacted]': '[redacted]' }, 7, null, true],
    at: '1970-01-01T00:00:00.000Z',
  }
  await request.run([step], { redactor: createRedactor([CANARY]) })
  const [row] = await stepsOf(request.db, request.id)
  expect(row).toMatchObject({ state: 'failed', output: 'failed at [redacted]', data: shown })
  expect((await end()).outcome?.headline).toBe('*[redacted]*')
})

const cancel = () =>
  request.db.query(`update lockkeeper.request set cancel_requested_at = lockkeeper.now(), cancel_requested_by = 'U0BOB' where id = $1`, [
    request.id,
  ])
