import { SocketModeClient } from '@slack/socket-mode'
import { afterEach, expect, test } from 'vitest'
import { startWorkspace, type Workspace, type WorkspaceOptions } from '../../playground/server/workspace.ts'
import { clientOf, connectedApp, silent } from './bolt-app.ts'

type Envelope = {
  readonly envelope_id: string
  readonly type: string
  readonly body: Record<string, unknown>
  readonly retry_num?: number
  readonly ack: (payload?: object) => Promise<void>
}

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})

async function workspaceWith(options: WorkspaceOptions = {}): Promise<Workspace> {
  const workspace = await startWorkspace(options)
  open.push(workspace.close)
  return workspace
}

async function connect(workspace: Workspace, onEnvelope: (envelope: Envelope) => unknown): Promise<SocketModeClient> {
  const clientOptions = { slackApiUrl: workspace.apiUrl, retryConfig: { retries: 100, factor: 1, minTimeout: 20 } }
  const client = new SocketModeClient({ appToken: workspace.tokens.app, clientOptions, logger: silent, clientPingTimeout: 60 })
  client.on('slack_event', onEnvelope)
  await client.start()
  open.push(() => client.disconnect())
  return client
}

test('a command carries ids for what was typed, a trigger and a response URL', async () => {
  const workspace = await workspaceWith()
  const heard: Envelope[] = []
  await connect(workspace, async (envelope) => {
    heard.push(envelope)
    await envelope.ack()
  })
  expect(
    await workspace
      .as('U0ALICE')
      .command('C0PROD', '/migrate deploy prod --reason "a < b & c" @bob @dba #deploys @nobody https://example.com/x'),
  ).toEqual({ ok: true })
  expect(heard).toMatchObject([
    {
      type: 'slash_commands',
      body: {
        command: '/migrate',
        text: 'deploy prod --reason "a &lt; b &amp; c" <@U0BOB|bob> <!subteam^S0DBA|@dba> <#C0DEPLOYS|deploys> @nobody <https://example.com/x>',
        user_id: 'U0ALICE',
        channel_id: 'C0PROD',
        team_id: 'T0HARBOR',
        trigger_id: expect.stringMatching(/^\d+\.\d+\.\w+$/),
        response_url: expect.stringContaining(workspace.url),
      },
    },
  ])
})

test('an acknowledgement with a payload is an answer for the asker alone, or for the channel when it says so', async () => {
  const workspace = await workspaceWith()
  const answers = [{ text: 'only you' }, { text: 'everybody', response_type: 'in_channel' }]
  await connect(workspace, (envelope) => envelope.ack(answers.shift()))
  await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate help')
  await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate help')
  expect(workspace.ephemerals('U0ALICE').map((each) => each.text)).toEqual(['only you'])
  expect(workspace.messages('C0DEPLOYS').map((each) => each.text)).toEqual(['everybody'])
})

test('the person is told when nobody listens, when nobody acknowledges, and what cannot be typed', async () => {
  const workspace = await workspaceWith({ ackMs: 50 })
  const alice = workspace.as('U0ALICE')
  expect(await alice.command('C0DEPLOYS', '/migrate status')).toEqual({
    ok: false,
    error: '/migrate failed with the error "dispatch_failed"',
  })
  await connect(workspace, () => undefined)
  expect(await alice.command('C0DEPLOYS', '/migrate status')).toEqual({
    ok: false,
    error: '/migrate failed with the error "operation_timeout"',
  })
  expect(await alice.command('C0DEPLOYS', '/mirgate status')).toEqual({ ok: false, error: '/mirgate is not a valid command.' })
  expect(await alice.command('C0DEPLOYS', '/migrate status', { threadTs: '1.1' })).toEqual({
    ok: false,
    error: '/migrate is not supported in threads. Sorry!',
  })
  expect(await workspace.as('U0DAVE').command('C0PROD', '/migrate status')).toEqual({
    ok: false,
    error: 'You are not in this conversation.',
  })
})

