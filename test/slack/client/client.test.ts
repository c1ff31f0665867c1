import { Writable } from 'node:stream'
import { createServer, type Server } from 'node:http'
import nock from 'nock'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createLog } from '../../../src/lib/log.ts'
import { observe } from '../../../src/lib/telemetry.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { context, header, plan, section, table } from '../../../src/slack/blocks/blocks.ts'
import { createSlack } from '../../../src/slack/client/client.ts'
import { readSlackClock } from '../../../src/slack/client/time.ts'

const lines: string[] = []
const log = createLog(
  createRedactor([]),
  'info',
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  }),
)
const make = (extra: { readonly apiUrl?: string; readonly timeoutMs?: number } = {}) =>
  createSlack({ botToken: 'xoxb-test', log, ...extra })
const slackApi = () => nock('https://slack.com').persist(false)
const message = { text: 'Deploy', blocks: [header('Deploy')] }
const channel = 'C0123456789'

beforeAll(() => nock.disableNetConnect())
afterEach(() => {
  const pending = nock.pendingMocks()
  nock.cleanAll()
  if (pending.length > 0) throw new Error(`calls that were expected did not come: ${pending.join(', ')}`)
  lines.length = 0
})
afterAll(() => {
  nock.enableNetConnect()
  nock.restore()
})

describe("Slack's clock", () => {
  const date = 'Sat, 28 Nov 2026 17:00:00 GMT'
  const middle = Date.UTC(2026, 10, 28, 17, 0, 0, 500)

  test.each([
    ['an answer', 200, { ok: true }],
    ['a refusal', 200, { ok: false, error: 'invalid_auth' }],
    ['a fault', 500, 'oops'],
  ] as const)('is the middle of the second that %s names, asked by the client like everything else', async (_, status, body) => {
    slackApi().post('/api/api.test').matchHeader('authorization', 'Bearer xoxb-test').reply(status, body, { date })
    const told: unknown[] = []
    const quiet = observe(
      {
        begun({ activity }) {
          told.push(activity)
          return () => {}
        },
      },
      () => {},
    )
    expect(await make().time()).toEqual({ kind: 'ok', value: middle })
    quiet()
    expect(told).toEqual([{ kind: 'slack', method: 'api.test' }])
  })

  test('is unsure where no date comes', async () => {
    slackApi().post('/api/api.test').reply(200, { ok: true })
    expect(await make().time()).toEqual({ kind: 'unsure', cause: 'the answer had no date' })
    slackApi().post('/api/api.test').replyWithError('connection refused')
    expect(await make().time()).toMatchObject({ kind: 'unsure' })
  })

  test('is read alike before a run and by doctor, and known to half a second and the way there', async () => {
    const reading = await readSlackClock({ time: async () => ({ kind: 'ok', value: middle }) }, { now: () => middle - 250 })
    expect(reading?.errorMs).toBeGreaterThanOrEqual(500)
    expect(Math.abs((reading?.aheadMs ?? 0) - 250)).toBeLessThan(100)
    expect(await readSlackClock({ time: async () => ({ kind: 'limited', retryAfterMs: 1 }) }, { now: () => 0 })).toBeUndefined()
  })
})

