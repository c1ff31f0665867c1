import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBots, type Bots } from '../helpers/bots.ts'
import { CHANNEL, startFlow, type Flow } from '../helpers/flow.ts'
import { announcementOf, passTo, setClock, settled, threadOf, windowText } from '../helpers/windows.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

let flow: Flow
let bots: Bots | undefined

beforeAll(async () => {
  flow = await startFlow({
    pending: 0,
    target: () => ({ timezone: 'UTC', windows: { notices: ['2h', '1h'], during: '30m', people: ['user:U0DAVE'] } }),
    launch: launchBots({}, (received) => (bots = received)),
  })
  await bots?.start()
})
afterAll(() => flow?.close())

test('with two bots each notice comes once, also when one of them dies while it is due', async () => {
  await setClock(flow.store, '2026-12-06T08:00:00Z')
  expect(await flow.answer('/maintenance schedule prod "2026-12-06 12:00" 1h "drop legacy columns"')).toContain('Window #1')
  await passTo(flow, '2026-12-06T10:00:01Z')
  await setClock(flow.store, '2026-12-06T11:00:01Z')
  await bots?.all()[0]?.kill()
  await settled(flow.store)
  await bots?.start()
  await passTo(flow, '2026-12-06T12:00:01Z')
  await passTo(flow, '2026-12-06T12:30:01Z')
  await passTo(flow, '2026-12-06T13:00:01Z')
  expect(threadOf(flow, CHANNEL, 1)).toMatchInlineSnapshot(`
    [
      "*Maintenance of Production starts in 2 h:* {time} to {time} (Sun 6 Dec 12:00 to 13:00 UTC).",
      "[channel] *Maintenance of Production starts in 1 h:* {time} to {time} (Sun 6 Dec 12:00 to 13:00 UTC).",
      "*Maintenance of Production has started.* It ends by {time} (Sun 6 Dec 13:00 UTC).",
      "Maintenance of Production goes on. It ends by {time} (Sun 6 Dec 13:00 UTC).",
      "*Maintenance of Production is over.* Nothing ran in it.",
    ]
  `)
  expect(windowText(announcementOf(flow, CHANNEL, 1))).toMatchInlineSnapshot(`
    "Maintenance · Production · done
    *{time} to {time} (Sun 6 Dec 12:00 to 13:00 UTC)*
    drop legacy columns
    Nothing ran in it.
    Announcements
    complete | 2 h before | sent
    complete | 1 h before | sent
    complete | At the start | sent
    complete | While it lasts | 1 of 1 sent
    complete | On completion, with release notes | sent
    Owner <@U0ALICE> · \`/maintenance show 1\`"
  `)
  expect(flow.slack.directMessages('U0DAVE')).toHaveLength(4)
  const rows = await flow.store.query<{ state: string; count: number }>(
    'select state, count(*)::int as count from lockkeeper.notice group by state',
  )
  expect(rows).toEqual([{ state: 'sent', count: 5 }])
})
