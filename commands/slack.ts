import { randomUUID } from 'node:crypto'
import type { App, AllMiddlewareArgs, AnyMiddlewareArgs, BlockAction, Logger, Receiver } from '@slack/bolt'
// by their own files: the package's front door also loads Express and all that it needs, which nobody here uses
import bolt from '@slack/bolt/dist/App.js'
import receivers from '@slack/bolt/dist/receivers/HTTPReceiver.js'
import type { ButtonDeps } from '../approvals/buttons/deps.ts'
import { decisionWindows, listenToButtons } from '../approvals/buttons/listen.ts'
import { viewToBreak } from '../approvals/buttons/open.ts'
import { withOffer } from '../approvals/buttons/press.ts'
import { noticeView, workingView } from '../approvals/modals/notice-modal.ts'
import { code } from '../approvals/wording.ts'
import { writeAudit, type AuditEntry } from '../src/audit/write.ts'
import type { Clock } from '../src/lib/clock.ts'
import { storeNow } from '../src/store/now.ts'
import { killPoint } from '../src/lib/failpoint.ts'
import { inTime } from '../src/lib/in-time.ts'
import type { Log } from '../src/lib/log.ts'
import { noted, tell, withFields } from '../src/lib/telemetry.ts'
import { isRefusal, refuse, type Refusal } from '../src/lib/refusal.ts'
import { requestById } from '../src/request/store.ts'
import type { SlackPort, View } from '../src/slack/port.ts'
import { createSocketReceiver } from '../src/slack/client/socket.ts'
import { answer } from './dispatch.ts'
import { answersTo, deliveryFault } from './http-body.ts'
import { createGuard, serverOptions } from './http-guard.ts'
import { clickedWindow, maintenanceViews, submittedWindow, typedMaintenance, type SlackDeps } from './windows/slack.ts'
import { formNotOpened, placeOf, readForm, REQUEST_FORM, requestForm } from './forms/deploy.ts'
import { parseText, type Command } from './parse/command.ts'
import { auditedBy, type Reply, type VerbDeps } from './verbs/reply.ts'
import { deliveryKeys, firstSight } from './dedupe.ts'
import { notInDirect, whyNotHere, type Asker, type Place } from './parse/channel-scope.ts'

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

export type ListenDeps = VerbDeps &
  ButtonDeps & {
    readonly slack: Pick<SlackPort, 'openView' | 'updateView' | 'ephemeral'>
    /** Everything about maintenance windows. */
    readonly windows: Omit<SlackDeps, 'slack'>
    /** The workspace that the bot belongs to (`T…`). */
    readonly team: string
    /** The app that the bot belongs to (`A…`); null when Slack did not say. */
    readonly slackApp: string | null
    /** As in `BoltOptions`: answers to a `response_url` go there and to Slack, and nowhere else. */
    readonly apiUrl?: string
    /** Draws Home for somebody; called when he opens it. */
    readonly showHome: (user: string) => Promise<void>
  }

export type Listening = {
  readonly app: App
  /** In HTTP mode, the port that it listens on. */
  readonly start: () => Promise<{ readonly port: number | null }>
  /** Takes nothing new and waits for what is being handled. */
  readonly stop: () => Promise<void>
}

