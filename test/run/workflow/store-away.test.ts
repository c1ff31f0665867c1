import { afterEach, beforeEach, expect, test } from 'vitest'
import { observe } from '../../../src/lib/telemetry.ts'
import { requestById, transition } from '../../../src/request/store.ts'
import type { WorkflowPorts } from '../../../src/run/workflow/ports.ts'
import type { Db } from '../../../src/store/pool.ts'
import { oneRequest, planned, stepThat, type OneRequest } from '../../helpers/workflow.ts'

type Grant = WorkflowPorts['grantAtOnce']

let request: OneRequest
let forget: () => void
const started: number[] = []
beforeEach(async () => {
  request = await oneRequest()
  started.length = 0
  forget = observe(
    {
      happened(fact) {
        if (fact.kind === 'run started') started.push(fact.request)
      },
    },
    (error) => {
      throw error
    },
  )
})
afterEach(async () => {
  forget()
  await request.close()
})

const step = stepThat(async () => ({ kind: 'done', output: 'done' }))
const state = async () => (await requestById(request.db, request.id))?.state

test('a store that goes away while the plan is made is waited for, and nothing is refused', async () => {
  let tries = 0
  await request.run([step], {
    async makePlan() {
      if (tries++ === 0) await request.db.query('select pg_terminate_backend(pg_backend_pid())')
      return planned
    },
  })
  expect(tries).toBe(2)
  expect(await state()).toBe('succeeded')
})

test('the same fault of a target ends the request with its reason', async () => {
  let tries = 0
  await request.run([step], {
    async makePlan() {
      tries++
      throw Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' })
    },
  })
  expect(tries).toBe(1)
  expect((await requestById(request.db, request.id))?.outcome?.headline).toBe(
    '*The plan could not be made: terminating connection due to administrator command Nothing was touched.* Mend that and ask again.',
  )
})

test('the start of a run counts once, also when its transaction is undone and tried again', async () => {
  await request.run([step], { db: everySecond(request.db, 'undone') })
  expect(await state()).toBe('succeeded')
  expect(started).toEqual([request.id])
})

test('the start of a run counts once, also when only the answer to its commit is lost', async () => {
  await request.run([step], { db: everySecond(request.db, 'unheard') })
  expect(await state()).toBe('succeeded')
  expect(started).toEqual([request.id])
})

test('a request that nobody has to approve runs, also when only the answer to the commit of its plan is lost', async () => {
  const grantAtOnce: Grant = async (tx, id) => void (await transition(tx, id, ['waiting'], 'granted', { grantExpiresIn: 60_000 }))
  await request.run([step], { db: everySecond(request.db, 'unheard'), grantAtOnce })
  expect(await state()).toBe('succeeded')
})

/** Each transaction breaks at its first try, before its commit or after it. */
function everySecond(db: Db, way: 'undone' | 'unheard'): Db {
  let isWell = true
  const away = () => Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' })
  return {
    ...db,
    async transaction(work) {
      isWell = !isWell
      const breaks = !isWell
      const result = await db.transaction(async (tx) => {
        const done = await work(tx)
        if (breaks && way === 'undone') throw away()
        return done
      })
      if (breaks) throw away()
      return result
    },
  }
}
