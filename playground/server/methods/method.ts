import { refuse, SlackRefusal } from '../errors.ts'
import type { Json } from '../shape.ts'
import { parseJson, textOf } from '../shape.ts'
import type { Channel, State, StoredMessage } from '../state.ts'

/** docs.slack.dev/apis/web-api/rate-limits: calls a minute that are always allowed. */
export type Tier = 1 | 2 | 3 | 4 | 'posting' | 'none'

export type Call = { readonly state: State; readonly args: Json; readonly granted: readonly string[]; readonly socketUrl: () => string }

export type Method = {
  readonly token: 'bot' | 'app'
  readonly scopes: readonly string[]
  readonly tier: Tier
  readonly run: (call: Call) => Json
}

export function needScope(call: Call, scope: string): void {
  if (!call.granted.includes(scope)) throw missingScope([scope], call.granted)
}

export const missingScope = (needed: readonly string[], granted: readonly string[]): SlackRefusal =>
  new SlackRefusal('missing_scope', { extra: { needed: needed.join(','), provided: granted.join(',') } })

/** `invalid_arguments` names what is missing, as Slack does. */
export function required(call: Call, field: string): string {
  const value = textOf(call.args[field])
  return value === '' ? refuse('invalid_arguments', [`[ERROR] missing required field: ${field}`]) : value
}

/** A structured argument: JSON in a JSON body, a JSON string in a form. Undefined when absent. */
export function structured(call: Call, field: string, whenBroken: string): unknown {
  const value = call.args[field]
  if (typeof value !== 'string') return value ?? undefined
  if (value === '') return undefined
  const parsed = parseJson(value)
  return parsed.ok ? parsed.value : refuse(whenBroken)
}

/** Private channels and other people's conversations do not exist for an app that is not in them. */
export function knownChannel(call: Call, id: string): Channel {
  const channel = call.state.channels.get(id)
  if (!channel || (channel.isPrivate && !isMember(call, channel))) return refuse('channel_not_found')
  return channel
}

export const isMember = (call: Call, channel: Channel): boolean => channel.members.includes(call.state.seed.app.botUser)

export function joinedChannel(call: Call, id: string): Channel {
  const channel = knownChannel(call, id)
  return isMember(call, channel) ? channel : refuse('not_in_channel')
}

export const kindOf = (channel: Channel): 'im' | 'groups' | 'channels' =>
  channel.direct !== null ? 'im' : channel.isPrivate ? 'groups' : 'channels'

/** A message as Slack gives it back; metadata only to those who ask for it. */
export function messageJson(state: State, message: StoredMessage, includeMetadata = true): Json {
  const fromBot = message.user === state.seed.app.botUser
  const replies = state.messages.filter(
    (each) => each.channel === message.channel && each.threadTs === message.ts && each.ephemeralTo === null,
  )
  const last = replies.at(-1)
  return {
    type: 'message',
    ...(message.broadcast ? { subtype: 'thread_broadcast' } : {}),
    user: message.user,
    ts: message.ts,
    text: message.text,
    ...(fromBot ? { bot_id: state.seed.app.botId, app_id: state.seed.app.id } : {}),
    team: state.seed.workspace.id,
    ...(message.blocks.length > 0 ? { blocks: message.blocks } : {}),
    ...(message.attachments.length > 0 ? { attachments: message.attachments } : {}),
    ...(message.files.length > 0 ? { files: message.files.map((id) => fileJson(state, id)) } : {}),
    ...(message.edited ? { edited: message.edited } : {}),
    ...(message.threadTs === null ? {} : { thread_ts: message.threadTs, parent_user_id: parentUser(state, message) }),
    ...(last && message.threadTs === null
      ? {
          thread_ts: message.ts,
          reply_count: replies.length,
          reply_users: [...new Set(replies.map((each) => each.user))],
          latest_reply: last.ts,
        }
      : {}),
    ...(includeMetadata && message.metadata ? { metadata: message.metadata } : {}),
  }
}

export function fileJson(state: State, id: string): Json {
  const file = state.files.get(id)
  return file
    ? {
        id,
        name: file.name,
        title: file.title,
        size: file.length,
        mimetype: 'text/plain',
        url_private: `${state.origin}/play/file/${id}`,
        permalink: `${state.origin}/play/file/${id}`,
      }
    : { id }
}

function parentUser(state: State, message: StoredMessage): string | undefined {
  return state.messages.find((each) => each.channel === message.channel && each.ts === message.threadTs)?.user
}
