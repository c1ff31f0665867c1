import { afterEach, expect, test } from 'vitest'
import { connectedApp, type Playground } from './bolt-app.ts'

let playground: Playground | null = null
afterEach(async () => {
  await playground?.close()
  playground = null
})

test('a command, a card, a click and an edit go round through real Bolt over Socket Mode', async () => {
  playground = await connectedApp({}, (app) => {
    app.command('/migrate', async ({ ack, client, command }) => {
      await ack()
      await client.chat.postMessage({
        channel: command.channel_id,
        text: `asked: ${command.text}`,
        blocks: [
          { type: 'section', text: { type: 'mrkdwn', text: command.text } },
          {
            type: 'actions',
            elements: [{ type: 'button', action_id: 'approve', text: { type: 'plain_text', text: 'Approve' }, value: 'r_1' }],
          },
        ],
      })
    })
    app.action('approve', async ({ ack, client, body, action }) => {
      await ack()
      if (body.type !== 'block_actions' || action.type !== 'button') return
      await client.chat.update({
        channel: body.channel?.id ?? '',
        ts: body.message?.ts ?? '',
        text: `approved ${action.value} by ${body.user.id}`,
      })
    })
  })
  const { workspace } = playground
  expect(await workspace.as('U0ALICE').command('C0DEPLOYS', '/migrate deploy prod @bob')).toEqual({ ok: true })
  const card = await workspace.waitFor(() => workspace.messages('C0DEPLOYS')[0])
  expect(card.text).toBe('asked: deploy prod <@U0BOB|bob>')
  expect(await workspace.as('U0BOB').click(card, 'approve')).toEqual({ ok: true })
  await workspace.waitFor(() => workspace.message('C0DEPLOYS', card.ts)?.text === 'approved r_1 by U0BOB')
  expect(workspace.message('C0DEPLOYS', card.ts)?.blocks).toEqual([])
  expect(workspace.calls().map((call) => call.method)).toEqual(
    expect.arrayContaining(['apps.connections.open', 'chat.postMessage', 'chat.update']),
  )
})
