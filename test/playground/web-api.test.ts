import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defaultSeed } from '../../playground/server/seed.ts'
import { startWorkspace, type Workspace } from '../../playground/server/workspace.ts'
import { clientOf } from './bolt-app.ts'

const deploys = 'C0DEPLOYS'
const clock = { now: Date.UTC(2026, 10, 20, 7, 0, 0) }
let workspace: Workspace
beforeEach(async () => {
  workspace = await startWorkspace({ now: () => clock.now })
})
afterEach(() => workspace.close())

test('auth.test names the team and the app, and the scopes come in the header', async () => {
  const answer = await clientOf(workspace).auth.test()
  expect(answer).toMatchObject({ ok: true, team_id: 'T0HARBOR', user_id: 'U0LOCKBOT', bot_id: 'B0LOCKBOT', url: `${workspace.url}/` })
  expect(answer.response_metadata?.scopes).toEqual(defaultSeed.app.scopes)
})

test('a reply hangs below its message and shows in the channel only when it is broadcast', async () => {
  const { chat, conversations } = clientOf(workspace)
  const card = await chat.postMessage({ channel: deploys, text: 'card' })
  const thread_ts = card.ts ?? ''
  const quiet = await chat.postMessage({ channel: deploys, thread_ts, text: 'quiet' })
  const loud = await chat.postMessage({ channel: deploys, thread_ts, text: 'loud', reply_broadcast: true })
  expect(workspace.messages(deploys).map((each) => each.text)).toEqual(['card', 'loud'])
  expect(workspace.thread(deploys, thread_ts).map((each) => each.text)).toEqual(['quiet', 'loud'])
  const history = await conversations.history({ channel: deploys })
  expect(history.messages?.map((each) => each.text)).toEqual(['loud', 'card'])
  expect(history.messages?.[1]).toMatchObject({ reply_count: 2, latest_reply: loud.ts })
  const replies = await conversations.replies({ channel: deploys, ts: thread_ts })
  expect(replies.messages?.map((each) => each.ts)).toEqual([thread_ts, quiet.ts, loud.ts])
})

test('metadata comes back only to those who ask for it', async () => {
  const { chat, conversations } = clientOf(workspace)
  const metadata = { event_type: 'lockkeeper_intent', event_payload: { intent: 'i_1' } }
  await chat.postMessage({ channel: deploys, text: 'card', metadata })
  expect((await conversations.history({ channel: deploys })).messages?.[0]?.metadata).toBeUndefined()
  expect((await conversations.history({ channel: deploys, include_all_metadata: true })).messages?.[0]?.metadata).toEqual(metadata)
})

test('pages follow each other by cursor until nothing is left', async () => {
  const { chat, conversations } = clientOf(workspace)
  for (const text of ['1', '2', '3']) await chat.postMessage({ channel: deploys, text })
  const first = await conversations.history({ channel: deploys, limit: 2 })
  const second = await conversations.history({ channel: deploys, limit: 2, cursor: first.response_metadata?.next_cursor ?? '' })
  expect([first.has_more, second.has_more]).toEqual([true, false])
  expect([...(first.messages ?? []), ...(second.messages ?? [])].map((each) => each.text)).toEqual(['3', '2', '1'])
})

test('an edit by text marks the message as edited and removes its blocks, an edit by blocks does neither', async () => {
  const { chat } = clientOf(workspace)
  const blocks = [{ type: 'divider' }]
  const { ts = '' } = await chat.postMessage({ channel: deploys, text: 'a', blocks })
  await chat.update({ channel: deploys, ts, text: 'b', blocks })
  expect(workspace.message(deploys, ts)).toMatchObject({ text: 'b', blocks: [{ type: 'divider' }], editedAt: null })
  await chat.update({ channel: deploys, ts, text: 'c' })
  expect(workspace.message(deploys, ts)).toMatchObject({ text: 'c', blocks: [], editedAt: expect.any(Number) })
})

