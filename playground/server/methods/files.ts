import { refuse } from '../errors.ts'
import { isArray, recordsOf, textOf, type Json } from '../shape.ts'
import { findMessage } from '../state.ts'
import { addMessage } from './chat.ts'
import { fileJson, joinedChannel, knownChannel, required, structured, type Call, type Method } from './method.ts'

export const fileMethods: Readonly<Record<string, Method>> = {
  'files.getUploadURLExternal': { token: 'bot', scopes: ['files:write'], tier: 4, run: getUrl },
  'files.completeUploadExternal': { token: 'bot', scopes: ['files:write'], tier: 4, run: complete },
  'pins.add': { token: 'bot', scopes: ['pins:write'], tier: 2, run: pin },
  'bookmarks.add': { token: 'bot', scopes: ['bookmarks:write'], tier: 2, run: bookmark },
}

function getUrl(call: Call): Json {
  const name = required(call, 'filename')
  const length = Number(required(call, 'length'))
  if (!Number.isInteger(length) || length <= 0)
    return refuse('invalid_arguments', ['[ERROR] must be greater than 0 [json-pointer:/length]'])
  const id = call.state.nextId('F')
  call.state.files.set(id, { id, name, title: name, length, content: null, shared: false })
  return { upload_url: `${call.state.origin}/upload/v1/${id}`, file_id: id }
}

function complete(call: Call): Json {
  const files = structured(call, 'files', 'invalid_arguments')
  if (!isArray(files) || files.length === 0) return refuse('invalid_arguments', ['[ERROR] missing required field: files'])
  const destination = textOf(call.args['channel_id'])
  const channel = destination === '' ? null : joinedChannel(call, destination)
  if (channel?.archived) return refuse('is_archived')
  const thread = textOf(call.args['thread_ts'])
  if (thread !== '' && channel && !findMessage(call.state, channel.id, thread)) return refuse('thread_not_found')
  const uploaded = recordsOf(files).map((each) => {
    const file = call.state.files.get(textOf(each['id']))
    // An id that was never uploaded to, or was completed before, is not a file.
    if (!file?.content || file.shared) return refuse('file_not_found')
    return { file, title: textOf(each['title']) || file.name }
  })
  for (const { file, title } of uploaded) {
    file.title = title
    file.shared = true
  }
  const ids = uploaded.map(({ file }) => file.id)
  if (channel) {
    const text = textOf(call.args['initial_comment'])
    addMessage(call.state, {
      channel: channel.id,
      threadTs: thread === '' ? null : thread,
      user: call.state.seed.app.botUser,
      text,
      files: ids,
    })
  }
  return { files: ids.map((id) => fileJson(call.state, id)) }
}

function pin(call: Call): Json {
  const channel = knownChannel(call, required(call, 'channel'))
  const ts = textOf(call.args['timestamp'])
  if (ts === '') return refuse('no_item_specified')
  joinedChannel(call, channel.id)
  if (!findMessage(call.state, channel.id, ts)) return refuse('message_not_found')
  const key = `${channel.id}/${ts}`
  if (call.state.pins.has(key)) return refuse('already_pinned')
  call.state.pins.add(key)
  call.state.changed()
  return {}
}

function bookmark(call: Call): Json {
  const channel = knownChannel(call, required(call, 'channel_id'))
  const title = required(call, 'title')
  if (required(call, 'type') !== 'link') return refuse('invalid_bookmark_type')
  const link = textOf(call.args['link'])
  if (!/^https?:\/\//.test(link)) return refuse('invalid_link')
  const added = { id: call.state.nextId('Bk'), channel: channel.id, title, link }
  call.state.bookmarks.push(added)
  call.state.changed()
  return { bookmark: { id: added.id, channel_id: channel.id, title, link, type: 'link' } }
}
