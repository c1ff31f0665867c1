import { App, HTTPReceiver } from '@slack/bolt'
import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { startWorkspace, type Workspace } from '../../playground/server/workspace.ts'
import { silent } from './bolt-app.ts'
import { listen } from './listener.ts'

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

async function httpApp(signingSecret?: string): Promise<{ readonly workspace: Workspace; readonly app: App; readonly url: string }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/slack/events`
  const workspace = await startWorkspace({ requestUrl: url })
  open.push(workspace.close)
  const receiver = new HTTPReceiver({ signingSecret: signingSecret ?? workspace.tokens.signingSecret, logger: silent })
  const app = new App({ token: workspace.tokens.bot, receiver, clientOptions: { slackApiUrl: workspace.apiUrl }, logger: silent })
  await app.start({ port, host: '127.0.0.1' })
  open.push(() => app.stop())
  return { workspace, app, url }
}

test('a Bolt app in HTTP mode takes signed commands, clicks and events', async () => {
  const { workspace, app } = await httpApp()
  const heard: string[] = []
  app.command('/migrate', async ({ ack, command, client }) => {
    heard.push(command.text)
    await ack({ text: 'on its way' })
    await client.chat.postMessage({
      channel: command.channel_id,
      text: 'card',
      blocks: [
        {
          type: 'actions',
          elements: [{ type: 'button', action_id: 'approve', text: { type: 'plain_text', text: 'Approve' }, value: 'r_1' }],
        },
      ],
    })
  })
  app.action('approve', async ({ ack, body }) => {
    heard.push(body.user.id)
    await ack()
  })
  app.event('app_home_opened', ({ event }) => {
    heard.push(`home of ${event.user}`)
    return Promise.resolve()
  })
  expect(await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate deploy prod')).toEqual({ ok: true })
  expect(workspace.ephemerals('U0ALICE')).toMatchObject([{ text: 'on its way' }])
  const card = await workspace.waitFor(() => workspace.messages('C0DEPLOYS')[0])
  expect(await workspace.as('U0BOB').click(card, 'approve')).toEqual({ ok: true })
  await workspace.as('U0CAROL').home()
  await expect.poll(() => heard).toEqual(['deploy prod', 'U0BOB', 'home of U0CAROL'])
})

test('an app with another signing secret refuses, and the person is told', async () => {
  const { workspace } = await httpApp('another-secret')
  expect(await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).toEqual({
    ok: false,
    error: '/migrate failed with the error "dispatch_failed"',
  })
})

test('the signature is what Slack documents, and tests can sign at other times', async () => {
  const { workspace, app, url } = await httpApp()
  app.command('/migrate', ({ ack }) => ack())
  const body = 'command=%2Fmigrate&text=status'
  const send = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } })).status
  expect(await send(workspace.sign(body, Math.floor(Date.now() / 1000) - 301))).toBe(401)
  expect(await send({})).toBe(401)
  expect(await send(workspace.sign(body))).toBe(200)
})

test('a delivery can come twice, and an event that fails comes again with its count', async () => {
  const listener = await listen()
  open.push(listener.close)
  const workspace = await startWorkspace({ requestUrl: listener.url, ackMs: 200 })
  open.push(workspace.close)
  workspace.deliveries.repeat('twice')
  await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')
  expect(listener.heard).toHaveLength(2)
  expect(listener.heard[0]?.body).toBe(listener.heard[1]?.body)
  listener.answer = { status: 500, body: '' }
  await workspace.as('U0ALICE').home()
  await workspace.waitFor(() => workspace.deliveries.log.length === 5)
  expect(listener.heard.slice(2).map((each) => each.headers['x-slack-retry-num'])).toEqual([undefined, '1', '2', '3'])
})

test('an address where nobody listens is told apart from one that is slow', async () => {
  const workspace = await startWorkspace({ requestUrl: `http://127.0.0.1:${await freePort()}/slack/events` })
  open.push(workspace.close)
  expect(await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).toEqual({
    ok: false,
    error: '/migrate failed with the error "dispatch_failed"',
  })
  const silentServer = createServer(() => undefined)
  await new Promise<void>((resolve) => silentServer.listen(0, '127.0.0.1', resolve))
  open.push(() => {
    silentServer.closeAllConnections()
    return new Promise((resolve) => silentServer.close(resolve))
  })
  const address = silentServer.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const slow = await startWorkspace({ requestUrl: `http://127.0.0.1:${port}/`, ackMs: 50 })
  open.push(slow.close)
  expect(await slow.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).toEqual({
    ok: false,
    error: '/migrate failed with the error "operation_timeout"',
  })
})