test('an event without acknowledgement comes again with a count, a command does not', async () => {
  const workspace = await workspaceWith({ ackMs: 300 })
  const heard: Envelope[] = []
  await connect(workspace, async (envelope) => {
    heard.push(envelope)
    if (envelope.retry_num === 2) await envelope.ack()
  })
  await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')
  await workspace.as('U0ALICE').home()
  // what is sent is in the log before it is heard
  await workspace.waitFor(() => heard.length >= 4)
  expect(heard.map((each) => [each.type, each.retry_num])).toEqual([
    ['slash_commands', undefined],
    ['events_api', 0],
    ['events_api', 1],
    ['events_api', 2],
  ])
  expect(workspace.deliveries.log).toHaveLength(4)
  expect(new Set(heard.slice(1).map((each) => each.envelope_id)).size).toBe(1)
})

test('an envelope comes twice, or to every connection, when asked', async () => {
  const workspace = await workspaceWith()
  const heard: [number, string][] = []
  for (const index of [1, 2]) {
    await connect(workspace, async (envelope) => {
      heard.push([index, envelope.envelope_id])
      await envelope.ack()
    })
  }
  expect(workspace.socket.connections()).toBe(2)
  workspace.deliveries.repeat('everywhere')
  await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')
  await expect.poll(() => heard.map(([index]) => index).toSorted((a, b) => a - b)).toEqual([1, 2])
  workspace.deliveries.repeat('twice')
  await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')
  await expect.poll(() => heard.length).toBe(4)
  expect(new Set(heard.map(([, id]) => id)).size).toBe(2)
})

test('what is held comes in the order that is asked for', async () => {
  const workspace = await workspaceWith()
  const heard: unknown[] = []
  await connect(workspace, async (envelope) => {
    heard.push(envelope.body['text'])
    await envelope.ack()
  })
  const held = workspace.deliveries.hold()
  const typed = ['first', 'second'].map((text) => workspace.as('U0ALICE').command('C0DEPLOYS', `/migrate ${text}`))
  await workspace.waitFor(() => held.held() === 2)
  held.release('reversed')
  expect(await Promise.all(typed)).toEqual([{ ok: true }, { ok: true }])
  expect(heard).toEqual(['second', 'first'])
})

test('a refresh and a cut both lead to a new connection of the real client', async () => {
  const workspace = await workspaceWith()
  await connect(workspace, (envelope) => envelope.ack())
  const opened = (): number => workspace.calls('apps.connections.open').length
  workspace.socket.refresh()
  await workspace.waitFor(() => opened() === 2 && workspace.socket.connections() === 1)
  workspace.socket.drop()
  await workspace.waitFor(() => opened() === 3 && workspace.socket.connections() === 1)
  expect(await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).toEqual({ ok: true })
})

test('an outage cuts the sockets and keeps them out until it is over', async () => {
  const workspace = await workspaceWith()
  await connect(workspace, (envelope) => envelope.ack())
  const outage = workspace.fault({ kind: 'outage', untilCleared: true })
  await workspace.waitFor(
    () => workspace.calls('apps.connections.open').some((call) => call.status === 500) && workspace.socket.connections() === 0,
  )
  expect(await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).toEqual({
    ok: false,
    error: '/migrate failed with the error "dispatch_failed"',
  })
  outage.clear()
  await workspace.waitFor(() => workspace.socket.connections() === 1)
  expect(await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).toEqual({ ok: true })
})

test('a command comes again as well when lost acknowledgements are asked for', async () => {
  const workspace = await workspaceWith({ ackMs: 50, redeliver: 'all' })
  const heard: Envelope[] = []
  await connect(workspace, async (envelope) => {
    heard.push(envelope)
    if (heard.length === 2) await envelope.ack()
  })
  await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate deploy prod')
  await workspace.waitFor(() => workspace.deliveries.log.length === 2)
  expect(workspace.deliveries.log.map((each) => [each.kind, each.retry, each.outcome.kind])).toEqual([
    ['slash_commands', 0, 'timeout'],
    ['slash_commands', 1, 'acked'],
  ])
  expect(new Set(heard.map((each) => each.envelope_id)).size).toBe(1)
})

