import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/pool.ts'
import { inTime } from '../in-time.ts'
import type { Log } from '../log.ts'
import { withFields } from '../observe.ts'
import type { RequestRow, RequestView } from '../run/record.ts'
import { requestById, viewOf } from '../run/rows.ts'
import { deliver, hashOf, intentOf, type Delivery } from './deliver.ts'
import type { Desired } from './desired.ts'
import { intend, changeMessage, messagesOf, type MessageRow } from './messages.ts'
import { createPace, type Pace } from './pace.ts'
import type { Message, SlackPort } from './port.ts'

export type Outbox = {
  readonly start: () => Promise<void>
  /** Resolves when nothing is due any more, or when the time is over. */
  readonly drain: (withinMs: number) => Promise<void>
  /** Begins nothing new and waits for what is on its way. What is left is drawn by another replica or at the next start. */
  readonly stop: () => Promise<void>
  /** Something changed in this process: look now instead of at the next round. */
  readonly nudge: (requestId?: number) => void
}

export type OutboxPorts = {
  readonly db: Db
  readonly slack: Pick<SlackPort, 'post' | 'update' | 'remove' | 'findByIntent' | 'upload' | 'openDirect' | 'permalink'>
  /** Pure; the order of the list is the order in which messages are sent. */
  readonly draw: (view: RequestView) => readonly Desired[] | Promise<readonly Desired[]>
  readonly targetTitleOf: (target: string) => string
  /** The last redacted output of the run; empty when there is none. */
  readonly tailOf: (request: RequestRow) => Promise<string>
  /** The whole redacted log; null when there is none. */
  readonly logFileOf: (request: RequestRow) => Promise<string | null>
  /** The SQL of the pending migrations; null when it cannot be read. */
  readonly sqlFileOf: (request: RequestRow) => Promise<string | null>
  readonly log: Log
  /** This process; while it lives it holds the session advisory lock (`lock`, `hashtext(id)`) in the store. */
  readonly owner: { readonly id: string; readonly lock: number }
  /** How often the store is asked for what other replicas changed. */
  readonly pollMs?: number
  readonly pace?: Pace
}

/** A replica that dies in the middle is followed by another after this time; longer than two calls to Slack may take. */
const LEASE_MS = 25_000
/** One that is known to be dead is followed sooner; what it had sent has arrived by then, and is found. */
const DEAD_MS = 2_000
const WORKERS = 4
/** A file that cannot be read now (its repository is away) is looked for again while the request is under way. */
const FILE_RETRY_MS = 60_000
/** What was given up is tried again within this time, or never. */
const HEALING_MS = 3_600_000
/** After so long without anything to draw the store is asked less often; a change in this process wakes at once. */
const QUIET_AFTER_MS = 10_000
const POLL_MS = 500
const QUIET_POLL_MS = 2_000
/** What an ended request has still to say is tried for so long. */
const FORGOTTEN_MS = 86_400_000
/** A wait for Slack's pace that is shorter than this is waited for in place. */
const SHORT_WAIT_MS = 1_200

