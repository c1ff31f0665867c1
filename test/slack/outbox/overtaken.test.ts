import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWorkspace, type Workspace } from '../../../playground/server/workspace.ts'
import { createLog } from '../../../src/lib/log.ts'
import { createSlack } from '../../../src/slack/client/client.ts'
import { createOutbox, type Outbox } from '../../../src/slack/outbox/outbox.ts'
import { cancelWindow, hoursOf } from '../../../src/windows/schedule/schedule.ts'
import { drawWindow } from '../../../src/windows/render/window.ts'
import { windowSource } from '../../../src/windows/render/view.ts'
import { addWindowEvent, insertWindow } from '../../../src/windows/store.ts'
import type { WindowRow } from '../../../src/windows/window.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { createStore } from '../../helpers/postgres.ts'
import { until } from '../../helpers/until.ts'

const channel = 'C0DEPLOYS'
const log = createLog(createRedactor([]), 'fatal', process.stderr)

let store: Awaited<ReturnType<typeof createStore>>
let workspace: Workspace
let outbox: Outbox
let window: WindowRow

beforeEach(async () => {
  store = await createStore()
  workspace = await startWorkspace({ rateLimits: false })
  outbox = createOutbox({
    owner: { id: 'test', lock: 1 },
    db: store.db,
    slack: createSlack({ botToken: workspace.tokens.bot, apiUrl: workspace.apiUrl, log }),
    sources: [
      windowSource(store.db, (view) =>
        drawWindow(view, { titleOf: (target) => target, command: '/maintenance', needsStandby: () => false }),
      ),
    ],
    log,
    pollMs: 25,
    rateLimit: { take: async () => 0, limited: async () => {} },
  })
  const startsAt = Date.UTC(2026, 11, 11, 15)
  const hours = { startsAt, endsAt: startsAt + 3_600_000 }
  const about = { targets: ['plain'], timezone: 'UTC', reason: 'upgrade', work: null, owner: 'U0ALICE', ownerHuman: 'U0ALICE' }
  const made = await insertWindow(store.db, { ...hours, ...about, channels: [channel] })
  if (made === undefined) throw new Error('no window')
  window = made
  await outbox.start()
  await drawn()
})
afterEach(async () => {
  await outbox.stop()
  await workspace.close()
  await store.close()
})

const drawn = () =>
  until('it is drawn', async () => {
    const [row] = await store.db.query<{ drawn: boolean }>(
      `select drawn_revision >= revision and draw_lease is null and draw_after = 'infinity' as drawn from lockkeeper.maintenance`,
    )
    return row?.drawn === true
  })

const notice = () =>
  addWindowEvent(store.db, window.id, {
    kind: 'notice',
    data: { stage: 'before:3600000', planNo: window.planNo, at: hoursOf(window), channels: [channel], people: ['U0CAROL'], isLast: true },
  })

const thread = () => {
  const head = workspace.messages(channel).find((message) => message.threadTs === null)
  return workspace.thread(channel, head?.ts ?? '').map(({ text }) => text.replace(/<!date\^\d+\^[^>]*>/g, '{time}'))
}

const STARTS = 'Maintenance of plain starts in 1 h: {time} to {time} (Fri 11 Dec 15:00 to 16:00 UTC).'
const CANCELLED =
  'Maintenance of plain is cancelled. It was planned for {time} to {time} (Fri 11 Dec 15:00 to 16:00 UTC). <@U0ALICE> cancelled it.'

test('what is cancelled while its notice is on the way is not told of as to come', async () => {
  workspace.fault({ kind: 'slow', ms: 600, methods: ['chat.update'] })
  await store.db.transaction(async (tx) => {
    await notice()
    // another title of the announcement, which is edited before the notice is posted
    await tx.query(`update lockkeeper.maintenance set reason = 'another upgrade'`)
  })
  await until('the announcement is being edited', () => workspace.calls('chat.update').length > 0)
  await store.db.transaction((tx) => cancelWindow(tx, window, { by: 'U0ALICE', reason: null }, []))
  await drawn()
  expect(thread()).toEqual([CANCELLED])
  expect(workspace.directMessages('U0CAROL')).toEqual([])
  // nor does its intent stay, which nobody would settle any more
  expect(await store.db.query(`select key from lockkeeper.message where state <> 'sent'`)).toEqual([])
})

test('a notice whose window only got another item goes out once', async () => {
  workspace.fault({ kind: 'slow', ms: 600, methods: ['chat.update'] })
  await store.db.query(`update lockkeeper.maintenance set reason = 'another upgrade'`)
  await notice()
  await until('the announcement is being edited', () => workspace.calls('chat.update').length > 0)
  await addWindowEvent(store.db, window.id, { kind: 'standby', data: { by: 'U0BOB' } })
  await drawn()
  expect(thread()).toEqual([STARTS, '<@U0BOB> stands by.'])
  expect(workspace.directMessages('U0CAROL')).toHaveLength(1)
})