test('a door to the socket opens once', async () => {
  const workspace = await workspaceWith()
  await connect(workspace, (envelope) => envelope.ack())
  const { url } = await clientOf(workspace, workspace.tokens.app).apps.connections.open({})
  const { WebSocket } = await import('ws')
  const knock = (): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url ?? '')
      socket.on('message', (data: Buffer) => {
        resolve(data.toString())
        socket.terminate()
      })
      socket.on('error', (error) => resolve(error.message))
    })
  expect(JSON.parse(await knock())).toMatchObject({ type: 'hello', num_connections: 2, connection_info: { app_id: 'A0LOCKKEEP' } })
  expect(await knock()).toBe('Unexpected server response: 408')
})

test('opening Home tells a Bolt app, and what it publishes is shown', async () => {
  const playground = await connectedApp({}, (app) => {
    app.event('app_home_opened', async ({ event, client }) => {
      await client.views.publish({
        user_id: event.user,
        view: { type: 'home', blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'Nothing waits' } }] },
      })
    })
  })
  open.push(playground.close)
  const { workspace } = playground
  await workspace.as('U0BOB').home()
  const home = await workspace.waitFor(() => workspace.home('U0BOB'))
  expect(home.view).toMatchObject({ type: 'home', blocks: [{ text: { text: 'Nothing waits' } }] })
  expect(workspace.home('U0ALICE')).toBeNull()
})

test('each delivery may come on every connection, and of its acknowledgements the last one may be heard', async () => {
  const workspace = await workspaceWith({ deliver: 'everywhere, last' })
  for (const text of ['first', 'second'])
    await connect(workspace, async (envelope) => {
      await workspace.waitFor(() => text === 'first' || workspace.calls('api.test').length > 0)
      await envelope.ack({ text })
      if (text === 'first') await clientOf(workspace).apiCall('api.test')
    })
  await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')
  expect(workspace.ephemerals('U0ALICE').map(({ text }) => text)).toEqual(['second'])
})

test('an acknowledgement may not arrive: the person is told that nobody answered', async () => {
  const workspace = await workspaceWith({ redeliver: 'all' })
  const heard: Envelope[] = []
  await connect(workspace, async (envelope) => {
    heard.push(envelope)
    await envelope.ack({ text: 'yes' })
  })
  workspace.deliveries.loseAcks()
  expect(await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).toEqual({
    ok: false,
    error: '/migrate failed with the error "operation_timeout"',
  })
  await workspace.waitFor(() => heard.length === 2)
  expect(heard.map(({ retry_num }) => retry_num ?? 0)).toEqual([0, 1])
  expect(workspace.ephemerals('U0ALICE')).toEqual([])
})

test('a response URL can be limited, worn out, slow, unwell, and keep its reply to itself', async () => {
  const workspace = await workspaceWith()
  const post = (url: string) =>
    fetch(url, { method: 'POST', body: '{"text":"hello"}', headers: { 'content-type': 'application/json' } }).then(
      async (answer) => `${answer.status} ${answer.headers.get('retry-after') ?? ''}${await answer.text()}`,
      () => 'cut',
    )
  const url = workspace.responseUrl('U0ALICE', 'C0DEPLOYS')
  const methods = ['response_url']
  const faults = [
    [{ kind: 'ratelimited', retryAfter: 7 }, '429 7{"ok":false,"error":"ratelimited"}', 0],
    [{ kind: 'error', error: 'expired_url' }, '404 {"ok":false,"error":"expired_url"}', 0],
    [{ kind: 'outage', how: 'http_500' }, '500 internal_error', 0],
    [{ kind: 'outage', how: 'connection_cut' }, 'cut', 0],
    [{ kind: 'lost-reply' }, 'cut', 1],
    [{ kind: 'slow', ms: 10 }, '200 ok', 2],
  ] as const
  for (const [fault, answer, said] of faults) {
    workspace.fault({ ...fault, methods })
    expect(await post(url)).toBe(answer)
    expect(workspace.ephemerals('U0ALICE')).toHaveLength(said)
  }
  for (const uses of [3, 4, 5]) expect(`${uses}: ${await post(url)}`).toBe(`${uses}: 200 ok`)
  expect(await post(url)).toBe('404 {"ok":false,"error":"used_url"}')
})
