import { createHash } from 'node:crypto'
import type { Db } from '../../store/pool.ts'
import { failpoint } from '../../lib/failpoint.ts'
import type { Log } from '../../lib/log.ts'
import { missingCapability } from '../client/degradation.ts'
import type { Desired } from './desired.ts'
import { changeMessage, intend, settlePost, type MessageRow } from './messages.ts'
import type { Order, RateLimit } from './rate-limit.ts'
import type { Message, Posted, Sent, SlackPort } from '../port.ts'
import type { SourceRow } from './message-source.ts'

export type DeliverPorts = {
  readonly db: Db
  readonly slack: Pick<SlackPort, 'post' | 'update' | 'remove' | 'findByIntent' | 'upload' | 'openDirect' | 'permalink'>
  readonly rateLimit: RateLimit
  readonly log: Log
}

export type Delivery =
  /** It stands in Slack as it should, or never will. */
  | { readonly kind: 'settled'; readonly row: MessageRow | undefined }
  /** Not yet: try again then. `isOutage`: nothing else of this row is worth trying now. */
  | { readonly kind: 'later'; readonly inMs: number; readonly isOutage: boolean; readonly row: MessageRow | undefined }

/** What a channel refuses that is archived, or that the bot was removed from, comes when that is undone: 10 s later, 20 s … 5 min. */
const healing = (attempts: number): number => Math.min(300_000, 10_000 * 2 ** Math.min(5, Math.max(0, attempts - 1)))
/** What may heal by itself or by a person in Slack; other refusals stand for ever. */
const mayHeal: ReadonlySet<string> = new Set(['not_in_channel', 'channel_not_found', 'is_archived', 'restricted_action', 'user_not_found'])
/** The bot as a whole is refused: that says nothing about the message. */
const botRefused: ReadonlySet<string> = new Set([
  'invalid_auth',
  'not_authed',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'ekm_access_denied',
])
/** Slack answers an edit that changes nothing, or a message of another form, with these; the message stands. */
const standsAnyway: ReadonlySet<string> = new Set(['no_text', 'msg_too_long'])

/** Throws when another replica draws this row by now, and for what may be overtaken also when the row has changed since it was drawn. */
export type Confirm = (desired: Pick<Desired, 'isPassing' | 'key'>) => Promise<void>

/** Brings one message to Slack, or one step nearer. Each outcome is stored before the next call, so that a crash loses nothing. */
export async function deliver(
  ports: DeliverPorts,
  work: {
    readonly of: SourceRow
    readonly desired: Desired
    readonly row: MessageRow | undefined
    /** Channel and, in a thread, the parent's time stamp. */
    readonly where: { readonly channel: string; readonly thread?: string }
    readonly message: Message
    readonly file: string | null
    readonly confirm: Confirm
  },
): Promise<Delivery> {
  const { desired } = work
  const hash = hashOf(work.message)
  const row = work.row ?? (await intend(ports.db, { key: desired.key, of: work.of, channel: work.where.channel, ...intentOf(desired) }))
  if (row.ts !== null && row.state !== 'given_up' && desired.content.kind === 'current') return edit(ports, work, row, hash)
  if (row.state === 'unsure') {
    const found = await reconcile(ports, work, row)
    if (found !== 'absent') return found
  }
  return post(ports, work, row, hash)
}

type Work = Parameters<typeof deliver>[1]

export const hashOf = (message: Message): string => createHash('sha256').update(JSON.stringify(message)).digest('hex')

/** A file carries its intent in its name, which the requests' ids make unique. */
export const intentOf = (desired: Desired): { readonly intent?: string } =>
  desired.content.kind === 'file' ? { intent: desired.content.name } : {}

async function edit(ports: DeliverPorts, work: Work, row: MessageRow, hash: string): Promise<Delivery> {
  if (row.ts === null || row.hash === hash) return { kind: 'settled', row }
  const order: Order = { kind: 'update', channel: row.channel, isUrgent: work.desired.isUrgent === true }
  const wait = await ports.rateLimit.take(order)
  if (wait > 0) return { kind: 'later', inMs: wait, isOutage: false, row }
  const asked = performance.now()
  await work.confirm(work.desired)
  if (isStale(asked)) return { kind: 'later', inMs: 0, isOutage: false, row }
  const sent = await ports.slack.update({ channel: row.channel, ts: row.ts }, work.message)
  if (sent.kind === 'ok' || (sent.kind === 'refused' && standsAnyway.has(sent.error)))
    return { kind: 'settled', row: await changeMessage(ports.db, row, { state: 'sent', hash, attempts: 0, error: null }) }
  return failed(ports, { order, row, sent, states: { unsure: 'sent', undone: 'sent' } }) // an edit may be repeated: it says the same again
}

/** Nobody knows whether the last try arrived, so Slack is asked. */
async function reconcile(ports: DeliverPorts, work: Work, row: MessageRow): Promise<Delivery | 'absent'> {
  const found = await ports.slack.findByIntent(work.where, row.intent)
  if (found.kind === 'ok') return found.value === null ? 'absent' : adopt(ports, work, row, found.value)
  if (found.kind === 'refused' && !botRefused.has(found.error)) {
    ports.log.warn(
      { message: row.key, error: found.error },
      'Slack does not let the bot look for its own message after a lost reply; it is posted again and may stand twice',
    )
    return 'absent'
  }
  return failed(ports, {
    order: { kind: 'post', channel: row.channel, isUrgent: false },
    row,
    sent: found,
    states: { unsure: 'unsure', undone: 'unsure' },
  })
}

