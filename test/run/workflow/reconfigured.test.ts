import { afterEach, beforeEach, expect, test } from 'vitest'
import { refuse } from '../../../src/lib/refusal.ts'
import { eventsOf, requestById } from '../../../src/request/store.ts'
import { oneRequest, planned, stepThat, type OneRequest } from '../../helpers/workflow.ts'

let request: OneRequest
beforeEach(async () => void (request = await oneRequest()))
afterEach(() => request.close())

const step = stepThat(async () => ({ kind: 'done', output: 'done' }))

test('what was granted under milder rules asks once, under those of now, and not first under those of then', async () => {
  const digests = ['a'.repeat(64), 'b'.repeat(64)]
  const policies = [0, 1].map((required) => ({ ...planned.policy, required, from: required === 0 ? [] : ['user:U0BOB'] }))
  let made = 0
  const isOld = async () => (await requestById(request.db, request.id))?.digest === digests[0]
  let wasOld = true
  await request.run([step], {
    makePlan: async () => {
      const at = made++
      return { ...planned, digest: digests[at] ?? '', policy: policies[at] ?? planned.policy }
    },
    async stillGranted() {
      wasOld = await isOld()
      return wasOld ? refuse('not_an_approver', '#1 counts 0 of 1 approvals under the rules as they are now.') : true
    },
    reconfigured: () => (wasOld ? 'The rules were configured otherwise since.' : null),
  })
  expect(await requestById(request.db, request.id)).toMatchObject({ state: 'succeeded', digest: digests[1], policy: policies[1] })
  expect((await eventsOf(request.db, request.id)).filter(({ kind }) => kind === 'asked_anew').map(({ data }) => data)).toEqual([
    { why: 'The rules were configured otherwise since.' },
  ])
})
