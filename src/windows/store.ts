import { randomBytes } from 'node:crypto'
import type { Queries, Tx } from '../store/pool.ts'
import type { ReleaseNotes, WindowRow, WindowState } from './window.ts'

/** Reading and changing the rows of maintenance windows. Every change that people can see goes through here, since it must raise `revision`. */

export const windowColumns = `id, token, name, targets, starts_at as "startsAt", ends_at as "endsAt", timezone, reason, work, owner,
  owner_human as "ownerHuman", channels, state, standby, standby_confirmed_at as "standbyConfirmedAt", opened_at as "openedAt",
  closed_at as "closedAt", outcome, plan_no as "planNo", created_at as "createdAt", revision`

/** Times are milliseconds since 1970. */
export type NewWindow = {
  readonly name?: string | null
  readonly targets: readonly string[]
  readonly startsAt: number
  readonly endsAt: number
  readonly timezone: string
  readonly reason: string
  readonly work: string | null
  /** `U…` or `os:name`, and the human behind it. */
  readonly owner: string
  readonly ownerHuman: string
  readonly channels: readonly string[]
  /** Of a recurring one: rule and start. The same is written down once. */
  readonly occurrence?: string | null
}

/** Random, for buttons; it says nothing about what it names. */
const newToken = () => `w_${randomBytes(12).toString('base64url')}`

/** Undefined when another replica has written this occurrence already. */
export async function insertWindow(tx: Queries, window: NewWindow): Promise<WindowRow | undefined> {
  const [row] = await tx.query<WindowRow>(
    `insert into lockkeeper.maintenance
       (token, name, targets, starts_at, ends_at, timezone, reason, work, owner, owner_human, channels, occurrence)
     values ($1, $2, $3, to_timestamp($4::float8 / 1000), to_timestamp($5::float8 / 1000), $6, $7, $8, $9, $10, $11, $12)
     on conflict (occurrence) do nothing returning ${windowColumns}`,
    [
      newToken(),
      window.name ?? null,
      window.targets,
      window.startsAt,
      window.endsAt,
      window.timezone,
      window.reason,
      window.work,
      window.owner,
      window.ownerHuman,
      window.channels,
      window.occurrence ?? null,
    ],
  )
  return row
}

export async function windowById(db: Queries, id: number): Promise<WindowRow | undefined> {
  return (await db.query<WindowRow>(`select ${windowColumns} from lockkeeper.maintenance where id = $1`, [id]))[0]
}

export async function windowByToken(db: Queries, token: string): Promise<WindowRow | undefined> {
  if (!/^[\w-]{1,64}$/.test(token)) return undefined // none that we gave out, and PostgreSQL would not take every character
  return (await db.query<WindowRow>(`select ${windowColumns} from lockkeeper.maintenance where token = $1`, [token]))[0]
}

/** Holds the row until the transaction ends: decisions about one window happen one after the other. */
export async function lockWindow(tx: Tx, id: number): Promise<WindowRow | undefined> {
  return (await tx.query<WindowRow>(`select ${windowColumns} from lockkeeper.maintenance where id = $1 for update`, [id]))[0]
}

/** By their starts, the earliest first. */
export async function listWindows(
  db: Queries,
  filter: {
    /** Any of them. */
    readonly targets?: readonly string[]
    readonly states?: readonly WindowState[]
    /** Only those of which a part lies between `from` and `to`, in milliseconds since 1970. */
    readonly from?: number
    readonly to?: number
    readonly limit: number
  },
): Promise<readonly WindowRow[]> {
  return db.query<WindowRow>(
    `select ${windowColumns} from lockkeeper.maintenance
     where ($1::text[] is null or targets && $1) and ($2::text[] is null or state = any($2))
       and ($3::float8 is null or ends_at > to_timestamp($3::float8 / 1000)) and ($4::float8 is null or starts_at < to_timestamp($4::float8 / 1000))
     order by starts_at, id limit $5`,
    [filter.targets ?? null, filter.states ?? null, filter.from ?? null, filter.to ?? null, filter.limit],
  )
}

