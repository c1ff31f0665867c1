import type { WebClient } from '@slack/web-api'
import { fitView } from '../limits/limits.ts'
import type { Log } from '../../lib/log.ts'
import type { Message, Sent, SlackPort } from '../port.ts'
import { channelOf, userOf } from './answers.ts'
import { capabilities, degradation } from './degradation.ts'
import { EVENT_TYPE, find, ownPosts, storeOf } from './history.ts'
import { respond } from './response-url.ts'
import { slackTime } from './time.ts'
import { call, clientOf, failureOf, nothing, observed, stringOf, type Json } from './web-api.ts'

/**
 * The only way to Slack's Web API. Interactive calls (a trigger lives 3 s) have a client of their own, so that nothing
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
    respond: (url, message, thread) => respond(url, message, thread, options.timeoutMs ?? 10_000),
    findByIntent: (where, intent) => find(background, where, intent),
    ownPosts: (channel, since) => ownPosts(background, channel, since),
    storeOf: (where) => storeOf(interactive, where),
    time: () => slackTime(options, options.timeoutMs ?? 5_000),
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

const contentOf = (message: Message): Json => ({
  text: message.text,
  ...(message.blocks === undefined ? {} : { blocks: message.blocks }),
  parse: 'none',
  link_names: false,
})

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
