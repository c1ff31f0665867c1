import { setTimeout as wait } from 'node:timers/promises'
import type { App, Receiver } from '@slack/bolt'
import { LogLevel, SocketModeClient } from '@slack/socket-mode'
import type { Log } from '../../lib/log.ts'

export type SocketOptions = {
  readonly appToken: string
  readonly log: Log
  /** Another server than Slack's own. */
  readonly apiUrl?: string
}

/** Slack closes each connection now and then; while one is made anew the other one listens. */
const CONNECTIONS = 2
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 15_000
/** What a new try does not mend; it is tried again all the same, since a token may be put right at Slack's side. */
const REFUSED =
  /invalid_auth|not_authed|account_inactive|token_revoked|token_expired|missing_scope|not_allowed_token_type|user_removed_from_team|team_disabled/

/**
 * Socket Mode that stays connected through every outage. The library's own reconnecting gives up on a server error with an unhandled
 * rejection and leaves 5 s without a connection at each refresh, so it is switched off and done here.
 */
export function createSocketReceiver(options: SocketOptions): Receiver & { readonly connections: () => number } {
  const stopping = new AbortController()
  const clients = Array.from({ length: CONNECTIONS }, () => clientOf(options))
  const loops: Promise<void>[] = []
  return {
    connections: () => clients.filter(isConnected).length,
    init(app) {
      for (const client of clients) client.on('slack_event', (delivery: Delivery) => void handle(app, delivery, options.log))
    },
    /** Resolves with the first connection. A token that is refused at the start is a fault of the set-up, and thrown. */
    async start() {
      for (const [index, client] of clients.entries()) {
        if (index === 0) await client.start().catch((cause: unknown) => refusedAtStart(cause, options.log))
        loops.push(stayConnected(client, options.log, stopping.signal))
      }
    },
    async stop() {
      stopping.abort()
      const end = () => Promise.all(clients.filter(isConnected).map((client) => client.disconnect()))
      await end()
      await Promise.all(loops)
      await end() // one that was just being made
    },
  }
}

type Delivery = {
  readonly body: Record<string, unknown>
  readonly ack: (response?: unknown) => Promise<void>
  readonly envelope_id?: string
  readonly retry_num?: number
  readonly retry_reason?: string
}

async function handle(app: App, delivery: Delivery, log: Log): Promise<void> {
  try {
    await app.processEvent({
      body: delivery.body,
      ack: (response: unknown) => delivery.ack(response ?? {}),
      ...(delivery.retry_num === undefined ? {} : { retryNum: delivery.retry_num }),
      ...(delivery.retry_reason === undefined ? {} : { retryReason: delivery.retry_reason }),
      customProperties: { envelopeId: delivery.envelope_id },
    })
  } catch (error) {
    log.error({ error: String(error) }, 'a delivery could not be handled; Slack sends it again')
  }
}

async function stayConnected(client: SocketModeClient, log: Log, signal: AbortSignal): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const closed = closing(client)
    try {
      if (!isConnected(client)) await client.start()
      failures = 0
      await Promise.race([closed.promise, aborted(signal)])
    } catch (error) {
      failures++
      const level = REFUSED.test(String(error)) ? 'error' : 'warn'
      log[level]({ error: String(error), failures }, 'Slack cannot be reached for events; trying again, runs go on meanwhile')
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10))
      await wait(pause, undefined, { signal }).catch(() => {}) // aborted: the loop ends
    } finally {
      closed.forget()
    }
  }
}

function refusedAtStart(cause: unknown, log: Log): void {
  if (REFUSED.test(String(cause))) throw cause // whoever starts the bot turns it into a sentence
  log.warn({ error: String(cause) }, 'Slack cannot be reached for events yet; trying again')
}

function closing(client: SocketModeClient) {
  const { promise, resolve } = Promise.withResolvers<void>()
  client.once('disconnected', resolve)
  return { promise, forget: () => void client.off('disconnected', resolve) }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** The library keeps its socket to itself; this is the one question that it answers. */
const isConnected = (client: SocketModeClient): boolean =>
  (client as unknown as { readonly websocket?: { readonly isActive: () => boolean } }).websocket?.isActive() === true

function clientOf(options: SocketOptions): SocketModeClient {
  return new SocketModeClient({
    appToken: options.appToken,
    autoReconnectEnabled: false,
    logger: {
      debug() {}, // it would carry every delivery whole
      info: (...parts: unknown[]) => options.log.debug({ from: 'socket' }, parts.map(String).join(' ')),
      warn: (...parts: unknown[]) => options.log.warn({ from: 'socket' }, parts.map(String).join(' ')),
      error: (...parts: unknown[]) => options.log.debug({ from: 'socket' }, parts.map(String).join(' ')), // told above, once
      setLevel() {},
      getLevel: () => LogLevel.INFO,
      setName() {},
    },
    clientOptions: {
      ...(options.apiUrl === undefined ? {} : { slackApiUrl: options.apiUrl }),
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: 10_000,
    },
  })
}
