import { writeAudit } from '../audit/write.ts'
import type { Db, Tx } from '../store/pool.ts'
import { claimEach, inSequence, isAnyDue, type Claim } from '../store/claim-each.ts'
import type { Due } from '../store/due.ts'
import { about, addEvent, requestById } from './store.ts'

/** A window that closes while a run goes on, or whose hours change while a request waits for it. */

const closes = `coalesce((select m.ends_at from lockkeeper.maintenance m where m.id = r.maintenance_id), r.closes_at)`

/** Told once for each end that the window has. */
const overrun = claimOf(`select r.id, (extract(epoch from ${closes}) * 1000)::float8 as "closedAt", r.maintenance_id as "windowId",
    coalesce((select m.owner from lockkeeper.maintenance m where m.id = r.maintenance_id), r.requester) as owner
  from lockkeeper.request r where r.state = 'running' and ${closes} <= lockkeeper.now() and (r.overrun_told_at is null or r.overrun_told_at < ${closes})`)

const moved =
  claimOf(`select r.id, m.id as "windowId", (extract(epoch from m.starts_at) * 1000)::float8 as from, (extract(epoch from m.ends_at) * 1000)::float8 as to,
    (extract(epoch from r.not_before) * 1000)::float8 as "notBefore", r.follows_start as "followsStart"
  from lockkeeper.request r join lockkeeper.maintenance m on m.id = r.maintenance_id
  where r.state in ('planning','waiting','granted') and r.not_before is not null and m.state in ('scheduled','open')
    and (r.not_after <> m.ends_at or r.not_before < m.starts_at or (r.follows_start and r.not_before > m.starts_at + interval '1 millisecond'))`)

const gone = claimOf(`select r.id from lockkeeper.request r join lockkeeper.maintenance m on m.id = r.maintenance_id
  where r.state in ('waiting','granted') and r.not_before is not null and r.not_after > lockkeeper.now() and m.state in ('completed','cancelled')`)

export const windowsOfRunsDue = (db: Db): Due => ({
  name: 'windows of runs',
  isDue: isAnyDue([overrun, moved, gone]),
  act: () =>
    inSequence(
      () => claimEach(db, overrun, noteOverrun),
      () => claimEach(db, moved, follow),
      () => claimEach(db, gone, (tx, { id }) => end(tx, id)),
    ),
})

type Found = {
  readonly id: number
  readonly windowId: number | null
  readonly owner: string
  readonly closedAt: number
  readonly from: number
  readonly to: number
  readonly notBefore: number
  readonly followsStart: boolean
}

/** Requests, one at a time. */
function claimOf(due: string): Claim<Found> {
  return { what: 'requests', due, id: 'r.id', order: 'r.id', lock: 'of r' }
}

/** The run goes on: stopping it half-way would be worse. */
async function noteOverrun(tx: Tx, { id, windowId, owner, closedAt }: Found): Promise<void> {
  await tx.query('update lockkeeper.request set overrun_told_at = lockkeeper.now() where id = $1', [id])
  await addEvent(tx, id, { kind: 'overrun', data: { windowId, owner, closedAt } })
  const request = await requestById(tx, id)
  if (request !== undefined) await writeAudit(tx, { ...about(request), act: 'run', result: 'window_closed' })
}

/** What was approved for a window stays approved for its new hours; one that was asked for a later time in it keeps that where it can. */
async function follow(tx: Tx, { id, windowId, from, to, notBefore, followsStart }: Found): Promise<void> {
  const startsAt = !followsStart && notBefore >= from && notBefore < to ? notBefore : from
  await tx.query(
    `update lockkeeper.request set not_before = to_timestamp($2::float8 / 1000), not_after = to_timestamp($3::float8 / 1000),
       expires_at = case when expires_at is null then null else to_timestamp($3::float8 / 1000) end,
       grant_expires_at = case when grant_expires_at is null then null else to_timestamp($3::float8 / 1000) end,
       check_at = case when to_timestamp($2::float8 / 1000) - interval '1 hour' > lockkeeper.now() then
         case when to_timestamp($2::float8 / 1000) - interval '8 hours' > lockkeeper.now()
           then to_timestamp($2::float8 / 1000) - interval '8 hours' else to_timestamp($2::float8 / 1000) - interval '1 hour' end end,
       wake_at = lockkeeper.now()
     where id = $1`,
    [id, startsAt, to],
  )
  if (windowId !== null) await addEvent(tx, id, { kind: 'window_moved', data: { windowId, from, to, startsAt } })
}

/** Cancelled or over before its turn: then its time is up at once, and it expires as one whose window has closed. */
async function end(tx: Tx, id: number): Promise<void> {
  await tx.query(
    `update lockkeeper.request set not_after = lockkeeper.now(), expires_at = lockkeeper.now(),
       grant_expires_at = case when grant_expires_at is null then null else lockkeeper.now() end where id = $1`,
    [id],
  )
}
