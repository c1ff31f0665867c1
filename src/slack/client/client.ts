import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
  type WebAPICallResult,
  type WebClientOptions,
} from '@slack/web-api'
import { withoutPlan, withoutTable } from '../limits/fallback.ts'
import { fit, fitView } from '../limits/limits.ts'
import type { Log } from '../../lib/log.ts'
import { during, tell } from '../../lib/telemetry.ts'
import type { Block, Message, Posted, Sent, SlackPort, SlackUser } from '../port.ts'

/** Errors that say that the workspace, the plan or the token does not offer a method: the bot goes on without it. */
export const missingCapability: ReadonlySet<string> = new Set([
  'unknown_method',
  'missing_scope',
  'plan_upgrade_required',
  'not_allowed_token_type',
  'method_deprecated',
])

/** What Slack answers when it is unwell itself: the order may have been carried out. */
const unwell: ReadonlySet<string> = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'accesslimited',
  'team_added_to_org',
])

const EVENT_TYPE = 'lockkeeper_message'
const PAGE = 200
/** An own message is looked for among the newest this many pages; an outage of minutes leaves far less. */
const PAGES = 5
/** When Slack limits without saying for how long. */
const UNSAID_RETRY_MS = 30_000

/**
 * The only module that talks to Slack's Web API. Interactive calls (a trigger lives 3 s) have a client of their own, so that nothing
 * waits behind progress. Nothing is repeated here: who asked decides, since only he knows whether a second try is harmless.
 */
export function createSlack(options: {
  readonly botToken: string
  readonly log: Log
  /** The store's id, which every message carries. */
  readonly store?: string
  /** Another server than Slack's own. */
  readonly apiUrl?: string
  readonly timeoutMs?: number
  readonly interactiveTimeoutMs?: number
}): SlackPort {
  const background = clientOf(options, options.timeoutMs ?? 10_000)
  const interactive = clientOf(options, options.interactiveTimeoutMs ?? 5_000)
  const degrade = degradation(options.log)
  const capable = capabilities(options.log)

  return {
    post: (where, message, intent) =>
      degrade(message, async (fitted) =>
        call(
          background,
          'chat.postMessage',
          {
            channel: where.channel,
            ...(where.thread === undefined ? {} : { thread_ts: where.thread }),
            ...(where.thread !== undefined && where.broadcast === true ? { reply_broadcast: true } : {}),
            ...contentOf(fitted),
            unfurl_links: false,
            unfurl_media: false,
            metadata: {
              event_type: EVENT_TYPE,
              event_payload: { intent, ...(options.store === undefined ? {} : { store: options.store }) },
            },
          },
          (result) => ({ channel: stringOf(result['channel']) || where.channel, ts: stringOf(result['ts']) }),
        ),
      ),
    update: (where, message) =>
      degrade(message, async (fitted) =>
        call(background, 'chat.update', { channel: where.channel, ts: where.ts, ...contentOf(fitted) }, nothing),
      ),
    remove: (where) => call(background, 'chat.delete', { channel: where.channel, ts: where.ts }, nothing),
    ephemeral: (where, message) =>
      degrade(message, async (fitted) =>
        call(
          interactive,
          'chat.postEphemeral',
          {
            channel: where.channel,
            user: where.user,
            ...(where.thread === undefined ? {} : { thread_ts: where.thread }),
            ...contentOf(fitted),
          },
          nothing,
        ),
      ),
    findByIntent: (where, intent) => find(background, where, intent),
    ownPosts: (channel, since) => ownPosts(background, channel, since),
    storeOf: (where) => storeOf(interactive, where),
    time: () => slackTime(options),
    openView: (triggerId, view) => call(interactive, 'views.open', { trigger_id: triggerId, view: fitView(view) }, nothing),
    updateView: (viewId, view) => call(interactive, 'views.update', { view_id: viewId, view: fitView(view) }, nothing),
    publishHome: (user, view) => call(interactive, 'views.publish', { user_id: user, view: fitView(view) }, nothing),
    upload: (where, file) =>
      capable('files', 'files are left out; their text goes into the thread', () =>
        observed('files.uploadV2', () => upload(background, where, file)),
      ),
    openDirect: (user) =>
      call(background, 'conversations.open', { users: user }, (result) => stringOf((result['channel'] as Json | undefined)?.['id'])),
    permalink: (where) =>
      call(background, 'chat.getPermalink', { channel: where.channel, message_ts: where.ts }, (result) => stringOf(result['permalink'])),
    user: (id) => call(interactive, 'users.info', { user: id }, (result) => userOf(result['user'] as Json)),
    groupMembers: (group) =>
      capable('user groups', 'nobody can approve as a member of a group', () =>
        call(interactive, 'usergroups.users.list', { usergroup: group }, (result) =>
          ((result['users'] as unknown[] | undefined) ?? []).map(stringOf),
        ),
      ),
    channel: (id) => call(background, 'conversations.info', { channel: id }, (result) => channelOf(result['channel'] as Json)),
    authTest: () =>
      call(background, 'auth.test', {}, (result) => ({
        team: stringOf(result['team_id']),
        teamName: stringOf(result['team']),
        botUser: stringOf(result['user_id']),
        scopes: (result['response_metadata'] as { scopes?: string[] } | undefined)?.scopes ?? [],
      })),
  }
}

