import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWorkspace, type Workspace } from '../../playground/server/workspace.ts'
import { clientOf } from './bolt-app.ts'
import { listen, type Listener } from './listener.ts'

/** Over the signed request URL, where the test sees each payload and answers as it likes. */

const clock = { now: Date.UTC(2026, 10, 20, 7, 0, 0) }
let workspace: Workspace
let listener: Listener
beforeEach(async () => {
  listener = await listen()
  workspace = await startWorkspace({ requestUrl: listener.url, now: () => clock.now })
})
afterEach(async () => {
  await workspace.close()
  await listener.close()
})

const text = (value: string) => ({ type: 'plain_text' as const, text: value })
const why = {
  type: 'input' as const,
  block_id: 'why',
  label: text('Why'),
  element: { type: 'plain_text_input' as const, action_id: 'text', max_length: 20 },
}
const target = {
  type: 'input' as const,
  block_id: 'target',
  label: text('Target'),
  element: {
    type: 'static_select' as const,
    action_id: 'pick',
    options: [
      { text: text('Production'), value: 'prod' },
      { text: text('Staging'), value: 'staging' },
    ],
    initial_option: { text: text('Staging'), value: 'staging' },
  },
}
const reject = {
  type: 'modal' as const,
  callback_id: 'reject',
  private_metadata: 'r_1',
  title: text('Reject'),
  submit: text('Reject'),
  blocks: [why, target],
}
const last = (): Record<string, unknown> => listener.heard.at(-1)?.payload ?? {}

async function openModal(view: object = reject): Promise<string> {
  await workspace.as('U0BOB').command('C0DEPLOYS', '/migrate reject')
  const opened = await clientOf(workspace).apiCall('views.open', { trigger_id: last()['trigger_id'], view })
  const modal = workspace.modal('U0BOB')
  if (!modal || !opened.ok) throw new Error('no modal opened')
  return modal.viewId
}

const answerWith = (body: object | string): void => {
  listener.answer = { status: 200, body: typeof body === 'string' ? body : JSON.stringify(body) }
}

test('a submission carries what was typed and what stood there, and closes the modal', async () => {
  const viewId = await openModal()
  expect(await workspace.as('U0BOB').submit(viewId, { why: { text: 'Too late today' } })).toEqual({ ok: true })
  expect(last()).toMatchObject({
    type: 'view_submission',
    user: { id: 'U0BOB', team_id: 'T0HARBOR' },
    view: {
      id: viewId,
      callback_id: 'reject',
      private_metadata: 'r_1',
      state: {
        values: {
          why: { text: { type: 'plain_text_input', value: 'Too late today' } },
          target: { pick: { type: 'static_select', selected_option: { value: 'staging' } } },
        },
      },
    },
  })
  expect(workspace.modal('U0BOB')).toBeNull()
})

test('a required field that is empty or too long is marked before anything is sent', async () => {
  const viewId = await openModal()
  const before = listener.heard.length
  const bob = workspace.as('U0BOB')
  expect(await bob.submit(viewId)).toEqual({ ok: false, error: 'Please fix the fields that are marked.' })
  expect(workspace.modal('U0BOB')?.errors).toEqual({ why: 'Please complete this required field.' })
  await bob.submit(viewId, { why: { text: 'x'.repeat(21) } })
  expect(workspace.modal('U0BOB')?.errors).toEqual({ why: 'Please enter at most 20 characters.' })
  expect(listener.heard).toHaveLength(before)
})

test('errors of the app stand at their fields, and errors for other fields are trouble', async () => {
  const viewId = await openModal()
  const bob = workspace.as('U0BOB')
  const values = { why: { text: 'No' } }
  answerWith({ response_action: 'errors', errors: { why: 'Say more.' } })
  expect(await bob.submit(viewId, values)).toEqual({ ok: true })
  expect(workspace.modal('U0BOB')?.errors).toEqual({ why: 'Say more.' })
  answerWith({ response_action: 'errors', errors: { elsewhere: 'x' } })
  expect(await bob.submit(viewId, values)).toEqual({ ok: false, error: 'We had some trouble connecting. Try again?' })
})

test('an acknowledgement may replace the view, push another or close them all', async () => {
  const viewId = await openModal()
  const bob = workspace.as('U0BOB')
  const values = { why: { text: 'No' } }
  answerWith({ response_action: 'push', view: { ...reject, title: text('Sure?') } })
  await bob.submit(viewId, values)
  const pushed = workspace.modal('U0BOB')
  expect(pushed?.view['title']).toEqual(text('Sure?'))
  answerWith({ response_action: 'update', view: { ...reject, title: text('Really?') } })
  await bob.submit(pushed?.viewId ?? '', values)
  expect(workspace.modal('U0BOB')).toMatchObject({ viewId: pushed?.viewId, view: { title: text('Really?') } })
  answerWith({ response_action: 'clear' })
  await bob.submit(pushed?.viewId ?? '', values)
  expect(workspace.modal('U0BOB')).toBeNull()
})

