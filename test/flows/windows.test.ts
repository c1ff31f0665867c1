import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CHANNEL, startFlow, type Flow } from '../helpers/flow.ts'
import { until } from '../helpers/until.ts'
import { announcementOf, announcements, passTo, setClock, settled, threadOf, windowText } from '../helpers/windows.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

let flow: Flow

const windows = {
  notices: ['24h', '1h'],
  during: '45m',
  standby: true,
  people: ['user:U0DAVE'],
  checklist: {
    'T-48h': [{ text: 'Tell support', owner: 'user:U0DAVE' }],
    'T-1h': [{ text: 'Pause the feed' }],
    'T+2h': [{ text: 'Look at the error rate', owner: 'user:U0BOB' }],
  },
}

beforeAll(async () => {
  flow = await startFlow({
    pending: 1,
    target: () => ({ timezone: 'America/New_York', windows }),
    targets: {
      plain: { pending: 0, target: () => ({ timezone: 'UTC', windows: { notices: ['1h'], during: '1h' } }) },
      mine: { pending: 0, target: () => ({ windows: { manage: ['user:U0BOB'], notices: ['1h'] } }) },
    },
  })
  await setClock(flow.store, '2026-12-06T12:00:00Z')
})
afterAll(() => flow?.close())

const say = async (text: string, person?: string) => (await flow.answer(`/maintenance ${text}`, person)).replaceAll('{duration}', '…')
const card = (id: number) => windowText(announcementOf(flow, CHANNEL, id))