/** For single questions with another token; what Slack answers is not read. */
export const createCaller =
  (options: Parameters<typeof clientOf>[0]) =>
  (method: string): Promise<Sent<null>> =>
    call(clientOf(options, 10_000), method, {}, nothing)

type Json = Readonly<Record<string, unknown>>

/** The library keeps the headers to itself, so this one question is asked without it. No token is needed to be told the time. */
async function slackTime(options: { readonly apiUrl?: string; readonly timeoutMs?: number }): Promise<Sent<number>> {
  try {
    const answer = await fetch(new URL('api.test', options.apiUrl ?? 'https://slack.com/api/'), {
      method: 'POST',
      signal: AbortSignal.timeout(options.timeoutMs ?? 5_000),
    })
    await answer.arrayBuffer()
    const at = Date.parse(answer.headers.get('date') ?? '')
    return Number.isNaN(at) ? { kind: 'unsure', cause: 'the answer had no date' } : { kind: 'ok', value: at }
  } catch (error) {
    return { kind: 'unsure', cause: (error as Error).message }
  }
}

function clientOf(options: { readonly botToken: string; readonly apiUrl?: string; readonly log: Log }, timeout: number): WebClient {
  return new WebClient(options.botToken, {
    ...(options.apiUrl === undefined ? {} : { slackApiUrl: options.apiUrl }),
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
    timeout,
    logger: quietLogger(options.log),
  })
}

/** The library logs each failed call as a warning; here every outcome is a value, told once by whoever asked. */
function quietLogger(log: Log): NonNullable<WebClientOptions['logger']> {
  const pass = (...parts: readonly unknown[]) => log.debug({ slack: parts.map(String).join(' ').slice(0, 500) }, 'Slack client')
  return {
    debug: () => {}, // it would carry every message's text
    info: pass,
    warn: pass,
    error: pass,
    setLevel: () => {},
    getLevel: () => 'info' as ReturnType<NonNullable<WebClientOptions['logger']>['getLevel']>, // the enum is not exported as a value by bolt's copy
    setName: () => {},
  }
}

const contentOf = (message: Message): Json => ({
  text: message.text,
  ...(message.blocks === undefined ? {} : { blocks: message.blocks }),
  parse: 'none',
  link_names: false,
})

const call = <T>(client: WebClient, method: string, args: Json, read: (result: Json) => T): Promise<Sent<T>> =>
  observed(method, async () => {
    let result: WebAPICallResult
    try {
      result = await client.apiCall(method, { ...args })
    } catch (error) {
      return failureOf(error)
    }
    return { kind: 'ok', value: read(result as unknown as Json) } // Slack's answers are untyped JSON; each reader takes what it needs
  })

async function observed<T>(method: string, work: () => Promise<Sent<T>>): Promise<Sent<T>> {
  const sent = await during({ kind: 'slack', method }, work, ({ kind }) => kind)
  if (sent.kind === 'limited') tell({ kind: 'limited', method, retryAfterMs: sent.retryAfterMs })
  return sent
}

const nothing = (): null => null

