import type { IncomingMessage, ServerResponse } from 'node:http'
import { SlackRefusal } from './errors.ts'
import { UPLOAD, type Faults } from './faults.ts'
import { parseArguments, readBody, sendJson, sendText } from './http.ts'
import { chatMethods } from './methods/chat.ts'
import { conversationMethods } from './methods/conversations.ts'
import { fileMethods } from './methods/files.ts'
import { missingScope, type Method } from './methods/method.ts'
import { peopleMethods } from './methods/people.ts'
import { viewMethods } from './methods/views.ts'
import type { Rates } from './rates.ts'
import { textOf, type Json } from './shape.ts'
import type { State } from './state.ts'
import { identify, type Keys } from './tokens.ts'

export type WebApi = {
  readonly state: State
  readonly keys: Keys
  readonly faults: Faults
  readonly rates: Rates
  readonly socketUrl: () => string
}

/** The answer before it goes out: `cut` means that nobody hears it. */
type Answer = {
  readonly status: number
  readonly body: Json
  readonly headers?: Readonly<Record<string, string>>
  readonly cut?: boolean
  readonly lateByMs?: number
}

const methods: Readonly<Record<string, Method>> = {
  ...chatMethods,
  ...conversationMethods,
  ...peopleMethods,
  ...viewMethods,
  ...fileMethods,
  'apps.connections.open': { token: 'app', scopes: [], tier: 'none', run: (call) => ({ url: call.socketUrl() }) },
}

export async function answerApi(api: WebApi, method: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  const args = parseArguments(body, request.headers['content-type'] ?? '')
  const token = bearer(request) ?? textOf(args?.['token'])
  const shown = withoutToken(args ?? {})
  const answer = answerCall(api, method, args, shown, token)
  api.state.calls.push({ method, at: api.state.now(), args: shown, status: answer.status, answer: answer.body, delivered: !answer.cut })
  api.state.changed()
  if (answer.lateByMs !== undefined) await new Promise((done) => setTimeout(done, answer.lateByMs))
  if (answer.cut) request.socket.destroy()
  else sendJson(response, answer.status, answer.body, { date: new Date(api.state.now()).toUTCString(), ...answer.headers })
}

function answerCall(api: WebApi, name: string, args: Json | null, shown: Json, token: string): Answer {
  const fault = api.faults.take(name)
  if (fault?.kind === 'outage') return { status: 500, body: { ok: false, error: 'internal_error' }, cut: fault.how === 'connection_cut' }
  if (fault?.kind === 'ratelimited') return limited(fault.retryAfter)
  if (fault?.kind === 'error') return { status: 200, body: { ok: false, error: fault.error } }
  const answer = carryOut(api, name, args, shown, token)
  if (fault?.kind === 'slow') return { ...answer, lateByMs: fault.ms }
  return fault?.kind === 'lost-reply' ? { ...answer, cut: true } : answer
}

function carryOut(api: WebApi, name: string, args: Json | null, shown: Json, token: string): Answer {
  const headers = { 'x-oauth-scopes': api.keys.scopes.join(','), 'x-accepted-oauth-scopes': '' }
  // checks the way to Slack and takes no token
  if (name === 'api.test') return { status: 200, body: { ok: true, args: shown } }
  try {
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined
    if (!method) throw new SlackRefusal('unknown_method', { extra: { req_method: name } })
    if (args === null) throw new SlackRefusal('invalid_json')
    const identity = identify(api.keys, token)
    if (identity.kind === 'refused') throw new SlackRefusal(identity.error)
    if (identity.kind !== method.token) throw new SlackRefusal('not_allowed_token_type')
    if (method.scopes.some((scope) => !api.keys.scopes.includes(scope))) throw missingScope(method.scopes, api.keys.scopes)
    const key = method.tier === 'posting' ? `${name} ${textOf(args['channel'])}` : name
    const wait = api.rates(key, method.tier)
    if (wait !== null) return limited(wait)
    const body = method.run({ state: api.state, args: shown, granted: api.keys.scopes, socketUrl: api.socketUrl })
    return { status: 200, body: { ok: true, ...body }, headers: { ...headers, 'x-accepted-oauth-scopes': method.scopes.join(',') } }
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error
    const detail = error.messages.length > 0 ? { response_metadata: { messages: error.messages } } : {}
    return { status: 200, body: { ok: false, error: error.code, ...error.extra, ...detail }, headers }
  }
}

const limited = (seconds: number): Answer => ({
  status: 429,
  body: { ok: false, error: 'ratelimited' },
  headers: { 'retry-after': String(seconds) },
})

/** What `files.getUploadURLExternal` promised: raw bytes, or a form with one file as the WebClient sends it. */
export async function answerUpload(api: WebApi, id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  const fault = api.faults.take(UPLOAD)
  if (fault?.kind === 'outage' && fault.how === 'connection_cut') return void request.socket.destroy()
  if (fault?.kind === 'outage') return sendText(response, 500, 'internal_error')
  if (fault?.kind === 'error') return sendText(response, 400, fault.error)
  if (fault?.kind === 'ratelimited')
    return sendJson(response, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(fault.retryAfter) })
  const file = api.state.files.get(id)
  if (!file || file.shared) return sendText(response, 404, 'file_not_found')
  const content = await uploadedBytes(body, request.headers['content-type'] ?? '')
  if (content.length !== file.length) return sendText(response, 400, `expected ${file.length} bytes and got ${content.length}`)
  file.content = content
  api.state.changed()
  if (fault?.kind === 'lost-reply') return void request.socket.destroy()
  sendText(response, 200, `OK - ${content.length}`)
}

async function uploadedBytes(body: Buffer, contentType: string): Promise<Buffer> {
  if (!contentType.startsWith('multipart/form-data')) return body
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
  for (const value of form.values()) if (typeof value !== 'string') return Buffer.from(await value.arrayBuffer())
  return Buffer.alloc(0)
}

function bearer(request: IncomingMessage): string | null {
  const match = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')
  return match?.[1] ?? null
}

/** The log of calls shows no tokens. */
const withoutToken = (args: Json): Json => Object.fromEntries(Object.entries(args).filter(([name]) => name !== 'token'))
