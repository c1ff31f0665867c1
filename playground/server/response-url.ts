import { SlackRefusal } from './errors.ts'
import { addMessage, readContent, type Content } from './methods/chat.ts'
import { flagOf, textOf, type Json } from './shape.ts'
import { findMessage, type ResponseUrl, type State } from './state.ts'

/** docs.slack.dev/interactivity/handling-user-interaction: five times within thirty minutes. */
const USES = 5
const LIFE_MS = 30 * 60_000

export type ResponseAnswer = { readonly status: number; readonly error: string | null }

/** What is posted to a `response_url`: a new message, a replacement or a deletion of the one it came with. */
export function useResponseUrl(state: State, id: string, body: Json): ResponseAnswer {
  const url = state.responseUrls.get(id)
  if (!url) return { status: 404, error: 'invalid_url' }
  if (state.now() - url.at > LIFE_MS) return { status: 404, error: 'expired_url' }
  if (url.uses >= USES) return { status: 404, error: 'used_url' }
  url.uses += 1
  const error = apply(state, url, body)
  return { status: error === null ? 200 : 400, error }
}

/** A command may be answered in its acknowledgement. Returns Slack's error for what cannot be shown. */
export function answerInPlace(state: State, where: { readonly person: string; readonly channel: string }, body: Json): string | null {
  if (Object.keys(body).length === 0) return null
  return apply(state, { ...where, at: state.now(), uses: 0, message: null, threadTs: null }, body)
}

function apply(state: State, url: ResponseUrl, body: Json): string | null {
  const original = url.message === null ? undefined : findMessage(state, url.channel, url.message)
  if (flagOf(body['delete_original'])) {
    if (original) state.messages.splice(state.messages.indexOf(original), 1)
    state.changed()
    return null
  }
  const content = readOrRefuse(state, body)
  if (typeof content === 'string') return content
  const replaces = original && flagOf(body['replace_original'] ?? body['response_type'] === undefined)
  if (replaces) {
    original.text = content.text
    original.blocks = content.blocks
    original.attachments = content.attachments
    state.changed()
    return null
  }
  addMessage(state, {
    channel: url.channel,
    user: state.seed.app.botUser,
    ...content,
    threadTs: textOf(body['thread_ts']) || null,
    ephemeralTo: body['response_type'] === 'in_channel' ? null : url.person,
  })
  return null
}

function readOrRefuse(state: State, args: Json): Content | string {
  try {
    return readContent({ state, args, granted: [], socketUrl: () => '' }, 40_000)
  } catch (error) {
    if (error instanceof SlackRefusal) return error.code
    throw error
  }
}
