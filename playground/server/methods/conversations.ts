import { refuse } from '../errors.ts'
import { flagOf, textOf, type Json } from '../shape.ts'
import { directChannel, findMessage, type Channel, type StoredMessage } from '../state.ts'
import { isMember, joinedChannel, kindOf, knownChannel, messageJson, needScope, required, type Call, type Method } from './method.ts'

/** The scope depends on the kind of conversation, so each method asks for it after looking the channel up. */
export const conversationMethods: Readonly<Record<string, Method>> = {
  'conversations.info': { token: 'bot', scopes: [], tier: 3, run: info },
  'conversations.history': { token: 'bot', scopes: [], tier: 3, run: history },
  'conversations.replies': { token: 'bot', scopes: [], tier: 3, run: replies },
  'conversations.members': { token: 'bot', scopes: [], tier: 4, run: members },
  'conversations.open': { token: 'bot', scopes: ['im:write'], tier: 3, run: open },
  'conversations.join': { token: 'bot', scopes: ['channels:join'], tier: 3, run: join },
}

function info(call: Call): Json {
  const channel = knownChannel(call, required(call, 'channel'))
  needScope(call, `${kindOf(channel)}:read`)
  return { channel: channelJson(call, channel) }
}

function history(call: Call): Json {
  const channel = knownChannel(call, required(call, 'channel'))
  needScope(call, `${kindOf(channel)}:history`)
  joinedChannel(call, channel.id)
  const found = call.state.messages
    .filter((each) => each.channel === channel.id && each.ephemeralTo === null && (each.threadTs === null || each.broadcast))
    .filter((each) => within(call, each))
    .reverse()
  const { page, next } = pageOf(call, found, 100)
  return {
    messages: page.map((each) => messageJson(call.state, each, wantsMetadata(call))),
    has_more: next !== '',
    pin_count: 0,
    response_metadata: { next_cursor: next },
  }
}

function replies(call: Call): Json {
  const channel = knownChannel(call, required(call, 'channel'))
  needScope(call, `${kindOf(channel)}:history`)
  joinedChannel(call, channel.id)
  const parent = findMessage(call.state, channel.id, required(call, 'ts'))
  if (!parent || parent.ephemeralTo !== null) return refuse('thread_not_found')
  const root = parent.threadTs ?? parent.ts
  const found = call.state.messages
    .filter((each) => each.channel === channel.id && each.ephemeralTo === null && (each.ts === root || each.threadTs === root))
    .filter((each) => each.ts === root || within(call, each))
  const { page, next } = pageOf(call, found, 1000)
  return {
    messages: page.map((each) => messageJson(call.state, each, wantsMetadata(call))),
    has_more: next !== '',
    response_metadata: { next_cursor: next },
  }
}

function members(call: Call): Json {
  const channel = knownChannel(call, required(call, 'channel'))
  needScope(call, `${kindOf(channel)}:read`)
  const { page, next } = pageOf(call, channel.members, 100)
  return { members: page, response_metadata: { next_cursor: next } }
}

function open(call: Call): Json {
  const users = textOf(call.args['users']).split(',').filter(Boolean)
  const existing = textOf(call.args['channel'])
  if (existing !== '') return { channel: { id: knownChannel(call, existing).id } }
  const [user, ...others] = users
  if (user === undefined) return refuse('users_list_not_supplied')
  if (others.length > 0) return refuse('method_not_supported_for_channel_type')
  const person = call.state.people.get(user)
  if (!person) return refuse('user_not_found')
  if (person.kind === 'deactivated') return refuse('user_disabled')
  if (person.kind === 'bot') return refuse('cannot_dm_bot')
  return { channel: { id: directChannel(call.state, user).id } }
}

function join(call: Call): Json {
  const channel = knownChannel(call, required(call, 'channel'))
  if (channel.archived) return refuse('is_archived')
  if (kindOf(channel) !== 'channels') return refuse('method_not_supported_for_channel_type')
  if (!isMember(call, channel)) {
    channel.members = [...channel.members, call.state.seed.app.botUser]
    call.state.changed()
  }
  return { channel: channelJson(call, channel) }
}

function channelJson(call: Call, channel: Channel): Json {
  return {
    id: channel.id,
    name: channel.name,
    is_channel: kindOf(channel) === 'channels',
    is_group: kindOf(channel) === 'groups',
    is_im: kindOf(channel) === 'im',
    is_private: channel.isPrivate,
    is_archived: channel.archived,
    is_member: isMember(call, channel),
    context_team_id: call.state.seed.workspace.id,
    topic: { value: channel.topic, creator: '', last_set: 0 },
    ...(channel.direct === null ? {} : { user: channel.direct }),
  }
}

const wantsMetadata = (call: Call): boolean => flagOf(call.args['include_all_metadata'])

function within(call: Call, message: StoredMessage): boolean {
  const at = Number(message.ts)
  const oldest = Number(textOf(call.args['oldest']) || 0)
  const latest = Number(textOf(call.args['latest']) || Number.POSITIVE_INFINITY)
  return flagOf(call.args['inclusive']) ? at >= oldest && at <= latest : at > oldest && at < latest
}

/** Cursors are offsets, opaque as Slack's are. */
export function pageOf<T>(call: Call, all: readonly T[], usual: number): { readonly page: readonly T[]; readonly next: string } {
  const limit = Number(textOf(call.args['limit']) || usual)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) return refuse('invalid_limit')
  const cursor = textOf(call.args['cursor'])
  const start = cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64').toString())
  if (!Number.isInteger(start)) return refuse('invalid_cursor')
  const end = start + limit
  return { page: all.slice(start, end), next: end < all.length ? Buffer.from(String(end)).toString('base64') : '' }
}