describe('a post', () => {
  test('carries its intent, and asks for no unfurling and no names', async () => {
    let body = new URLSearchParams()
    slackApi()
      .post('/api/chat.postMessage', (sent: Record<string, string>) => {
        body = new URLSearchParams(sent)
        return true
      })
      .matchHeader('authorization', 'Bearer xoxb-test')
      .reply(200, { ok: true, channel, ts: '1.2' })
    expect(await make().post({ channel, thread: '1.1', broadcast: true }, message, 'i_1')).toEqual({
      kind: 'ok',
      value: { channel, ts: '1.2' },
    })
    expect(Object.fromEntries(body)).toEqual({
      channel,
      thread_ts: '1.1',
      reply_broadcast: 'true',
      text: 'Deploy',
      blocks: JSON.stringify([header('Deploy')]),
      parse: 'none',
      link_names: 'false',
      unfurl_links: 'false',
      unfurl_media: 'false',
      metadata: '{"event_type":"lockkeeper_message","event_payload":{"intent":"i_1"}}',
    })
  })
  test('that is limited says for how long, and is not repeated', async () => {
    slackApi().post('/api/chat.postMessage').reply(429, '', { 'retry-after': '7' })
    expect(await make().post({ channel }, message, 'i_1')).toEqual({ kind: 'limited', retryAfterMs: 7_000 })
  })
  test('that is limited without a time waits half a minute', async () => {
    slackApi().post('/api/chat.postMessage').reply(429, '')
    expect(await make().post({ channel }, message, 'i_1')).toEqual({ kind: 'limited', retryAfterMs: 30_000 })
  })
  test('that meets a 500 may have happened', async () => {
    slackApi().post('/api/chat.postMessage').reply(500, 'oops')
    expect(await make().post({ channel }, message, 'i_1')).toEqual({ kind: 'unsure', cause: 'Slack answered 500' })
  })
  test('whose reply is lost may have happened', async () => {
    slackApi()
      .post('/api/chat.postMessage')
      .replyWithError(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }))
    expect(await make().post({ channel }, message, 'i_1')).toMatchObject({ kind: 'unsure' })
  })
  test('that meets a page of a proxy may have happened', async () => {
    slackApi().post('/api/chat.postMessage').reply(200, '<html>Please log in</html>')
    expect(await make().post({ channel }, message, 'i_1')).toEqual({ kind: 'unsure', cause: 'the answer was not from Slack' })
  })
  test('that Slack refuses did not happen', async () => {
    slackApi().post('/api/chat.postMessage').reply(200, { ok: false, error: 'is_archived' })
    expect(await make().post({ channel }, message, 'i_1')).toEqual({ kind: 'refused', error: 'is_archived' })
  })
  test('that Slack could not carry out may have happened', async () => {
    slackApi().post('/api/chat.postMessage').reply(200, { ok: false, error: 'internal_error' })
    expect(await make().post({ channel }, message, 'i_1')).toEqual({ kind: 'unsure', cause: 'internal_error' })
  })
})

describe('blocks that a workspace refuses', () => {
  const rich = { text: 'Run', blocks: [plan('Running', [{ id: 'a', title: 'Back up', status: 'complete', output: '1.6 GB' }])] }
  test('are drawn as sections, which is remembered and told once', async () => {
    const slack = make()
    slackApi().post('/api/chat.update').reply(200, { ok: false, error: 'invalid_blocks' })
    const bodies: string[] = []
    slackApi()
      .post('/api/chat.update', (sent: { blocks: string }) => bodies.push(sent.blocks) > 0)
      .times(2)
      .reply(200, { ok: true })
    expect(await slack.update({ channel, ts: '1.1' }, rich)).toEqual({ kind: 'ok', value: null })
    expect(await slack.update({ channel, ts: '1.1' }, rich)).toEqual({ kind: 'ok', value: null })
    expect([...new Set(bodies)].map((text) => JSON.parse(text) as unknown)).toEqual([[section('*Running*\n• Back up, *done* · 1.6 GB')]])
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('messages are drawn without them from now on')
  })
  test('may be tables as well', async () => {
    slackApi().post('/api/chat.update').reply(200, { ok: false, error: 'invalid_blocks' })
    let blocks: unknown
    slackApi()
      .post('/api/chat.update', (sent: { blocks: string }) => {
        blocks = JSON.parse(sent.blocks)
        return true
      })
      .reply(200, { ok: true })
    await make().update(
      { channel, ts: '1.1' },
      { text: 'x', blocks: [table([{ title: 'Migration' }, { title: 'Class' }], [['a_<b>', 'additive']]), context('x')] },
    )
    expect(blocks).toEqual([section('• *a_&lt;b&gt;* · additive'), context('x')])
  })
  test('for another reason stay refused, and nothing is remembered', async () => {
    const slack = make()
    slackApi().post('/api/chat.update').times(2).reply(200, { ok: false, error: 'invalid_blocks' })
    expect(await slack.update({ channel, ts: '1.1' }, rich)).toEqual({ kind: 'refused', error: 'invalid_blocks' })
    expect(lines).toEqual([])
  })
})