/** Keeps Slack in step with the store. Any number of replicas may run one: a request is drawn by one of them at a time. */
export function createOutbox(ports: OutboxPorts): Outbox {
  const pace = ports.pace ?? createPace(ports.db)
  const working = new Set<Promise<void>>()
  let stopping: AbortController | undefined
  let wake = Promise.withResolvers<void>()
  let drained: PromiseWithResolvers<void> | undefined
  let loop: Promise<void> | undefined
  let busyAt = performance.now()
  let forgetCommits = () => {}
  const isQuiet = () => performance.now() - busyAt > QUIET_AFTER_MS
  const pollMs = () => ports.pollMs ?? (isQuiet() ? QUIET_POLL_MS : POLL_MS)
  /** A transaction of this process may have changed what people see. While it is busy the next round comes soon enough. */
  function committed(): void {
    if (isQuiet()) wake.resolve()
    busyAt = performance.now()
  }

  async function rounds(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const claimed = working.size < WORKERS ? await claim(ports).catch(storeFault) : undefined
      if (claimed === undefined) {
        if (working.size === 0) drained?.resolve()
        await Promise.race([
          sleep(pollMs(), undefined, { signal, ref: false }).catch(() => {}),
          wake.promise,
          ...(working.size < WORKERS ? [] : working),
        ])
        wake = Promise.withResolvers<void>()
        continue
      }
      busyAt = performance.now()
      const work = drawRequest(ports, pace, claimed, signal).catch(storeFault)
      const tracked: Promise<void> = work.then(() => {
        working.delete(tracked)
      })
      working.add(tracked)
    }
  }
  function storeFault(error: unknown): undefined {
    ports.log.warn(
      { error: error instanceof Error ? error.message : String(error) },
      'The store could not be asked what to draw; it is tried again',
    )
    return undefined
  }

  return {
    async start() {
      await ports.db.query(
        `update lockkeeper.request set draw_after = clock_timestamp() where state in ('planning','waiting','granted','running','needs_human')`,
      )
      forgetCommits = ports.db.onCommit(committed)
      stopping = new AbortController()
      loop = rounds(stopping.signal)
    },
    async drain(withinMs) {
      if (loop === undefined || stopping?.signal.aborted === true) return
      drained = Promise.withResolvers<void>()
      wake.resolve()
      await inTime(drained.promise, withinMs)
    },
    async stop() {
      forgetCommits()
      stopping?.abort()
      await loop
      await Promise.all(working)
    },
    nudge: () => wake.resolve(),
  }
}

type Claimed = { readonly id: number; readonly lease: string }

/**
 * Due is what changed, what runs and is to be refreshed, and what a dead replica left. `draw_after` goes to infinity while it is drawn,
 * so that a change in the meantime shows. Ends and decisions come before progress.
 */
async function claim({ db, owner }: OutboxPorts): Promise<Claimed | undefined> {
  const [row] = await db.query<Claimed>(
    `update lockkeeper.request
     set draw_lease = clock_timestamp() + $1 * interval '1 millisecond', draw_owner = $2, draw_after = 'infinity'
     where id = (
       select id from lockkeeper.request
       where (draw_lease is not null or draw_after < 'infinity' or revision > drawn_revision) -- what the index request_to_draw holds
         and ((draw_lease is null and (draw_after <= clock_timestamp() or (revision > drawn_revision and state <> 'running')))
          or draw_lease < clock_timestamp()
          or (draw_lease < clock_timestamp() + $4 * interval '1 millisecond' and draw_owner <> $2
              and pg_try_advisory_xact_lock($3::int, hashtext(draw_owner))))
       order by state = 'running', draw_after, id limit 1 for update skip locked)
     returning id, draw_lease::text as lease`,
    [LEASE_MS, owner.id, owner.lock, LEASE_MS - DEAD_MS],
  )
  return row
}

/** False when another replica holds the request by now: then nothing more may be sent. */
async function renew(db: Db, claimed: Claimed): Promise<Claimed | undefined> {
  const [row] = await db.query<Claimed>(
    `update lockkeeper.request set draw_lease = clock_timestamp() + $3 * interval '1 millisecond'
     where id = $1 and draw_lease = $2::timestamptz returning id, draw_lease::text as lease`,
    [claimed.id, claimed.lease, LEASE_MS],
  )
  return row
}

async function release(db: Db, claimed: Claimed, drawn: { readonly revision: number; readonly nextInMs: number | null }): Promise<void> {
  const released = await db.query(
    `update lockkeeper.request set draw_lease = null, drawn_revision = greatest(drawn_revision, $3),
       draw_after = least(draw_after, case when $4::float8 is null then 'infinity' else clock_timestamp() + $4 * interval '1 millisecond' end)
     where id = $1 and draw_lease = $2::timestamptz returning 1`,
    [claimed.id, claimed.lease, drawn.revision, drawn.nextInMs],
  )
  if (released.length === 0) await drawAgain(db, claimed.id)
}

/** Another replica drew it meanwhile; whoever was late may have drawn something older over it. */
const drawAgain = (db: Db, id: number) => db.query(`update lockkeeper.request set draw_after = clock_timestamp() where id = $1`, [id])

