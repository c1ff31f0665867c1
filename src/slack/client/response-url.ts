import { fit } from '../limits/limits.ts'
import type { Message, Sent } from '../port.ts'
import { failureOf, observed } from './web-api.ts'

/** When Slack limits without saying for how long. */
const UNSAID_RETRY_MS = 5_000

/**
 * Says something to the one person who typed or clicked, by the address that came with it: it takes five messages within thirty minutes, in
 * any conversation, also where the bot is no member. Slack has no key by which it would know a message again.
 */
export const respond = (url: string, message: Message, thread: string | undefined, timeoutMs: number): Promise<Sent<null>> =>
  observed('response_url', async () => {
    const { text, blocks } = fit(message)
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify({
          response_type: 'ephemeral',
          replace_original: false,
          text,
          ...(blocks === undefined ? {} : { blocks }),
          ...(thread === undefined ? {} : { thread_ts: thread }),
        }),
        redirect: 'error', // an address of Slack's leads nowhere else
        signal: AbortSignal.timeout(timeoutMs),
      })
      return outcomeOf(answer, await answer.text())
    } catch (error) {
      return failureOf(error)
    }
  })

function outcomeOf(answer: Response, body: string): Sent<null> {
  if (answer.status === 429) {
    const seconds = Number(answer.headers.get('retry-after'))
    return { kind: 'limited', retryAfterMs: seconds > 0 ? seconds * 1_000 : UNSAID_RETRY_MS }
  }
  if (answer.status >= 500) return { kind: 'unsure', cause: `Slack answered ${answer.status}` }
  if (body.trimStart().startsWith('<')) return { kind: 'unsure', cause: 'the answer was not from Slack' } // a proxy's page
  const error = errorIn(body)
  if (answer.ok && error === undefined) return { kind: 'ok', value: null }
  return { kind: 'refused', error: error ?? `http_${answer.status}` }
}

/** `ok`, or JSON with a code, or the code alone. */
function errorIn(body: string): string | undefined {
  try {
    const value = JSON.parse(body) as { readonly ok?: unknown; readonly error?: unknown } | null
    if (value?.ok === false) return typeof value.error === 'string' ? value.error : 'unknown'
    return undefined
  } catch {
    return /^[a-z][a-z0-9_]+$/.test(body.trim()) && body.trim() !== 'ok' ? body.trim() : undefined
  }
}
