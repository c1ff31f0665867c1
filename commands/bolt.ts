import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import type { App, Logger, Receiver } from '@slack/bolt'
import type BoltFile from '@slack/bolt/dist/App.js'
import type ReceiverFile from '@slack/bolt/dist/receivers/HTTPReceiver.js'
import type { Clock } from '../src/lib/clock.ts'
import type { Log } from '../src/lib/log.ts'
import { emit, withFields } from '../src/lib/telemetry.ts'
import { createSocketReceiver } from '../src/slack/client/socket.ts'
import { createGuard, serverOptions } from './http-guard.ts'

/**
 * Bolt by its own files, since the package's front door also loads Express and all that it needs, which nobody here uses. They are CommonJS
 * and required as such: what `import` makes of their `default` differs between Node and other loaders. What `require` answers has no type.
 */
const require = createRequire(import.meta.url)
const { default: BoltApp, LogLevel } = require('@slack/bolt/dist/App.js') as typeof BoltFile
const { default: HTTPReceiver } = require('@slack/bolt/dist/receivers/HTTPReceiver.js') as typeof ReceiverFile

export type BoltOptions = {
  readonly mode: 'socket' | 'http'
  readonly botToken: string
  readonly botUser: string
  /** `xapp-…`; Socket Mode only. */
  readonly appToken?: string
  /** HTTP mode only; the bot does not start with an empty one. */
  readonly signingSecret?: string
  readonly port: number
  readonly host: string
  /** Another server than Slack's own. */
  readonly apiUrl?: string
  readonly clock: Clock
  readonly log: Log
}

export type Bolt = {
  readonly app: App
  /** In HTTP mode, the port that it listens on. */
  readonly start: () => Promise<{ readonly port: number | null }>
  /** Whether somebody waits for an acknowledgement. */
  readonly isAwaited: () => boolean
  readonly connection: () =>
    { readonly mode: 'socket'; readonly connections: number } | { readonly mode: 'http'; readonly isListening: boolean }
}

/** The connection to Slack. What it brings is handled by whatever `listen` registers. */
export function createBolt(options: BoltOptions): Bolt {
  const logger = loggerFor(options.log)
  const clientOptions = options.apiUrl === undefined ? {} : { slackApiUrl: options.apiUrl }
  const way = options.mode === 'http' ? httpWay(options, logger) : socketWay(options)
  const app = new BoltApp({
    receiver: way.receiver,
    logger,
    clientOptions,
    // the bot's own identity is known, so no delivery waits for a question to Slack
    authorize: async () => ({ botToken: options.botToken, botUserId: options.botUser }),
  })
  return { app, start: way.start, connection: way.connection, isAwaited: watchDeliveries(app) }
}

type Way = Pick<Bolt, 'start' | 'connection'> & { readonly receiver: Receiver }

/** Whatever comes of a delivery is logged under its id, and its acknowledgement is timed. Answers whether one is still to come. */
function watchDeliveries(app: App): () => boolean {
  const process = app.processEvent.bind(app)
  const awaited = new Set<unknown>()
  app.processEvent = (event) => {
    const arrived = performance.now()
    const envelope: unknown = event.customProperties?.['envelopeId']
    const type: unknown = event.body['command'] === undefined ? event.body['type'] : 'command'
    const acknowledge = event.ack
    awaited.add(event)
    return withFields({ delivery: typeof envelope === 'string' ? envelope : randomUUID() }, () =>
      process({
        ...event,
        async ack(response) {
          await acknowledge(response)
          awaited.delete(event)
          emit({
            kind: 'acknowledged',
            type: deliveryTypes.find((one) => one === type) ?? 'other',
            durationMs: performance.now() - arrived,
          })
        },
      }).finally(() => awaited.delete(event)),
    )
  }
  return () => awaited.size > 0
}

const deliveryTypes = ['command', 'block_actions', 'view_submission', 'view_closed', 'event_callback']

function socketWay(options: BoltOptions): Way {
  if (options.appToken === undefined || options.appToken === '') throw new Error('Socket Mode needs SLACK_APP_TOKEN')
  const receiver = createSocketReceiver({
    appToken: options.appToken,
    log: options.log,
    ...(options.apiUrl === undefined ? {} : { apiUrl: options.apiUrl }),
  })
  return {
    receiver,
    async start() {
      await receiver.start()
      return { port: null }
    },
    connection: () => ({ mode: 'socket', connections: receiver.connections() }),
  }
}

function httpWay(options: BoltOptions, logger: Logger): Way {
  const { signingSecret, clock, log } = options
  if (signingSecret === undefined || signingSecret === '') throw new Error('HTTP mode needs SLACK_SIGNING_SECRET')
  const receiver = new HTTPReceiver({
    signingSecret,
    logger,
    bodyLimit: 1_000_000,
    customPropertiesExtractor: (request) => ({ signature: request.headers['x-slack-signature'] }),
  })
  const onRefused = (status: number, why: string) => log.debug({ status, why }, 'a delivery over HTTP was refused')
  const guard = createGuard(receiver.requestListener, { signingSecret, clock, onRefused })
  receiver.requestListener = guard.listener
  let isListening = false
  return {
    receiver,
    async start() {
      const server = await receiver.start({ port: options.port, host: options.host }, serverOptions)
      guard.limit(server)
      isListening = true
      const address = server.address()
      return { port: typeof address === 'object' && address !== null ? address.port : null }
    },
    connection: () => ({ mode: 'http', isListening }),
  }
}

/** Bolt's log lines go the way of all lines, through the redactor. */
function loggerFor(log: Log): Logger {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (...parts: unknown[]) =>
      log[level]({ from: 'bolt' }, parts.map(String).join(' '))
  return {
    debug() {}, // it would carry every delivery whole
    info: write('debug'),
    warn: write('warn'),
    error: write('error'),
    setLevel() {},
    getLevel: () => LogLevel.INFO,
    setName() {},
  }
}
