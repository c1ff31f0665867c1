import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CHANNEL, startFlow, type Flow } from '../helpers/flow.ts'
import { announcementOf, announcements, passTo, setClock, settled, threadOf, windowText } from '../helpers/windows.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    pending: 0,
    target: () => ({
      timezone: 'America/New_York',
      windows: { notices: ['90s', '30s'], during: '20m', manage: ['user:U0ALICE', 'user:U0BOB'] },
    }),
    targets: { attended: { pending: 0, target: () => ({ timezone: 'UTC', windows: { notices: ['1h'], during: '1h', standby: true } }) } },
  })
})
afterAll(() => flow?.close())

const say = (text: string, person?: string) => flow.answer(`/maintenance ${text}`, person)
const press = async (id: number, action: string, person = 'U0ALICE') => {
  const { ts } = announcementOf(flow, CHANNEL, id)
  const before = flow.slack.modal(person)?.viewId
  await flow.slack.as(person).click({ channel: CHANNEL, ts }, action)
  return flow.slack.waitFor(() => {
    const modal = flow.slack.modal(person)
    return modal !== null && modal.viewId !== before ? modal : undefined
  })
}

test('a window is started before its time, made longer and ended by hand, and a short ladder works like a long one', async () => {
  await setClock(flow.store, '2026-12-06T12:00:00Z')
  await say('schedule prod "2026-12-06 08:00" 1h "rotate a password" --work "no migration"')
  await settled(flow.store)
  await passTo(flow, '2026-12-06T12:58:31Z')
  await passTo(flow, '2026-12-06T12:59:31Z')
  expect(await say('start 1')).toMatchInlineSnapshot()
  await settled(flow.store)
  await passTo(flow, '2026-12-06T13:20:00Z')
  expect(await say('start 1')).toMatchInlineSnapshot()
  expect(await say('extend 1 30m')).toMatchInlineSnapshot()
  await settled(flow.store)
  expect(await say('complete 1')).toMatchInlineSnapshot()
  await settled(flow.store)
  expect(await say('cancel 1')).toMatchInlineSnapshot()
  expect(windowText(announcementOf(flow, CHANNEL, 1))).toMatchInlineSnapshot()
  expect(threadOf(flow, CHANNEL, 1)).toMatchInlineSnapshot()
  await passTo(flow, '2026-12-06T15:00:00Z')
  expect(threadOf(flow, CHANNEL, 1)).toHaveLength(6)
  const audited = await flow.store.query<{ result: string }>(
    `select result from lockkeeper.audit where act = 'maintenance' and target = 'prod' order by id`,
  )
  expect(audited.map(({ result }) => result)).toEqual(['scheduled', 'started', 'opened', 'extended', 'completed', 'completed'])
})

test('moved and cancelled by the buttons of the announcement, by those who may', async () => {
  await setClock(flow.store, '2026-12-07T12:00:00Z')
  await say('schedule prod "2026-12-08 02:00" 2h "drop legacy columns"')
  await settled(flow.store)
  const move = await press(2, 'window_reschedule')
  expect(windowText(move.view)).toMatchInlineSnapshot()
  await flow.slack.as('U0ALICE').submit(move.viewId, { when: { when: 'yesterday 02:00' } })
  expect(flow.slack.modal('U0ALICE')?.errors).toMatchInlineSnapshot()
  await flow.slack.as('U0ALICE').submit(move.viewId, { when: { when: '2026-12-09 03:00' }, length: { length: '90m' } })
  await settled(flow.store)
  const cancel = await press(2, 'window_cancel', 'U0DAVE')
  await flow.slack.as('U0DAVE').submit(cancel.viewId, { reason: { reason: 'no' } })
  expect(
    windowText(await flow.slack.waitFor(() => flow.slack.modal('U0DAVE')?.view ?? flow.slack.ephemerals('U0DAVE').at(-1))),
  ).toMatchInlineSnapshot()
  const again = await press(2, 'window_cancel', 'U0BOB')
  expect(windowText(again.view)).toMatchInlineSnapshot()
  await flow.slack.as('U0BOB').submit(again.viewId, { reason: { reason: 'not ready' } })
  await settled(flow.store)
  expect(threadOf(flow, CHANNEL, 2)).toMatchInlineSnapshot()
})

test('a freeze that lies there is named, and so is who stands in the way', async () => {
  await setClock(flow.store, '2026-12-07T12:00:00Z')
  expect(await flow.answer('freeze prod until "2026-12-10 09:00" the fair is on')).toContain('frozen')
  expect(await say('schedule prod "2026-12-09 02:00" 2h "drop legacy columns"')).toMatchInlineSnapshot()
  await flow.answer('unfreeze prod')
})

test('where somebody has to stand by, a window that nobody attends says so before and when it starts', async () => {
  await setClock(flow.store, '2026-12-12T00:00:00Z')
  await say('schedule attended "2026-12-12 02:00" 1h "rebuild an index"')
  await settled(flow.store)
  await passTo(flow, '2026-12-12T01:00:01Z')
  await passTo(flow, '2026-12-12T02:00:01Z')
  expect(threadOf(flow, CHANNEL, 3)).toMatchInlineSnapshot()
  await passTo(flow, '2026-12-12T03:00:01Z')
})

test('what cannot be a window is refused with an example of what works, and nothing is announced', async () => {
  await setClock(flow.store, '2026-12-12T04:00:00Z')
  const before = announcements(flow, CHANNEL).length
  const said = []
  for (const text of [
    'schedule prod "yesterday 02:00" 2h r',
    'schedule prod "2027-03-14 02:30" 1h r',
    'schedule prod "2027-11-07 01:30" 1h r',
    'schedule prod "2026-12-20 02:00 America/New_Yrok" 1h r',
    'schedule prod "every second" 1h r',
    'schedule prod "9999-12-31 02:00" 1h r',
    'schedule prod "2026-12-20 02:00" 0h r',
    'schedule prod "2026-12-20 02:00" 7d r',
    'schedule prod "2026-12-20 02:00" -1h r',
    'schedule prod "2026-12-20 02:00 to 01:00" 1h r',
  ])
    said.push(await say(text))
  expect(said).toMatchInlineSnapshot()
  expect(await say('schedule prod "2026-12-20 02:00" 1h r', 'U0DAVE')).toMatchInlineSnapshot()
  expect(await say(`schedule prod "2026-12-20 02:00" 1h "${'r'.repeat(10_000)}"`)).toMatchInlineSnapshot()
  expect(announcements(flow, CHANNEL)).toHaveLength(before)
})

test('whom a reason mentions is not called', async () => {
  await say('schedule prod "2026-12-20 02:00" 1h "<!channel> <@U0BOB> &lt;!here&gt; *bold* <https://evil.example|ours>"')
  await settled(flow.store)
  const text = windowText(announcementOf(flow, CHANNEL, 4))
  expect(text).toMatchInlineSnapshot()
  expect(text).not.toMatch(/<[!@h]/)
})
