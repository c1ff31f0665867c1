import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../src/lib/clock.ts'
import { formFault, type BodyKind } from './http-body.ts'

/** Slack signs with the current time; older or younger than this is a replay or a forgery. */
export const SIGNATURE_AGE_SECONDS = 300
const PATH = '/slack/events'
/** Slack's own payloads stay far below. */
const MOST_BYTES = 1_000_000
const HEADERS_MS = 5_000
const BODY_MS = 5_000
/** Of bodies that are not known yet to be signed, all together; else many half-sent ones would fill the memory. */
const MOST_HELD_BYTES = 32_000_000
/** More at once than Slack ever opens, and fewer than a process may have files. */
const MOST_CONNECTIONS = 512

/** How the HTTP server is made: whoever sends slowly is cut off, and idle connections do not stay. */
export const serverOptions: ServerOptions = {
  headersTimeout: HEADERS_MS,
  requestTimeout: HEADERS_MS + BODY_MS,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
}

export type Guard = {
  /** Bolt's listener behind the guard. */
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void
  /** When too many connections are open the oldest one makes room, unless what it brought was signed and is being handled. */
  readonly limit: (server: Server) => void
}

/**
 * Everything that can be said about a delivery over HTTP before anybody believes it, in the order of what it costs: the form of the
 * headers, the size, the signature over the bytes as they came, the form of the body. Answers itself, with a status and nothing else;
 * what passes is handed on with its body read. The library behind it checks the signature again.
 */
export function createGuard(
  behind: (request: IncomingMessage, response: ServerResponse) => void,
  options: { readonly signingSecret: string; readonly clock: Clock; readonly onRefused: (status: number, why: string) => void },
): Guard {
  const busy = new WeakSet<Socket>()
  const held = { bytes: 0 }
  async function admit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, held)
    if (!Buffer.isBuffer(body)) return answerFault(body, request, response)
    if (!isSigned(request, body, options.signingSecret)) return answerFault([401, 'the signature is wrong'], request, response)
    const kind = kindOf(request)
    const fault = formFault(body, kind)
    if (fault !== undefined) return answerFault([400, fault], request, response)
    request.headers['content-type'] = TYPES[kind]
    Object.assign(request, { rawBody: body }) // what the library keeps a body under, once it has read one
    busy.add(request.socket)
    response.once('close', () => busy.delete(request.socket))
    behind(request, response)
  }
  function answerFault([status, why]: Fault, request: IncomingMessage, response: ServerResponse): void {
    options.onRefused(status, why)
    if (response.headersSent || request.socket.destroyed) return
    response.sendDate = false
    response.writeHead(status, isSmall(request.rawHeaders) ? NO_BODY : { connection: 'close' })
    response.end()
  }
  return {
    listener(request, response) {
      const path = pathOf(request.url ?? '')
      if (path === undefined) return answerFault([400, 'the address is none'], request, response)
      // everything else is nobody's, or belongs to who put it there
      if (request.method !== 'POST' || path !== PATH) return behind(request, response)
      const early = headerFault(request.rawHeaders, options.clock.now())
      if (early !== undefined) return answerFault(early, request, response)
      admit(request, response).catch((error: Error) => answerFault([400, error.message], request, response))
    },
    limit(server) {
      const open = new Set<Socket>()
      server.on('connection', (socket) => {
        open.add(socket)
        socket.once('close', () => open.delete(socket))
        if (open.size <= MOST_CONNECTIONS) return
        for (const oldest of open)
          if (!busy.has(oldest)) {
            oldest.destroy()
            return
          }
      })
    },
  }
}

/** Undefined when it is no address at all. */
const pathOf = (url: string): string | undefined => (url === PATH ? PATH : URL.parse(url, 'http://localhost')?.pathname)

const NO_BODY = { 'content-length': '0' } as const

/**
 * Whether what is still to come of a refused request is known and little. Then its connection may stay: reading past a little costs
 * less than the new connection that whoever floods us would open next.
 */
function isSmall(rawHeaders: readonly string[]): boolean {
  const length = onlyValue(rawHeaders, 'content-length')
  return length !== undefined && /^\d{1,4}$/.test(length) && valuesOf(rawHeaders, 'transfer-encoding').length === 0
}

type Fault = readonly [status: number, why: string]

const UNSIGNED: Fault = [401, 'it is not signed, or signed twice']

/** `rawHeaders` as Node gives them: name, value, name, value. `now` in milliseconds. */
export function headerFault(rawHeaders: readonly string[], now: number): Fault | undefined {
  const signature = onlyValue(rawHeaders, 'x-slack-signature')
  const timestamp = signature === undefined ? undefined : onlyValue(rawHeaders, 'x-slack-request-timestamp')
  if (timestamp === undefined || signature === undefined) return UNSIGNED
  if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return [401, 'the signature is malformed']
  if (Math.abs(Math.floor(now / 1000) - Number(timestamp)) > SIGNATURE_AGE_SECONDS) return [401, 'the signature is not of now']
  if (kindIn(onlyValue(rawHeaders, 'content-type')) === undefined) return [415, 'the content type is not one that Slack uses']
  if (valuesOf(rawHeaders, 'content-encoding').length > 0) return [415, 'the body is encoded']
  const length = onlyValue(rawHeaders, 'content-length')
  if (length !== undefined && Number(length) > MOST_BYTES) return [413, `the body has ${length.slice(0, 20)} bytes`]
  return undefined
}

const TYPES: Readonly<Record<BodyKind, string>> = { form: 'application/x-www-form-urlencoded', json: 'application/json' }

function kindIn(contentType: string | undefined): BodyKind | undefined {
  const type = /^([a-z/-]+)(?:\s*;\s*charset="?utf-8"?)?$/i.exec(contentType?.trim() ?? '')?.[1]?.toLowerCase()
  return type === TYPES.form ? 'form' : type === TYPES.json ? 'json' : undefined
}

const kindOf = (request: IncomingMessage): BodyKind => kindIn(request.headers['content-type']) ?? 'json'

/** `held` counts what is read for all requests at this moment. */
async function readBody(request: IncomingMessage, held: { bytes: number }): Promise<Buffer | Fault> {
  const { promise, resolve } = Promise.withResolvers<Buffer | Fault>()
  const chunks: Buffer[] = []
  let size = 0
  const timer = setTimeout(() => resolve([408, 'the body did not come in time']), BODY_MS)
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    held.bytes += chunk.length
    if (size > MOST_BYTES) resolve([413, `the body has more than ${MOST_BYTES} bytes`])
    else if (held.bytes > MOST_HELD_BYTES) resolve([503, 'too many bodies are being read'])
    else return void chunks.push(chunk)
    request.pause()
  })
  request.once('end', () => resolve(Buffer.concat(chunks)))
  request.once('error', (error) => resolve([400, error.message]))
  request.once('close', () => resolve([400, 'the connection was closed before the body was there']))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    held.bytes -= size
  }
}

/** Over the bytes as they came: decoded and encoded again they might be others. */
function isSigned(request: IncomingMessage, body: Buffer, secret: string): boolean {
  const timestamp = String(request.headers['x-slack-request-timestamp'])
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest()
  return timingSafeEqual(expected, Buffer.from(String(request.headers['x-slack-signature']).slice('v0='.length), 'hex'))
}

function onlyValue(rawHeaders: readonly string[], name: string): string | undefined {
  const values = valuesOf(rawHeaders, name)
  return values.length === 1 ? values[0] : undefined
}

const valuesOf = (rawHeaders: readonly string[], name: string): readonly string[] =>
  rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
