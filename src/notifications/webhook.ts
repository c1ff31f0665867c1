import { createHmac } from 'node:crypto'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Sending } from './deliveries.ts'

/** What a receiver gets; `id` and `body` are the same at each repetition, the signature's time is that of the try. */
export type Post = {
  readonly url: string
  readonly id: string
  readonly body: string
  /** Each signs, so that a receiver may know any of them; none: unsigned. */
  readonly secrets: readonly string[]
  /** Milliseconds since 1970, by this machine's clock. */
  readonly now: number
  readonly signal: AbortSignal
}

const ANSWER_MS = 10_000

/**
 * Signed as the Standard Webhooks specification has it (https://www.standardwebhooks.com). An answer of 2xx is a receipt; redirects are
 * not followed, since they would carry what is signed to somebody who is not configured.
 */
export async function postSigned(post: Post): Promise<Sending> {
  const unfit = whyUnfitUrl(post.url)
  if (unfit !== null) return { kind: 'failed', why: unfit }
  const timeout = AbortSignal.timeout(ANSWER_MS)
  try {
    const status = await ask(post, AbortSignal.any([timeout, post.signal]))
    if (status >= 200 && status < 300) return { kind: 'sent' }
    if (status === 410) return { kind: 'refused', why: 'it answered 410: this receiver is gone for good' }
    return { kind: 'failed', why: `it answered ${status}${status >= 300 && status < 400 ? ', and redirects are not followed' : ''}` }
  } catch (error) {
    return { kind: 'failed', why: timeout.aborted ? `no answer within ${ANSWER_MS / 1_000} s` : (error as Error).message }
  }
}

/** Whether anything answers there, without sending a message; null when it does. */
export async function whyNotReachable(url: string): Promise<string | null> {
  const unfit = whyUnfitUrl(url)
  if (unfit !== null) return unfit
  const signal = AbortSignal.timeout(ANSWER_MS)
  return transfer(url, { method: 'HEAD', signal }).then(
    () => null,
    (error: Error) => (signal.aborted ? `no answer within ${ANSWER_MS / 1_000} s` : error.message),
  )
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

function whyUnfitUrl(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return 'its URL cannot be read'
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname))) return null
  return 'its URL is not https, and only this machine may be told otherwise'
}

function ask({ url, id, body, secrets, now, signal }: Post, limit: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  const timestamp = String(Math.floor(now / 1_000))
  const signatures = secrets.map((secret) => signatureOf(secret, `${id}.${timestamp}.${body}`))
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'lockkeeper',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(signatures.length === 0 ? {} : { 'webhook-signature': signatures.join(' ') }),
  }
  return transfer(url, { method: 'POST', headers, signal: limit }, body)
}

const signatureOf = (secret: string, content: string): string =>
  `v1,${createHmac('sha256', keyOf(secret)).update(content).digest('base64')}`

const PREFIX = 'whsec_'

const keyOf = (secret: string): Buffer =>
  secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret, 'utf8')

type Options = { readonly method: string; readonly headers?: Readonly<Record<string, string>>; readonly signal: AbortSignal }

/** The status; what else the answer says is of no interest and is not read. */
function transfer(url: string, options: Options, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const send = url.toLowerCase().startsWith('https:') ? requestHttps : requestHttp
    const { headers, ...rest } = options
    const request = send(url, { ...rest, agent: false, headers: { ...headers, connection: 'close' } }, (response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    request.on('error', reject)
    request.end(body)
  })
}
