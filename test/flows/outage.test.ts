import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { aboveRecord, startFlow, type Flow } from '../helpers/flow.ts'
import { placesOf } from '../helpers/secrets.ts'
import { applied } from '../helpers/target.ts'
import { until } from '../helpers/until.ts'

/** A whole run starts a dozen real programs; two of them on a busy machine take longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000 })

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({ pending: 1, isRateLimited: true, targets: { quiet: { pending: 0 }, twice: { pending: 0 } } })
})
afterAll(() => flow?.close())

/** Every change of state once, in the order in which it happened. */
async function expectToldOnceInOrder(id: number): Promise<void> {
  const rows = await flow.store.query<{ key: string; ts: string | null; state: string }>(
    `select m.key, m.ts, m.state from lockkeeper.event e left join lockkeeper.message m on m.key = 'event:' || e.id
     where e.request_id = $1 order by e.id`,
    [id],
  )
  const { channel, ts } = flow.card(id)
  const posted = flow.slack.thread(channel, ts).map((message) => message.ts)
  const told = rows.map((row) => row.ts ?? 'nowhere')
  expect(posted.filter((one) => told.includes(one))).toEqual(told)
  expect(rows.map(({ state }) => state)).toEqual(rows.map(() => 'sent'))
  const texts = flow.thread(id)
  expect(texts).toEqual([...new Set(texts)])
}

test('Slack away for a minute in the middle of a run delays what people see and nothing else', async () => {
  const request = await flow.ask('deploy prod')
  await flow.approve(request.id)
  await until('the run has begun', async () => {
    const rows = await flow.store.query(`select 1 from lockkeeper.step where request_id = $1 and name = 'install' and state <> 'pending'`, [
      request.id,
    ])
    return rows.length === 1
  })
  const outage = flow.slack.fault({ kind: 'outage', how: 'connection_cut', untilCleared: true })
  const began = performance.now()
  const seen = flow.thread(request.id).length
  await flow.reaches(request.id, 'succeeded')
  expect((await applied(flow.database.url)).at(-1)).toBe('20261120084500_index_orders_discount')
  expect(flow.thread(request.id)).toHaveLength(seen)
  await until('Slack has been away for a minute', () => performance.now() - began >= 60_000, 90_000)
  expect(flow.thread(request.id)).toHaveLength(seen)
  outage.clear()
  await until('the thread is whole', () => flow.thread(request.id).some((post) => post.startsWith('[file] The whole log')), 60_000)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id).split('\n').slice(0, 2)).toMatchInlineSnapshot(`
    [
      "Deploy to Production · #1 done",
      "*1 migration applied and \`{commit}\` is live.*",
    ]
  `)
  await expectToldOnceInOrder(request.id)
  await until('commands are taken again', () => flow.slack.socket.connections() > 0)
  expect(aboveRecord(await flow.answer('status prod'))).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): 14 applied, nothing pending.
    • Live: commit \`{commit}\`, deployed last from here by #1
    • Schema: as #1 left it ({time}).
    • Last: #1, finished {time}"
  `)
})

test('a reply that got lost makes no second post in the channel or the thread', async () => {
  flow.slack.fault({ kind: 'lost-reply', methods: ['chat.postMessage'], times: 3 })
  const request = await flow.ask('deploy quiet')
  await flow.drawn(request.id)
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(
    flow.slack.messages('C0DEPLOYS').filter((message) => message.threadTs === null && message.text.includes(`#${request.id}`)),
  ).toHaveLength(1)
  await expectToldOnceInOrder(request.id)
})

test('a rate limit is waited for, and nothing is lost', async () => {
  const limit = flow.slack.fault({ kind: 'ratelimited', retryAfter: 1, methods: ['chat.postMessage', 'chat.update'], times: 3 })
  const request = await flow.ask('deploy quiet')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  limit.clear()
  await expectToldOnceInOrder(request.id)
})

test('what Slack delivers twice is done once', async () => {
  flow.slack.deliveries.repeat('twice', 3) // the command, the click and the confirmation
  const request = await flow.ask('deploy twice')
  expect(await flow.approve(request.id)).toBe('the window closed')
  await flow.reaches(request.id, 'succeeded')
  const votes = await flow.store.query('select 1 from lockkeeper.vote where request_id = $1', [request.id])
  const requests = await flow.store.query(`select 1 from lockkeeper.request where target = 'twice'`)
  expect([requests.length, votes.length]).toEqual([1, 1])
  await flow.drawn(request.id)
  await expectToldOnceInOrder(request.id)
  expect(flow.slack.ephemerals('U0ALICE').filter((message) => message.text.startsWith('`twice` is taken'))).toEqual([])
})

test('no password or token stands in any message, log line, row, file or argument list', async () => {
  const password = new URL(flow.env['PROD_DATABASE_URL'] ?? '').password
  expect(password).not.toBe('')
  expect(await placesOf(flow, [password, flow.slack.tokens.bot, flow.slack.tokens.app, flow.slack.tokens.signingSecret])).toEqual([])
})
