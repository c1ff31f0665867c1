import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { drawRequest } from '../../../approvals/cards/draw.ts'
import { startWorkspace, type Workspace, type WorkspaceOptions } from '../../../playground/server/workspace.ts'
import type { Db } from '../../../src/store/pool.ts'
import { createLog } from '../../../src/lib/log.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { addEvent, touch, transition } from '../../../src/request/store.ts'
import { createSlack } from '../../../src/slack/client/client.ts'
import { givenUpMessages } from '../../../src/slack/outbox/messages.ts'
import { refreshInMs, requestSource } from '../../../src/request/message-source.ts'
import { createOutbox, type Outbox } from '../../../src/slack/outbox/outbox.ts'
import type { RateLimit } from '../../../src/slack/outbox/rate-limit.ts'
import { channelPostSource, addChannelPost } from '../../../src/windows/notices/channel-posts.ts'
import { createStore } from '../../helpers/postgres.ts'
import { until } from '../../helpers/until.ts'
import { digest, evidence, now, planOf, viewWith } from '../../helpers/views.ts'

const channel = 'C0DEPLOYS'
/** The box's own limits are off in these tests, unless they are about them. */
const noRateLimit: RateLimit = { take: async () => 0, limited: async () => {} }

let store: Awaited<ReturnType<typeof createStore>>
let db: Db
let workspace: Workspace
const outboxes: Outbox[] = []
const lines: { readonly msg: string; readonly level: number }[] = []
const log = createLog(
  createRedactor([]),
  'info',
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as { msg: string; level: number })
      done()
    },
  }),
)

async function open(options: WorkspaceOptions = { rateLimits: false }): Promise<void> {
  workspace = await startWorkspace(options)
}
beforeEach(async () => {
  lines.length = 0
  store = await createStore()
  db = store.db
})
afterEach(async () => {
  await Promise.all(outboxes.splice(0).map((outbox) => outbox.stop()))
  await workspace.close()
  await store.close()
})

async function start(rateLimit: RateLimit | null = noRateLimit, isAwaited = () => false): Promise<Outbox> {
  const outbox = createOutbox({
    owner: { id: 'test', lock: 1 },
    db,
    slack: createSlack({ botToken: workspace.tokens.bot, apiUrl: workspace.apiUrl, log, timeoutMs: 2_000 }),
    sources: [
      requestSource({
        db,
        log,
        draw: (view) => drawRequest(view, { timezone: 'UTC', isProtected: true, approvers: ['U0CAROL'] }),
        commands: { migrate: '/migrate', maintenance: '/maintenance' },
        targetTitleOf: () => 'Production',
        tailOf: () => Promise.resolve('the output\n'),
        logFileOf: () => Promise.resolve('the log\n'),
        sqlFileOf: () => Promise.resolve('select 1;\n'),
      }),
      channelPostSource(db, {
        plain: ({ data }) => ({ message: { text: (data as { text: string }).text }, people: ['U0CAROL'] }),
      }),
    ],
    log,
    pollMs: 25,
    isAwaited,
    ...(rateLimit === null ? {} : { rateLimit }),
  })
  outboxes.push(outbox)
  await outbox.start()
  return outbox
}

async function ask(where = channel): Promise<number> {
  const [row] = await db.query<{ id: number }>(
    `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state)
     values ('r_' || gen_random_uuid(), 'prod-' || gen_random_uuid(), 'U0ALICE', 'U0ALICE', $1, '{"ref":null,"reason":null,"skipApp":false}', 'planning') returning id`,
    [where],
  )
  return row?.id ?? 0
}

const wait = async (id: number): Promise<void> => {
  await transition(db, id, ['planning'], 'waiting', {
    plan: planOf(),
    digest,
    evidence,
    policy: { required: 1, from: ['group:S0DBA'], members: {}, expiresMs: 1, grantExpiresMs: 1 },
    expiresIn: 3_600_000,
  })
  await addEvent(db, id, { kind: 'requested', data: {} })
}

const allDrawn = (id: number) =>
  until('it is drawn', async () => {
    const [row] = await db.query<{ drawn: boolean }>(
      `select drawn_revision >= revision and draw_lease is null and draw_after = 'infinity' as drawn from lockkeeper.request where id = $1`,
      [id],
    )
    return row?.drawn === true
  })

const headers = () =>
  workspace
    .messages(channel)
    .flatMap((message) =>
      message.broadcast && message.threadTs !== null ? [] : [(message.blocks[0]?.['text'] as { text?: string } | undefined)?.text ?? ''],
    )
const card = () => workspace.messages(channel).find((message) => message.threadTs === null)
/** But for what goes with the SQL and with the log, and for the output. */
const isNoFile = (text: string) => !/^(The SQL that would run|What was checked, and|Output|While it ran)/.test(text)

