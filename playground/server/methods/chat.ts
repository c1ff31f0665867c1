import { blockProblems } from '../blocks/blocks.ts'
import { refuse, refuseProblems } from '../errors.ts'
import { flagOf, isArray, isRecord, recordsOf, textOf, type Json } from '../shape.ts'
import { directChannel, findMessage, type Channel, type State, type StoredMessage } from '../state.ts'
import { joinedChannel, knownChannel, messageJson, required, structured, type Call, type Method } from './method.ts'

export const chatMethods: Readonly<Record<string, Method>> = {
  'chat.postMessage': { token: 'bot', scopes: ['chat:write'], tier: 'posting', run: postMessage },
  'chat.postEphemeral': { token: 'bot', scopes: ['chat:write'], tier: 4, run: postEphemeral },
  'chat.update': { token: 'bot', scopes: ['chat:write'], tier: 3, run: update },
  'chat.delete': { token: 'bot', scopes: ['chat:write'], tier: 3, run: remove },
  'chat.getPermalink': { token: 'bot', scopes: [], tier: 'none', run: permalink },
}

/** Measured by users of the API and not documented: about 13,200 characters of blocks, containers included (slack.md, slackapi/bolt-js#2509). */
const ALL_BLOCKS = 13_200
const TEXT = 40_000
/** docs.slack.dev/reference/methods/chat.update: text of an edited message. */
const EDITED_TEXT = 4_000

export type Content = { readonly text: string; readonly blocks: readonly Json[]; readonly attachments: readonly Json[] }

function postMessage(call: Call): Json {
  const channel = destination(call, required(call, 'channel'))
  const content = readContent(call, TEXT)
  const metadata = readMetadata(call)
  const thread = readThread(call, channel)
  const message = addMessage(call.state, {
    channel: channel.id,
    threadTs: thread,
    user: call.state.seed.app.botUser,
    ...content,
    broadcast: thread !== null && flagOf(call.args['reply_broadcast']),
    metadata,
  })
  return { channel: channel.id, ts: message.ts, message: messageJson(call.state, message) }
}

function postEphemeral(call: Call): Json {
  const channel = destination(call, required(call, 'channel'))
  const user = required(call, 'user')
  const content = readContent(call, TEXT)
  if (!channel.members.includes(user)) return refuse('user_not_in_channel')
  const thread = readThread(call, channel)
  const message = addMessage(call.state, {
    channel: channel.id,
    threadTs: thread,
    user: call.state.seed.app.botUser,
    ...content,
    ephemeralTo: user,
  })
  return { message_ts: message.ts }
}

function update(call: Call): Json {
  const id = required(call, 'channel')
  const ts = required(call, 'ts')
  const channel = knownChannel(call, id)
  if (channel.archived) return refuse('is_archived')
  const hasText = textOf(call.args['text']) !== ''
  const content = readContent(call, EDITED_TEXT)
  const hasBlocks = structured(call, 'blocks', 'invalid_blocks_format') !== undefined
  const metadata = readMetadata(call)
  const message = findMessage(call.state, channel.id, ts)
  if (!message || message.ephemeralTo !== null) return refuse('message_not_found')
  if (message.user !== call.state.seed.app.botUser) return refuse('cant_update_message')
  const window = call.state.seed.editWindowMinutes
  if (window !== null && call.state.now() - message.postedAt > window * 60_000) return refuse('edit_window_closed')
  message.text = hasText ? content.text : message.text
  // Text without blocks removes the blocks that were there; an edit through blocks leaves no "edited" mark.
  if (hasBlocks || hasText) message.blocks = content.blocks
  if (call.args['attachments'] !== undefined) message.attachments = content.attachments
  if (!hasBlocks) message.edited = { user: call.state.seed.app.botUser, ts: call.state.nextTs() }
  if (metadata) message.metadata = metadata
  call.state.changed()
  return { channel: channel.id, ts, text: message.text, message: messageJson(call.state, message) }
}

