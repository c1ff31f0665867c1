import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import type { Answer, PlayMessage, PlayState, PlayView } from '../protocol.ts'
import { parseArguments, readBody, sendJson, sendText } from './http.ts'
import { click, closeView, openHome, say, submit, typeCommand, type Hands } from './people/act.ts'
import { isRecord, recordOf, textOf, type Json } from './shape.ts'
import { topView, type State, type StoredMessage, type StoredView } from './state.ts'

export type Stage = Hands & {
  readonly isConnected: () => boolean
  readonly mode: 'socket' | 'http'
  readonly outage: () => string | null
  readonly pageDirectory: string | null
}

/** The people's side of the server: state, events and verbs for the page, and the page itself. Answers false when the path is not its own. */
export async function answerPlay(stage: Stage, path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  if (path === '/play/state') sendJson(response, 200, playState(stage), { 'cache-control': 'no-store' })
  else if (path === '/play/events') streamEvents(stage.state, request, response)
  else if (path.startsWith('/play/file/')) sendFile(stage.state, path.slice('/play/file/'.length), response)
  else if (path.startsWith('/play/') && request.method === 'POST') await answerVerb(stage, path.slice('/play/'.length), request, response)
  else if (stage.pageDirectory !== null && request.method === 'GET') return await sendPage(stage.pageDirectory, path, response)
  else return false
  return true
}

export function playState(stage: Stage): PlayState {
  const { state } = stage
  const { workspace, app } = state.seed
  return {
    revision: state.revision,
    workspace: { id: workspace.id, name: workspace.name },
    bot: { user: app.botUser, name: app.name, connected: stage.isConnected(), mode: stage.mode, outage: stage.outage() },
    commands: state.seed.commands,
    people: [...state.people.values()],
    groups: [...state.groups.values()].map(({ id, handle, members }) => ({ id, handle, members: [...members] })),
    channels: [...state.channels.values()].map(({ id, name, topic, direct, members, archived }) => ({
      id,
      name,
      topic,
      direct,
      members: [...members],
      archived,
    })),
    messages: state.messages.map((message) => playMessage(state, message)),
    modals: [...state.people.keys()].flatMap((person) => {
      const view = topView(state, person)
      return view ? [playView(view)] : []
    }),
    homes: [...state.homes.values()].flatMap((id) => {
      const view = state.views.get(id)
      return view ? [playView(view)] : []
    }),
  }
}

export function playMessage(state: State, message: StoredMessage): PlayMessage {
  return {
    channel: message.channel,
    ts: message.ts,
    threadTs: message.threadTs,
    user: message.user,
    text: message.text,
    blocks: message.blocks,
    editedAt: message.edited ? Number(message.edited.ts) * 1000 : null,
    ephemeralTo: message.ephemeralTo,
    broadcast: message.broadcast,
    files: message.files.flatMap((id) => {
      const file = state.files.get(id)
      return file ? [{ id, name: file.name, title: file.title, size: file.length, url: `/play/file/${id}` }] : []
    }),
    metadata: message.metadata,
  }
}

export const playView = (stored: StoredView): PlayView => ({
  person: stored.person,
  viewId: stored.id,
  view: stored.view,
  errors: stored.errors,
})

function streamEvents(state: State, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'keep-alive' })
  const send = (): void => void response.write(`data: ${JSON.stringify({ revision: state.revision })}\n\n`)
  const stop = state.onChange(send)
  request.on('close', stop)
  send()
}

function sendFile(state: State, id: string, response: ServerResponse): void {
  const content = state.files.get(id)?.content
  if (content) sendText(response, 200, content.toString())
  else sendText(response, 404, 'There is no such file.')
}

/** Only JSON is taken, so that no other site's form can act for a person. */
async function answerVerb(stage: Stage, verb: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const type = request.headers['content-type'] ?? ''
  const body = type.startsWith('application/json') ? parseArguments(await readBody(request), type) : null
  if (body === null) return sendJson(response, 400, { ok: false, error: 'The request was not JSON.' })
  const answer = await perform(stage, verb, body)
  sendJson(response, answer ? 200 : 404, answer ?? { ok: false, error: `There is no /play/${verb}.` })
}

function perform(stage: Stage, verb: string, body: Json): Promise<Answer> | Answer | null {
  const person = textOf(body['person'])
  const channel = textOf(body['channel'])
  const text = textOf(body['text'])
  const thread = textOf(body['threadTs'])
  const viewId = textOf(body['viewId'])
  const inThread = thread === '' ? {} : { threadTs: thread }
  switch (verb) {
    case 'command':
      return typeCommand(stage, { person, channel, text, ...inThread })
    case 'say':
      return say(stage, { person, channel, text, ...inThread })
    case 'click': {
      const at = recordOf(body['container'])
      const container = 'viewId' in at ? { viewId: textOf(at['viewId']) } : { channel: textOf(at['channel']), ts: textOf(at['ts']) }
      const selected = typeof body['selected'] === 'string' ? { selected: body['selected'] } : {}
      const actionId = textOf(body['actionId'])
      return click(stage, { person, container, blockId: textOf(body['blockId']), actionId, ...selected, state: recordOf(body['state']) })
    }
    case 'submit': {
      const values = Object.entries(recordOf(body['values'])).map(([block, held]): [string, Json] => [block, recordOf(held)])
      return submit(stage, { person, viewId, values: Object.fromEntries(values.filter(([, held]) => isRecord(held))) })
    }
    case 'close':
      return closeView(stage, { person, viewId })
    case 'home':
      return openHome(stage, { person })
    default:
      return null
  }
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.ico': 'image/x-icon',
}

/** Addresses without a file of their own (permalinks) get the page, which finds its way by the address. */
async function sendPage(directory: string, path: string, response: ServerResponse): Promise<boolean> {
  const wanted = join(directory, normalize(decodeURIComponent(path)))
  const inside = wanted.startsWith(normalize(directory + sep))
  const exact = inside && (await isFile(wanted)) ? wanted : null
  const file = exact ?? (extname(path) === '' ? join(directory, 'index.html') : null)
  if (file === null || !(await isFile(file))) return false
  response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' })
  createReadStream(file).pipe(response)
  return true
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => null))?.isFile() ?? false