describe('after a lost reply', () => {
  test('the own message is found by its intent, on a later page of the thread', async () => {
    slackApi()
      .post(
        '/api/conversations.replies',
        (sent: Record<string, string>) => sent['ts'] === '1.1' && sent['include_all_metadata'] === 'true' && sent['cursor'] === undefined,
      )
      .reply(200, {
        ok: true,
        messages: [{ ts: '1.1' }, { ts: '1.2', metadata: { event_type: 'other', event_payload: { intent: 'i_1' } } }],
        response_metadata: { next_cursor: 'n' },
      })
    slackApi()
      .post('/api/conversations.replies', (sent: Record<string, string>) => sent['cursor'] === 'n')
      .reply(200, { ok: true, messages: [{ ts: '1.3', metadata: { event_type: 'lockkeeper_message', event_payload: { intent: 'i_1' } } }] })
    expect(await make().findByIntent({ channel, thread: '1.1' }, 'i_1')).toEqual({ kind: 'ok', value: { channel, ts: '1.3' } })
  })
  test('a message that is not there was not posted', async () => {
    slackApi().post('/api/conversations.history').reply(200, { ok: true, messages: [] })
    expect(await make().findByIntent({ channel }, 'i_1')).toEqual({ kind: 'ok', value: null })
  })
})

test('an optional method that is missing is told once and refused each time', async () => {
  const slack = make()
  slackApi().post('/api/files.getUploadURLExternal').times(2).reply(200, { ok: false, error: 'missing_scope' })
  const file = { name: 'a.sql', title: 'SQL', content: 'select 1' }
  expect(await slack.upload({ channel }, file)).toEqual({ kind: 'refused', error: 'missing_scope' })
  expect(await slack.upload({ channel }, file)).toEqual({ kind: 'refused', error: 'missing_scope' })
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'Slack does not offer files to this bot: files are left out; their text goes into the thread',
  ])
})

test('a file is shared in its thread', async () => {
  slackApi()
    .post('/api/files.getUploadURLExternal')
    .reply(200, { ok: true, upload_url: 'https://files.slack.com/upload/v1/x', file_id: 'F1' })
  nock('https://files.slack.com').post('/upload/v1/x').reply(200, 'OK')
  slackApi()
    .post(
      '/api/files.completeUploadExternal',
      (sent: Record<string, string>) => sent['channel_id'] === channel && sent['thread_ts'] === '1.1',
    )
    .reply(200, { ok: true, files: [] })
  expect(await make().upload({ channel, thread: '1.1' }, { name: 'a.sql', title: 'SQL', content: 'select 1' })).toEqual({
    kind: 'ok',
    value: null,
  })
})

test('a person is read with everything that may speak against him', async () => {
  slackApi()
    .post('/api/users.info')
    .reply(200, {
      ok: true,
      user: {
        id: 'U1',
        team_id: 'T1',
        name: 'bob',
        tz: 'Europe/Berlin',
        is_ultra_restricted: true,
        is_stranger: true,
        deleted: true,
        profile: { display_name: 'Bob' },
      },
    })
  expect(await make().user('U1')).toEqual({
    kind: 'ok',
    value: { id: 'U1', team: 'T1', name: 'Bob', timezone: 'Europe/Berlin', isDeleted: true, isBot: false, isGuest: true, isStranger: true },
  })
})

test('scopes come with the first question', async () => {
  slackApi()
    .post('/api/auth.test')
    .reply(200, { ok: true, team_id: 'T1', team: 'Shop', user_id: 'UBOT' }, { 'x-oauth-scopes': 'chat:write, commands' })
  expect(await make().authTest()).toEqual({
    kind: 'ok',
    value: { team: 'T1', teamName: 'Shop', botUser: 'UBOT', scopes: ['chat:write', 'commands'] },
  })
})

describe('a server that accepts and stays silent', () => {
  let server: Server
  let url = ''
  beforeAll(async () => {
    nock.enableNetConnect('127.0.0.1')
    server = createServer((request, response) => {
      if (request.url?.includes('chat.update') === true) {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
        response.write('{"ok":')
        response.destroy()
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/api/`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  test('leaves it open whether the post happened', async () => {
    expect(await make({ apiUrl: url, timeoutMs: 200 }).post({ channel }, message, 'i_1')).toMatchObject({ kind: 'unsure' })
  })
  test('so does one that breaks off in mid-answer', async () => {
    expect(await make({ apiUrl: url }).update({ channel, ts: '1.1' }, message)).toMatchObject({ kind: 'unsure' })
  })
})
