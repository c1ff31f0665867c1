import { afterAll, beforeAll, expect, test } from 'vitest'
import { recordStart } from '../../src/audit/lifecycle.ts'
import { auditPage } from '../../src/audit/list.ts'
import { configSchema } from '../../src/config/schema.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { baseTarget } from '../approvals/fixture.ts'
import { createStore } from '../helpers/postgres.ts'

let store: Awaited<ReturnType<typeof createStore>>
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())

const start = async (required: number) => {
  const file = configSchema.parse({ targets: { prod: { ...baseTarget, approvals: { ...baseTarget.approvals, required } } } })
  const stop = await recordStart(
    { db: store.db, log: createLog(createRedactor([]), 'silent') },
    { version: '0.1.0', executor: 'executor-1', file },
  )
  await stop()
}

test('each start and stop has a row, and the configuration one when it is another, with the names of what changed', async () => {
  for (const required of [1, 1, 2]) await start(required)
  const rows = (await auditPage(store.db, { limit: 20 })).toReversed()
  expect(rows.map(({ act, result, data }) => [act, result, data['changed'] ?? null])).toEqual([
    ['start', 'allowed', null],
    ['configuration', 'first', []],
    ['stop', 'allowed', null],
    ['start', 'allowed', null],
    ['stop', 'allowed', null],
    ['start', 'allowed', null],
    ['configuration', 'changed', ['targets.prod.approvals']],
    ['stop', 'allowed', null],
  ])
  expect(rows[0]?.digest).toBe(rows[3]?.digest)
  expect(rows[0]?.digest).not.toBe(rows[5]?.digest)
})