export type Bolt = Pick<Listening, 'app' | 'start'> & {
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
  const app = new bolt.default({
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
          tell({
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

/** Registers everything that people can do in Slack. */
export function listen(bolt: Pick<Listening, 'app' | 'start'>, deps: ListenDeps): Listening {
  const { app, start } = bolt
  const inFlight = new Set<Promise<void>>()
  const handling = new Map<string, Promise<void>>()
  app.use(async (args) => {
    const handled = admit(deps, args, handling)
    const done = handled.then(
      () => {},
      () => {},
    )
    inFlight.add(done)
    try {
      await handled
    } finally {
      inFlight.delete(done)
    }
  })
  app.error(async (error) => deps.onFault(error))
  app.command(deps.command, async ({ command, ack, respond }) => {
    const place = placeIn(command.channel_id, command.channel_name)
    const asker: Asker = { account: command.user_id, entry: 'slash', place }
    const parsed = parseText(command.text ?? '', deps.known)
    if (!isRefusal(parsed) && parsed.verb === 'modal') {
      await ack()
      const refusal = await openForm(deps, command.trigger_id, place)
      await recordSafely(deps, { ...auditedBy(deps, asker), act: 'form', result: refusal === undefined ? 'allowed' : refusal.code })
      if (refusal !== undefined) await respond({ ...toAsker(refusal.text), replace_original: false })
      return
    }
    if (isRefusal(parsed)) {
      await ack(toAsker(noted(parsed).text))
      return recordSafely(deps, { ...auditedBy(deps, asker), act: 'command', result: parsed.code })
    }
    if (parsed.verb === 'break-glass') {
      const reply = await withoutFault(deps, openBreakGlass(deps, command.trigger_id, parsed, asker))
      await (textOf(reply) === '' ? ack() : ack(toAsker(textOf(reply))))
      const result = isRefusal(reply) ? reply.code : textOf(reply) === '' ? 'opened' : 'stale_button'
      // a number that nobody has yet may become another request's
      const requestId = result === 'unknown_request' ? null : parsed.id
      return recordSafely(deps, { ...auditedBy(deps, asker), act: 'break-glass', requestId, result })
    }
    const reply = withoutFault(deps, answer(deps, parsed, asker))
    const quick = await inTime(reply, acting.has(parsed.verb) ? ACT_MS : READ_MS)
    killPoint('before-ack', parsed.verb)
    if (quick.kind === 'in time') return ack(answerOf(quick.value))
    await ack(toAsker(meanwhile(parsed.verb)))
    await respond({ ...answerOf(await quick.value), replace_original: false })
  })
  app.view(REQUEST_FORM, async ({ body, view, ack }) => {
    // Bolt wants views of its own type, and ours are checked against Slack's limits where they are sent
    const acknowledge = ack as unknown as (response: FormResponse) => Promise<void>
    const place = placeOf(view.private_metadata)
    const form = { ...auditedBy(deps, { account: body.user.id, entry: 'modal', place: null }), act: 'form' }
    if (place === undefined) {
      await recordSafely(deps, { ...form, result: 'stale_button' })
      return acknowledge({ response_action: 'update', view: noticeView(formUnknown) })
    }
    const now = await storeNow(deps.db).catch(deps.onFault)
    const read = readForm(view.state.values, deps.known, now === undefined ? null : { now, targets: deps.targets })
    if ('errors' in read) {
      await recordSafely(deps, { ...form, result: 'bad_arguments' })
      return acknowledge({ response_action: 'errors', errors: read.errors })
    }
    const told = withoutFault(deps, answer(deps, read, { account: body.user.id, entry: 'modal', place })).then(formEnd)
    const quick = await inTime(told, ACT_MS)
    if (quick.kind === 'in time') return acknowledge(quick.value)
    await acknowledge({ response_action: 'update', view: workingView('Lockkeeper is still checking. The answer appears here.') })
    const end = await quick.value
    const sent = await deps.slack.updateView(view.id, end.view)
    if (sent.kind !== 'ok') deps.onFault(new Error(`the form's answer could not be shown: ${sent.kind}`))
  })
  // Slack would wait for an acknowledgement that nobody gives, and then say that something went wrong
  app.view({ callback_id: /^/, type: 'view_submission' }, async ({ body, view, ack }) => {
    if ([REQUEST_FORM, ...decisionWindows, ...maintenanceViews].includes(view.callback_id)) return
    await recordSafely(deps, { actor: body.user.id, entry: 'modal', act: 'form', result: 'stale_button' })
    await (ack as unknown as (response: FormResponse) => Promise<void>)({ response_action: 'update', view: noticeView(formUnknown) })
  })
  app.event('app_home_opened', async ({ event }) => {
    if (event.tab === 'home') await deps.showHome(event.user)
  })
  listenToButtons(app, deps)
  listenToWindows(app, { ...deps.windows, slack: deps.slack })
  return {
    app,
    start,
    async stop() {
      await app.stop()
      while (inFlight.size > 0) await Promise.all(inFlight)
    },
  }
}

/** `/maintenance`, the buttons of announcements, and what they open. */
function listenToWindows(app: App, deps: SlackDeps): void {
  app.command(deps.maintenance, ({ command, ack, respond }) =>
    typedMaintenance(deps, {
      text: command.text ?? '',
      trigger: command.trigger_id,
      asker: { account: command.user_id, entry: 'slash', place: placeIn(command.channel_id, command.channel_name) },
      ack: (text) => (text === '' ? ack() : ack(toAsker(text))),
      respond: async (text) => void (await respond({ ...toAsker(text), replace_original: false })),
    }),
  )
  app.action<BlockAction>({ type: 'block_actions', action_id: /^window_/ }, async ({ body, action, ack }) => {
    await ack()
    if (action.type !== 'button' || action.url !== undefined) return
    const thread: unknown = body.message?.['thread_ts']
    await clickedWindow(deps, {
      action: action.action_id,
      value: action.value ?? '',
      trigger: body.trigger_id,
      user: body.user.id,
      channel: body.channel?.id,
      thread: typeof thread === 'string' && thread !== body.message?.ts ? thread : undefined,
      viewId: body.view?.type === 'modal' ? body.view.id : undefined,
    })
  })
  for (const callback of maintenanceViews)
    app.view(callback, ({ body, view, ack }) =>
      submittedWindow(deps, {
        callback,
        metadata: view.private_metadata,
        values: view.state.values,
        user: body.user.id,
        viewId: view.id,
        // Bolt wants views of its own type, and ours are checked against Slack's limits where they are sent
        ack: ack as unknown as (response: unknown) => Promise<void>,
      }),
    )
}

/** What only reads is promised early; an act is promised only when Slack would give up. */
const READ_MS = 800
const acting: ReadonlySet<Command['verb']> = new Set(['deploy', 'cancel', 'freeze', 'unfreeze', 'lock', 'unlock'])
const ACT_MS = 2_300

type FormResponse =
  | { readonly response_action: 'errors'; readonly errors: Readonly<Record<string, string>> }
  | { readonly response_action: 'update' | 'push'; readonly view: View }

type Incoming = AllMiddlewareArgs & AnyMiddlewareArgs

/** The gate before every handler: our workspace, and each delivery once, written down before anything is done. */
async function admit(deps: ListenDeps, args: Incoming, handling: Map<string, Promise<void>>): Promise<void> {
  const body = args.body as unknown as Readonly<Record<string, unknown>> // Slack's payloads differ; these fields are common
  const fault = deliveryFault(body, answersTo(deps.apiUrl))
  if (fault !== undefined) {
    deps.onFault(new Error(`a delivery that is none of Slack was refused: ${fault}`))
    await recordSafely(deps, { actor: userOf(body), entry: entryOf(body), act: 'delivery', result: 'bad_arguments', data: { why: fault } })
    return refuseDelivery(args, MALFORMED)
  }
  if (teamOf(body) !== deps.team) {
    deps.onFault(new Error('a delivery for another workspace was refused'))
    await recordSafely(deps, { actor: userOf(body), entry: entryOf(body), act: 'delivery', result: 'not_a_member' })
    return refuseDelivery(args, 'Lockkeeper serves another workspace. Nothing was started.')
  }
  if (deps.slackApp !== null && body['api_app_id'] !== deps.slackApp) {
    deps.onFault(new Error('a delivery for another app was refused'))
    await recordSafely(deps, { actor: userOf(body), entry: entryOf(body), act: 'delivery', result: 'not_a_member' })
    return refuseDelivery(args, 'This was sent for another app than Lockkeeper. Nothing was started.')
  }
  const keys = deliveryKeys(body, args.context)
  const earlier = keys.flatMap((key) => handling.get(key) ?? [])
  const done = Promise.withResolvers<void>()
  for (const key of keys) handling.set(key, done.promise)
  try {
    // what this process handles already is not asked of the store: the later one could be written down first, and the first told nothing
    const isFirst =
      earlier.length > 0
        ? false
        : await firstSight(deps.db, keys).catch((error: unknown) => {
            deps.onFault(error)
            return undefined
          })
    if (isFirst === undefined) return await refuseDelivery(args, storeUnreachable.text)
    if (isFirst) return await args.next()
    // Slack takes the first acknowledgement of the two: an empty one must not come before the answer
    await inTime(Promise.all(earlier), ACT_MS)
    await refuseDelivery(args, undefined)
  } finally {
    done.resolve()
    for (const key of keys) if (handling.get(key) === done.promise) handling.delete(key)
  }
}

const MALFORMED =
  'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.'

/** Acknowledged, so that Slack does not send it again; what a slash command answers is shown to the asker. */
async function refuseDelivery(args: Incoming, text: string | undefined): Promise<void> {
  if ('command' in args && 'ack' in args) {
    if (text === undefined) await args.ack()
    else await args.ack(toAsker(text))
    return
  }
  const ack: unknown = 'ack' in args ? args.ack : undefined
  if (typeof ack !== 'function') return // events are acknowledged by the library
  const isSubmission = args.body.type === 'view_submission'
  const response = isSubmission && text !== undefined ? { response_action: 'update', view: noticeView(text) } : undefined
  await (ack as (response?: unknown) => Promise<void>)(response)
}

/** Of an act that is over already: a store that is away is logged and changes nothing about the answer. */
const recordSafely = (deps: ListenDeps, entry: AuditEntry): Promise<void> => writeAudit(deps.db, entry).catch(deps.onFault)

/** A form is opened before anything is looked up, since its trigger lives 3 s. */
async function openForm(deps: ListenDeps, trigger: string, place: Place): Promise<Refusal | undefined> {
  if (place.isDirect) return notInDirect
  const asker: Asker = { account: '', entry: 'slash', place }
  const all = [...deps.targets.values()]
  const targets = all.filter((target) => whyNotHere(target, asker) === undefined)
  if (targets.length === 0) return (all[0] === undefined ? undefined : whyNotHere(all[0], asker)) ?? formNotOpened(deps.known)
  const opened = await deps.slack.openView(trigger, requestForm(targets, place))
  return opened.kind === 'ok' ? undefined : formNotOpened(deps.known)
}

/** The same window as the card's. Asks Slack nothing before it, so an empty answer comes in time; who may is checked when it is sent. */
async function openBreakGlass(
  deps: ListenDeps,
  trigger: string,
  command: Extract<Command, { verb: 'break-glass' }>,
  asker: Asker,
): Promise<Extract<Reply, { readonly text: string }>> {
  const request = await requestById(deps.db, command.id)
  if (request === undefined)
    return refuse('unknown_request', `There is no request #${command.id}. ${code(`${deps.command} history`)} lists those there are.`)
  const target = deps.targets.get(request.target)
  const elsewhere = target === undefined ? undefined : whyNotHere(target, asker)
  if (elsewhere !== undefined) return elsewhere
  const view = await viewToBreak(deps, request, asker.account, command.reason)
  if (isRefusal(view)) return view
  const opened = await deps.slack.openView(trigger, view)
  return opened.kind === 'ok' ? { kind: 'said', text: '' } : { kind: 'said', text: windowNotOpened }
}

const windowNotOpened = 'Slack did not open the window in time. Nothing was started. Type it again, or use the card.'

/** A refusal lies over the form, which stays as it was filled in. */
const formEnd = (reply: Reply): { readonly response_action: 'update' | 'push'; readonly view: View } =>
  isRefusal(reply)
    ? { response_action: 'push', view: noticeView(reply.text) }
    : { response_action: 'update', view: noticeView(textOf(reply), 'Asked') }

const withoutFault = <T>(deps: ListenDeps, reply: Promise<T>): Promise<T | Refusal> =>
  reply
    .catch((error: unknown): T | Refusal => {
      deps.onFault(error)
      return storeUnreachable
    })
    .then(noted)

const storeUnreachable = refuse(
  'store_unreachable',
  'Lockkeeper could not read or write its own records. If no card appears in the channel within a minute, nothing was started: try again then. Whoever operates Lockkeeper finds the reason in its log.',
)

const formUnknown = 'This form is from an older Lockkeeper. Nothing was started. Open it again.'

const textOf = (reply: Reply): string => (reply.kind === 'form' ? 'The form opens with the bare command.' : reply.text)

function meanwhile(verb: string): string {
  switch (verb) {
    case 'deploy':
      return 'Still checking who may ask. The answer follows here; if none comes within a minute, look at the channel for a card before you ask again.'
    case 'cancel':
      return 'Still checking who may cancel. The answer follows here; the card shows whether it was cancelled.'
    case 'freeze':
    case 'unfreeze':
    case 'lock':
    case 'unlock':
      return 'Still checking who may do that. The answer follows here, and the channel is told when it is done.'
    case 'export':
      return 'Reading the records, the repository and the output. The evidence follows in the thread, and the answer here.'
    case 'plan':
      return 'Reading the repository and the database. The plan follows here.'
    default:
      return 'Reading. The answer follows here.'
  }
}

const toAsker = (text: string) => ({ response_type: 'ephemeral' as const, text })

/** With a button where something can be done instead. */
const answerOf = (reply: Reply) => {
  const offered = isRefusal(reply) ? withOffer(reply).blocks : undefined
  return { ...toAsker(textOf(reply)), ...(offered === undefined ? {} : { blocks: [...offered] }) }
}

/** Direct messages, of two or of several. */
const placeIn = (channel: string, name: string | undefined): Place => ({
  channel,
  isDirect: channel.startsWith('D') || name === 'directmessage' || name?.startsWith('mpdm-') === true,
})

function userOf(body: Readonly<Record<string, unknown>>): string {
  const user = body['user'] as { readonly id?: unknown } | null | undefined
  const id = body['user_id'] ?? user?.id
  return typeof id === 'string' && /^[UW][A-Z0-9]{1,40}$/.test(id) ? id : 'unknown'
}

function entryOf(body: Readonly<Record<string, unknown>>): AuditEntry['entry'] & string {
  if (typeof body['command'] === 'string') return 'slash'
  return body['type'] === 'view_submission' ? 'modal' : 'button'
}

function teamOf(body: Readonly<Record<string, unknown>>): string | undefined {
  const team = body['team'] as { readonly id?: unknown } | null | undefined
  const id = body['team_id'] ?? team?.id
  return typeof id === 'string' ? id : undefined
}

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
  const receiver = new receivers.default({
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
    getLevel: () => bolt.LogLevel.INFO,
    setName() {},
  }
}
