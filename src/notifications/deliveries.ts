import { createHash } from 'node:crypto'
import { writeAudit } from '../audit/write.ts'
import type { Db, Queries } from '../store/pool.ts'
import type { Due } from '../store/due.ts'
import { inTime } from '../lib/in-time.ts'
import type { Log } from '../lib/log.ts'
import type { Redactor } from '../redact/redact.ts'

/** What leaves by another way than Slack, as it is written in somebody's transaction. */
export type Delivery = {
  /** Names it for ever: what has the same key leaves once. */
  readonly key: string
  readonly kind: 'mail' | 'webhook' | 'page'
  /** An address, or the reference of a URL in the configuration; never a secret. */
  readonly destination: string
  readonly payload: unknown
  /** Mails for one address that are written within this time go as one. */
  readonly inMs?: number
}

/** What a sender is given. `id` and `at` are the same at each repetition, so that a receiver can drop it. */
export type Outgoing = Pick<Delivery, 'kind' | 'destination'> & {
  readonly id: string
  readonly at: Date
  /** The first one and those that go with it. */
  readonly payloads: readonly unknown[]
}

/** `refused`: trying again would not help. `why` stands in the log and in `doctor`. */
export type Sending =
  { readonly kind: 'sent' } | { readonly kind: 'failed'; readonly why: string } | { readonly kind: 'refused'; readonly why: string }

/** What goes through one door: a slow receiver holds up its own lane and no other. */
export type Lane = { readonly kind: Delivery['kind'] | null; readonly destination: string | null; readonly atOnce: number }

export type DeliveryPorts = {
  readonly db: Db
  readonly log: Log
  readonly redactor: Redactor
  /** Every destination that is configured; what belongs to none of them waits until one is, or is given up. */
  readonly lanes: readonly Lane[]
  readonly send: (outgoing: Outgoing, signal: AbortSignal) => Promise<Sending>
}

/** Longer than any try may take, so that a row is taken over only from a process that is gone. */
const LEASE_MS = 60_000
const TRY_MS = 40_000
const FIRST_RETRY_MS = 5_000
const LONGEST_RETRY_MS = 600_000
const GIVEN_UP_AFTER = '1 day'
/** Mails that go as one; more than this nobody reads at once. */
const TOGETHER = 100

export async function deliverLater(db: Queries, deliveries: readonly Delivery[]): Promise<void> {
  if (deliveries.length === 0) return
  await db.query(
    `insert into lockkeeper.delivery (key, kind, destination, payload, next_try_at)
     select key, kind, destination, payload, clock_timestamp() + ms * interval '1 millisecond'
     from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::float8[]) as wanted (key, kind, destination, payload, ms)
     on conflict (key) do nothing`,
    [
      deliveries.map(({ key }) => key),
      deliveries.map(({ kind }) => kind),
      deliveries.map(({ destination }) => destination),
      deliveries.map(({ payload }) => JSON.stringify(payload)),
      deliveries.map(({ inMs }) => inMs ?? 0),
    ],
  )
}

/** What has not arrived yet is not sent any more, unless it is on its way at this moment or goes with others in one mail. */
export async function withdrawDeliveries(db: Queries, keyPrefix: string): Promise<void> {
  await db.query(
    `update lockkeeper.delivery d set state = 'withdrawn'
     where state = 'pending' and with_id is null and lease is null and starts_with(key, $1)
       and not exists (select from lockkeeper.delivery other where other.with_id = d.id)`,
    [keyPrefix],
  )
}

const due = `state = 'pending' and with_id is null and next_try_at <= clock_timestamp() and (lease is null or lease <= clock_timestamp())`

/**
 * Sends what is due in the background, a few at once in each lane, so that the look at everything that is due waits for no receiver.
 * At least once: whoever dies between sending and writing it down leaves it to be sent again with the same id.
 */
export function createDeliveries(ports: DeliveryPorts): { readonly due: Due; readonly stop: (withinMs: number) => Promise<void> } {
  const stopping = new AbortController()
  const ending = new AbortController()
  const busy = new Map<Lane, number>()
  const running = new Set<Promise<void>>()
  const lanes: readonly Lane[] = [...ports.lanes, { kind: null, destination: null, atOnce: 1 }]

  function begin(lane: Lane): void {
    if (stopping.signal.aborted || (busy.get(lane) ?? 0) >= lane.atOnce) return
    busy.set(lane, (busy.get(lane) ?? 0) + 1)
    const work = empty(lane)
      .catch((error: Error) => ports.log.warn({ error: error.message }, 'deliveries were not looked at; trying again'))
      .finally(() => {
        busy.set(lane, (busy.get(lane) ?? 1) - 1)
        running.delete(work)
      })
    running.add(work)
  }

  async function empty(lane: Lane): Promise<void> {
    while (!stopping.signal.aborted) {
      const claimed = await claim(ports, lane)
      if (claimed === undefined) return
      begin(lane) // where there is one there may be more
      await deliver(ports, claimed, ending.signal)
    }
  }

  return {
    due: {
      name: 'deliveries',
      isDue: `exists (select from lockkeeper.delivery where ${due})`,
      act: async () => lanes.forEach(begin),
    },
    async stop(withinMs) {
      stopping.abort()
      const ended = Promise.all(running)
      if ((await inTime(ended, withinMs)).kind === 'late') ending.abort(new Error('Lockkeeper is stopping'))
      await ended
    },
  }
}