const thread = () => workspace.thread(channel, card()?.ts ?? '').map((message) => message.text)
const steps = ['Preflight', 'Install and build', 'Back up', 'Migrate', 'Verify', 'Restart']
const stepDone = (id: number, title: string) => addEvent(db, id, { kind: 'step_done', data: { step: title, title, output: '1 s' } })

test('nothing is drawn as long as somebody waits for an acknowledgement, and then at once', async () => {
  await open()
  await ask()
  let isAwaited = true
  let looks = 0
  await start(noRateLimit, () => (looks++, isAwaited))
  await until('it looked several times', () => looks > 10)
  expect(card()).toBeUndefined()
  isAwaited = false
  await workspace.waitFor(() => card(), { what: 'the card' })
})

test('a bot that is asked without end draws all the same', async () => {
  await open()
  await ask()
  await start(noRateLimit, () => true)
  await workspace.waitFor(() => card(), { what: 'the card' })
  expect(workspace.messages(channel)).toHaveLength(1)
})

describe('a request', () => {
  test('has one card, a thread in order, its SQL as a file, and one message to each approver with a link', async () => {
    await open()
    const id = await ask()
    await start()
    await workspace.waitFor(() => card(), { what: 'the card' })
    await wait(id)
    await workspace.waitFor(() => workspace.directMessages('U0CAROL')[0], { what: 'the message to the approver' })
    await transition(db, id, ['waiting'], 'granted')
    await addEvent(db, id, { kind: 'approved', data: { by: 'U0BOB', count: 1, required: 1 } })
    await transition(db, id, ['granted'], 'running')
    await addEvent(db, id, { kind: 'started', data: {} })
    for (const title of steps) await stepDone(id, title)
    await db.transaction(async (tx) => {
      await transition(tx, id, ['running'], 'succeeded', { outcome: { headline: '*3 migrations applied.*' } })
      await addEvent(tx, id, { kind: 'ended', data: { state: 'succeeded' } })
    })
    await workspace.waitFor(() => workspace.files().find((file) => file.name.endsWith('.log')), { what: 'the log' })
    expect(headers()).toEqual([`Deploy to Production · #${id} done`])
    expect(thread().filter(isNoFile)).toEqual([
      '<@U0ALICE> asks to run *3 migrations* and deploy `a1b9f02` from `main`, plan `7f3a9c21`.',
      '<@U0BOB> approved, 1 of 1. It may start.',
      'The run has started.',
      ...steps.map((title) => `*${title}* · 1 s`),
      `Deploy to Production · #${id} done. 3 migrations applied.`,
    ])
    expect(workspace.files().map((file) => file.content)).toEqual(['select 1;\n', 'the log\n'])
    expect(workspace.directMessages('U0CAROL')).toHaveLength(1)
    expect(JSON.stringify(workspace.directMessages('U0CAROL')[0]?.blocks)).toContain('"url":"http')
  })
  test('that is cancelled while it is drawn is put before nobody who could decide it', async () => {
    await open()
    workspace.fault({ kind: 'slow', ms: 600, methods: ['chat.postMessage'] })
    const id = await ask()
    await wait(id)
    await start()
    await until('its card is on the way', () => workspace.calls('chat.postMessage').length > 0)
    await transition(db, id, ['waiting'], 'cancelled')
    await allDrawn(id)
    expect(headers()).toHaveLength(1)
    expect(workspace.directMessages('U0CAROL')).toEqual([])
  })

  test('that has not changed is not sent again, not even after a restart', async () => {
    await open()
    const id = await ask()
    const first = await start()
    await workspace.waitFor(() => card())
    await first.stop()
    const before = workspace.calls().length
    await start()
    await touch(db, id)
    await allDrawn(id)
    expect(workspace.calls().length).toBe(before)
  })
  test('is drawn by one of two replicas at a time: nothing stands twice', async () => {
    await open()
    await Promise.all([start(), start()])
    const ids = await Promise.all(Array.from({ length: 4 }, () => ask()))
    await Promise.all(ids.map(wait))
    for (const id of ids) await Promise.all(steps.map((title) => stepDone(id, title)))
    for (const id of ids) await drawn(id)
    const cards = workspace.messages(channel).filter((message) => message.threadTs === null)
    expect(cards).toHaveLength(4)
    for (const one of cards)
      expect(workspace.thread(channel, one.ts).filter((message) => isNoFile(message.text))).toHaveLength(1 + steps.length)
    expect(workspace.directMessages('U0CAROL')).toHaveLength(4)
  })
  test('that a dead replica was drawing is drawn by another when its lease ends', async () => {
    await open()
    const id = await ask()
    await db.query(
      `update lockkeeper.request set draw_lease = clock_timestamp() + interval '300 milliseconds', draw_after = 'infinity' where id = $1`,
      [id],
    )
    await start()
    await workspace.waitFor(() => card())
    expect(headers()).toEqual([`Deploy to Production · #${id}`])
  })
})

