import { expect, test, vi } from 'vitest'
import { ALICE, BOB } from '../approvals/fixture.ts'
import { until } from '../helpers/until.ts'
import { CHANNEL, Replicas } from './replicas.ts'

/** Answers that a long outage of Slack has left behind. */

vi.setConfig({ testTimeout: 120_000 })

const here = new Replicas()
const MANY = 1_000

test('thousands of answers that wait keep nobody waiting who types now, and each is said once', async () => {
  await here.open({ count: 2 })
  const view = { type: 'modal', title: { type: 'plain_text', text: 'Answer' }, blocks: [] }
  await here.store.db.query(
    `insert into lockkeeper.answer (id, kind, account, channel, said, state, look_at, held_until, owner)
     select gen_random_uuid(), 'command', $1, $2, jsonb_build_object('message', jsonb_build_object('text', 'answer ' || n), 'view', $3::jsonb),
       'due', clock_timestamp(), clock_timestamp(), null
     from generate_series(1, $4::int) n`,
    [BOB, CHANNEL, JSON.stringify(view), MANY],
  )
  await here.workspace.as(ALICE).command(CHANNEL, '/migrate help')
  await here.workspace.waitFor(() => here.workspace.ephemerals(ALICE).length === 1)
  const left = async () => {
    const [row] = await here.store.db.query<{ count: number }>(
      `select count(*)::int as count from lockkeeper.answer where state in ('taken', 'due')`,
    )
    return row?.count ?? 0
  }
  expect(await left()).toBeGreaterThan(0)
  await until('all are said', async () => (await left()) === 0, 110_000)
  const texts = here.workspace.ephemerals(BOB).map(({ text }) => text)
  expect([texts.length, new Set(texts).size]).toEqual([MANY, MANY])
})
