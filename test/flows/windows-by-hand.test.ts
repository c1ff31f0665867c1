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
  expect(await say('start 1')).toMatchInlineSnapshot(`"Window #1 starts now and ends by {time} (Sun 6 Dec 08:59 America/New_York)."`)
  await settled(flow.store)
  await passTo(flow, '2026-12-06T13:19:30Z')
  expect(await say('start 1')).toMatchInlineSnapshot(
    `"Window #1 is under way. Only a window that has not started can be started. Nothing was changed. \`/maintenance show 1\` shows it."`,
  )
  expect(await say('extend 1 30m')).toMatchInlineSnapshot(`"Window #1 lasts until {time} (Sun 6 Dec 09:29 America/New_York) now."`)
  await settled(flow.store)
  expect(await say('complete 1')).toMatchInlineSnapshot(`"Window #1 ends now. Its release notes follow in the channel."`)
  await settled(flow.store)
  expect(await say('cancel 1')).toMatchInlineSnapshot(
    `"Window #1 is over. Only a window that has not started can be cancelled; one that is under way is ended with \`/maintenance complete 1\`. Nothing was changed. \`/maintenance show 1\` shows it."`,
  )
  expect(windowText(announcementOf(flow, CHANNEL, 1))).toMatchInlineSnapshot(`
    "Maintenance · Production · done
    *{time} to {time} (Sun 6 Dec 07:59 to 08:20 America/New_York)*
    rotate a password
    What runs: no migration
    Nothing ran in it.
    Announcements
    complete | 1 min 30 s before | sent
    complete | At the start | sent
    complete | 30 s before | sent
    complete | While it lasts | 1 of 4 sent, the rest was not needed
    complete | On completion, with release notes | sent
    Owner <@U0ALICE> · \`/maintenance show 1\`"
  `)
  expect(threadOf(flow, CHANNEL, 1)).toMatchInlineSnapshot(`
    [
      "*Maintenance of Production starts in 1 min 30 s:* {time} to {time} (Sun 6 Dec 08:00 to 09:00 America/New_York).",
      "[channel] *Maintenance of Production starts in 30 s:* {time} to {time} (Sun 6 Dec 08:00 to 09:00 America/New_York).",
      "*Maintenance of Production has started.* It ends by {time} (Sun 6 Dec 08:59 America/New_York).",
      "Maintenance of Production goes on. It ends by {time} (Sun 6 Dec 08:59 America/New_York).",
      "*Maintenance of Production lasts longer:* until {time} (Sun 6 Dec 09:29 America/New_York) instead of {time}. <@U0ALICE> extended it.",
      "*Maintenance of Production is over.* Nothing ran in it.",
    ]
  `)
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
  expect(windowText(move.view)).toMatchInlineSnapshot(`
    "Now {time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York).
    When
    How long
    Everybody who was told is told of the new time, once. What was still to be announced is withdrawn."
  `)
  await flow.slack.as('U0ALICE').submit(move.viewId, { when: { when: 'yesterday 02:00' } })
  expect(flow.slack.modal('U0ALICE')?.errors).toMatchInlineSnapshot(`
    {
      "when": "Sun 6 Dec 02:00 America/New_York has passed (read from “yesterday 02:00”). Write for example “Thu 02:00” or “2026-12-10 02:00 America/New_York”.",
    }
  `)
  await flow.slack.as('U0ALICE').submit(move.viewId, { when: { when: '2026-12-09 03:00' }, length: { length: '90m' } })
  await settled(flow.store)
  const cancel = await press(2, 'window_cancel', 'U0DAVE')
  await flow.slack.as('U0DAVE').submit(cancel.viewId, { reason: { reason: 'no' } })
  expect(
    windowText(await flow.slack.waitFor(() => flow.slack.modal('U0DAVE')?.view ?? flow.slack.ephemerals('U0DAVE').at(-1))),
  ).toMatchInlineSnapshot(
    `"Windows of \`prod\` are scheduled and changed by <@U0ALICE> or <@U0BOB> only. Nothing was changed. Ask one of them."`,
  )
  const again = await press(2, 'window_cancel', 'U0BOB')
  expect(windowText(again.view)).toMatchInlineSnapshot(`
    "The window {time} to {time} (Wed 9 Dec 03:00 to 04:30 America/New_York).
    Why
    Everybody who was told of it is told, once."
  `)
  await flow.slack.as('U0BOB').submit(again.viewId, { reason: { reason: 'not ready' } })
  await settled(flow.store)
  expect(threadOf(flow, CHANNEL, 2)).toMatchInlineSnapshot(`
    [
      "[channel] *Maintenance of Production is moved* to {time} to {time} (Wed 9 Dec 03:00 to 04:30 America/New_York). <@U0ALICE> changed it; it was {time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York). What was announced for the old time no longer holds.",
      "[channel] *Maintenance of Production is cancelled.* It was planned for {time} to {time} (Wed 9 Dec 03:00 to 04:30 America/New_York). <@U0BOB> cancelled it:
    > not ready",
    ]
  `)
})

test('a freeze that lies there is named, and so is who stands in the way', async () => {
  await setClock(flow.store, '2026-12-07T12:00:00Z')
  expect(await flow.answer('freeze prod until "2026-12-10 09:00" the fair is on')).toContain('frozen')
  expect(await say('schedule prod "2026-12-09 02:00" 2h "drop legacy columns"')).toMatchInlineSnapshot(
    `"\`prod\` is frozen then, until {time} (Thu 10 Dec 09:00 America/New_York): “the fair is on”. Nothing was changed. Take a time outside of it."`,
  )
  await flow.answer('unfreeze prod')
})

