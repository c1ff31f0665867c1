import { randomUUID } from 'node:crypto'
import { writeAudit } from '../audit/write.ts'
import type { Config } from '../config/config.ts'
import type { Db, Queries, Tx } from '../store/pool.ts'
import { claimEach, inSequence, isAnyDue, type Claim } from '../store/claim-each.ts'
import type { Due } from '../store/due.ts'
import type { PageReason, RequestRow } from '../request/request.ts'
import { about, addEvent, requestById } from '../request/store.ts'
import { deliverLater, withdrawDeliveries } from './deliveries.ts'

export type OncallPorts = {
  readonly db: Db
  readonly oncall: NonNullable<Config['file']['oncall']>
  /** How a target is called in sentences. */
  readonly titleOf: (target: string) => string
  /** The slash command as it is named here. */
  readonly command: string
}

/** A failure is closed by itself; when nobody was there to page about it for so long, it is no emergency any more. */
const FRESH = '1 day'

const stopped = `r.state = 'needs_human' or (r.state = 'failed' and r.ended_at > lockkeeper.now() - interval '${FRESH}')`

const open = `p.acknowledged_at is null and p.closed_at is null`

const unpaged: Claim = {
  what: 'requests for a page',
  due: `select r.id from lockkeeper.request r where (${stopped}) and not exists (select from lockkeeper.page p where p.request_id = r.id)`,
  id: 'r.id',
  order: 'r.id',
  lock: 'of r',
}

const over: Claim = {
  what: 'pages that are over',
  due: `select p.id from lockkeeper.page p join lockkeeper.request r on r.id = p.request_id where ${open} and r.state not in ('needs_human', 'failed')`,
  id: 'p.id',
  order: 'p.id',
  lock: 'of p',
}

// with its request, which an acknowledgement holds first: neither waits for the other
const again: Claim = {
  what: 'pages',
  due: `select p.id from lockkeeper.page p join lockkeeper.request r on r.id = p.request_id where ${open} and p.next_at <= lockkeeper.now()`,
  id: 'p.id',
  order: 'p.next_at',
  lock: 'of p, r',
}

/**
 * On-call is paged when a run stops and somebody has to look: at once, and again until a person acknowledges or closes the request. What
 * stopped is found in the rows, so a process that dies between the end of a run and its page loses none.
 */
export const createOncall = (ports: OncallPorts): Due => ({
  name: 'on-call',
  isDue: isAnyDue([unpaged, over, again]),
  act: () =>
    inSequence(
      () => claimEach(ports.db, unpaged, (tx, { id }) => openPage(tx, id)),
      () => claimEach(ports.db, over, (tx, { id }) => closePage(tx, id)),
      () => claimEach(ports.db, again, (tx, { id }) => page(ports, tx, id)),
    ),
})

async function openPage(tx: Tx, requestId: number): Promise<void> {
  const request = await requestById(tx, requestId)
  // another bot may have opened it between the look and the lock; inserting beside its next page would have both wait for each other
  const isOpen = (await tx.query('select 1 from lockkeeper.page where request_id = $1', [requestId])).length > 0
  if (request === undefined || isOpen) return
  const [health] = await tx.query(`select 1 from lockkeeper.step where request_id = $1 and name = 'health' and state = 'failed'`, [
    requestId,
  ])
  const reason: PageReason = request.state === 'needs_human' ? 'needs_human' : health === undefined ? 'failed' : 'health_lost'
  await tx.query(`insert into lockkeeper.page (token, request_id, reason, text) values ($1, $2, $3, $4) on conflict do nothing`, [
    randomUUID(),
    requestId,
    reason,
    plainOf(request.outcome?.headline ?? ''),
  ])
}

type PageRow = {
  readonly id: number
  readonly requestId: number
  readonly reason: PageReason
  readonly text: string
  readonly count: number
}

async function page({ oncall, titleOf, command }: OncallPorts, tx: Tx, id: number): Promise<void> {
  const [row] = await tx.query<PageRow>(
    `update lockkeeper.page set count = count + 1, next_at = lockkeeper.now() + $2 * interval '1 millisecond'
     where id = $1 returning id, request_id as "requestId", reason, text, count`,
    [id, oncall.every],
  )
  const request = row === undefined ? undefined : await requestById(tx, row.requestId)
  if (row === undefined || request === undefined) throw new Error(`page ${id} has lost its request`)
  const users = oncall.people.map((person) => person.slice('user:'.length))
  await withdrawDeliveries(tx, keyOf(id)) // a receiver that was away hears the newest alone
  await deliverLater(tx, [
    {
      key: `${keyOf(id)}${row.count}`,
      kind: 'page',
      destination: oncall.webhook,
      payload: { type: 'page', data: { ...dataOf(row, request, titleOf), acknowledge: `${command} ack ${request.id}` } },
    },
  ])
  await addEvent(tx, request.id, { kind: 'paged', data: { reason: row.reason, count: row.count, users } })
  await writeAudit(tx, { ...about(request), act: 'page', result: 'sent', data: { reason: row.reason, count: row.count } })
}

const dataOf = (row: PageRow, request: RequestRow, titleOf: (target: string) => string) => ({
  page: row.id,
  request: request.id,
  target: request.target,
  title: `#${request.id} on ${titleOf(request.target)}: ${words[row.reason]}`,
  reason: row.reason,
  text: row.text,
  count: row.count,
})

const words: Readonly<Record<PageReason, string>> = {
  needs_human: 'it needs a person',
  failed: 'it failed',
  health_lost: 'the application is not healthy after it',
}

/** The request was closed, so there is nothing left to come for. */
async function closePage(tx: Tx, id: number): Promise<void> {
  const [row] = await tx.query<{ requestId: number }>(
    `update lockkeeper.page set closed_at = lockkeeper.now() where id = $1 returning request_id as "requestId"`,
    [id],
  )
  const request = row === undefined ? undefined : await requestById(tx, row.requestId)
  if (request === undefined) throw new Error(`page ${id} has lost its request`)
  await endPage(tx, id, { type: 'page.closed', data: { page: id, request: request.id, target: request.target } })
  await writeAudit(tx, { ...about(request), act: 'page', result: 'closed' })
}

/** Nobody is paged any more, and whoever was hears why. */
export async function endPage(tx: Queries, id: number, event: { readonly type: string; readonly data: unknown }): Promise<void> {
  await withdrawDeliveries(tx, keyOf(id))
  const [last] = await tx.query<{ destination: string }>(
    'select destination from lockkeeper.delivery where starts_with(key, $1) order by id desc limit 1',
    [keyOf(id)],
  )
  if (last !== undefined) await deliverLater(tx, [{ key: `${keyOf(id)}end`, kind: 'page', destination: last.destination, payload: event }])
}

const keyOf = (id: number): string => `page:${id}:`

/** A headline of ours without its marks; outside text in it is escaped. */
const plainOf = (mrkdwn: string): string =>
  mrkdwn
    .replace(/<@([A-Z0-9]+)>/g, '$1')
    .replace(/<!date\^\d+\^[^|>]*\|([^>]*)>/g, '$1')
    .replace(/[*`]/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