async function drawRequest(ports: OutboxPorts, pace: Pace, first: Claimed, signal: AbortSignal): Promise<void> {
  const request = await requestById(ports.db, first.id)
  if (request !== undefined)
    await withFields({ request: request.id, target: request.target }, () => draw(ports, pace, { request, first, signal }))
}

async function draw(
  ports: OutboxPorts,
  pace: Pace,
  { request, first, signal }: { readonly request: RequestRow; readonly first: Claimed; readonly signal: AbortSignal },
): Promise<void> {
  const holder = { claimed: first }
  try {
    const view = await viewOf(ports.db, request, ports.targetTitleOf(request.target), await tailOf(ports, request))
    const nextInMs = await bring(ports, pace, view, await ports.draw(view), holder, signal)
    await release(ports.db, holder.claimed, { revision: request.revision, nextInMs: earliest(nextInMs, refreshInMs(view)) })
  } catch (error) {
    if (error instanceof LostLease) return void (await drawAgain(ports.db, first.id))
    ports.log.error({ error: error instanceof Error ? error.stack : String(error) }, 'A request could not be drawn; it is tried again')
    await release(ports.db, holder.claimed, { revision: request.revision, nextInMs: 10_000 })
  }
}

class LostLease extends Error {}

/** Output that cannot be read must not keep a card back. */
const tailOf = (ports: OutboxPorts, request: RequestRow): Promise<string> =>
  ports.tailOf(request).catch((error: Error) => {
    ports.log.warn({ error: error.message }, 'The output of a run could not be read')
    return ''
  })