/** It had arrived. What it says may be older than what it should say, so it counts as not drawn. */
async function adopt(ports: DeliverPorts, work: Work, row: MessageRow, posted: Posted): Promise<Delivery> {
  const adopted = await changeMessage(ports.db, row, {
    state: 'sent',
    ts: posted.ts,
    channel: posted.channel,
    hash: null,
    attempts: 0,
    error: null,
  })
  return work.desired.content.kind === 'current' ? edit(ports, work, adopted, hashOf(work.message)) : { kind: 'settled', row: adopted }
}

async function post(ports: DeliverPorts, work: Work, row: MessageRow, hash: string): Promise<Delivery> {
  const order: Order = { kind: 'post', channel: work.where.channel, isUrgent: work.desired.isUrgent === true }
  const wait = await ports.rateLimit.take(order)
  if (wait > 0) return { kind: 'later', inMs: wait, isOutage: false, row }
  const asked = performance.now()
  await work.confirm(work.desired)
  const pending = await changeMessage(ports.db, row, { state: 'unsure', channel: work.where.channel, attempts: row.attempts + 1 })
  failpoint('before-post', row.key.split(':')[0])
  // left as unsure: whoever draws it next looks in Slack first
  if (isStale(asked)) return { kind: 'later', inMs: 0, isOutage: false, row: pending }
  const sent =
    work.desired.content.kind === 'file' ? await share(ports, work, work.desired.content, pending) : await say(ports, work, pending)
  if (sent.kind === 'ok') failpoint('after-post', row.key.split(':')[0])
  if (sent.kind === 'ok') return { kind: 'settled', row: await posted(ports, pending, sent.value, hash) }
  return failed(ports, { order, row: pending, sent, states: { unsure: 'unsure', undone: 'intended' } })
}

/**
 * This process was frozen, and others may have taken it for dead since it asked. They wait longer than this before they go on with what
 * was its own.
 */
const isStale = (askedAt: number): boolean => performance.now() - askedAt > STALE_MS

const STALE_MS = 1_500

/** Frozen on the way to Slack, it may come second: then what another replica has posted meanwhile stands, and this one is taken back. */
async function posted(ports: DeliverPorts, row: MessageRow, value: Posted | null, hash: string): Promise<MessageRow> {
  const change = { state: 'sent', hash, attempts: 0, error: null } as const
  if (value === null) return changeMessage(ports.db, row, change)
  const mine = await settlePost(ports.db, row, value)
  if (mine !== undefined) return changeMessage(ports.db, mine, change)
  const removed = await ports.slack.remove(value)
  ports.log.warn(
    { message: row.key, removed: removed.kind },
    'a message was posted by two replicas, of which one had been frozen; the second is taken back',
  )
  return row
}

const say = (ports: DeliverPorts, work: Work, row: MessageRow): Promise<Sent<Posted>> =>
  ports.slack.post(
    {
      ...work.where,
      ...(work.desired.destination.kind === 'thread' && work.desired.destination.broadcast === true ? { broadcast: true } : {}),
    },
    work.message,
    row.intent,
  )

async function share(
  ports: DeliverPorts,
  work: Work,
  content: Extract<Desired['content'], { kind: 'file' }>,
  row: MessageRow,
): Promise<Sent<Posted | null>> {
  const sent = await ports.slack.upload(work.where, {
    name: content.name,
    title: content.title,
    comment: content.comment,
    content: work.file ?? '',
  })
  return sent.kind === 'refused' && missingCapability.has(sent.error) ? say(ports, work, row) : sent
}

async function failed(
  ports: DeliverPorts,
  failure: {
    readonly order: Order
    readonly row: MessageRow
    readonly sent: Exclude<Sent<unknown>, { kind: 'ok' }>
    /** What the row is when the order may have been carried out, and when it was not. */
    readonly states: { readonly unsure: 'unsure' | 'sent'; readonly undone: 'unsure' | 'sent' | 'intended' }
  },
): Promise<Delivery> {
  const { sent, row, order } = failure
  if (sent.kind === 'limited') {
    await ports.rateLimit.limited(order, sent.retryAfterMs)
    return later(
      await changeMessage(ports.db, row, { state: failure.states.undone, retryInMs: sent.retryAfterMs, error: 'limited' }),
      sent.retryAfterMs,
      false,
    )
  }
  if (sent.kind === 'unsure' || botRefused.has(sent.error)) {
    const inMs = backoff(row.attempts)
    const state = sent.kind === 'unsure' ? failure.states.unsure : failure.states.undone
    const error = sent.kind === 'unsure' ? sent.cause : sent.error
    return later(
      await changeMessage(ports.db, row, { state, retryInMs: inMs, error, attempts: row.attempts + (order.kind === 'update' ? 1 : 0) }),
      inMs,
      true,
    )
  }
  if (row.lastError !== sent.error)
    ports.log.warn(
      { message: row.key, channel: row.channel, error: sent.error },
      'Slack refuses this message for good; the run goes on without it',
    )
  const heals = mayHeal.has(sent.error) && row.ts === null
  const gone = await changeMessage(ports.db, row, {
    state: 'given_up',
    error: sent.error,
    retryInMs: heals ? healing(row.attempts) : NEVER_MS,
  })
  return { kind: 'settled', row: gone }
}

const NEVER_MS = 100 * 365 * 86_400_000

const later = (row: MessageRow, inMs: number, isOutage: boolean): Delivery => ({ kind: 'later', inMs, isOutage, row })

/** 1 s, 2 s, 4 s … 30 s: an outage is over within half a minute of Slack's return. */
const backoff = (attempts: number): number => Math.min(30_000, 1_000 * 2 ** Math.min(5, Math.max(0, attempts - 1)))