/** Never `refused` when it may have happened, since then it would be given up. */
function failureOf(error: unknown): Exclude<Sent<never>, { kind: 'ok' }> {
  if (error instanceof WebAPIRateLimitedError) return { kind: 'limited', retryAfterMs: Math.max(1, error.retryAfter) * 1000 }
  if (error instanceof WebAPIPlatformError) return platformFailure(error)
  if (error instanceof WebAPIHTTPError)
    return error.statusCode >= 500
      ? { kind: 'unsure', cause: `Slack answered ${error.statusCode}` }
      : { kind: 'refused', error: `http_${error.statusCode}` }
  if (error instanceof WebAPIRequestError) return { kind: 'unsure', cause: causeText(error.original) }
  if (error instanceof Error && error.message.startsWith('Retry header did not contain'))
    return { kind: 'limited', retryAfterMs: UNSAID_RETRY_MS }
  if (isBrokenAnswer(error)) return { kind: 'unsure', cause: causeText(error) }
  throw error
}

function platformFailure(error: WebAPIPlatformError): Exclude<Sent<never>, { kind: 'ok' }> {
  const code = error.data.error
  if (code === 'ratelimited' || code === 'rate_limited')
    return { kind: 'limited', retryAfterMs: (error.data.response_metadata?.retryAfter ?? UNSAID_RETRY_MS / 1000) * 1000 }
  // a proxy's page with status 200 arrives as an "error" that is no code
  if (!/^[a-z][a-z0-9_]*$/.test(code)) return { kind: 'unsure', cause: 'the answer was not from Slack' }
  return unwell.has(code) ? { kind: 'unsure', cause: code } : { kind: 'refused', error: code }
}

/** The connection broke, or the time was over, while the answer was being read. */
const isBrokenAnswer = (error: unknown): error is Error =>
  error instanceof Error &&
  (['AbortError', 'TimeoutError'].includes(error.name) ||
    (error instanceof TypeError && /terminated|fetch failed|body/i.test(error.message)))

const causeText = (error: Error): string =>
  [error.message, error.cause instanceof Error ? error.cause.message : ''].filter((part) => part !== '').join(', ')

const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Blocks that this workspace does not know yet are replaced by sections; what it refused once is not tried again. */
function degradation(log: Log) {
  const forms: readonly { readonly name: string; readonly of: (blocks: readonly Block[]) => readonly Block[] }[] = [
    { name: 'all blocks', of: (blocks) => blocks },
    { name: 'no plan blocks', of: withoutPlan },
    { name: 'neither plan nor table blocks', of: (blocks) => withoutTable(withoutPlan(blocks)) },
  ]
  let known = 0
  return async <T>(message: Message, send: (fitted: Message) => Promise<Sent<T>>): Promise<Sent<T>> => {
    let sent: Sent<T> = { kind: 'refused', error: 'invalid_blocks' }
    let before: string | undefined
    for (let level = known; level < forms.length; level++) {
      const form = forms[level]
      if (form === undefined) break
      const fitted = fit(message.blocks === undefined ? message : { text: message.text, blocks: form.of(message.blocks) })
      const now = JSON.stringify(fitted)
      if (now === before) continue
      before = now
      sent = await send(fitted)
      if (sent.kind !== 'refused' || !['invalid_blocks', 'invalid_blocks_format'].includes(sent.error)) {
        if (sent.kind === 'ok' && level > known) {
          known = level
          log.warn({ uses: form.name }, 'This workspace refuses some kinds of blocks; messages are drawn without them from now on')
        }
        return sent
      }
    }
    return sent
  }
}

/** One line a capability, however often it is missed. */
function capabilities(log: Log) {
  const told = new Set<string>()
  return async <T>(name: string, consequence: string, work: () => Promise<Sent<T>>): Promise<Sent<T>> => {
    const sent = await work()
    if (sent.kind === 'refused' && missingCapability.has(sent.error) && !told.has(name)) {
      told.add(name)
      log.warn({ capability: name, error: sent.error }, `Slack does not offer ${name} to this bot: ${consequence}`)
    }
    if (sent.kind === 'ok') told.delete(name)
    return sent
  }
}

/** Newest messages of a channel first; a thread comes from its beginning, page by page. */
async function find(
  client: WebClient,
  where: { readonly channel: string; readonly thread?: string },
  intent: string,
): Promise<Sent<Posted | null>> {
  let cursor = ''
  for (let page = 0; page < PAGES; page++) {
    const answer = await call(
      client,
      where.thread === undefined ? 'conversations.history' : 'conversations.replies',
      {
        channel: where.channel,
        ...(where.thread === undefined ? {} : { ts: where.thread }),
        ...(cursor === '' ? {} : { cursor }),
        limit: PAGE,
        include_all_metadata: true,
      },
      (result) => result,
    )
    if (answer.kind !== 'ok') return answer
    const messages = (answer.value['messages'] as readonly Json[] | undefined) ?? []
    const found = messages.find((message) => carries(message, intent))
    if (found !== undefined) return { kind: 'ok', value: { channel: where.channel, ts: stringOf(found['ts']) } }
    cursor = stringOf((answer.value['response_metadata'] as Json | undefined)?.['next_cursor'])
    if (cursor === '') break
  }
  return { kind: 'ok', value: null }
}

