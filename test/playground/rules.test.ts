import { WebAPIPlatformError } from '@slack/web-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rules, type Rule, type Scene } from '../../playground/server/rules.ts'
import { defaultSeed } from '../../playground/server/seed.ts'
import { startWorkspace, type Workspace } from '../../playground/server/workspace.ts'
import { clientOf } from './bolt-app.ts'
import { listen, type Listener } from './listener.ts'

let listener: Listener
beforeAll(async () => {
  listener = await listen()
})
afterAll(() => listener.close())

describe.each(['form', 'json'] as const)('Slack refuses, sent as %s:', (encoding) => {
  test.each(rules.map((rule): [string, Rule] => [`${rule.method} with ${rule.bad}: ${rule.error}`, rule]))('%s', async (_, rule) => {
    const clock = { now: Date.UTC(2026, 10, 20, 7, 0, 0) }
    const workspace = await startWorkspace({ requestUrl: listener.url, now: () => clock.now, seed: { ...defaultSeed, ...rule.seed } })
    try {
      const scene = await setTheScene(workspace, clock)
      await rule.given?.(workspace)
      const args = typeof rule.args === 'function' ? rule.args(scene) : rule.args
      const answer = encoding === 'form' ? await asForm(workspace, rule, args) : await asJson(workspace, rule, args)
      expect(answer).toMatchObject({ ok: false, error: rule.error, ...rule.also })
      const lines = rule.message === undefined ? [] : [rule.message]
      expect(messagesOf(answer)).toEqual(expect.arrayContaining(lines))
    } finally {
      await workspace.close()
    }
  })
})

test('every rule says where it is written', () => {
  expect(rules.filter((rule) => !/^(docs\.slack\.dev\/|slack\.md)/.test(rule.source))).toEqual([])
  expect(rules.length).toBeGreaterThan(120)
})

test('the messages that the rules are about are accepted when they are right', async () => {
  const workspace = await startWorkspace()
  try {
    const client = clientOf(workspace)
    await expect(client.chat.postMessage({ channel: 'C0DEPLOYS', text: 'x'.repeat(40_000) })).resolves.toMatchObject({ ok: true })
    const divider = { type: 'divider' }
    await expect(
      client.chat.postMessage({ channel: 'C0DEPLOYS', text: 'x', blocks: Array.from({ length: 50 }, () => divider) }),
    ).resolves.toMatchObject({ ok: true })
    const longest = { type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(3000) } }
    await expect(client.chat.postMessage({ channel: 'C0DEPLOYS', text: 'x', blocks: [longest] })).resolves.toMatchObject({ ok: true })
  } finally {
    await workspace.close()
  }
})

async function setTheScene(workspace: Workspace, clock: { now: number }): Promise<Scene> {
  const client = clientOf(workspace)
  const alice = workspace.as('U0ALICE')
  const trigger = async (): Promise<string> => {
    const { length } = listener.heard
    expect(await alice.command('C0DEPLOYS', '/migrate help')).toEqual({ ok: true })
    return String(listener.heard[length]?.payload['trigger_id'])
  }
  const posted = await client.chat.postMessage({ channel: 'C0DEPLOYS', text: 'a card' })
  const ephemeral = await client.chat.postEphemeral({ channel: 'C0DEPLOYS', user: 'U0ALICE', text: 'only you' })
  alice.say('C0DEPLOYS', 'hello')
  const expiredTrigger = await trigger()
  clock.now += 3_001
  const usedTrigger = await trigger()
  const view = { type: 'modal' as const, title: { type: 'plain_text' as const, text: 'Open' }, external_id: 'taken', blocks: [] }
  const opened = await client.views.open({ trigger_id: usedTrigger, view })
  await client.views.publish({ user_id: 'U0ALICE', view: { type: 'home', blocks: [] } })
  const theirs = workspace.messages('C0DEPLOYS').find((message) => message.user === 'U0ALICE')?.ts ?? ''
  return {
    ts: posted.ts ?? '',
    theirs,
    ephemeral: ephemeral.message_ts ?? '',
    expiredTrigger,
    usedTrigger,
    trigger: await trigger(),
    viewId: opened.view?.id ?? '',
  }
}

function tokenOf(workspace: Workspace, rule: Rule): string | undefined {
  if (rule.token === 'none') return undefined
  return rule.token === 'wrong' ? 'xoxb-somebody-else' : workspace.tokens[rule.token ?? 'bot']
}

async function asForm(workspace: Workspace, rule: Rule, args: Readonly<Record<string, unknown>>): Promise<unknown> {
  const token = tokenOf(workspace, rule)
  try {
    return await clientOf(workspace, token ?? '').apiCall(rule.method, { ...args })
  } catch (error) {
    if (error instanceof WebAPIPlatformError) return error.data
    throw error
  }
}

async function asJson(workspace: Workspace, rule: Rule, args: Readonly<Record<string, unknown>>): Promise<unknown> {
  const token = tokenOf(workspace, rule)
  const response = await fetch(workspace.apiUrl + rule.method, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(args),
  })
  return response.json()
}

function messagesOf(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('response_metadata' in answer)) return []
  const { response_metadata: detail } = answer
  return typeof detail === 'object' && detail !== null && 'messages' in detail ? detail.messages : []
}