test('the whole life of a window: planned, announced at each stage, opened, run in, over with its release notes', async () => {
  expect(await say('schedule prod "2026-12-08 02:00" 2h "Dropping the legacy price columns" --work "1 migration"')).toMatchInlineSnapshot(
    `"Window #1 of \`prod\` is scheduled: {time} to {time} (Tue 8 Dec 2026 02:00 to 04:00 America/New_York, in 1 d …), for …. It is announced in <#C0DEPLOYS>. To move it: \`/maintenance reschedule 1 "&lt;when&gt;"\`."`,
  )
  await settled(flow.store)
  expect(card(1)).toMatchInlineSnapshot(`
    "Maintenance · Production
    *{time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York)*, for at most 2 h
    Dropping the legacy price columns
    What runs: 1 migration
    Announcements
    pending | 1 d before
    pending | 1 h before
    pending | At the start
    pending | While it lasts | 0 of 2 sent
    pending | On completion, with release notes
    *Checklist* · 0 of 3 done. Open: Tell support, <@U0DAVE>; Pause the feed; Look at the error rate, <@U0BOB>.
    *Standing by* · nobody yet.
    [I stand by]
    [Reschedule…]
    [Cancel…]
    [Checklist]
    Owner <@U0ALICE> · \`/maintenance show 1\`"
  `)
  await passTo(flow, '2026-12-07T07:00:01Z')
  const { ts } = announcementOf(flow, CHANNEL, 1)
  await flow.slack.as('U0BOB').click({ channel: CHANNEL, ts }, 'window_standby')
  await flow.slack.as('U0DAVE').click({ channel: CHANNEL, ts }, 'window_checklist')
  const modal = await flow.slack.waitFor(() => flow.slack.modal('U0DAVE'))
  expect(windowText(modal.view)).toMatchInlineSnapshot(`
    "*48 hours before*
    ☐ Tell support · <@U0DAVE> · open
    [Done]
    *1 hour before*
    ☐ Pause the feed · open
    [Done]
    *2 hours after*
    ☐ Look at the error rate · <@U0BOB> · open
    [Done]
    Its owner ticks an item, or whoever may change the window."
  `)
  await flow.slack.as('U0DAVE').click({ viewId: modal.viewId }, 'window_tick', { blockId: blockOf(modal.view, 'Tell support') })
  await flow.slack.waitFor(() => windowText(flow.slack.modal('U0DAVE')?.view).includes('☑ Tell support'))
  // the same button again, from a window that was opened before: it is done already, and stays so
  await flow.slack.as('U0BOB').click({ channel: CHANNEL, ts }, 'window_checklist')
  expect(windowText((await flow.slack.waitFor(() => flow.slack.modal('U0BOB'))).view)).toContain('☑ Tell support')
  await passTo(flow, '2026-12-08T06:00:01Z')
  expect(card(1)).toMatchInlineSnapshot(`
    "Maintenance · Production
    *{time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York)*, for at most 2 h
    Dropping the legacy price columns
    What runs: 1 migration
    Announcements
    complete | 1 d before | sent
    complete | 1 h before | sent
    pending | At the start
    pending | While it lasts | 0 of 2 sent
    pending | On completion, with release notes
    *Checklist* · 1 of 3 done. Open: Pause the feed; Look at the error rate, <@U0BOB>.
    *Standing by* · <@U0BOB>.
    [Reschedule…]
    [Cancel…]
    [Checklist]
    Owner <@U0ALICE> · \`/maintenance show 1\`"
  `)
  await passTo(flow, '2026-12-08T07:00:01Z')
  const request = await flow.ask('deploy prod')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await passTo(flow, '2026-12-08T07:45:01Z')
  await passTo(flow, '2026-12-08T08:30:01Z')
  await passTo(flow, '2026-12-08T09:00:01Z')
  await passTo(flow, '2026-12-08T11:00:01Z')
  expect(
    card(1)
      .replace(/\d+(\.\d+)? s\b/g, '…')
      .replace(/commit `\w+`/, 'commit `…`'),
  ).toMatchInlineSnapshot(`
    "Maintenance · Production · done
    *{time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York)*
    Dropping the legacy price columns
    What runs: 1 migration
    *1 run*
    • #1 \`prod\` done · … · commit \`…\`: “Show the discount in the list of orders” · 1 migration: \`20261120084500_index_orders_discount\`
    Announcements
    complete | 1 d before | sent
    complete | 1 h before | sent
    complete | At the start | sent
    complete | While it lasts | 2 of 2 sent
    complete | On completion, with release notes | sent
    [Checklist]
    Owner <@U0ALICE> · \`/maintenance show 1\`"
  `)
  expect(threadOf(flow, CHANNEL, 1)).toMatchInlineSnapshot(`
    [
      "*Maintenance of Production starts in 1 d:* {time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York).
    *Not done yet:* Tell support, <@U0DAVE>.",
      "<@U0BOB> stands by.",
      "[channel] *Maintenance of Production starts in 1 h:* {time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York).
    *Not done yet:* Pause the feed.",
      "*Maintenance of Production has started.* It ends by {time} (Tue 8 Dec 04:00 America/New_York).
    *Not done yet:* Pause the feed.",
      "Maintenance of Production goes on. It ends by {time} (Tue 8 Dec 04:00 America/New_York).",
      "Maintenance of Production goes on. It ends by {time} (Tue 8 Dec 04:00 America/New_York).",
      "*Maintenance of Production is over.* *1 run*
    • #1 \`prod\` done · {duration} · commit \`{commit}\`: “Show the discount in the list of orders” · 1 migration: \`20261120084500_index_orders_discount\`
    *Not done yet:* Pause the feed.",
      "*Checklist T+2h* of the maintenance {time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York).
    *Not done yet:* Pause the feed; Look at the error rate, <@U0BOB>.",
    ]
  `)
  expect(flow.slack.directMessages('U0DAVE').map((message) => windowText(message).split('\n')[0])).toMatchInlineSnapshot(`
    [
      "*Maintenance of Production starts in 1 d:* {time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York).",
      "*Maintenance of Production starts in 1 h:* {time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York).",
      "*Maintenance of Production has started.* It ends by {time} (Tue 8 Dec 04:00 America/New_York).",
      "*Maintenance of Production is over.* *1 run*",
      "*Checklist T+2h* of the maintenance {time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York).",
    ]
  `)
})

