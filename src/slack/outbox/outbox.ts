import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../../store/pool.ts'
import { inTime } from '../../lib/in-time.ts'
import type { Log } from '../../lib/log.ts'
import { withFields } from '../../lib/telemetry.ts'
import { syncMessages, earliest } from './sync-messages.ts'
import { withdraw } from './messages.ts'
import type { Confirm } from './deliver.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'
import type { SlackPort } from '../port.ts'
import {
  claim,
  drawAgain,
  drawCurrent,
  release,
  renew,
  type Claimed,
  type Opened,
  type Owner,
  type MessageSource,
} from './message-source.ts'

export type Outbox = {
  readonly start: () => Promise<void>
  /** Resolves when nothing is due any more, or when the time is over. */
  readonly drain: (withinMs: number) => Promise<void>
  /** Begins nothing new and waits for what is on its way. What is left is drawn by another replica or at the next start. */
  readonly stop: () => Promise<void>
  /** Something changed in this process: look now instead of at the next round. */
  readonly nudge: () => void
}

export type OutboxPorts = {
  readonly db: Db
  readonly slack: Pick<SlackPort, 'post' | 'update' | 'remove' | 'findByIntent' | 'upload' | 'openDirect' | 'permalink'>
  /** Decisions first: what stands earlier is drawn earlier. */
  readonly sources: readonly [MessageSource, ...MessageSource[]]
  readonly log: Log
  readonly owner: Owner
  /** How often the store is asked for what other replicas changed. */
  readonly pollMs?: number
  readonly rateLimit?: RateLimit
  /** Whether somebody waits for an acknowledgement of this process. */
  readonly isAwaited?: () => boolean
}

const WORKERS = 4
/**
 * Whoever clicked waits for an answer, and only then for what he sees: nothing new is drawn meanwhile, but never longer than this. In a
 * burst of votes drawing the cards took as much of the processor as counting the votes.
 */
const GIVE_WAY_MS = 1_000
const GIVE_WAY_LOOK_MS = 20
/** After so long without anything to draw the store is asked less often; a change in this process wakes at once. */
const QUIET_AFTER_MS = 10_000
const POLL_MS = 500
const QUIET_POLL_MS = 2_000
/** When it is quiet, only what is asked of people is looked for that often. The rest is mostly written by this very process, and that wakes. */
const QUIET_REST_MS = 12_000

/** Keeps Slack in step with the store. Any number of replicas may run one: a row is drawn by one of them at a time. */
export function createOutbox(ports: OutboxPorts): Outbox {
  const rateLimit = ports.rateLimit ?? createRateLimit(ports.db)
  const inFlight = new Set<Promise<void>>()
  let stopping: AbortController | undefined
  let wake = Promise.withResolvers<void>()
  let drained: PromiseWithResolvers<void> | undefined
  let loop: Promise<void> | undefined
  let busyAt = performance.now()
  let restAt = 0
  let forgetCommits = () => {}
  const isQuiet = () => performance.now() - busyAt > QUIET_AFTER_MS
  const pollMs = () => ports.pollMs ?? (isQuiet() ? QUIET_POLL_MS : POLL_MS)
  /** A transaction of this process may have changed what people see. While it is busy the next round comes soon enough. */
  function committed(): void {
    if (isQuiet()) wake.resolve()
    restAt = 0
    busyAt = performance.now()
  }

  async function claimNext(): Promise<Next | undefined> {
    const [first, ...rest] = ports.sources
    const withRest = ports.pollMs !== undefined || !isQuiet() || performance.now() >= restAt
    for (const source of [first, ...(withRest ? rest : [])]) {
      const claimed = await claim(ports.db, source, ports.owner)
      if (claimed !== undefined) return { source, claimed }
    }
    if (withRest) restAt = performance.now() + QUIET_REST_MS
    return undefined
  }

  async function giveWay(signal: AbortSignal): Promise<void> {
    const until = performance.now() + GIVE_WAY_MS
    while (ports.isAwaited?.() === true && performance.now() < until && !signal.aborted)
      await sleep(GIVE_WAY_LOOK_MS, undefined, { signal, ref: false }).catch(() => {}) // aborted: the loop ends
  }

  async function rounds(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await giveWay(signal)
      const next = inFlight.size < WORKERS ? await claimNext().catch(storeFault) : undefined
      if (next === undefined) {
        if (inFlight.size === 0) drained?.resolve()
        await Promise.race([
          sleep(pollMs(), undefined, { signal, ref: false }).catch(() => {}),
          wake.promise,
          ...(inFlight.size < WORKERS ? [] : inFlight),
        ])
        wake = Promise.withResolvers<void>()
        continue
      }
      busyAt = performance.now()
      const work = drawRow(ports, rateLimit, next, signal).catch(storeFault)
      const tracked: Promise<void> = work.then(() => {
        inFlight.delete(tracked)
      })
      inFlight.add(tracked)
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
      for (const source of ports.sources) await drawCurrent(ports.db, source)
      forgetCommits = ports.db.onCommit(committed)
      stopping = new AbortController()
      loop = rounds(stopping.signal)
    },
    async drain(withinMs) {
      if (loop === undefined || stopping?.signal.aborted === true) return
      drained = Promise.withResolvers<void>()
      restAt = 0
      wake.resolve()
      await inTime(drained.promise, withinMs)
    },
    async stop() {
      forgetCommits()
      stopping?.abort()
      await loop
      await Promise.all(inFlight)
    },
    nudge() {
      restAt = 0
      wake.resolve()
    },
  }
}

type Next = { readonly source: MessageSource; readonly claimed: Claimed }

async function drawRow(ports: OutboxPorts, rateLimit: RateLimit, next: Next, signal: AbortSignal): Promise<void> {
  const opened = await next.source.open(next.claimed.id)
  if (opened !== undefined) await withFields(opened.fields, () => draw(ports, rateLimit, next, opened, signal))
}

async function draw(
  ports: OutboxPorts,
  rateLimit: RateLimit,
  { source, claimed }: Next,
  opened: Opened,
  signal: AbortSignal,
): Promise<void> {
  const { db } = ports
  const { table } = source
  const of = { table, id: claimed.id }
  let held = claimed
  const confirm: Confirm = async ({ isPassing, key }) => {
    const renewed = await renew(db, table, held)
    if (renewed === undefined) throw new LostLease()
    held = renewed
    if (isPassing === true && renewed.revision > opened.revision) throw new Overtaken(key)
  }
  try {
    const drawing = await opened.draw()
    const nextInMs = await syncMessages({ ...ports, rateLimit }, { of, drawing, confirm }, signal)
    await release(db, table, held, { revision: opened.revision, nextInMs: earliest(nextInMs, drawing.refreshInMs) })
  } catch (error) {
    if (error instanceof LostLease) return void (await drawAgain(db, of))
    if (error instanceof Overtaken) {
      await withdraw(db, error.key) // the next drawing may not want it, and then nobody would ever settle it
      return release(db, table, held, { revision: opened.revision, nextInMs: 0 })
    }
    ports.log.error(
      { error: error instanceof Error ? error.stack : String(error) },
      `A ${names[table]} could not be drawn; it is tried again`,
    )
    await release(db, table, held, { revision: opened.revision, nextInMs: 10_000 })
  }
}

const names = { request: 'request', maintenance: 'maintenance window', bulletin: 'channel post' } as const

class LostLease extends Error {}

/** The row has changed since it was drawn, and what was to be sent may not hold any more. */
class Overtaken extends Error {
  readonly key: string
  constructor(key: string) {
    super(`${key} was overtaken`)
    this.key = key
  }
}
