import type { Json } from './shape.ts'

/** What Slack sends to the app, over either transport. */
export type Delivery = {
  readonly kind: 'slash_commands' | 'interactive' | 'events_api'
  readonly payload: Json
  readonly acceptsPayload: boolean
}

/** One attempt. `unreachable`: nobody listens. `failed`: the app answered, but not with success. */
export type Outcome =
  | { readonly kind: 'acked'; readonly payload: Json }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'failed'; readonly status: number }

/** `last`: of several acknowledgements of one delivery the last one is heard, and else the first. */
export type Repeat = 'once' | 'twice' | 'everywhere' | 'everywhere, last'

type Attempt = { readonly id: string; readonly retry: number; readonly repeat: Repeat }

export type Transport = {
  readonly attempt: (delivery: Delivery, attempt: Attempt) => Promise<Outcome>
  readonly isConnected: () => boolean
}

/** One attempt as it went, with the time that the app took to acknowledge. */
type DeliveryRecord = {
  readonly id: string
  readonly kind: Delivery['kind']
  readonly payload: Json
  readonly retry: number
  readonly outcome: Outcome
  readonly tookMs: number
  /** By `performance.now()`. */
  readonly startedAt: number
}

export type Deliverer = {
  /** Resolves with the first attempt's outcome; events that were not acknowledged are tried three times more in the background. */
  readonly deliver: (delivery: Delivery) => Promise<Outcome>
  readonly log: readonly DeliveryRecord[]
  /** The next deliveries come twice, or once on every connection. */
  readonly repeat: (how: Exclude<Repeat, 'once'>, times?: number) => void
  /** The next acknowledgements do not arrive: Slack says that the app did not answer, and may send it again. */
  readonly loseAcks: (times?: number) => void
  /** Nothing is tried again after this, and what was held is let go. */
  readonly close: () => void
  /** Keeps what comes until it is released in the given order. */
  readonly hold: () => { readonly held: () => number; readonly release: (order?: 'as-sent' | 'reversed') => void }
}

const RETRIES = 3

export function createDeliverer(options: {
  readonly transport: Transport
  readonly nextId: () => string
  readonly changed: () => void
  /** Slack tries events again. With `all` the others come again as well, which a lost acknowledgement can cause. */
  readonly redeliver: 'events' | 'all'
  /** How each delivery comes, unless something else is said of it. */
  readonly usually: Repeat
}): Deliverer {
  const { transport, nextId, changed } = options
  const repeats: Repeat[] = []
  let lost = 0
  const log: DeliveryRecord[] = []
  let waiting: (() => void)[] | null = null
  const closing = new AbortController()

  const attempt = async (delivery: Delivery, how: Attempt): Promise<Outcome> => {
    const started = performance.now()
    const arrived = await transport.attempt(delivery, how)
    const outcome: Outcome = arrived.kind === 'acked' && lost > 0 ? { kind: 'timeout' } : arrived
    if (outcome !== arrived) lost -= 1
    log.push({
      id: how.id,
      kind: delivery.kind,
      payload: delivery.payload,
      retry: how.retry,
      outcome,
      tookMs: performance.now() - started,
      startedAt: started,
    })
    changed()
    return outcome
  }

  const retry = async (delivery: Delivery, id: string): Promise<void> => {
    for (let count = 1; count <= RETRIES && !closing.signal.aborted; count += 1) {
      const outcome = await attempt(delivery, { id, retry: count, repeat: options.usually })
      if (outcome.kind === 'acked' || outcome.kind === 'unreachable') return
    }
  }

  return {
    log,
    deliver: async (delivery) => {
      const line = waiting
      if (line) {
        await new Promise<void>((resolve) => {
          line.push(resolve)
          changed()
        })
      }
      const id = nextId()
      const outcome = await attempt(delivery, { id, retry: 0, repeat: repeats.shift() ?? options.usually })
      const again = options.redeliver === 'all' || delivery.kind === 'events_api'
      if (again && (outcome.kind === 'timeout' || outcome.kind === 'failed')) void retry(delivery, id)
      return outcome
    },
    repeat: (how, times = 1) => {
      for (let count = 0; count < times; count += 1) repeats.push(how)
    },
    loseAcks: (times = 1) => {
      lost += times
    },
    close: () => {
      closing.abort()
      for (const go of waiting ?? []) go()
      waiting = null
    },
    hold: () => {
      const line: (() => void)[] = []
      waiting = line
      return {
        held: () => line.length,
        release: (order = 'as-sent') => {
          waiting = null
          for (const go of order === 'reversed' ? line.toReversed() : line) go()
        },
      }
    },
  }
}
