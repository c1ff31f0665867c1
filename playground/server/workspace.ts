import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createDeliverer, type Deliverer, type Repeat } from './deliver.ts'
import { actAs, createReaders, type Actor, type Readers } from './driver.ts'
import { createFaults, RESPONSE_URL, SOCKET, type Fault } from './faults.ts'
import { parseArguments, readBody, sendJson, sendText } from './http.ts'
import { answerPlay, playState, type Stage } from './play.ts'
import { newResponseUrl } from './people/payloads.ts'
import type { PlayState } from '../protocol.ts'
import { createRates, noRates } from './rates.ts'
import { createRequestUrl, signedHeaders } from './request-url.ts'
import { useResponseUrl } from './response-url.ts'
import type { Seed } from './seed.ts'
import { createSocketMode } from './socket.ts'
import { createState, type ApiCall } from './state.ts'
import { defaultTokens, type Keys, type Tokens } from './tokens.ts'
import { waitFor } from './wait.ts'
import { answerApi, answerUpload, type WebApi } from './web.ts'

export type WorkspaceOptions = {
  /** 0 or nothing takes a free one. */
  readonly port?: number
  readonly seed?: Seed
  readonly tokens?: Partial<Tokens>
  /** Signed HTTP to this address instead of Socket Mode. */
  readonly requestUrl?: string
  /** The playground page's build, served at `/`. */
  readonly pageDirectory?: string
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Slack waits 3 seconds for an acknowledgement. */
  readonly ackMs?: number
  readonly rateLimits?: boolean
  readonly redeliver?: 'events' | 'all'
  /** `everywhere`: each delivery comes on every connection of the app. */
  readonly deliver?: Repeat
}

export type Workspace = Readers & {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string
  /** For `SLACK_API_URL`: ends in `/api/`. */
  readonly apiUrl: string
  readonly tokens: Tokens
  readonly as: (person: string) => Actor
  readonly state: () => PlayState
  /** Every call of the Web API so far, oldest first. */
  readonly calls: (method?: string) => readonly ApiCall[]
  readonly waitFor: <T>(
    find: () => T | null | undefined | false,
    options?: { readonly timeoutMs?: number; readonly what?: string },
  ) => Promise<T>
  readonly fault: (fault: Fault) => { readonly clear: () => void }
  readonly clearFaults: () => void
  readonly revokeToken: (which: 'bot' | 'app') => void
  readonly restoreToken: (which: 'bot' | 'app') => void
  readonly setScopes: (scopes: readonly string[]) => void
  readonly archive: (channel: string) => void
  readonly unarchive: (channel: string) => void
  readonly setMembers: (channel: string, members: readonly string[]) => void
  readonly setGroup: (group: string, members: readonly string[]) => void
  readonly deactivate: (person: string) => void
  /** An address for answers, as a command of this person in this channel would bring it. */
  readonly responseUrl: (person: string, channel: string) => string
  readonly socket: {
    readonly connections: () => number
    readonly refresh: (reason?: 'refresh_requested' | 'warning' | 'link_disabled') => void
    readonly drop: () => void
  }
  readonly deliveries: Pick<Deliverer, 'deliver' | 'log' | 'repeat' | 'loseAcks' | 'hold'>
  /** Headers with which Slack would sign this body, now unless said (seconds since the epoch). */
  readonly sign: (body: string, timestamp?: number) => Record<string, string>
  readonly close: () => Promise<void>
}