export type WindowChange = {
  readonly state?: WindowState
  /** Milliseconds since 1970. */
  readonly startsAt?: number
  readonly endsAt?: number
  /** Its hours are others now: notices of earlier plans are withdrawn by whoever changes them. */
  readonly isNewPlan?: true
  readonly standby?: string | null
  readonly isStandbyConfirmed?: boolean
  readonly outcome?: ReleaseNotes
}

/** Opening and closing stamp their times by the store's clock. */
export async function changeWindow(tx: Queries, id: number, change: WindowChange): Promise<WindowRow> {
  const values: unknown[] = [id]
  const sets = ['revision = revision + 1', 'draw_after = clock_timestamp()']
  const set = (sql: (parameter: string) => string, value: unknown) => {
    values.push(value)
    sets.push(sql(`$${values.length}`))
  }
  const { state, startsAt, endsAt, standby, isStandbyConfirmed, outcome } = change
  if (state !== undefined) set((value) => `state = ${value}`, state)
  if (state === 'open') sets.push('opened_at = lockkeeper.now()')
  if (state === 'completed' || state === 'cancelled') sets.push('closed_at = lockkeeper.now()')
  if (startsAt !== undefined) set((value) => `starts_at = to_timestamp(${value}::float8 / 1000)`, startsAt)
  if (endsAt !== undefined) set((value) => `ends_at = to_timestamp(${value}::float8 / 1000)`, endsAt)
  if (change.isNewPlan === true) sets.push('plan_no = plan_no + 1')
  if (standby !== undefined) set((value) => `standby = ${value}`, standby)
  if (isStandbyConfirmed !== undefined) sets.push(`standby_confirmed_at = ${isStandbyConfirmed ? 'lockkeeper.now()' : 'null'}`)
  if (outcome !== undefined) set((value) => `outcome = ${value}`, JSON.stringify(outcome))
  const [row] = await tx.query<WindowRow>(
    `update lockkeeper.maintenance set ${sets.join(', ')} where id = $1 returning ${windowColumns}`,
    values,
  )
  if (row === undefined) throw new Error(`the window ${id} has vanished from the store`)
  return row
}

/** Hours as they are in rows of events: milliseconds since 1970. */
export type Hours = { readonly startsAt: number; readonly endsAt: number }

/** A change of plan or a notice. Each is one post in the thread, and says what was so then, since the window may be otherwise by now. */
export type WindowEvent =
  | {
      readonly kind: 'rescheduled' | 'extended'
      readonly data: { readonly by: string; readonly from: Hours; readonly to: Hours; readonly people: readonly string[] }
    }
  | {
      readonly kind: 'cancelled'
      readonly data: { readonly by: string; readonly reason: string | null; readonly at: Hours; readonly people: readonly string[] }
    }
  | { readonly kind: 'standby'; readonly data: { readonly by: string } }
  | { readonly kind: 'notice'; readonly data: NoticeData }

export type NoticeData = {
  readonly stage: string
  readonly planNo: number
  readonly at: Hours
  /** Where it is told in the thread; elsewhere it stands in a list of many. */
  readonly channels: readonly string[]
  /** Slack users who are told by a direct message. */
  readonly people: readonly string[]
  readonly isLate?: true
  /** The last one before the start, which the channel sees too. */
  readonly isLast?: true
  /** Items of the checklist that should be done by now and are not. */
  readonly open?: readonly OpenItem[]
  /** Nobody has confirmed to stand by, though somebody must. */
  readonly isUnattended?: true
  readonly notes?: ReleaseNotes
}

export type OpenItem = { readonly text: string; readonly owner: string | null }

export type WindowEventRow = WindowEvent & { readonly id: number; readonly windowId: number; readonly at: Date }

export async function addWindowEvent(tx: Queries, windowId: number, event: WindowEvent): Promise<void> {
  await tx.query(
    `with added as (insert into lockkeeper.maintenance_event (maintenance_id, kind, data) values ($1, $2, $3))
     update lockkeeper.maintenance set revision = revision + 1, draw_after = clock_timestamp() where id = $1`,
    [windowId, event.kind, JSON.stringify(event.data)],
  )
}

export async function windowEventsOf(db: Queries, windowId: number): Promise<readonly WindowEventRow[]> {
  return db.query<WindowEventRow>(
    `select id, maintenance_id as "windowId", kind, data, at from lockkeeper.maintenance_event where maintenance_id = $1 order by id`,
    [windowId],
  )
}