test('where somebody has to stand by, a window that nobody attends says so before and when it starts', async () => {
  await setClock(flow.store, '2026-12-12T00:00:00Z')
  await say('schedule attended "2026-12-12 02:00" 1h "rebuild an index"')
  await settled(flow.store)
  await passTo(flow, '2026-12-12T01:00:01Z')
  await passTo(flow, '2026-12-12T02:00:01Z')
  expect(threadOf(flow, CHANNEL, 3)).toMatchInlineSnapshot(`
    [
      "[channel] *Maintenance of attended starts in 1 h:* {time} to {time} (Sat 12 Dec 02:00 to 03:00 UTC).
    *Nobody has said to stand by.* A run does not start by itself until somebody presses *I stand by* above.",
      "*Maintenance of attended has started.* It ends by {time} (Sat 12 Dec 03:00 UTC).
    *Nobody has said to stand by.* A run does not start by itself until somebody presses *I stand by* above.",
    ]
  `)
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
  expect(said).toMatchInlineSnapshot(`
    [
      "Thu 10 Dec 02:00 America/New_York has passed (read from \`yesterday 02:00\`). Write for example \`Mon 02:00\` or \`2026-12-14 02:00 America/New_York\`. The whole command: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`",
      "2027-03-14 02:30 does not exist in America/New_York, since clocks are put forward to 03:00 then. Write for example \`2027-03-14 03:00 America/New_York\`. The whole command: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`",
      "2027-11-07 01:30 comes twice in America/New_York, since clocks are put back then. Write \`{time}\` for the first or \`{time}\` for the second. The whole command: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`",
      "\`America/New_Yrok\` is not a time zone. Did you mean America/New_York? The whole command: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`",
      "\`every second\` is not a time that can be read, or not a day of the calendar. Write for example \`Mon 02:00\` or \`2026-12-14 02:00 America/New_York\`. The whole command: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`",
      "9999-12-31 02:00 America/New_York is more than two years ahead. Write for example \`Mon 02:00\` or \`2026-12-14 02:00 America/New_York\`. The whole command: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`",
      "A length of \`0h\` is no time at all. Write for example \`2h\`, \`90m\` or \`1h30m\`. The whole command: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`",
      "\`7d\` is too long: nothing here lasts a week or more. Write for example \`2h\`, \`90m\` or \`1h30m\`. The whole command: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`",
      "\`-1h\` is not a length. Write for example \`2h\`, \`90m\` or \`1h30m\`. The whole command: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`",
      "\`2026-12-20 02:00 to 01:00\` names more than one time. Write for example \`Mon 02:00\` or \`2026-12-14 02:00 America/New_York\`. The whole command: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`",
    ]
  `)
  expect(await say('schedule prod "2026-12-20 02:00" 1h r', 'U0DAVE')).toMatchInlineSnapshot(
    `"Windows of \`prod\` are scheduled and changed by <@U0ALICE> or <@U0BOB> only. Nothing was changed. Ask one of them."`,
  )
  expect(await say(`schedule prod "2026-12-20 02:00" 1h "${'r'.repeat(10_000)}"`)).toMatchInlineSnapshot(
    `"That is 10,038 characters long, and a command has at most 2,000. Nothing was changed. Shorten the reason: \`/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`"`,
  )
  expect(announcements(flow, CHANNEL)).toHaveLength(before)
})

test('whom a reason mentions is not called', async () => {
  await say('schedule prod "2026-12-20 02:00" 1h "<!channel> <@U0BOB> &lt;!here&gt; *bold* <https://evil.example|ours>"')
  await settled(flow.store)
  const text = windowText(announcementOf(flow, CHANNEL, 4))
  expect(text).toMatchInlineSnapshot(`
    "Maintenance · Production
    *{time} to {time} (Sun 20 Dec 02:00 to 03:00 America/New_York)*, for at most 1 h
    &lt;!channel&gt; &lt;@U0BOB&gt; &amp;lt;!here&amp;gt; *bold* &lt;https://evil.example|ours&gt;
    Announcements
    pending | 1 min 30 s before
    pending | 30 s before
    pending | At the start
    pending | While it lasts | 0 of 2 sent
    pending | On completion, with release notes
    [Reschedule…]
    [Cancel…]
    Owner <@U0ALICE> · \`/maintenance show 4\`"
  `)
  expect(text.split('\n')[2]).not.toMatch(/<[!@h]/)
})

test('a freeze until a day holds, and says in full until when, with the other reading to copy', async () => {
  expect(await flow.answer('freeze prod until 2026-12-14 the fair is on')).toMatchInlineSnapshot(
    `"\`prod\` is frozen until {time} (Mon 14 Dec 2026 00:00 America/New_York, in 2 d {duration}): nothing starts, and what runs goes on. To end it earlier: \`/migrate unfreeze prod\`. It ends as that day begins. To hold it through the day: \`/migrate freeze prod until "Tue 15 Dec 2026 00:00 America/New_York" the fair is on\`."`,
  )
  expect(await flow.answer('freeze prod until 5.6.2027 the fair is on')).toMatchInlineSnapshot(
    `"\`5.6.2027\` can be read in two ways: \`Thu 6 May 2027 00:00 America/New_York\` (in 145 d) or \`Sat 5 Jun 2027 00:00 America/New_York\` (in 175 d). Write the one that is meant. Nothing was changed."`,
  )
  await flow.answer('unfreeze prod')
})