test('an ephemeral message is seen by one person and is in no history', async () => {
  const { chat, conversations } = clientOf(workspace)
  await chat.postEphemeral({ channel: deploys, user: 'U0ALICE', text: 'only you' })
  expect(workspace.ephemerals('U0ALICE').map((each) => each.text)).toEqual(['only you'])
  expect(workspace.ephemerals('U0BOB')).toEqual([])
  expect((await conversations.history({ channel: deploys })).messages).toEqual([])
})

test('posting to a person reaches the direct conversation', async () => {
  const client = clientOf(workspace)
  const opened = await client.conversations.open({ users: 'U0BOB' })
  const posted = await client.chat.postMessage({ channel: 'U0BOB', text: 'please look' })
  expect(posted.channel).toBe('D0BOB')
  expect(opened.channel?.id).toBe('D0BOB')
  expect(workspace.directMessages('U0BOB').map((each) => each.text)).toEqual(['please look'])
})

test('a permalink leads to this server and names the thread of a reply', async () => {
  const { chat } = clientOf(workspace)
  const { ts = '' } = await chat.postMessage({ channel: deploys, text: 'card' })
  const reply = await chat.postMessage({ channel: deploys, text: 'reply', thread_ts: ts })
  const link = await chat.getPermalink({ channel: deploys, message_ts: reply.ts ?? '' })
  expect(link.permalink).toBe(`${workspace.url}/archives/${deploys}/p${reply.ts?.replace('.', '')}?thread_ts=${ts}&cid=${deploys}`)
})

test('people are told apart: member, guest, stranger of another team, deactivated, bot', async () => {
  const { users } = clientOf(workspace)
  const kinds = await Promise.all(
    ['U0ALICE', 'U0GINA', 'U0XAVIER', 'U0ZOE', 'U0LOCKBOT'].map(async (user) => (await users.info({ user })).user),
  )
  expect(kinds).toMatchObject([
    { team_id: 'T0HARBOR', deleted: false, is_bot: false, is_restricted: false, tz: 'America/New_York' },
    { is_restricted: true, deleted: false },
    { team_id: 'T0PARTNER', is_stranger: true },
    { deleted: true },
    { is_bot: true },
  ])
  const groups = clientOf(workspace).usergroups
  expect((await groups.users.list({ usergroup: 'S0DBA' })).users).toEqual(['U0BOB', 'U0CAROL'])
  expect((await groups.list({ include_users: true })).usergroups).toMatchObject([
    { id: 'S0DBA', handle: 'dba', users: ['U0BOB', 'U0CAROL'] },
  ])
})

test('a file goes up in three steps as the WebClient sends it, and stands in the thread', async () => {
  const client = clientOf(workspace)
  const { ts = '' } = await client.chat.postMessage({ channel: deploys, text: 'card' })
  await client.filesUploadV2({
    channel_id: deploys,
    thread_ts: ts,
    filename: 'run.log',
    title: 'Log of run 42',
    content: 'line 1\nline 2\n',
    initial_comment: 'The log',
  })
  expect(workspace.thread(deploys, ts)).toMatchObject([{ text: 'The log', files: [{ name: 'run.log', title: 'Log of run 42', size: 14 }] }])
  expect(workspace.files()).toMatchObject([{ name: 'run.log', content: 'line 1\nline 2\n' }])
  const url = workspace.thread(deploys, ts)[0]?.files[0]?.url ?? ''
  expect(await (await fetch(workspace.url + url)).text()).toBe('line 1\nline 2\n')
})

test('a pin is made once, a bookmark is kept, a channel is joined with the right scope', async () => {
  const client = clientOf(workspace)
  const { ts = '' } = await client.chat.postMessage({ channel: deploys, text: 'card' })
  await client.pins.add({ channel: deploys, timestamp: ts })
  await expect(client.pins.add({ channel: deploys, timestamp: ts })).rejects.toMatchObject({ data: { error: 'already_pinned' } })
  await expect(
    client.bookmarks.add({ channel_id: deploys, title: 'Run', type: 'link', link: 'https://example.com' }),
  ).resolves.toMatchObject({ ok: true })
  workspace.setScopes(['channels:join', 'channels:read'])
  await expect(client.conversations.join({ channel: 'C0GENERAL' })).resolves.toMatchObject({ channel: { is_member: true } })
  expect((await client.conversations.members({ channel: 'C0GENERAL' })).members).toContain('U0LOCKBOT')
})