test('moved between two stages, what was to come is withdrawn and said once; cancelled in the last second, nothing starts', async () => {
  await setClock(flow.store, '2026-12-10T10:00:00Z')
  expect(await say('schedule plain 2026-12-10 14:00 1h upgrade')).toContain('Window #2 of `plain` is scheduled')
  await passTo(flow, '2026-12-10T13:00:01Z')
  expect(await say('reschedule 2 "2026-12-10 16:00"')).toMatchInlineSnapshot(
    `"Window #2 is moved to {time} to {time} (Thu 10 Dec 2026 16:00 to 17:00 UTC, in …). What was announced for the old time is withdrawn."`,
  )
  await passTo(flow, '2026-12-10T14:00:01Z')
  await passTo(flow, '2026-12-10T15:00:01Z')
  await setClock(flow.store, '2026-12-10T15:59:50Z')
  expect(await say('cancel 2 "not <!channel> ready"')).toMatchInlineSnapshot(
    `"Window #2 is cancelled. Everybody who was told of it is told that, once; what was still to be announced is withdrawn."`,
  )
  await passTo(flow, '2026-12-10T17:30:00Z')
  expect(card(2)).toMatchInlineSnapshot(`
    "Maintenance · plain · cancelled
    *{time} to {time} (Thu 10 Dec 16:00 to 17:00 UTC)*
    upgrade
    *Cancelled by <@U0ALICE>.*
    > not &lt;!channel&gt; ready
    Owner <@U0ALICE> · \`/maintenance show 2\`"
  `)
  expect(threadOf(flow, CHANNEL, 2)).toMatchInlineSnapshot(`
    [
      "[channel] *Maintenance of plain starts in 1 h:* {time} to {time} (Thu 10 Dec 14:00 to 15:00 UTC).",
      "[channel] *Maintenance of plain is moved* to {time} to {time} (Thu 10 Dec 16:00 to 17:00 UTC). <@U0ALICE> changed it; it was {time} to {time} (Thu 10 Dec 14:00 to 15:00 UTC). What was announced for the old time no longer holds.",
      "[channel] *Maintenance of plain starts in 1 h:* {time} to {time} (Thu 10 Dec 16:00 to 17:00 UTC).",
      "[channel] *Maintenance of plain is cancelled.* It was planned for {time} to {time} (Thu 10 Dec 16:00 to 17:00 UTC). <@U0ALICE> cancelled it:
    > not &lt;!channel&gt; ready",
    ]
  `)
  expect(await flow.store.query(`select stage, plan_no, state from lockkeeper.notice where maintenance_id = 2 order by id`))
    .toMatchInlineSnapshot(`
    [
      {
        "plan_no": 1,
        "stage": "before:3600000",
        "state": "sent",
      },
      {
        "plan_no": 1,
        "stage": "start",
        "state": "withdrawn",
      },
      {
        "plan_no": 1,
        "stage": "end",
        "state": "withdrawn",
      },
      {
        "plan_no": 2,
        "stage": "before:3600000",
        "state": "sent",
      },
      {
        "plan_no": 2,
        "stage": "start",
        "state": "withdrawn",
      },
      {
        "plan_no": 2,
        "stage": "end",
        "state": "withdrawn",
      },
    ]
  `)
})