type Claimed = Pick<Delivery, 'key' | 'kind' | 'destination'> & {
  readonly id: number
  readonly payload: unknown
  readonly attempts: number
  readonly createdAt: Date
  readonly more: readonly unknown[]
}

/** The oldest one of a lane. The first try of a mail takes others for the same address with it. */
async function claim({ db, lanes }: DeliveryPorts, lane: Lane): Promise<Claimed | undefined> {
  const known = lanes.map(({ destination }) => destination).filter((destination) => destination !== null)
  const kinds = lanes.flatMap(({ kind, destination }) => (kind !== null && destination === null ? [kind] : []))
  const [claimed] = await db.query<Claimed>(
    `with head as materialized (
       select id, kind, destination, attempts from lockkeeper.delivery
       where ${due} and ($1::text is null or kind = $1) and ($2::text is null or destination = $2)
         and ($1::text is not null or not (kind = any($3) or destination = any($4)))
       order by next_try_at, id limit 1 for update skip locked),
     more as materialized (
       select d.id from lockkeeper.delivery d, head
       where head.kind = 'mail' and head.attempts = 0 and d.kind = 'mail' and d.destination = head.destination and d.id <> head.id
         and d.state = 'pending' and d.with_id is null and d.attempts = 0
       order by d.id limit $5 for update of d skip locked),
     joined as (update lockkeeper.delivery d set with_id = head.id from head, more where d.id = more.id returning d.id, d.payload),
     taken as (
       update lockkeeper.delivery d set attempts = d.attempts + 1, lease = clock_timestamp() + $6 * interval '1 millisecond'
       from head where d.id = head.id returning d.*)
     select id, key, kind, destination, payload, attempts, created_at as "createdAt",
       (select coalesce(jsonb_agg(payload order by id), '[]') from (
          select id, payload from joined union all
          select id, payload from lockkeeper.delivery where with_id = taken.id) as together) as more
     from taken`,
    [lane.kind, lane.destination, kinds, known, TOGETHER - 1, LEASE_MS],
  )
  return claimed
}

async function deliver(ports: DeliveryPorts, claimed: Claimed, ending: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(TRY_MS)
  const { kind, destination, createdAt } = claimed
  const outgoing = { id: idOf(claimed), kind, destination, at: createdAt, payloads: [claimed.payload, ...claimed.more] }
  const sending = await ports
    .send(outgoing, AbortSignal.any([limit, ending]))
    .catch((error: Error): Sending => ({ kind: 'failed', why: error.message }))
  if (sending.kind === 'sent') {
    await ports.db.query(
      `update lockkeeper.delivery set state = 'sent', sent_at = lockkeeper.now(), lease = null, last_error = null
       where (id = $1 or with_id = $1) and state = 'pending'`,
      [claimed.id],
    )
    return
  }
  await putOff(ports, claimed, { ...sending, why: ports.redactor.text(sending.why).slice(0, 300) }, ending.aborted)
}

/** Of this store and this row alone, and without a dot, since a webhook's id stands between dots where it is signed. */
const idOf = ({ id, key, createdAt }: Claimed): string =>
  `lk_${createHash('sha256').update(`${id}\n${key}\n${createdAt.getTime()}`).digest('hex').slice(0, 32)}`

async function putOff(ports: DeliveryPorts, claimed: Claimed, sending: Exclude<Sending, { kind: 'sent' }>, isStopping: boolean) {
  const { id, key, kind, destination, attempts } = claimed
  const retryInMs = isStopping ? 0 : Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1))
  const isGivenUp = await ports.db.transaction(async (tx) => {
    // `attempts` tells whether another process has taken it over meanwhile
    const [row] = await tx.query<{ state: string }>(
      `update lockkeeper.delivery set lease = null, last_error = $3, next_try_at = clock_timestamp() + $4 * interval '1 millisecond',
         state = case when $5 or created_at < lockkeeper.now() - interval '${GIVEN_UP_AFTER}' then 'given_up' else state end
       where id = $1 and attempts = $2 and state = 'pending' returning state`,
      [id, attempts, sending.why, retryInMs, sending.kind === 'refused'],
    )
    if (row?.state !== 'given_up') return false
    await tx.query(`update lockkeeper.delivery set state = 'given_up', last_error = $2 where with_id = $1 and state = 'pending'`, [
      id,
      sending.why,
    ])
    await writeAudit(tx, { actor: 'lockkeeper', act: 'deliver', result: 'given_up', data: { key, kind, destination, why: sending.why } })
    return true
  })
  const about = { delivery: key, kind, destination, attempts, error: sending.why }
  if (isGivenUp) ports.log.error(about, 'this was not delivered and is given up')
  else if (!isStopping) ports.log.warn(about, `this was not delivered; trying again in ${Math.round(retryInMs / 1_000)} s`)
}

/** What was sent long ago is of no use to anybody; the audit says what was given up. */
export async function forgetOldDeliveries(db: Queries): Promise<void> {
  await db.query(
    `delete from lockkeeper.delivery d where state <> 'pending' and created_at < lockkeeper.now() - interval '90 days'
       and not exists (select from lockkeeper.delivery other where other.with_id = d.id)`,
  )
}