test('a view in an acknowledgement that Slack would refuse is trouble for the person', async () => {
  const viewId = await openModal()
  answerWith({ response_action: 'update', view: { ...reject, title: text('x'.repeat(25)) } })
  expect(await workspace.as('U0BOB').submit(viewId, { why: { text: 'No' } })).toEqual({
    ok: false,
    error: 'We had some trouble connecting. Try again?',
  })
  expect(workspace.modal('U0BOB')?.view['title']).toEqual(text('Reject'))
})

test('an app that fails leaves the modal open', async () => {
  const viewId = await openModal()
  listener.answer = { status: 500, body: '' }
  expect(await workspace.as('U0BOB').submit(viewId, { why: { text: 'No' } })).toEqual({
    ok: false,
    error: 'We had some trouble connecting. Try again?',
  })
  expect(workspace.modal('U0BOB')?.viewId).toBe(viewId)
})

test('closing tells the app only when it asked for that', async () => {
  const bob = workspace.as('U0BOB')
  const quiet = await openModal()
  const before = listener.heard.length
  await bob.close(quiet)
  expect(listener.heard).toHaveLength(before)
  await bob.close(await openModal({ ...reject, notify_on_close: true }))
  expect(last()).toMatchObject({ type: 'view_closed', is_cleared: false, view: { callback_id: 'reject' } })
  expect(workspace.modal('U0BOB')).toBeNull()
})

test('a button in a modal can push a view, three are the limit, and closing leads back', async () => {
  const view = {
    type: 'modal' as const,
    title: text('One'),
    blocks: [{ type: 'actions', elements: [{ type: 'button', action_id: 'more', text: text('More') }] }],
  }
  const root = await openModal(view)
  const client = clientOf(workspace)
  const push = async (): Promise<unknown> => {
    await workspace.as('U0BOB').click({ viewId: workspace.modal('U0BOB')?.viewId ?? '' }, 'more')
    expect(last()).toMatchObject({
      type: 'block_actions',
      container: { type: 'view' },
      view: { root_view_id: root },
      actions: [{ action_id: 'more' }],
    })
    return client.apiCall('views.push', { trigger_id: last()['trigger_id'], view })
  }
  await push()
  await push()
  await expect(push()).rejects.toMatchObject({ data: { error: 'push_limit_reached' } })
  await workspace.as('U0BOB').close(workspace.modal('U0BOB')?.viewId ?? '')
  await workspace.as('U0BOB').close(workspace.modal('U0BOB')?.viewId ?? '')
  expect(workspace.modal('U0BOB')?.viewId).toBe(root)
})

test('a click carries the value, the state of the inputs, the message and who clicked', async () => {
  const button = { type: 'button', action_id: 'approve', text: text('Approve'), value: 'r_1', style: 'primary' }
  const menu = { type: 'static_select', action_id: 'more', options: [{ text: text('Show'), value: 'show' }] }
  await clientOf(workspace).apiCall('chat.postMessage', {
    channel: 'C0DEPLOYS',
    text: 'card',
    blocks: [{ type: 'actions', block_id: 'decide', elements: [button, menu] }],
  })
  const card = workspace.messages('C0DEPLOYS')[0]
  if (!card) throw new Error('no card')
  await workspace.as('U0XAVIER').click(card, 'approve')
  expect(last()).toMatchObject({
    type: 'block_actions',
    user: { id: 'U0XAVIER', team_id: 'T0PARTNER' },
    team: { id: 'T0HARBOR' },
    container: { type: 'message', channel_id: 'C0DEPLOYS', message_ts: card.ts, is_ephemeral: false },
    channel: { id: 'C0DEPLOYS', name: 'deploys' },
    message: { ts: card.ts, text: 'card' },
    state: { values: { decide: { more: { type: 'static_select', selected_option: null } } } },
    actions: [{ type: 'button', action_id: 'approve', block_id: 'decide', value: 'r_1', style: 'primary' }],
    response_url: expect.stringContaining('/response/'),
  })
  await workspace.as('U0BOB').click(card, 'more', { selected: 'show' })
  expect(last()).toMatchObject({ actions: [{ type: 'static_select', selected_option: { value: 'show' } }] })
  await clientOf(workspace).chat.update({ channel: 'C0DEPLOYS', ts: card.ts, text: 'decided' })
  expect(await workspace.as('U0BOB').click(card, 'approve')).toEqual({ ok: false, error: 'That is no longer there.' })
  expect(await workspace.as('U0BOB').click(card, 'approve', { stale: { value: 'r_1' } })).toEqual({ ok: true })
  expect(last()).toMatchObject({ actions: [{ action_id: 'approve', value: 'r_1' }] })
})