/** The newest page alone: whoever posts in parallel stands there. */
async function ownPosts(client: WebClient, channel: string, since: string) {
  const own = await call(client, 'auth.test', {}, (result) => stringOf(result['user_id']))
  if (own.kind !== 'ok') return own
  const args = { channel, oldest: since, limit: PAGE, include_all_metadata: true }
  return call(client, 'conversations.history', args, (result) =>
    ((result['messages'] as readonly Json[] | undefined) ?? []).flatMap((message) => {
      const store = storeIn(message)
      return store === null || stringOf(message['user']) !== own.value ? [] : [{ store, channel, ts: stringOf(message['ts']) }]
    }),
  )
}

async function storeOf(client: WebClient, where: Posted & { readonly thread?: string }): Promise<Sent<string | null>> {
  const range = { channel: where.channel, oldest: where.ts, latest: where.ts, inclusive: true, limit: 2, include_all_metadata: true }
  const [method, args] =
    where.thread === undefined ? ['conversations.history', range] : ['conversations.replies', { ...range, ts: where.thread }]
  return call(client, method, args, (result) => {
    const found = ((result['messages'] as readonly Json[] | undefined) ?? []).find((message) => message['ts'] === where.ts)
    return found === undefined ? null : storeIn(found)
  })
}

function storeIn(message: Json): string | null {
  const metadata = message['metadata'] as { event_type?: unknown; event_payload?: { store?: unknown } } | undefined
  const store = metadata?.event_type === EVENT_TYPE ? metadata.event_payload?.store : undefined
  return typeof store === 'string' ? store : null
}

/** A message carries its intent in the metadata; a file, which has none, in its name. */
function carries(message: Json, intent: string): boolean {
  const metadata = message['metadata'] as { event_type?: unknown; event_payload?: { intent?: unknown } } | undefined
  if (metadata?.event_type === EVENT_TYPE && metadata.event_payload?.intent === intent) return true
  return ((message['files'] as readonly Json[] | undefined) ?? []).some((file) => file['name'] === intent)
}

/** Three calls: a place to upload to, the bytes, and the share in the channel. Only the last can be seen by people. */
async function upload(
  client: WebClient,
  where: { readonly channel: string; readonly thread?: string },
  file: { readonly name: string; readonly title: string; readonly comment?: string; readonly content: string },
): Promise<Sent<null>> {
  try {
    await client.filesUploadV2({
      channel_id: where.channel,
      ...(where.thread === undefined ? {} : { thread_ts: where.thread }),
      filename: file.name,
      title: file.title,
      ...(file.comment === undefined ? {} : { initial_comment: file.comment }),
      content: file.content,
    } as Parameters<WebClient['filesUploadV2']>[0]) // its union of thread and channel destinations does not take an optional thread
    return { kind: 'ok', value: null }
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Failed to upload file'))
      return { kind: 'unsure', cause: 'the file was not accepted' }
    return failureOf(error)
  }
}

const userOf = (user: Json): SlackUser => {
  const profile = (user['profile'] as Json | undefined) ?? {}
  const teams = (user['enterprise_user'] as Json | undefined)?.['teams']
  return {
    id: stringOf(user['id']),
    team: stringOf(user['team_id']),
    name: stringOf(profile['display_name']) || stringOf(user['real_name']) || stringOf(user['name']),
    timezone: stringOf(user['tz']) || 'UTC',
    isDeleted: user['deleted'] === true,
    isBot: user['is_bot'] === true || user['id'] === 'USLACKBOT',
    isGuest: user['is_restricted'] === true || user['is_ultra_restricted'] === true,
    isStranger: user['is_stranger'] === true,
    ...(Array.isArray(teams) ? { teams: teams.map(stringOf) } : {}),
    ...(typeof profile['api_app_id'] === 'string' ? { app: profile['api_app_id'] } : {}),
  }
}

const channelOf = (channel: Json) => ({
  id: stringOf(channel['id']),
  name: stringOf(channel['name']),
  isMember: channel['is_member'] === true,
  isArchived: channel['is_archived'] === true,
})