describe('a channel post', () => {
  const post = (text: string) => db.transaction((tx) => addChannelPost(tx, { channel, kind: 'plain', data: { text } }))
  const posts = () => workspace.messages(channel).map(({ text }) => text)
  test('stands in its channel once, also with two replicas, and in the conversations of its people', async () => {
    await open()
    await Promise.all([start(), start()])
    for (const text of ['one', 'two', 'three']) await post(text)
    await workspace.waitFor(() => posts().length === 3 && workspace.directMessages('U0CAROL').length === 3, { what: 'the channel posts' })
    await until('the rows are drawn', async () => (await undrawn()) === 0)
    expect(posts().sort()).toEqual(['one', 'three', 'two'])
    expect(
      workspace
        .directMessages('U0CAROL')
        .map(({ text }) => text)
        .sort(),
    ).toEqual(['one', 'three', 'two'])
  })
  test('that nothing draws is told in the log and holds up nothing else', async () => {
    await open()
    await db.transaction((tx) => addChannelPost(tx, { channel, kind: 'unheard of', data: {} }))
    await post('heard of')
    await start()
    await workspace.waitFor(() => posts()[0], { what: 'the other channel post' })
    expect(posts()).toEqual(['heard of'])
    expect(lines.map(({ msg }) => msg)).toContain('A channel post could not be drawn; it is tried again')
  })
  const undrawn = async () =>
    (await db.query<{ n: number }>('select count(*) as n from lockkeeper.bulletin where drawn_revision < revision'))[0]?.n
})

