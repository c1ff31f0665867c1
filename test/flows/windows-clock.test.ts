import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CHANNEL, startFlow, type Flow } from '../helpers/flow.ts'
import { passTo, setClock, settled, threadOf } from '../helpers/windows.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({ pending: 0, target: () => ({ timezone: 'UTC', windows: { notices: ['1h'], during: '30m' } }) })
})
afterAll(() => flow?.close())

const stateOf = async (id: number) =>
  (await flow.store.query<{ state: string }>('select state from lockkeeper.maintenance where id = $1', [id]))[0]?.state

test('a clock of the store that is put back repeats nothing, and one that is put forward leaves nothing out', async () => {
  await setClock(flow.store, '2026-12-11T10:00:00Z')
  await flow.answer('/maintenance schedule prod "2026-12-11 12:00" 1h upgrade')
  await settled(flow.store)
  await passTo(flow, '2026-12-11T11:00:01Z')
  await passTo(flow, '2026-12-11T10:30:00Z')
  await passTo(flow, '2026-12-11T11:00:02Z')
  await passTo(flow, '2026-12-11T12:00:01Z')
  await passTo(flow, '2026-12-11T11:55:00Z')
  expect(await stateOf(1)).toBe('open')
  await passTo(flow, '2026-12-11T12:00:02Z')
  // over the middle and the end at once
  await passTo(flow, '2026-12-11T13:05:00Z')
  await passTo(flow, '2026-12-11T12:40:00Z')
  expect(await stateOf(1)).toBe('completed')
  await passTo(flow, '2026-12-11T13:05:01Z')
  expect(threadOf(flow, CHANNEL, 1)).toMatchInlineSnapshot(`
    [
      "[channel] *Maintenance of Production starts in 1 h:* {time} to {time} (Fri 11 Dec 12:00 to 13:00 UTC).",
      "*Maintenance of Production has started.* It ends by {time} (Fri 11 Dec 13:00 UTC).",
      "_This comes late._ *Maintenance of Production is over.* Nothing ran in it.",
    ]
  `)
  expect(await flow.store.query(`select stage, state from lockkeeper.notice order by due_at, id`)).toMatchInlineSnapshot(`
    [
      {
        "stage": "before:3600000",
        "state": "sent",
      },
      {
        "stage": "start",
        "state": "sent",
      },
      {
        "stage": "during:1",
        "state": "missed",
      },
      {
        "stage": "end",
        "state": "sent",
      },
    ]
  `)
})
