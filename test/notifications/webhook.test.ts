import type { RequestListener } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, test } from 'vitest'
import { createSender, webhooksOf } from '../../src/notifications/send.ts'
import { postSigned, whyNotReachable } from '../../src/notifications/webhook.ts'
import { webhookReceiver, type Post } from '../helpers/receivers.ts'
import { configWith } from './config.ts'

const closes: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closes.splice(0)) await close()
})

async function receiver(answer?: RequestListener) {
  const server = await webhookReceiver(answer)
  closes.push(server.close)
  return server
}

const never = new AbortController().signal
const WHSEC = `whsec_${Buffer.from('a secret of twenty-four!').toString('base64')}`
const post = (url: string, over: Partial<Parameters<typeof postSigned>[0]> = {}) =>
  postSigned({ url, id: 'lk_0123', body: '{"type":"page","text":"ünï"}', secrets: [WHSEC], now: Date.now(), signal: never, ...over })

/** The headers as the independent library takes them. */
const signed = ({ headers }: Post) => ({
  'webhook-id': String(headers['webhook-id']),
  'webhook-timestamp': String(headers['webhook-timestamp']),
  'webhook-signature': String(headers['webhook-signature']),
})

describe('a signed webhook', () => {
  test('is accepted by an independent implementation, with either form of secret, and not with another secret', async () => {
    const { url, received } = await receiver()
    expect(await post(url)).toEqual({ kind: 'sent' })
    expect(await post(url, { secrets: ['a plain secret'] })).toEqual({ kind: 'sent' })
    const [first, second] = received
    expect(first?.method).toBe('POST')
    expect(first?.headers['content-type']).toBe('application/json')
    expect(new Webhook(WHSEC).verify(first!.body, signed(first!))).toEqual({ type: 'page', text: 'ünï' })
    expect(new Webhook('a plain secret', { format: 'raw' }).verify(second!.body, signed(second!))).toEqual({ type: 'page', text: 'ünï' })
    expect(() => new Webhook('another secret', { format: 'raw' }).verify(second!.body, signed(second!))).toThrow(
      'No matching signature found',
    )
    expect(() => new Webhook(WHSEC).verify(`${first!.body} `, signed(first!))).toThrow('No matching signature found')
  })

  test('is signed by each secret of its receiver, and carries no signature where there is none', async () => {
    const { url, received } = await receiver()
    await post(url, { secrets: [WHSEC, 'a plain secret'] })
    await post(url, { secrets: [] })
    expect(String(received[0]?.headers['webhook-signature']).split(' ')).toHaveLength(2)
    expect(new Webhook('a plain secret', { format: 'raw' }).verify(received[0]!.body, signed(received[0]!))).toBeTruthy()
    expect(received[1]?.headers['webhook-signature']).toBeUndefined()
  })

  test('counts as received with 2xx alone; redirects are not followed and 410 ends it', async () => {
    const other = await receiver()
    const { url } = await receiver((_, response) => response.writeHead(307, { location: other.url }).end())
    const gone = await receiver((_, response) => response.writeHead(410).end())
    const broken = await receiver((_, response) => response.writeHead(500).end('secret '.repeat(10_000)))
    expect([await post(url), await post(gone.url), await post(broken.url)]).toEqual([
      { kind: 'failed', why: 'it answered 307, and redirects are not followed' },
      { kind: 'refused', why: 'it answered 410: this receiver is gone for good' },
      { kind: 'failed', why: 'it answered 500' },
    ])
    expect(other.received).toEqual([])
  })

  test('leaves this machine by https only', async () => {
    const why = 'its URL is not https, and only this machine may be told otherwise'
    expect(await post('http://status.example/hook')).toEqual({ kind: 'failed', why })
    expect(await post('http://127.0.0.1.status.example/hook')).toEqual({ kind: 'failed', why })
    expect(await post('file:///etc/passwd')).toEqual({ kind: 'failed', why })
    expect(await post('status')).toEqual({ kind: 'failed', why: 'its URL cannot be read' })
  })

  test('ends with its time, and a receiver that is away is told by `check`', async () => {
    const { url } = await receiver(() => {})
    expect(await post(url, { signal: AbortSignal.timeout(50) })).toEqual({
      kind: 'failed',
      why: 'The operation was aborted',
    })
    const there = await receiver((_, response) => response.writeHead(405).end())
    expect(await whyNotReachable(there.url)).toBeNull()
    expect(there.received[0]?.method).toBe('HEAD')
    expect(await whyNotReachable('http://127.0.0.1:1/')).toBe('connect ECONNREFUSED 127.0.0.1:1')
  })
})

describe('what the configuration names', () => {
  test('is where a delivery may go, and a row that names anything else is not followed', async () => {
    const { url, received } = await receiver()
    const { config, close } = configWith(
      { oncall: { webhook: 'env:PAGER' } },
      { STATUS: url, PAGER: url, ONE: 'first', TWO: 'second' },
      {
        prod: { windows: { webhooks: [{ url: 'env:STATUS', secret: 'env:ONE' }] } },
        staging: { windows: { webhooks: [{ url: 'env:STATUS', secret: 'env:TWO' }] } },
      },
    )
    closes.push(close)
    expect(webhooksOf(config)).toEqual([
      { kind: 'webhook', url: 'env:STATUS', secrets: ['env:ONE', 'env:TWO'] },
      { kind: 'page', url: 'env:PAGER', secrets: [] },
    ])
    const sender = createSender({ config, clock: { now: () => Date.now() } })
    const outgoing = { id: 'lk_1', at: new Date('2026-12-01T07:00:00Z'), payloads: [{ data: { b: 1, a: 2 }, type: 'maintenance.started' }] }
    expect(await sender.send({ ...outgoing, kind: 'webhook', destination: 'env:STATUS' }, never)).toEqual({ kind: 'sent' })
    expect(received[0]?.body).toBe('{"type":"maintenance.started","timestamp":"2026-12-01T07:00:00.000Z","data":{"b":1,"a":2}}')
    expect(new Webhook('second', { format: 'raw' }).verify(received[0]!.body, signed(received[0]!))).toBeTruthy()
    expect(await sender.send({ ...outgoing, kind: 'webhook', destination: 'env:DB' }, never)).toEqual({
      kind: 'failed',
      why: 'env:DB is no longer configured',
    })
    expect(await sender.send({ ...outgoing, kind: 'mail', destination: 'ops@example.com' }, never)).toEqual({
      kind: 'failed',
      why: 'no mail server is configured (mail in lockkeeper.yaml)',
    })
  })
})
