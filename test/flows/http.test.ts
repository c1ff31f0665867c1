import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { applied } from '../helpers/target.ts'

/** A whole run starts a dozen real programs; on a busy machine that takes longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000 })

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({ mode: 'http', pending: 1 })
})
afterAll(() => flow?.close())

test('over signed HTTP: from the command to the proof', async () => {
  const request = await flow.ask('deploy prod')
  expect(await flow.approve(request.id)).toBe('the window closed')
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.thread(request.id).at(-1)).toBe('[file] The whole log (request-1-prod.log)')
  expect((await applied(flow.database.url)).at(-1)).toBe('20261120084500_index_orders_discount')
})

test('what is not signed, signed by another, or old is not read', async () => {
  const config = JSON.parse(await readFile(flow.configPath, 'utf8')) as { readonly slack: { readonly port: number } }
  const url = `http://127.0.0.1:${config.slack.port}/slack/events`
  const body = new URLSearchParams({
    command: '/migrate',
    text: 'deploy prod',
    team_id: 'T0HARBOR',
    user_id: 'U0ALICE',
    channel_id: 'C0DEPLOYS',
    channel_name: 'deploys',
    trigger_id: '1.2.3',
    response_url: 'http://127.0.0.1:1/',
  }).toString()
  const send = async (headers: Record<string, string>) =>
    (await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } })).status
  const now = Math.floor(Date.now() / 1000)
  expect(await send({})).toBe(401)
  expect(await send({ ...flow.slack.sign(body), 'x-slack-signature': `v0=${'0'.repeat(64)}` })).toBe(401)
  expect(await send(flow.slack.sign(body, now - 301))).toBe(401)
  expect(await send(flow.slack.sign(body, now + 301))).toBe(401)
  expect(await flow.store.query(`select 1 from lockkeeper.request where id > 1`)).toEqual([])
})