test('a button in a container is found and has a block id of its own', async () => {
  const row = { type: 'actions', elements: [{ type: 'button', action_id: 'inner', text: text('In'), value: 'r_2' }] }
  const blocks = [{ type: 'container', title: text('Run'), child_blocks: [row] }]
  await clientOf(workspace).apiCall('chat.postMessage', { channel: 'C0DEPLOYS', text: 'card', blocks })
  const card = workspace.messages('C0DEPLOYS')[0]
  if (!card) throw new Error('no card')
  expect(await workspace.as('U0BOB').click(card, 'inner')).toEqual({ ok: true })
  expect(last()).toMatchObject({ actions: [{ action_id: 'inner', value: 'r_2', block_id: expect.stringMatching(/^b0\w+$/) }] })
})

test('a response URL works five times, for the asker alone unless it says otherwise', async () => {
  await workspace.as('U0BOB').command('C0DEPLOYS', '/migrate status')
  const url = String(last()['response_url'])
  const respond = async (body: object): Promise<[number, string]> => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    return [response.status, await response.text()]
  }
  for (let count = 1; count <= 4; count += 1) expect(await respond({ text: `answer ${count}` })).toEqual([200, 'ok'])
  expect(await respond({ text: 'for all', response_type: 'in_channel' })).toEqual([200, 'ok'])
  expect(await respond({ text: 'a sixth' })).toEqual([404, '{"ok":false,"error":"used_url"}'])
  expect(workspace.ephemerals('U0BOB')).toHaveLength(4)
  expect(workspace.messages('C0DEPLOYS').map((each) => each.text)).toEqual(['for all'])
})

test('a response URL expires, and answers to a click replace or delete its message', async () => {
  const blocks = [{ type: 'actions', elements: [{ type: 'button', action_id: 'go', text: text('Go') }] }]
  await clientOf(workspace).apiCall('chat.postEphemeral', { channel: 'C0DEPLOYS', user: 'U0BOB', text: 'sure?', blocks })
  const asked = workspace.ephemerals('U0BOB')[0]
  if (!asked) throw new Error('nothing was asked')
  await workspace.as('U0BOB').click(asked, 'go')
  expect(last()).not.toHaveProperty('message')
  expect(last()).toMatchObject({ container: { is_ephemeral: true } })
  const send = (body: object) =>
    fetch(String(last()['response_url']), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  await send({ replace_original: true, text: 'done' })
  expect(workspace.ephemerals('U0BOB')).toMatchObject([{ text: 'done', blocks: [] }])
  await send({ delete_original: true })
  expect(workspace.ephemerals('U0BOB')).toEqual([])
  clock.now += 30 * 60_000 + 1
  expect(await (await send({ text: 'late' })).json()).toEqual({ ok: false, error: 'expired_url' })
})

test('a click on Home may come without its view', async () => {
  const blocks = [{ type: 'actions', elements: [{ type: 'button', action_id: 'show', text: text('Show'), value: 'r_1' }] }]
  await clientOf(workspace).apiCall('views.publish', { user_id: 'U0BOB', view: { type: 'home', private_metadata: 'm', blocks } })
  const viewId = workspace.home('U0BOB')?.viewId ?? ''
  await workspace.as('U0BOB').click({ viewId }, 'show')
  expect(last()).toMatchObject({
    container: { type: 'view', view_id: viewId },
    view: { type: 'home', private_metadata: 'm' },
    actions: [{ value: 'r_1' }],
  })
  await workspace.as('U0BOB').click({ viewId }, 'show', { withoutView: true })
  expect(last()).not.toHaveProperty('view')
  expect(await workspace.as('U0ALICE').click({ viewId }, 'show')).toEqual({ ok: false, error: 'That is no longer open.' })
})

test('views.update keeps the view and changes its hash', async () => {
  const viewId = await openModal()
  const client = clientOf(workspace)
  const first = await client.views.update({ view_id: viewId, view: reject })
  const second = await client.views.update({ view_id: viewId, hash: first.view?.hash ?? '', view: { ...reject, title: text('New') } })
  expect(second.view?.hash).not.toBe(first.view?.hash)
  expect(workspace.modal('U0BOB')?.view['title']).toEqual(text('New'))
  await expect(client.views.update({ view_id: viewId, hash: first.view?.hash ?? '', view: reject })).rejects.toMatchObject({
    data: { error: 'hash_conflict' },
  })
})
