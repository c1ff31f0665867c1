import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { refuse } from '../../../src/lib/refusal.ts'
import { eventsOf, requestById, transition } from '../../../src/request/store.ts'
import { checkAhead } from '../../../src/run/workflow/look.ts'
import type { WorkflowPorts } from '../../../src/run/workflow/ports.ts'
import type { Db } from '../../../src/store/pool.ts'
import { oneRequest, planned, stepThat, type OneRequest } from '../../helpers/workflow.ts'

/** A request that waits for people again, where the answer to that commit is lost and somebody approves before it is tried once more. */

let request: OneRequest
beforeEach(async () => void (request = await oneRequest()))
afterEach(() => request.close())

const asked = async () => (await eventsOf(request.db, request.id)).filter(({ kind }) => kind === 'asked_anew').map(({ data }) => data)

const approve = () => transition(request.db, request.id, ['waiting'], 'granted', { grantExpiresIn: 60_000 })

/** The commit that asks anew arrives, its answer does not; `meanwhile` happens before the next try. */
function losing(meanwhile: () => Promise<unknown>): Db {
  let isLost = false
  return {
    ...request.db,
    async transaction(work) {
      const result = await request.db.transaction(work)
      if (isLost || (await asked()).length === 0) return result
      isLost = true
      await meanwhile()
      throw Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' })
    },
  }
}

const short = '#1 counts 0 of 1 approvals under the rules as they are now.'

describe('an approval that came after the commit and before its second try stands', () => {
  const step = stepThat(async () => ({ kind: 'done', output: 'done' }))

  test.each<[how: string, over: () => Partial<WorkflowPorts>, data: object]>([
    [
      'when too few votes counted',
      () => ({ stillGranted: async () => ((await asked()).length === 0 ? refuse('not_an_approver', short) : true) }),
      { why: short, samePlan: true },
    ],
    [
      'when the world was another one',
      () => ({
        compare: async () => ((await asked()).length === 0 ? { kind: 'changed', why: 'The branch moved on.' } : { kind: 'same' }),
      }),
      { why: 'The branch moved on.' },
    ],
  ])('%s', async (_, over, data) => {
    await request.run([step], { ...over(), db: losing(approve) })
    expect(await requestById(request.db, request.id)).toMatchObject({ state: 'succeeded' })
    expect(await asked()).toEqual([data])
  })
})

describe('hours before its turn', () => {
  beforeEach(async () => {
    const { plan, digest, evidence, policy } = planned
    await transition(request.db, request.id, ['planning'], 'waiting', { plan, digest, evidence, policy, expiresIn: 60_000 })
    await approve()
    await request.db.query(
      `update lockkeeper.request set check_at = lockkeeper.now() - interval '1 minute', not_before = lockkeeper.now() + interval '8 hours',
         not_after = lockkeeper.now() + interval '9 hours'`,
    )
  })

  const ahead = (over: Partial<WorkflowPorts>, db = losing(approve)) => checkAhead(request.ports({ ...over, db }), request.id)

  test('an approval of the new plan stands too, and it is asked for once', async () => {
    await ahead({ compare: async () => ({ kind: 'changed', why: 'The branch moved on.' }) })
    expect(await requestById(request.db, request.id)).toMatchObject({ state: 'granted' })
    expect(await asked()).toEqual([{ why: 'The branch moved on.' }])
  })

  test('and so does one of the same plan', async () => {
    await ahead({ stillGranted: async () => refuse('not_an_approver', short) })
    expect(await requestById(request.db, request.id)).toMatchObject({ state: 'granted' })
    expect(await asked()).toEqual([{ why: short, samePlan: true }])
  })

  test('that nothing changed is said once, though the answer to that was lost', async () => {
    let isLost = false
    const db: Db = {
      ...request.db,
      async transaction(work) {
        const result = await request.db.transaction(work)
        if (isLost) return result
        isLost = true
        throw Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' })
      },
    }
    await ahead({}, db)
    expect((await eventsOf(request.db, request.id)).map(({ kind }) => kind)).toEqual(['checked'])
    const [row] = await request.db.query<{ hours: number }>(
      `select round(extract(epoch from not_before - check_at) / 3600)::int as hours from lockkeeper.request`,
    )
    expect(row).toEqual({ hours: 1 })
  })
})