describe('when Slack is in trouble', () => {
  test('a post whose reply is lost is found again and not posted twice', async () => {
    await open()
    workspace.fault({ kind: 'lost-reply', methods: ['chat.postMessage'], times: 3 })
    const id = await ask()
    await start()
    await wait(id)
    await stepDone(id, 'Preflight')
    await workspace.waitFor(() => thread().includes('*Preflight* · 1 s'), { timeoutMs: 20_000, what: 'the thread' })
    await allDrawn(id)
    expect(headers()).toEqual([`Deploy to Production · #${id}`])
    expect(thread().filter(isNoFile)).toEqual([
      '<@U0ALICE> asks to run *3 migrations* and deploy `a1b9f02` from `main`, plan `7f3a9c21`.',
      '*Preflight* · 1 s',
    ])
  })
  test.each(['http_500', 'connection_cut'] as const)(
    'an outage (%s) delays what people see, and nothing is lost or out of order',
    async (how) => {
      await open()
      const outage = workspace.fault({ kind: 'outage', how, untilCleared: true })
      const id = await ask()
      await start()
      await wait(id)
      await transition(db, id, ['waiting'], 'running')
      for (const title of steps) await stepDone(id, title)
      await workspace.waitFor(() => workspace.calls('chat.postMessage').length > 0, { what: 'the first try' })
      expect(workspace.messages(channel)).toEqual([])
      outage.clear()
      await workspace.waitFor(() => thread().filter(isNoFile).length === 1 + steps.length, {
        timeoutMs: 30_000,
        what: 'the thread after the outage',
      })
      expect(headers()).toEqual([`Deploy to Production · #${id}`])
      expect(thread().filter(isNoFile).slice(1)).toEqual(steps.map((title) => `*${title}* · 1 s`))
    },
  )
  test('a limit is obeyed for as long as Slack says', async () => {
    await open()
    workspace.fault({ kind: 'ratelimited', retryAfter: 1, methods: ['chat.postMessage'] })
    await ask()
    const begun = Date.now()
    await start(null)
    await workspace.waitFor(() => card())
    expect(Date.now() - begun).toBeGreaterThanOrEqual(1_000)
    expect(workspace.calls('chat.postMessage')).toHaveLength(2)
  })
  test('its own limits are kept without being told', async () => {
    await open({})
    const id = await ask()
    await start(null)
    await wait(id)
    for (const title of steps) await stepDone(id, title)
    await workspace.waitFor(() => thread().filter(isNoFile).length === 1 + steps.length, {
      timeoutMs: 30_000,
      what: 'the thread',
    })
    expect(workspace.calls().filter((call) => JSON.stringify(call.answer).includes('ratelimited'))).toEqual([])
  })
  test('two replicas keep one rate limit together', async () => {
    await open({})
    const ids = await Promise.all([ask(), ask(), ask()])
    await Promise.all([start(null), start(null)])
    await Promise.all(ids.map(wait))
    for (const id of ids) for (const title of steps.slice(0, 2)) await stepDone(id, title)
    for (const id of ids) await drawn(id)
    const posts = workspace.calls('chat.postMessage').filter(({ args }) => args['channel'] === channel)
    expect(posts.length).toBeGreaterThanOrEqual(ids.length * 4)
    // a burst of 3, then one a second; with a rate limit of its own each, they would have needed less than half of that
    const times = posts.map(({ at }) => at)
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThanOrEqual((posts.length - 3) * 1_000 * 0.7)
    expect(workspace.calls().filter((call) => JSON.stringify(call.answer).includes('ratelimited'))).toEqual([])
  })
  test('a channel that the bot is not in costs that card, is told once, and is shown by status', async () => {
    await open()
    workspace.setMembers(channel, ['U0ALICE'])
    const lost = await ask()
    const other = await ask('C0PROD')
    await start()
    await workspace.waitFor(() => workspace.messages('C0PROD')[0], { what: 'the other card' })
    await drawn(lost)
    await drawn(other)
    expect(await givenUpMessages(db, 10)).toEqual([{ requestId: lost, key: `card:${lost}`, channel, error: 'not_in_channel' }])
    await stepDone(lost, 'Preflight')
    await drawn(lost)
    expect(lines.filter((line) => line.msg.startsWith('Slack refuses this message for good'))).toHaveLength(1)
  })
  test('a card that somebody deleted is told once and does not hold up the thread', async () => {
    await open()
    const id = await ask()
    await start()
    await workspace.waitFor(() => card())
    workspace.fault({ kind: 'error', error: 'message_not_found', methods: ['chat.update'], untilCleared: true })
    const ts = card()?.ts ?? ''
    await wait(id)
    await stepDone(id, 'Preflight')
    await workspace.waitFor(() => workspace.thread(channel, ts).some((message) => message.text === '*Preflight* · 1 s'), {
      what: 'the thread',
    })
    await allDrawn(id)
    expect(workspace.calls('chat.update')).toHaveLength(1)
    expect(await givenUpMessages(db, 10)).toEqual([{ requestId: id, key: `card:${id}`, channel, error: 'message_not_found' }])
  })
  test('a revoked token is waited out, and nothing is given up', async () => {
    await open()
    workspace.revokeToken('bot')
    const id = await ask()
    await start()
    await workspace.waitFor(() => workspace.calls('chat.postMessage').length > 0, { what: 'the first try' })
    workspace.restoreToken('bot')
    await workspace.waitFor(() => card(), { timeoutMs: 20_000, what: 'the card' })
    await allDrawn(id)
    expect(await givenUpMessages(db, 10)).toEqual([])
  })
  test('a direct message whose reply was lost is found in the conversation and stands once', async () => {
    await open()
    const id = await ask()
    await start()
    await workspace.waitFor(() => card(), { what: 'the card' })
    await allDrawn(id)
    workspace.fault({ kind: 'lost-reply', methods: ['chat.postMessage'], untilCleared: true })
    await wait(id)
    await allDrawn(id)
    expect(workspace.directMessages('U0CAROL')).toHaveLength(1)
    expect(workspace.calls('conversations.history').map(({ args }) => args['channel'])).toContain('D0CAROL')
  })
  test('where files are not available, the SQL stands in the thread as text', async () => {
    await open()
    workspace.setScopes(['chat:write', 'channels:history', 'im:write', 'users:read'])
    const id = await ask()
    await start()
    await wait(id)
    await workspace.waitFor(() => thread().includes('SQL of 3 migrations'), { what: 'the SQL' })
    expect(JSON.stringify(workspace.thread(channel, card()?.ts ?? '').at(-1)?.blocks)).toContain('select 1;')
    expect(workspace.files()).toEqual([])
  })
})

test.each([
  [0, 3_000],
  [59_999, 3_000],
  [60_000, 10_000],
  [599_999, 10_000],
  [600_000, 30_000],
  [3_600_000, 60_000],
])('a card that has run for %d ms is refreshed after %d ms', (elapsed, after) => {
  const view = viewWith({ row: { state: 'running', startedAt: new Date(now.getTime() - elapsed) } })
  expect(refreshInMs(view)).toBe(after)
})

test('a card that does not run is drawn when something changes, and only then', () => {
  expect(refreshInMs(viewWith({ row: { state: 'waiting' } }))).toBeNull()
})

/** Until nothing of this request is left to draw. */
async function drawn(id: number): Promise<void> {
  await until(`request ${id} is drawn`, async () => {
    const [row] = await db.query<{ done: boolean }>(
      `select draw_lease is null and drawn_revision >= revision and draw_after > clock_timestamp() + interval '1 second' as done from lockkeeper.request where id = $1`,
      [id],
    )
    return row?.done === true
  })
}