/** Sends what differs, in order; answers in how many milliseconds the rest is due, or null when nothing is left. */
async function bring(
  ports: OutboxPorts,
  pace: Pace,
  view: RequestView,
  desired: readonly Desired[],
  holder: { claimed: Claimed },
  signal: AbortSignal,
): Promise<number | null> {
  const rows = await messagesOf(ports.db, view.request.id)
  const held = new Set<string>() // threads in which an earlier post still waits
  const hold = (one: Desired) => {
    if (one.place.kind === 'thread' && one.content.kind === 'once') held.add(one.place.parent)
  }
  let next: number | null = null
  for (const one of desired) {
    const known = rows.get(one.key)
    if (isSettled(one, known, view)) {
      if (mayHeal(known) && !isForgotten(view)) {
        next = earliest(next, known.dueInMs)
        hold(one)
      }
      continue
    }
    // a file waits for the posts before it, and nothing waits for a file
    if (one.place.kind === 'thread' && one.content.kind !== 'current' && held.has(one.place.parent)) continue
    if (signal.aborted) return earliest(next, 0)
    const delivery = await bringOne(ports, pace, view, one, rows, holder, signal)
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

/** Nobody waits any more for what a request had to say. */
const isForgotten = ({ request, now }: RequestView): boolean =>
  request.endedAt !== null && now.getTime() - request.endedAt.getTime() > FORGOTTEN_MS

function isSettled(desired: Desired, row: MessageRow | undefined, view: RequestView): boolean {
  if (row === undefined) return false
  if (row.state === 'given_up') return row.dueInMs > 0 || isForgotten(view)
  if (row.state !== 'sent') return false
  return desired.content.kind === 'current' ? row.hash === hashOf(desired.content.message) : true
}

async function bringOne(
  ports: OutboxPorts,
  pace: Pace,
  view: RequestView,
  desired: Desired,
  rows: ReadonlyMap<string, MessageRow>,
  holder: { claimed: Claimed },
  signal: AbortSignal,
): Promise<Delivery> {
  const row = rows.get(desired.key)
  if (row !== undefined && row.dueInMs > 0 && row.state !== 'given_up')
    return { kind: 'later', inMs: row.dueInMs, isOutage: row.lastError !== 'limited', row }
  const where = await placeOf(ports, view, desired, row, rows)
  if ('kind' in where) return where
  const content = await contentOf(ports, view, desired, row, rows)
  if ('kind' in content) return content
  const confirm = async () => {
    const renewed = await renew(ports.db, holder.claimed)
    if (renewed === undefined) throw new LostLease()
    holder.claimed = renewed
  }
  const work = { requestId: view.request.id, desired, row, where, confirm, ...content }
  const delivery = await deliver({ ...ports, pace }, work)
  if (delivery.kind !== 'later' || delivery.isOutage || delivery.inMs > SHORT_WAIT_MS || signal.aborted) return delivery
  await sleep(delivery.inMs, undefined, { signal }).catch(() => {})
  return deliver({ ...ports, pace }, { ...work, row: delivery.row })
}

const nothingToDo = (row: MessageRow | undefined): Delivery => ({ kind: 'settled', row })

async function placeOf(
  ports: OutboxPorts,
  view: RequestView,
  desired: Desired,
  row: MessageRow | undefined,
  rows: ReadonlyMap<string, MessageRow>,
): Promise<Delivery | { readonly channel: string; readonly thread?: string }> {
  if (desired.place.kind === 'channel') return { channel: desired.place.channel }
  if (desired.place.kind === 'thread') {
    const parent = rows.get(desired.place.parent)
    if (parent?.ts === undefined || parent.ts === null) return nothingToDo(row) // its parent was given up or waits; with it, this comes back
    return { channel: parent.channel, thread: parent.ts }
  }
  if (row !== undefined && row.channel !== '') return { channel: row.channel }
  const opened = await ports.slack.openDirect(desired.place.user)
  if (opened.kind === 'ok') return { channel: opened.value }
  if (opened.kind === 'limited') return { kind: 'later', inMs: opened.retryAfterMs, isOutage: false, row }
  if (opened.kind === 'unsure') return { kind: 'later', inMs: 2_000, isOutage: true, row }
  ports.log.warn({ message: desired.key, error: opened.error }, 'This person cannot be told by a direct message')
  return nothingToDo(await giveUp(ports, view, desired, rows, opened.error))
}

async function contentOf(
  ports: OutboxPorts,
  view: RequestView,
  desired: Desired,
  row: MessageRow | undefined,
  rows: ReadonlyMap<string, MessageRow>,
): Promise<Delivery | { readonly message: Message; readonly file: string | null }> {
  const { content } = desired
  if (content.kind === 'current' || content.kind === 'once') return { message: content.message, file: null }
  if (content.kind === 'file') {
    const file = content.source === 'log' ? await ports.logFileOf(view.request) : await ports.sqlFileOf(view.request)
    if (file === null || file === '')
      return nothingToDo(await giveUp(ports, view, desired, rows, 'there was nothing to show', FILE_RETRY_MS))
    return { message: content.instead(file), file }
  }
  const to = rows.get(content.to)
  if (to === undefined || to.ts === null) return nothingToDo(row)
  const link = await ports.slack.permalink({ channel: to.channel, ts: to.ts })
  if (link.kind === 'ok') return { message: content.message(link.value), file: null }
  if (link.kind === 'limited') return { kind: 'later', inMs: link.retryAfterMs, isOutage: false, row }
  if (link.kind === 'unsure') return { kind: 'later', inMs: 2_000, isOutage: true, row }
  return nothingToDo(await giveUp(ports, view, desired, rows, link.error))
}

async function giveUp(
  ports: OutboxPorts,
  view: RequestView,
  desired: Desired,
  rows: ReadonlyMap<string, MessageRow>,
  error: string,
  retryInMs = 100 * 365 * 86_400_000,
): Promise<MessageRow> {
  const row =
    rows.get(desired.key) ?? (await intend(ports.db, { key: desired.key, requestId: view.request.id, channel: '', ...intentOf(desired) }))
  return changeMessage(ports.db, row, { state: 'given_up', error, retryInMs })
}

const earliest = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.min(one, other)

/** A running card shows time and progress: every 3 s in the first minute, every 10 s to ten minutes, then every 30 s, after an hour every minute. */
export function refreshInMs(view: Pick<RequestView, 'request' | 'now'>): number | null {
  const { state, startedAt } = view.request
  if (state !== 'running') return null
  const elapsed = view.now.getTime() - (startedAt ?? view.now).getTime()
  if (elapsed < 60_000) return 3_000
  if (elapsed < 600_000) return 10_000
  return elapsed < 3_600_000 ? 30_000 : 60_000
}
