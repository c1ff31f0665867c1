import { afterAll, beforeAll, expect, test } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'

/** The file was changed while a request waits: what was asked for under other rules does not run under these. */
let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow.close())

const restartWith = async (approvals: Record<string, unknown>) => {
  await flow.stop()
  await flow.configure('prod', { approvals })
  await flow.start()
}

const why = 'The rules, the guards, the source or the tool of this target were configured otherwise since.'

test('a threshold that was raised holds for what waits, and it asks anew under the rules as they are', { timeout: 120_000 }, async () => {
  const { id, digest } = await flow.ask()
  await restartWith({ required: 2, from: ['group:S0DBA'] })
  await flow.approve(id, 'U0BOB')
  expect(await flow.reaches(id, 'waiting')).toMatchObject({ id, startedAt: null })
  await flow.approve(id, 'U0CAROL')
  const anew = await flow.reachesPlan(id, digest)
  expect([anew.policy?.required, anew.startedAt]).toEqual([2, null])
  await flow.drawn(id)
  expect(flow.thread(id)).toContain(`It asks again, and votes for the earlier plan no longer count. ${why}`)
  await flow.answer(`cancel ${id}`)
})

test('a threshold that was lowered lets nothing through that was asked for before', { timeout: 120_000 }, async () => {
  const { id, digest } = await flow.ask()
  await restartWith({ required: 1, from: ['group:S0DBA'] })
  await flow.approve(id, 'U0BOB')
  expect(await flow.reaches(id, 'waiting')).toMatchObject({ id, digest, startedAt: null })
  await flow.approve(id, 'U0CAROL')
  const anew = await flow.reachesPlan(id, digest)
  expect([anew.policy?.required, anew.startedAt]).toEqual([1, null])
  await flow.answer(`cancel ${id}`)
})

test('an approver who was taken out does not count, and one who was put in does not either', { timeout: 120_000 }, async () => {
  const { id } = await flow.ask()
  await restartWith({ required: 1, from: ['user:U0DAVE'] })
  const sentence = (person: string) => flow.decide(id, 'approve', person)
  const refused =
    '#3 may be decided by <!subteam^S0DBA>, and only by those who were among them when it was asked and still are. You are not. Nothing was changed.'
  expect(await sentence('U0BOB')).toBe(refused)
  expect(await sentence('U0DAVE')).toBe(refused)
  expect((await flow.reaches(id, 'waiting')).startedAt).toBeNull()
  const rows = await flow.store.query<{ line: string }>(
    `select actor || ' ' || act || ' ' || result as line from lockkeeper.audit where request_id = $1 and act = 'approve' order by seq`,
    [id],
  )
  expect(rows.map(({ line }) => line)).toEqual(['U0BOB approve not_an_approver', 'U0DAVE approve not_an_approver'])
  const changed = await flow.store.query<{ changed: readonly string[] }>(
    `select data->'changed' as changed from lockkeeper.audit where act = 'configuration' and result = 'changed' order by seq desc limit 1`,
  )
  expect(changed).toEqual([{ changed: ['targets.prod.approvals'] }])
  expect(await flow.behind('prod').live()).toBeNull()
})
