import type { WebClient } from '@slack/web-api'
import type { Posted, Sent } from '../port.ts'
import { call, stringOf, type Json } from './web-api.ts'

/** Messages of the bot's own, found again by what their metadata says. */

export const EVENT_TYPE = 'lockkeeper_message'
const PAGE = 200
/** An own message is looked for among the newest this many pages; an outage of minutes leaves far less. */
const PAGES = 5
/** Newest messages of a channel first; a thread comes from its beginning, page by page. */
export async function find(
  client: WebClient,
  where: { readonly channel: string; readonly thread?: string },
  intent: string,
): Promise<Sent<Posted | null>> {
  let cursor = ''
  for (let page = 0; page < PAGES; page++) {
    const answer = await call(
      client,
      where.thread === undefined ? 'conversations.history' : 'conversations.replies',
      {
        channel: where.channel,
        ...(where.thread === undefined ? {} : { ts: where.thread }),
        ...(cursor === '' ? {} : { cursor }),
        limit: PAGE,
        include_all_metadata: true,
      },
      (result) => result,
    )
    if (answer.kind !== 'ok') return answer
    const messages = (answer.value['messages'] as readonly Json[] | undefined) ?? []
    const found = messages.find((message) => carries(message, intent))
    if (found !== undefined) return { kind: 'ok', value: { channel: where.channel, ts: stringOf(found['ts']) } }
    cursor = stringOf((answer.value['response_metadata'] as Json | undefined)?.['next_cursor'])
    if (cursor === '') break
  }
  return { kind: 'ok', value: null }
}

/** The newest page alone: whoever posts in parallel stands there. */
export async function ownPosts(client: WebClient, channel: string, since: string) {
  const own = await call(client, 'auth.test', {}, (result) => stringOf(result['user_id']))
  if (own.kind !== 'ok') return own
  const args = { channel, oldest: since, limit: PAGE, include_all_metadata: true }
  return call(client, 'conversations.history', args, (result) =>
    ((result['messages'] as readonly Json[] | undefined) ?? []).flatMap((message) => {
      const store = storeIn(message)
      return store === null || stringOf(message['user']) !== own.value ? [] : [{ store, channel, ts: stringOf(message['ts']) }]
    }),
  )
}

export async function storeOf(client: WebClient, where: Posted & { readonly thread?: string }): Promise<Sent<string | null>> {
  const range = { channel: where.channel, oldest: where.ts, latest: where.ts, inclusive: true, limit: 2, include_all_metadata: true }
  const [method, args] =
    where.thread === undefined ? ['conversations.history', range] : ['conversations.replies', { ...range, ts: where.thread }]
  return call(client, method, args, (result) => {
    const found = ((result['messages'] as readonly Json[] | undefined) ?? []).find((message) => message['ts'] === where.ts)
    return found === undefined ? null : storeIn(found)
  })
}

function storeIn(message: Json): string | null {
  const metadata = message['metadata'] as { event_type?: unknown; event_payload?: { store?: unknown } } | undefined
  const store = metadata?.event_type === EVENT_TYPE ? metadata.event_payload?.store : undefined
  return typeof store === 'string' ? store : null
}

/** A message carries its intent in the metadata; a file, which has none, in its name. */
function carries(message: Json, intent: string): boolean {
  const metadata = message['metadata'] as { event_type?: unknown; event_payload?: { intent?: unknown } } | undefined
  if (metadata?.event_type === EVENT_TYPE && metadata.event_payload?.intent === intent) return true
  return ((message['files'] as readonly Json[] | undefined) ?? []).some((file) => file['name'] === intent)
}
