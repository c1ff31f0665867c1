import { App } from '@slack/bolt'
import { afterEach, expect, test } from 'vitest'
import { startWorkspace, type Workspace } from '../../../playground/server/workspace.ts'
import { createLog } from '../../../src/lib/log.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { createSocketReceiver } from '../../../src/slack/client/socket.ts'
import { until } from '../../helpers/until.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

test('two connections are held, and when Slack closes both at once they are back within 2 s', async () => {
  const { slack, answered } = await start()
  await slack.waitFor(() => slack.socket.connections() === 2)
  expect(await slack.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).toEqual({ ok: true })
  slack.socket.drop()
  await slack.waitFor(() => slack.socket.connections() < 2)
  await until('both are back', () => slack.socket.connections() === 2, 2_000)
  expect(await slack.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).toEqual({ ok: true })
  expect(answered()).toBe(2)
})

test('after it was stopped nothing listens any more, also when it was just connecting', async () => {
  const { slack, stop } = await start()
  await stop()
  await until('Slack sees it', () => slack.socket.connections() === 0)
  expect((await slack.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).ok).toBe(false)
})

test('an outage of Slack, by errors or by cut connections, ends nothing: the connections come back by themselves', async () => {
  const { slack, answered } = await start()
  await slack.waitFor(() => slack.socket.connections() === 2)
  for (const how of ['http_500', 'connection_cut'] as const) {
    const outage = slack.fault({ kind: 'outage', how, untilCleared: true })
    await until('they are gone', () => slack.socket.connections() === 0)
    outage.clear()
    await until('they are back', () => slack.socket.connections() === 2)
  }
  expect(await slack.as('U0ALICE').command('C0DEPLOYS', '/migrate status')).toEqual({ ok: true })
  expect(answered()).toBe(1)
})

test('a token that is revoked while connected is told and tried again, not thrown into the void', async () => {
  const { slack, log } = await start()
  await slack.waitFor(() => slack.socket.connections() === 2)
  slack.revokeToken('app')
  slack.socket.drop()
  await until('it is told', () => log().includes('Slack cannot be reached for events'))
  slack.restoreToken('app')
  await until('they are back', () => slack.socket.connections() === 2)
  expect(log()).toContain('"level":50')
})

test('a wrong app token ends the start instead of being tried for ever', async () => {
  const slack = await startWorkspace()
  closing.push(slack.close)
  const receiver = createSocketReceiver({ appToken: 'xapp-1-wrong', apiUrl: slack.apiUrl, log: createLog(createRedactor([]), 'silent') })
  closing.push(() => receiver.stop())
  await expect(receiver.start()).rejects.toThrow('invalid_auth')
})

async function start() {
  const slack: Workspace = await startWorkspace({ rateLimits: false })
  closing.push(slack.close)
  const lines: string[] = []
  const sink = { write: (line: string) => lines.push(line) > 0 } as unknown as NodeJS.WritableStream // pino only writes
  const receiver = createSocketReceiver({
    appToken: slack.tokens.app,
    apiUrl: slack.apiUrl,
    log: createLog(createRedactor([]), 'warn', sink),
  })
  const app = new App({
    receiver,
    authorize: () => Promise.resolve({ botToken: slack.tokens.bot }),
    clientOptions: { slackApiUrl: slack.apiUrl },
  })
  let count = 0
  app.command('/migrate', async ({ ack }) => {
    count++
    await ack({ response_type: 'ephemeral', text: 'here' })
  })
  closing.push(() => receiver.stop())
  await receiver.start()
  return { slack, stop: () => receiver.stop(), answered: () => count, log: () => lines.join('') }
}