/** A Slack in a box: one workspace with one app in it, on loopback only. */
export async function startWorkspace(options: WorkspaceOptions = {}): Promise<Workspace> {
  const state = createState(options)
  const keys: Keys = { ...defaultTokens, ...options.tokens, revoked: new Set(), scopes: state.seed.app.scopes }
  const faults = createFaults(state.changed)
  const ackMs = options.ackMs ?? 3_000
  const envelope = (): string => crypto.randomUUID()
  const socket = createSocketMode({ appId: state.seed.app.id, ackMs, nextId: envelope, changed: state.changed })
  const { requestUrl } = options
  const transport =
    requestUrl === undefined ? socket : createRequestUrl({ requestUrl, signingSecret: keys.signingSecret, ackMs, now: state.now })
  const deliverer = createDeliverer({
    transport,
    nextId: envelope,
    changed: state.changed,
    redeliver: options.redeliver ?? 'events',
    usually: options.deliver ?? 'once',
  })
  const rates = options.rateLimits === false ? noRates : createRates(state.now)
  const api: WebApi = { state, keys, faults, rates, socketUrl: () => socket.openUrl(state.origin) }
  const stage: Stage = {
    state,
    deliverer,
    isConnected: transport.isConnected,
    mode: requestUrl === undefined ? 'socket' : 'http',
    outage: faults.lasting,
    pageDirectory: options.pageDirectory ?? null,
  }

  const server = createServer((request, response) => {
    answer(api, stage, request, response).catch((error: unknown) => {
      if (!response.headersSent) sendJson(response, 500, { ok: false, error: 'fatal_error', detail: String(error) })
      else response.destroy()
    })
  })
  server.on('upgrade', (request, connection, head) => {
    if (faults.take(SOCKET)) connection.destroy()
    else socket.upgrade(request, connection, head)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the playground server has no port')
  state.origin = `http://127.0.0.1:${address.port}`

  const change = (act: () => void): void => {
    act()
    state.changed()
  }
  return {
    ...createReaders(state),
    url: state.origin,
    apiUrl: `${state.origin}/api/`,
    tokens: { bot: keys.bot, app: keys.app, signingSecret: keys.signingSecret },
    as: (person) => actAs({ state, deliverer }, person),
    state: () => playState(stage),
    calls: (method) => state.calls.filter((call) => method === undefined || call.method === method),
    waitFor: (find, waiting) => waitFor(state, find, waiting),
    fault: (fault) => {
      // When Slack is down, it is down for its sockets as well.
      if (fault.kind === 'outage' && !fault.methods) socket.drop()
      return faults.add(fault)
    },
    clearFaults: faults.clear,
    revokeToken: (which) => void keys.revoked.add(keys[which]),
    restoreToken: (which) => void keys.revoked.delete(keys[which]),
    setScopes: (scopes) => {
      keys.scopes = scopes
    },
    archive: (id) => change(() => void Object.assign(known(state.channels, id), { archived: true })),
    unarchive: (id) => change(() => void Object.assign(known(state.channels, id), { archived: false })),
    setMembers: (id, members) => change(() => void (known(state.channels, id).members = [...members])),
    setGroup: (id, members) => change(() => void (known(state.groups, id).members = [...members])),
    deactivate: (id) => change(() => void state.people.set(id, { ...known(state.people, id), kind: 'deactivated' })),
    responseUrl: (person, channel) => newResponseUrl(state, { person, channel, message: null }),
    socket: { connections: socket.connections, refresh: socket.refresh, drop: socket.drop },
    deliveries: {
      deliver: deliverer.deliver,
      log: deliverer.log,
      repeat: deliverer.repeat,
      loseAcks: deliverer.loseAcks,
      hold: deliverer.hold,
    },
    sign: (body, timestamp = Math.floor(state.now() / 1000)) => signedHeaders(keys.signingSecret, timestamp, body),
    close: async () => {
      deliverer.close()
      socket.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(api: WebApi, stage: Stage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isLocal(request.headers.host)) return sendText(response, 403, 'This server answers on this machine only.')
  const path = new URL(request.url ?? '/', 'http://localhost').pathname
  if (path.startsWith('/api/')) return answerApi(api, path.slice('/api/'.length), request, response)
  if (path.startsWith('/upload/v1/')) return answerUpload(api, path.slice('/upload/v1/'.length), request, response)
  if (path.startsWith('/response/')) {
    return answerResponseUrl(api, path.split('/').at(-1) ?? '', request, response)
  }
  if (await answerPlay(stage, path, request, response)) return
  sendText(response, 404, 'There is nothing here.')
}

async function answerResponseUrl(api: WebApi, id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = parseArguments(await readBody(request), request.headers['content-type'] ?? '') ?? {}
  const fault = api.faults.take(RESPONSE_URL)
  switch (fault?.kind) {
    case 'outage':
      return fault.how === 'connection_cut' ? void request.socket.destroy() : sendText(response, 500, 'internal_error')
    case 'ratelimited':
      return sendJson(response, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(fault.retryAfter) })
    case 'error':
      // one of the Web API says nothing about addresses that were given out
      if (fault.methods !== undefined) return sendJson(response, 404, { ok: false, error: fault.error })
      break
    default:
  }
  const { status, error } = useResponseUrl(api.state, id, body)
  if (fault?.kind === 'lost-reply') return void request.socket.destroy()
  if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms))
  return error === null ? sendText(response, status, 'ok') : sendJson(response, status, { ok: false, error })
}

/** A page of another site must not reach this server through a name that points to loopback. */
const isLocal = (host: string | undefined): boolean => /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? '')

function known<T>(map: ReadonlyMap<string, T>, id: string): T {
  const value = map.get(id)
  if (value === undefined) throw new Error(`the workspace has no ${id}`)
  return value
}
