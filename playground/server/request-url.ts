import { createHmac } from 'node:crypto'
import type { Delivery, Outcome, Transport } from './deliver.ts'
import { parseJson, recordOf, type Json } from './shape.ts'

/** docs.slack.dev/authentication/verifying-requests-from-slack: version `v0`, HMAC-SHA256 over version, time and body. */
const signature = (secret: string, timestamp: number, body: string): string =>
  `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`

export function signedHeaders(secret: string, timestamp: number, body: string): Record<string, string> {
  return { 'x-slack-request-timestamp': String(timestamp), 'x-slack-signature': signature(secret, timestamp, body) }
}

/** HTTP mode: everything is posted, signed, to one address. */
export function createRequestUrl(options: {
  readonly requestUrl: string
  readonly signingSecret: string
  readonly ackMs: number
  readonly now: () => number
}): Transport {
  const post = async (delivery: Delivery, retry: number): Promise<Outcome> => {
    const { body, type } = encode(delivery)
    const timestamp = Math.floor(options.now() / 1000)
    try {
      const response = await fetch(options.requestUrl, {
        method: 'POST',
        body,
        headers: {
          'content-type': type,
          ...signedHeaders(options.signingSecret, timestamp, body),
          ...(retry > 0 ? { 'x-slack-retry-num': String(retry), 'x-slack-retry-reason': 'http_timeout' } : {}),
        },
        signal: AbortSignal.timeout(options.ackMs),
      })
      const text = await response.text()
      return response.ok ? { kind: 'acked', payload: readAck(text) } : { kind: 'failed', status: response.status }
    } catch (error) {
      return error instanceof Error && error.name === 'TimeoutError' ? { kind: 'timeout' } : { kind: 'unreachable' }
    }
  }
  return {
    isConnected: () => true,
    attempt: async (delivery, { retry, repeat }) => {
      if (repeat === 'once') return post(delivery, retry)
      const [first, last] = await Promise.all([post(delivery, retry), post(delivery, retry)])
      return repeat === 'everywhere, last' ? last : first
    },
  }
}

/** Commands come as form fields, interactions as one form field with JSON, events as JSON. */
function encode(delivery: Delivery): { readonly body: string; readonly type: string } {
  const form = 'application/x-www-form-urlencoded'
  if (delivery.kind === 'events_api') return { body: JSON.stringify(delivery.payload), type: 'application/json' }
  if (delivery.kind === 'interactive')
    return { body: new URLSearchParams({ payload: JSON.stringify(delivery.payload) }).toString(), type: form }
  const fields = Object.entries(delivery.payload).map(([name, value]): [string, string] => [name, String(value)])
  return { body: new URLSearchParams(fields).toString(), type: form }
}

/** An acknowledgement is empty, JSON, or plain text for the person who typed the command. */
function readAck(text: string): Json {
  if (text.trim() === '') return {}
  const parsed = parseJson(text)
  return parsed.ok ? recordOf(parsed.value) : { text }
}