function remove(call: Call): Json {
  const channel = knownChannel(call, required(call, 'channel'))
  const ts = required(call, 'ts')
  const message = findMessage(call.state, channel.id, ts)
  if (!message || message.ephemeralTo !== null) return refuse('message_not_found')
  if (message.user !== call.state.seed.app.botUser) return refuse('cant_delete_message')
  call.state.messages.splice(call.state.messages.indexOf(message), 1)
  call.state.changed()
  return { channel: channel.id, ts }
}

function permalink(call: Call): Json {
  const channel = knownChannel(call, required(call, 'channel'))
  const ts = required(call, 'message_ts')
  const message = findMessage(call.state, channel.id, ts)
  if (!message) return refuse('message_not_found')
  const thread = message.threadTs === null ? '' : `?thread_ts=${message.threadTs}&cid=${channel.id}`
  return { channel: channel.id, permalink: `${call.state.origin}/archives/${channel.id}/p${ts.replace('.', '')}${thread}` }
}

/** A channel's id, its name for posting, or a person's id, which posts into the direct conversation. */
function destination(call: Call, id: string): Channel {
  const person = call.state.people.get(id)
  if (person) return person.kind === 'deactivated' ? refuse('user_disabled') : directChannel(call.state, id)
  const byName = [...call.state.channels.values()].find((each) => each.direct === null && `#${each.name}` === id)
  const channel = joinedChannel(call, byName?.id ?? id)
  return channel.archived ? refuse('is_archived') : channel
}

/** Reads text, blocks and attachments, refusing what Slack refuses. Shared with `response_url`. */
export function readContent(call: Call, longestText: number): Content {
  const text = textOf(call.args['text'])
  const blocks = structured(call, 'blocks', 'invalid_blocks_format')
  const attachments = structured(call, 'attachments', 'invalid_attachments')
  if (blocks !== undefined && !isArray(blocks)) return refuse('invalid_blocks_format')
  const isEmpty = (list: unknown): boolean => !isArray(list) || list.length === 0
  if (text === '' && isEmpty(blocks) && isEmpty(attachments)) return refuse('no_text')
  if (text.length > longestText) return refuse('msg_too_long')
  if (blocks !== undefined) {
    refuseProblems('invalid_blocks', blockProblems(blocks, 'message', { plan: call.state.seed.planBlocks }))
    if (recordsOf(blocks).filter((block) => block['type'] === 'table').length > 1)
      return refuse('invalid_attachments', ['[ERROR] only_one_table_allowed'])
    if (JSON.stringify(blocks).length > ALL_BLOCKS) return refuse('msg_blocks_too_long')
  }
  return { text, blocks: withIds(call.state, recordsOf(blocks)), attachments: recordsOf(attachments) }
}

/** Slack gives every block an id of its own where the app gave none. */
export const withIds = (state: State, blocks: readonly Json[]): readonly Json[] =>
  blocks.map((block) => ({
    ...block,
    block_id: block['block_id'] ?? state.nextId('b').toLowerCase(),
    ...(isArray(block['child_blocks']) ? { child_blocks: withIds(state, recordsOf(block['child_blocks'])) } : {}),
  }))

function readMetadata(call: Call): Json | null {
  const metadata = structured(call, 'metadata', 'invalid_metadata_format')
  if (metadata === undefined) return null
  if (!isRecord(metadata) || typeof metadata['event_type'] !== 'string' || !isRecord(metadata['event_payload']))
    return refuse('invalid_metadata_format')
  return metadata
}

function readThread(call: Call, channel: Channel): string | null {
  const ts = textOf(call.args['thread_ts'])
  if (ts === '') return null
  const parent = findMessage(call.state, channel.id, ts)
  if (!parent || parent.ephemeralTo !== null) return refuse('thread_not_found')
  return parent.threadTs ?? parent.ts
}

export function addMessage(state: State, given: Pick<StoredMessage, 'channel' | 'user' | 'text'> & Partial<StoredMessage>): StoredMessage {
  const message: StoredMessage = {
    ts: state.nextTs(),
    threadTs: null,
    blocks: [],
    attachments: [],
    edited: null,
    ephemeralTo: null,
    broadcast: false,
    files: [],
    metadata: null,
    postedAt: state.now(),
    ...given,
  }
  state.messages.push(message)
  state.changed()
  return message
}