test('a notice whose time passed while Slack was away comes when it is back, once; one that was overtaken does not come', async () => {
  await setClock(flow.store, '2026-12-11T10:00:00Z')
  await say('schedule plain "2026-12-11 12:00" 1h upgrade')
  await settled(flow.store)
  const outage = flow.slack.fault({ kind: 'outage', how: 'http_500', untilCleared: true })
  await setClock(flow.store, '2026-12-11T11:00:01Z')
  await until('the notice is decided', async () => (await flow.store.query(decided)).length > 0)
  outage.clear()
  await until('Slack is connected again', () => flow.slack.socket.connections() > 0)
  await settled(flow.store)
  expect(threadOf(flow, CHANNEL, 3)).toMatchInlineSnapshot(`
    [
      "[channel] *Maintenance of plain starts in 1 h:* {time} to {time} (Fri 11 Dec 12:00 to 13:00 UTC).",
    ]
  `)
  expect(await say('reschedule 3 "2026-12-11 15:00"')).toMatch(/^Window #3 is moved to /)
  await settled(flow.store)
  const again = flow.slack.fault({
    kind: 'outage',
    how: 'connection_cut',
    methods: ['chat.postMessage', 'chat.update'],
    untilCleared: true,
  })
  await setClock(flow.store, '2026-12-11T14:00:01Z')
  await until('the second one is decided', async () => (await flow.store.query(decided)).length > 1)
  expect(await say('cancel 3')).toMatch(/^Window #3 is cancelled\./)
  again.clear()
  await settled(flow.store)
  expect(threadOf(flow, CHANNEL, 3).slice(1)).toMatchInlineSnapshot(`
    [
      "[channel] *Maintenance of plain is moved* to {time} to {time} (Fri 11 Dec 15:00 to 16:00 UTC). <@U0ALICE> changed it; it was {time} to {time} (Fri 11 Dec 12:00 to 13:00 UTC). What was announced for the old time no longer holds.",
      "[channel] *Maintenance of plain is cancelled.* It was planned for {time} to {time} (Fri 11 Dec 15:00 to 16:00 UTC). <@U0ALICE> cancelled it.",
    ]
  `)
})

const decided = `select 1 from lockkeeper.notice where maintenance_id = 3 and state = 'sent'`

test('what came due while the bot was down is sent late once if it still helps, and is recorded as missed if not', async () => {
  await setClock(flow.store, '2026-12-12T10:00:00Z')
  await say('schedule plain "2026-12-12 12:00" 1h upgrade')
  await say('schedule plain "2026-12-12 18:00" 1h upgrade')
  await settled(flow.store)
  await flow.stop()
  await setClock(flow.store, '2026-12-12T17:30:00Z')
  await flow.start()
  await settled(flow.store)
  expect(threadOf(flow, CHANNEL, 4)).toMatchInlineSnapshot(`
    [
      "_This comes late._ *Maintenance of plain is over.* Nothing ran in it.",
    ]
  `)
  expect(threadOf(flow, CHANNEL, 5)).toMatchInlineSnapshot(`
    [
      "[channel] _This comes late._ *Maintenance of plain starts soon:* {time} to {time} (Sat 12 Dec 18:00 to 19:00 UTC).",
    ]
  `)
  expect(
    await flow.store.query(
      `select maintenance_id as id, stage, state from lockkeeper.notice where maintenance_id in (4, 5) order by maintenance_id, due_at`,
    ),
  ).toMatchInlineSnapshot(`
    [
      {
        "id": 4,
        "stage": "before:3600000",
        "state": "missed",
      },
      {
        "id": 4,
        "stage": "start",
        "state": "missed",
      },
      {
        "id": 4,
        "stage": "end",
        "state": "sent",
      },
      {
        "id": 5,
        "stage": "before:3600000",
        "state": "sent",
      },
      {
        "id": 5,
        "stage": "start",
        "state": "pending",
      },
      {
        "id": 5,
        "stage": "end",
        "state": "pending",
      },
    ]
  `)
  await flow.answer('/maintenance cancel 5')
})

test('many notices of one channel at once are one list there', async () => {
  await setClock(flow.store, '2026-12-14T00:00:00Z')
  for (const hour of ['02', '04', '06', '08', '10']) await say(`schedule plain "2026-12-14 ${hour}:00" 30m upgrade`)
  await settled(flow.store)
  const before = flow.slack.messages(CHANNEL).length
  await flow.store.query(
    `update lockkeeper.notice set due_at = '2026-12-14T01:00:00Z' where stage = 'before:3600000' and state = 'pending'`,
  )
  await passTo(flow, '2026-12-14T01:00:01Z')
  expect(flow.slack.messages(CHANNEL).slice(before).map(windowText)).toMatchInlineSnapshot(`
    [
      "5 notices of maintenance windows
    • starts in 1 h · plain · {time} to {time} (Mon 14 Dec 02:00 to 02:30 UTC) · \`/maintenance show 6\`
    • starts in 1 h · plain · {time} to {time} (Mon 14 Dec 04:00 to 04:30 UTC) · \`/maintenance show 7\`
    • starts in 1 h · plain · {time} to {time} (Mon 14 Dec 06:00 to 06:30 UTC) · \`/maintenance show 8\`
    • starts in 1 h · plain · {time} to {time} (Mon 14 Dec 08:00 to 08:30 UTC) · \`/maintenance show 9\`
    • starts in 1 h · plain · {time} to {time} (Mon 14 Dec 10:00 to 10:30 UTC) · \`/maintenance show 10\`",
    ]
  `)
  expect(announcements(flow, CHANNEL).filter((one) => windowText(one).includes('complete | 1 h before | sent'))).toHaveLength(6)
})

test('who may not, what overlaps, what is too long and what cannot be read is refused with the way out', async () => {
  await setClock(flow.store, '2026-12-15T00:00:00Z')
  await say('schedule plain "2026-12-20 02:00" 1h upgrade')
  const said = []
  for (const text of [
    'schedule mine "2026-12-20 02:00" 1h upgrade',
    'schedule plain "2026-12-20 02:30" 1h upgrade',
    'schedule plain "2026-12-20 04:00" 5h upgrade',
    'schedule plain "2020-12-20 04:00" 1h upgrade',
    'schedule plain "Tue 02:00"',
    'schedule plan "Tue 02:00" 1h',
    'shedule plain "Tue 02:00" 1h',
    'show 999',
    'start 2',
    'extend 2 1h',
  ])
    said.push(await say(text))
  expect(said).toMatchInlineSnapshot(`
    [
      "Windows of \`mine\` are scheduled and changed by <@U0BOB> only. Nothing was changed. Ask one of them.",
      "\`plain\` has a window then already: #11, {time} to {time} (Sun 20 Dec 02:00 to 03:00 UTC), of <@U0ALICE>. Nothing was changed. Take another time, or move that one with \`/maintenance reschedule 11 "&lt;when&gt;"\`.",
      "A window of \`plain\` may last … at most, and this one would last …. Nothing was changed. Make it shorter, or two of it.",
      "{time} has passed (read from \`2020-12-20 04:00\`). Write for example \`Fri 02:00\` or \`{time}\`. The whole command: \`/maintenance schedule plain "Tue 02:00" 2h "drop legacy columns"\`",
      "It is not said how long the window is. Nothing was changed. The whole command: \`/maintenance schedule plain "Tue 02:00" 2h "drop legacy columns"\`",
      "There is no target \`plan\`. Nothing was changed. Did you mean \`plain\`?",
      "\`shedule\` is no verb of maintenance windows. Nothing was changed. Did you mean \`schedule\`? For example \`/maintenance schedule plain "Tue 02:00" 1h\`.",
      "There is no window #999. \`/maintenance list\` lists those that are ahead.",
      "Window #2 is cancelled. Only a window that has not started can be started. Nothing was changed. \`/maintenance show 2\` shows it.",
      "Window #2 is cancelled. Only a window that is under way can be extended. Nothing was changed. \`/maintenance show 2\` shows it.",
    ]
  `)
})

test('the form shows what was understood before anything is announced', async () => {
  await setClock(flow.store, '2026-12-15T00:00:00Z')
  await flow.type('/maintenance')
  const form = await flow.slack.waitFor(() => flow.slack.modal('U0ALICE'))
  await flow.slack.as('U0ALICE').submit(form.viewId, {
    target: { target: 'prod' },
    when: { when: 'every second' },
    length: { length: '2h' },
    reason: { reason: 'New shelves' },
  })
  expect(flow.slack.modal('U0ALICE')?.errors).toMatchInlineSnapshot(`
    {
      "when": "“every second” is not a time that can be read, or not a day of the calendar. Write for example “Thu 02:00” or “2026-12-17 02:00 America/New_York”.",
    }
  `)
  await flow.slack.as('U0ALICE').submit(form.viewId, {
    target: { target: 'prod' },
    when: { when: '2026-12-22 02:00' },
    length: { length: '2h' },
    reason: { reason: 'New shelves' },
  })
  const confirm = await flow.slack.waitFor(() => {
    const top = flow.slack.modal('U0ALICE')
    return top !== null && top.viewId !== form.viewId ? top : undefined
  })
  expect(windowText(confirm.view)).toMatchInlineSnapshot(`
    "*{time} to {time} (Tue 22 Dec 2026 02:00 to 04:00 America/New_York, in 7 d 7 h)*, for 2 h
    Maintenance of *Production*: New shelves
    It is announced in <#C0DEPLOYS> at once, and opens and ends by itself."
  `)
  await flow.slack.as('U0ALICE').submit(confirm.viewId)
  await flow.slack.waitFor(() => announcements(flow, CHANNEL).some((one) => windowText(one).includes('New shelves')))
})

test('a time with two readings comes back as a choice between them, with all that was filled in', async () => {
  await setClock(flow.store, '2026-12-15T00:00:00Z')
  await flow.type('/maintenance')
  const form = await flow.slack.waitFor(() => flow.slack.modal('U0ALICE'))
  const length = { length: { length: 'two hours' } }
  await flow.slack.as('U0ALICE').submit(form.viewId, {
    target: { target: 'prod' },
    when: { when: '12/1/2027 02:00' },
    ...length,
    reason: { reason: 'More shelves' },
    work: { work: 'three migrations' },
  })
  const choice = await flow.slack.waitFor(() => {
    const top = flow.slack.modal('U0ALICE')
    return top !== null && JSON.stringify(top.view).includes('radio_buttons') ? top : undefined
  })
  expect(choice.viewId).toBe(form.viewId)
  expect(windowText(choice.view)).toMatchInlineSnapshot(`
    "Target
    When: “12/1/2027 02:00” can be read in more than one way. Which is meant?
    Another time
    How long
    Reason
    What runs
    A time without a zone is in the zone of the target. The next page shows what was understood."
  `)
  expect(JSON.stringify(choice.view)).toContain('"initial_value":"three migrations"')
  const submit = (fields: Record<string, Record<string, string>>) =>
    flow.slack.as('U0ALICE').submit(choice.viewId, { target: { target: 'prod' }, ...length, reason: { reason: 'More shelves' }, ...fields })
  await submit({})
  expect(flow.slack.modal('U0ALICE')?.errors).toMatchInlineSnapshot(`
    {
      "meant_1": "Please complete this required field.",
    }
  `)
  await submit({ meant_1: { meant_1: 'Wed 1 Dec 2027 02:00 America/New_York' } })
  const confirm = await flow.slack.waitFor(() => {
    const top = flow.slack.modal('U0ALICE')
    return top !== null && top.viewId !== choice.viewId ? top : undefined
  })
  expect(windowText(confirm.view)).toMatchInlineSnapshot(`
    "*{time} to {time} (Wed 1 Dec 2027 02:00 to 04:00 America/New_York, in 351 d 7 h)*, for 2 h
    Maintenance of *Production*: More shelves
    What runs: three migrations
    It is announced in <#C0DEPLOYS> at once, and opens and ends by itself."
  `)
})

/** The block in which this text stands beside a button. */
function blockOf(view: unknown, text: string): string {
  const { blocks } = view as { readonly blocks: readonly { readonly block_id?: string; readonly text?: { readonly text: string } }[] }
  return blocks.find((block) => block.text?.text.includes(text))?.block_id ?? ''
}
