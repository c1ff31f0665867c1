import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
  type WebAPICallResult,
  type WebClientOptions,
} from '@slack/web-api'
import type { Log } from '../../lib/log.ts'
import { during, emit } from '../../lib/telemetry.ts'
import type { Sent } from '../port.ts'

/** One call of the Web API to its outcome. */

/** What Slack answers when it is unwell itself: the order may have been carried out. */
const unwell: ReadonlySet<string> = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'accesslimited',
  'team_added_to_org',
])

/** When Slack limits without saying for how long. */
const UNSAID_RETRY_MS = 30_000

export type Json = Readonly<Record<string, unknown>>

export type Access = { readonly botToken: string; readonly log: Log; /** Another server than Slack's own. */ readonly apiUrl?: string }

export function clientOf(options: Access, timeout: number, more: Pick<WebClientOptions, 'fetch'> = {}): WebClient {
  return new WebClient(options.botToken, {
    ...(options.apiUrl === undefined ? {} : { slackApiUrl: options.apiUrl }),
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
    timeout,
    logger: quietLogger(options.log),
    ...more,
  })
}

/** The library logs each failed call as a warning; here every outcome is a value, told once by whoever asked. */
function quietLogger(log: Log): NonNullable<WebClientOptions['logger']> {
  const pass = (...parts: readonly unknown[]) => log.debug({ slack: parts.map(String).join(' ').slice(0, 500) }, 'Slack client')
  return {
    debug: () => {}, // it would carry every message's text
    info: pass,
    warn: pass,
    error: pass,
    setLevel: () => {},
    getLevel: () => 'info' as ReturnType<NonNullable<WebClientOptions['logger']>['getLevel']>, // the enum is not exported as a value by bolt's copy
    setName: () => {},
  }
}

export const call = <T>(client: WebClient, method: string, args: Json, read: (result: Json) => T): Promise<Sent<T>> =>
  observed(method, async () => {
    let result: WebAPICallResult
    try {
      result = await client.apiCall(method, { ...args })
    } catch (error) {
      return failureOf(error)
    }
    return { kind: 'ok', value: read(result as unknown as Json) } // Slack's answers are untyped JSON; each reader takes what it needs
  })

export async function observed<T>(method: string, work: () => Promise<Sent<T>>): Promise<Sent<T>> {
  const sent = await during({ kind: 'slack', method }, work, ({ kind }) => kind)
  if (sent.kind === 'limited') emit({ kind: 'limited', method, retryAfterMs: sent.retryAfterMs })
  return sent
}

export const nothing = (): null => null

/** Never `refused` when it may have happened, since then it would be given up. */
export function failureOf(error: unknown): Exclude<Sent<never>, { kind: 'ok' }> {
  if (error instanceof WebAPIRateLimitedError) return { kind: 'limited', retryAfterMs: Math.max(1, error.retryAfter) * 1000 }
  if (error instanceof WebAPIPlatformError) return platformFailure(error)
  if (error instanceof WebAPIHTTPError)
    return error.statusCode >= 500
      ? { kind: 'unsure', cause: `Slack answered ${error.statusCode}` }
      : { kind: 'refused', error: `http_${error.statusCode}` }
  if (error instanceof WebAPIRequestError) return { kind: 'unsure', cause: causeText(error.original) }
  if (error instanceof Error && error.message.startsWith('Retry header did not contain'))
    return { kind: 'limited', retryAfterMs: UNSAID_RETRY_MS }
  if (isBrokenAnswer(error)) return { kind: 'unsure', cause: causeText(error) }
  throw error
}

function platformFailure(error: WebAPIPlatformError): Exclude<Sent<never>, { kind: 'ok' }> {
  const code = error.data.error
  if (code === 'ratelimited' || code === 'rate_limited')
    return { kind: 'limited', retryAfterMs: (error.data.response_metadata?.retryAfter ?? UNSAID_RETRY_MS / 1000) * 1000 }
  // a proxy's page with status 200 arrives as an "error" that is no code
  if (!/^[a-z][a-z0-9_]*$/.test(code)) return { kind: 'unsure', cause: 'the answer was not from Slack' }
  return unwell.has(code) ? { kind: 'unsure', cause: code } : { kind: 'refused', error: code }
}

/** The connection broke, or the time was over, while the answer was being read. */
const isBrokenAnswer = (error: unknown): error is Error =>
  error instanceof Error &&
  (['AbortError', 'TimeoutError'].includes(error.name) ||
    (error instanceof TypeError && /terminated|fetch failed|body/i.test(error.message)))

const causeText = (error: Error): string =>
  [error.message, error.cause instanceof Error ? error.cause.message : ''].filter((part) => part !== '').join(', ')

export const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '')
