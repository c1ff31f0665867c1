import { setTimeout as sleep } from 'node:timers/promises'
import { deliver, hashOf, intentOf, type Confirm, type Delivery, type DeliverPorts } from './deliver.ts'
import type { Desired } from './desired.ts'
import { changeMessage, intend, messagesOf, type MessageRow } from './messages.ts'
import type { Message } from '../port.ts'
import type { Drawing, SourceRow } from './message-source.ts'

export type MessageSync = {
  readonly of: SourceRow
  readonly drawing: Drawing
  readonly confirm: Confirm
}

/** A file that cannot be read now (its repository is away) is looked for again while the request is under way. */
const FILE_RETRY_MS = 60_000
/** What was given up is tried again within this time, or never. */
const HEALING_MS = 3_600_000
/** A wait for Slack's rate limit that is shorter than this is waited for in place. */
const SHORT_WAIT_MS = 1_200

/** Sends what differs, in order; answers in how many milliseconds the rest is due, or null when nothing is left. */
export async function syncMessages(ports: DeliverPorts, work: MessageSync, signal: AbortSignal): Promise<number | null> {
  const { drawing } = work
  const rows = await messagesOf(ports.db, work.of)
  const held = new Set<string>() // threads in which an earlier post still waits
  const hold = (one: Desired) => {
    if (one.destination.kind === 'thread' && one.content.kind === 'once') held.add(one.destination.parent)
  }
  let next: number | null = null
  for (const one of drawing.desired) {
    const known = rows.get(one.key)
    if (isSettled(one, known, drawing)) {
      if (mayHeal(known) && !drawing.isForgotten) {
        next = earliest(next, known.dueInMs)
        hold(one)
      }
      continue
    }
    // a file waits for the posts before it, and nothing waits for a file
    if (one.destination.kind === 'thread' && one.content.kind !== 'current' && held.has(one.destination.parent)) continue
    if (signal.aborted) return earliest(next, 0)
    const delivery = await syncOne(ports, work, one, rows, signal)
    if (delivery.row !== undefined) rows.set(one.key, delivery.row)
    if (delivery.kind === 'settled' && !mayHeal(delivery.row)) continue
    next = earliest(next, delivery.kind === 'later' ? delivery.inMs : (delivery.row?.dueInMs ?? null))
    hold(one)
    if (delivery.kind === 'settled') continue
    if (delivery.isOutage) break
  }
  return next
}

/** It was refused for a reason that somebody in Slack can take away: the channel is archived, the bot was not invited. */
const mayHeal = (row: MessageRow | undefined): row is MessageRow => row?.state === 'given_up' && row.dueInMs < HEALING_MS

function isSettled(desired: Desired, row: MessageRow | undefined, { isForgotten }: Drawing): boolean {
  if (row === undefined) return false
  if (row.state === 'given_up') return row.dueInMs > 0 || isForgotten
  if (row.state !== 'sent') return false
  return desired.content.kind === 'current' ? row.hash === hashOf(desired.content.message) : true
}

async function syncOne(
  ports: DeliverPorts,
  work: MessageSync,
  desired: Desired,
  rows: ReadonlyMap<string, MessageRow>,
  signal: AbortSignal,
): Promise<Delivery> {
  const row = rows.get(desired.key)
  if (row !== undefined && row.dueInMs > 0 && row.state !== 'given_up')
    return { kind: 'later', inMs: row.dueInMs, isOutage: row.lastError !== 'limited', row }
  const where = await channelOf(ports, work, desired, row, rows)
  if ('kind' in where) return where
  const content = await contentOf(ports, work, desired, row, rows)
  if ('kind' in content) return content
  const order = { of: work.of, desired, row, where, confirm: work.confirm, ...content }
  const delivery = await deliver(ports, order)
  if (delivery.kind !== 'later' || delivery.isOutage || delivery.inMs > SHORT_WAIT_MS || signal.aborted) return delivery
  await sleep(delivery.inMs, undefined, { signal }).catch(() => {})
  return deliver(ports, { ...order, row: delivery.row })
}

const nothingToDo = (row: MessageRow | undefined): Delivery => ({ kind: 'settled', row })

async function channelOf(
  ports: DeliverPorts,
  work: MessageSync,
  desired: Desired,
  row: MessageRow | undefined,
  rows: ReadonlyMap<string, MessageRow>,
): Promise<Delivery | { readonly channel: string; readonly thread?: string }> {
  if (desired.destination.kind === 'channel') return { channel: desired.destination.channel }
  if (desired.destination.kind === 'thread') {
    const parent = rows.get(desired.destination.parent)
    if (parent?.ts === undefined || parent.ts === null) return nothingToDo(row) // its parent was given up or waits; with it, this comes back
    return { channel: parent.channel, thread: parent.ts }
  }
  if (row !== undefined && row.channel !== '') return { channel: row.channel }
  const opened = await ports.slack.openDirect(desired.destination.user)
  if (opened.kind === 'ok') return { channel: opened.value }
  if (opened.kind === 'limited') return { kind: 'later', inMs: opened.retryAfterMs, isOutage: false, row }
  if (opened.kind === 'unsure') return { kind: 'later', inMs: 2_000, isOutage: true, row }
  ports.log.warn({ message: desired.key, error: opened.error }, 'This person cannot be told by a direct message')
  return nothingToDo(await giveUp(ports, work, desired, rows, opened.error))
}

async function contentOf(
  ports: DeliverPorts,
  work: MessageSync,
  desired: Desired,
  row: MessageRow | undefined,
  rows: ReadonlyMap<string, MessageRow>,
): Promise<Delivery | { readonly message: Message; readonly file: string | null }> {
  const { content } = desired
  if (content.kind === 'current' || content.kind === 'once') return { message: content.message, file: null }
  if (content.kind === 'file') {
    const file = await work.drawing.fileOf(content.source)
    if (file === null || file === '')
      return nothingToDo(await giveUp(ports, work, desired, rows, 'there was nothing to show', FILE_RETRY_MS))
    return { message: content.instead(file), file }
  }
  const to = rows.get(content.to)
  if (to === undefined || to.ts === null) return nothingToDo(row)
  const link = await ports.slack.permalink({ channel: to.channel, ts: to.ts })
  if (link.kind === 'ok') return { message: content.message(link.value), file: null }
  if (link.kind === 'limited') return { kind: 'later', inMs: link.retryAfterMs, isOutage: false, row }
  if (link.kind === 'unsure') return { kind: 'later', inMs: 2_000, isOutage: true, row }
  return nothingToDo(await giveUp(ports, work, desired, rows, link.error))
}

async function giveUp(
  ports: DeliverPorts,
  work: MessageSync,
  desired: Desired,
  rows: ReadonlyMap<string, MessageRow>,
  error: string,
  retryInMs = 100 * 365 * 86_400_000,
): Promise<MessageRow> {
  const row = rows.get(desired.key) ?? (await intend(ports.db, { key: desired.key, of: work.of, channel: '', ...intentOf(desired) }))
  return changeMessage(ports.db, row, { state: 'given_up', error, retryInMs })
}

export const earliest = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.min(one, other)
