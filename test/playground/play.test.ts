import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWorkspace, type Workspace } from '../../playground/server/workspace.ts'
import { clientOf } from './bolt-app.ts'
import { listen, type Listener } from './listener.ts'

let directory: string
let listener: Listener
let workspace: Workspace
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'playground-page-'))
  await mkdir(join(directory, 'assets'))
  await writeFile(join(directory, 'index.html'), '<title>Playground</title>')
  await writeFile(join(directory, 'assets', 'page.js'), 'export {}')
  listener = await listen()
  workspace = await startWorkspace({ requestUrl: listener.url, pageDirectory: directory })
})
afterEach(async () => {
  await workspace.close()
  await listener.close()
  await rm(directory, { recursive: true })
})

const post = async (verb: string, body: object): Promise<unknown> =>
  (
    await fetch(`${workspace.url}/play/${verb}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  ).json()
const text = (value: string) => ({ type: 'plain_text' as const, text: value })

test('the state shows the workspace as its people see it', async () => {
  await clientOf(workspace).chat.postMessage({ channel: 'C0DEPLOYS', text: 'card' })
  const state = await (await fetch(`${workspace.url}/play/state`)).json()
  expect(state).toEqual(JSON.parse(JSON.stringify(workspace.state())))
  expect(state).toMatchObject({
    workspace: { id: 'T0HARBOR' },
    bot: { user: 'U0LOCKBOT', name: 'lockkeeper', connected: true, mode: 'http', outage: null },
    groups: [{ handle: 'dba', members: ['U0BOB', 'U0CAROL'] }],
    messages: [{ channel: 'C0DEPLOYS', user: 'U0LOCKBOT', text: 'card', ephemeralTo: null, files: [] }],
  })
  expect(workspace.state().people.map((each) => each.name)).toEqual([
    'alice',
    'bob',
    'carol',
    'dave',
    'gina',
    'xavier',
    'zoe',
    'lockkeeper',
  ])
  expect(
    workspace
      .state()
      .channels.filter((each) => each.direct === null)
      .map((each) => each.name),
  ).toEqual(['deploys', 'general', 'prod-changes'])
})

test('each change is told as an event', async () => {
  const stop = new AbortController()
  const response = await fetch(`${workspace.url}/play/events`, { signal: stop.signal })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  const first = await reader?.read()
  workspace.as('U0ALICE').say('C0DEPLOYS', 'hello')
  const second = await reader?.read()
  expect(first?.value).toMatch(/^data: \{"revision":\d+\}\n\n$/)
  expect(second?.value).toContain(`{"revision":${workspace.state().revision}}`)
  stop.abort()
})

test('a person can say, command, click, open Home, submit and close over HTTP', async () => {
  expect(await post('say', { person: 'U0ALICE', channel: 'C0DEPLOYS', text: 'hello' })).toEqual({ ok: true })
  expect(await post('command', { person: 'U0ALICE', channel: 'C0DEPLOYS', text: '/migrate deploy prod' })).toEqual({ ok: true })
  const view = {
    type: 'modal' as const,
    title: text('Why'),
    submit: text('Send'),
    blocks: [
      { type: 'input' as const, block_id: 'why', label: text('Why'), element: { type: 'plain_text_input' as const, action_id: 'text' } },
    ],
  }
  const client = clientOf(workspace)
  await client.views.open({ trigger_id: String(listener.heard.at(-1)?.payload['trigger_id']), view })
  const viewId = workspace.state().modals[0]?.viewId
  expect(
    await post('submit', { person: 'U0ALICE', viewId, values: { why: { text: { type: 'plain_text_input', value: 'Because' } } } }),
  ).toEqual({ ok: true })
  expect(listener.heard.at(-1)?.payload).toMatchObject({
    type: 'view_submission',
    view: { state: { values: { why: { text: { value: 'Because' } } } } },
  })
  await client.apiCall('chat.postMessage', {
    channel: 'C0DEPLOYS',
    text: 'card',
    blocks: [{ type: 'actions', block_id: 'a', elements: [{ type: 'button', action_id: 'go', text: text('Go'), value: '1' }] }],
  })
  const card = workspace.messages('C0DEPLOYS').at(-1)
  expect(await post('click', { person: 'U0BOB', container: { channel: 'C0DEPLOYS', ts: card?.ts }, blockId: 'a', actionId: 'go' })).toEqual(
    { ok: true },
  )
  expect(listener.heard.at(-1)?.payload).toMatchObject({ actions: [{ value: '1' }] })
  expect(await post('home', { person: 'U0BOB' })).toEqual({ ok: true })
  expect(listener.heard.at(-1)?.payload).toMatchObject({ event: { type: 'app_home_opened', user: 'U0BOB', tab: 'home' } })
  expect(await post('close', { person: 'U0ALICE', viewId })).toEqual({ ok: false, error: 'That is no longer open.' })
  expect(await post('say', { person: 'U0DAVE', channel: 'C0PROD', text: 'hello' })).toEqual({
    ok: false,
    error: 'You are not in this conversation.',
  })
  expect(await post('dance', { person: 'U0DAVE' })).toEqual({ ok: false, error: 'There is no /play/dance.' })
})

test('a form of another site cannot act for a person', async () => {
  const response = await fetch(`${workspace.url}/play/say`, {
    method: 'POST',
    body: new URLSearchParams({ person: 'U0ALICE', channel: 'C0DEPLOYS', text: 'x' }),
  })
  expect([response.status, workspace.messages('C0DEPLOYS')]).toEqual([400, []])
})

test('the page is served with its files, permalinks lead to it, and nothing outside its directory is', async () => {
  const get = async (path: string): Promise<[number, string, string]> => {
    const response = await fetch(workspace.url + path)
    return [response.status, response.headers.get('content-type') ?? '', await response.text()]
  }
  const page = [200, 'text/html; charset=utf-8', '<title>Playground</title>']
  expect(await get('/')).toEqual(page)
  expect(await get('/archives/C0DEPLOYS/p1763622000000001')).toEqual(page)
  expect(await get('/assets/page.js')).toEqual([200, 'text/javascript; charset=utf-8', 'export {}'])
  expect((await get('/assets/none.js'))[0]).toBe(404)
  expect((await get('/..%2f..%2fetc%2fpasswd.txt'))[0]).toBe(404)
})