describe('trouble on demand:', () => {
  const post = (): Promise<unknown> => clientOf(workspace).chat.postMessage({ channel: deploys, text: 'x' })

  test('an outage answers 500 until it is cleared, and carries nothing out', async () => {
    const outage = workspace.fault({ kind: 'outage', untilCleared: true })
    await expect(post()).rejects.toBeInstanceOf(WebAPIHTTPError)
    expect(workspace.state().bot.outage).toBe('outage')
    outage.clear()
    await post()
    expect(workspace.messages(deploys)).toHaveLength(1)
  })

  test('a cut connection carries nothing out', async () => {
    workspace.fault({ kind: 'outage', how: 'connection_cut' })
    await expect(post()).rejects.toBeInstanceOf(WebAPIRequestError)
    expect(workspace.messages(deploys)).toEqual([])
  })

  test('a lost reply has carried it out', async () => {
    workspace.fault({ kind: 'lost-reply', methods: ['chat.postMessage'] })
    await expect(post()).rejects.toBeInstanceOf(WebAPIRequestError)
    expect(workspace.messages(deploys)).toHaveLength(1)
    expect(workspace.calls('chat.postMessage')).toMatchObject([{ delivered: false, answer: { ok: true } }])
  })

  test('a rate limit comes with Retry-After', async () => {
    workspace.fault({ kind: 'ratelimited', retryAfter: 7, times: 1 })
    await expect(post()).rejects.toSatisfy((error) => error instanceof WebAPIRateLimitedError && error.retryAfter === 7)
    await post()
  })

  test('any error of Slack befalls the methods that are named, as often as asked', async () => {
    workspace.fault({ kind: 'error', error: 'fatal_error', methods: ['chat.postMessage'], times: 2 })
    await clientOf(workspace).auth.test()
    for (const _ of [1, 2])
      await expect(post()).rejects.toSatisfy((error) => error instanceof WebAPIPlatformError && error.data.error === 'fatal_error')
    await post()
  })
})

test('posting is limited to one a second in a channel after a burst, and each channel has its own', async () => {
  const { chat } = clientOf(workspace)
  for (let count = 0; count < 8; count += 1) await chat.postMessage({ channel: deploys, text: String(count) })
  await expect(chat.postMessage({ channel: deploys, text: 'one too many' })).rejects.toMatchObject({ retryAfter: 1 })
  await chat.postMessage({ channel: 'C0PROD', text: 'another channel' })
  clock.now += 1_000
  await chat.postMessage({ channel: deploys, text: 'a second later' })
  await expect(chat.postMessage({ channel: deploys, text: 'and again' })).rejects.toMatchObject({ retryAfter: 1 })
})

test('edits are limited to fifty a minute', async () => {
  const { chat } = clientOf(workspace)
  const { ts = '' } = await chat.postMessage({ channel: deploys, text: 'card' })
  for (let count = 0; count < 50; count += 1) await chat.update({ channel: deploys, ts, text: String(count) })
  await expect(chat.update({ channel: deploys, ts, text: 'too many' })).rejects.toMatchObject({ retryAfter: 2 })
})

test('the log of calls shows what was sent and answered, without tokens', async () => {
  await clientOf(workspace).apiCall('chat.postMessage', { channel: deploys, text: 'x', token: workspace.tokens.bot })
  const [call] = workspace.calls('chat.postMessage')
  expect(call).toMatchObject({ args: { channel: deploys, text: 'x' }, status: 200, answer: { ok: true } })
  expect(JSON.stringify(call)).not.toContain('xoxb')
})

test('a name that leads to loopback is not answered', async () => {
  const { request } = await import('node:http')
  const status = await new Promise((resolve, reject) => {
    const call = request(`${workspace.url}/play/state`, { headers: { host: 'evil.example' } }, (response) =>
      resolve(response.resume().statusCode),
    )
    call.on('error', reject).end()
  })
  expect(status).toBe(403)
})
