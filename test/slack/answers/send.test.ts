import { describe, expect, test } from 'vitest'
import type { AnswerRow } from '../../../src/slack/answers/rows.ts'
import { createSeal } from '../../../src/slack/answers/sealed.ts'
import { sendAnswer, type AnswerSlack } from '../../../src/slack/answers/send.ts'
import type { Sent } from '../../../src/slack/port.ts'

const view = { type: 'modal', blocks: [] } as const
const row = (change: Partial<AnswerRow> = {}): AnswerRow => ({
  id: 'a1',
  kind: 'command',
  account: 'U0ALICE',
  channel: 'C0DEPLOYS',
  thread: null,
  view: null,
  responseUrl: 'sealed',
  said: { message: { text: 'yes' }, view },
  parts: 0,
  promised: null,
  tries: 0,
  ageMs: 0,
  ...change,
})

const refused = (error: string): Sent<never> => ({ kind: 'refused', error })

/** Remembers what is asked of Slack, which answers as `how` says and else takes everything. */
function slackWith(how: Partial<Record<keyof AnswerSlack, readonly (Sent<never> | 'taken')[]>> = {}) {
  const asked: string[] = []
  const left = new Map(Object.entries(how).map(([name, answers]) => [name, [...answers]]))
  const answer = <T>(name: string, value: T): Promise<Sent<T>> => {
    asked.push(name)
    const next = left.get(name)?.shift() ?? 'taken'
    return Promise.resolve(next === 'taken' ? { kind: 'ok', value } : next)
  }
  const slack: AnswerSlack = {
    respond: () => answer('respond', null),
    ephemeral: () => answer('ephemeral', null),
    updateView: () => answer('updateView', null),
    openView: () => answer('openView', null),
    openDirect: () => answer('openDirect', 'D0ALICE'),
    findByIntent: () => answer('findByIntent', null),
    post: () => answer('post', { channel: 'D0ALICE', ts: '1.1' }),
  }
  return { slack, asked }
}

const send = (change: Partial<AnswerRow>, how?: Parameters<typeof slackWith>[0], trigger?: string) => {
  const { slack, asked } = slackWith(how)
  const responseUrl = change.responseUrl === null ? null : 'https://hooks.slack.com/x'
  return sendAnswer({ slack, row: row(change), responseUrl, trigger, counted: async () => void asked.push('counted') }).then((sending) => ({
    sending,
    asked,
  }))
}

describe('an answer goes', () => {
  test.each([
    ['to a command by its address', {}, {}, ['respond']],
    ['beside it when that is used up', {}, { respond: [refused('used_url')] }, ['respond', 'ephemeral']],
    [
      'directly when the bot is not there either',
      {},
      { respond: [refused('expired_url')], ephemeral: [refused('not_in_channel')] },
      ['respond', 'ephemeral', 'openDirect', 'post'],
    ],
    ['not by an address that is older than its life', { ageMs: 29 * 60_000 }, {}, ['ephemeral']],
    ['not by an address that failed four times', { tries: 4 }, {}, ['ephemeral']],
    ['not by an address that another token sealed', { responseUrl: null }, {}, ['ephemeral']],
    ['beside the message that was clicked', { kind: 'click' }, {}, ['ephemeral']],
    ['into the window that was clicked in', { kind: 'click', view: 'V1', channel: null }, {}, ['updateView']],
    ['over Home', { kind: 'click', channel: null }, {}, ['openView']],
    ['into a window that was sent', { kind: 'form', channel: null, view: 'V1', promised: view }, {}, ['updateView']],
    [
      'directly when that window was closed',
      { kind: 'form', channel: null, view: 'V1', promised: view },
      { updateView: [refused('not_found')] },
      ['updateView', 'openDirect', 'post'],
    ],
    [
      'nowhere else when its acknowledgement closed that window',
      { kind: 'form', channel: null, view: 'V1' },
      { updateView: [refused('not_found')] },
      ['updateView'],
    ],
  ] as const)('%s', async (_, change, how, asked) => {
    expect(await send(change, how, 'T1')).toEqual({ sending: { kind: 'sent' }, asked })
  })

  test('directly again only when it is not there', async () => {
    const gone = { respond: [refused('used_url')], ephemeral: [refused('not_in_channel')] }
    const lost = { kind: 'unsure', cause: 'no answer' } as const
    expect((await send({}, { ...gone, post: [lost] })).sending).toMatchObject({ kind: 'later', why: 'direct message: no answer' })
    const { slack, asked } = slackWith(gone)
    const found = { ...slack, findByIntent: async () => ({ kind: 'ok', value: { channel: 'D0ALICE', ts: '1.1' } }) as const }
    const again = await sendAnswer({
      slack: found,
      row: row({ tries: 1 }),
      responseUrl: 'https://hooks.slack.com/x',
      counted: async () => {},
    })
    expect([again, asked]).toEqual([{ kind: 'sent' }, ['respond', 'ephemeral', 'openDirect']])
  })

  test('later, by the same way, when Slack limits, is unwell or takes the token for wrong', async () => {
    const first = async (sent: Sent<never>) => (await send({}, { respond: [sent] })).sending
    expect(await first({ kind: 'limited', retryAfterMs: 7_000 })).toEqual({
      kind: 'later',
      parts: 0,
      inMs: 7_000,
      why: 'response_url: limited',
    })
    expect(await first({ kind: 'unsure', cause: 'Slack answered 503' })).toEqual({
      kind: 'later',
      parts: 0,
      inMs: 1_000,
      why: 'response_url: Slack answered 503',
    })
    const token = { respond: [refused('used_url')], ephemeral: [refused('token_revoked')] }
    expect((await send({ tries: 2 }, token)).sending).toEqual({ kind: 'later', parts: 0, inMs: 5_000, why: 'beside it: token_revoked' })
  })

  test('in parts, each once, from where it stopped', async () => {
    const text = Array.from({ length: 150 }, (_, index) => `line ${index} ${'x'.repeat(30)}`).join('\n')
    const said = { message: { text }, view }
    expect((await send({ said })).asked).toEqual(['respond', 'counted', 'respond'])
    const stopped = await send({ said }, { respond: ['taken', { kind: 'unsure', cause: 'cut' }] })
    expect(stopped.sending).toMatchObject({ kind: 'later', parts: 1 })
    expect((await send({ said, parts: 1 })).asked).toEqual(['respond'])
  })

  test('nowhere, and says by which ways it was not taken', async () => {
    const none = { respond: [refused('used_url')], ephemeral: [refused('channel_not_found')], openDirect: [refused('user_disabled')] }
    expect((await send({}, none)).sending).toEqual({
      kind: 'gone',
      why: 'response_url: used_url, beside it: channel_not_found, direct message: user_disabled',
    })
  })
})

test('an address can be read with the token that sealed it, and with no other', () => {
  const sealed = createSeal('xoxb-one').seal('https://hooks.slack.com/commands/T/1/secret')
  expect(sealed).not.toContain('hooks')
  expect(createSeal('xoxb-one').open(sealed)).toBe('https://hooks.slack.com/commands/T/1/secret')
  expect([createSeal('xoxb-two').open(sealed), createSeal('xoxb-one').open(sealed.slice(0, -2)), createSeal('xoxb-one').open('')]).toEqual([
    null,
    null,
    null,
  ])
})
