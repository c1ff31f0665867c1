import type { Db } from '../../store/pool.ts'
import type { Fields } from '../../lib/telemetry.ts'
import type { Desired } from './desired.ts'

/** What the outbox keeps in step with Slack: rows of one table, each with messages of its own. */
export type MessageSource = {
  readonly table: SourceTable
  /** SQL about the row: what is drawn when its time comes and not at each change, since it goes on changing. */
  readonly isProgress: string
  /** SQL: what is drawn first. */
  readonly order: string
  /** SQL: what is drawn anew at the start, since an earlier version may have drawn it otherwise. */
  readonly isCurrent: string
  /** Undefined when there is no such row. */
  readonly open: (id: number) => Promise<Opened | undefined>
}

/** Each has its column in `lockkeeper.message`: `request_id`, `maintenance_id`, `bulletin_id`. */
export type SourceTable = 'request' | 'maintenance' | 'bulletin'

/** One row, by its table. */
export type SourceRow = { readonly table: SourceTable; readonly id: number }

/** A row before its drawing is made: what changes after `revision` was read is drawn again. */
export type Opened = {
  readonly revision: number
  /** For the lines of the log. */
  readonly fields: Fields
  readonly draw: () => Promise<Drawing>
}

export type Drawing = {
  /** In the order in which messages are sent. */
  readonly desired: readonly Desired[]
  /** When it is to be drawn again although nothing changed; null: never. */
  readonly refreshInMs: number | null
  /** Nobody waits any more for what it had to say: what Slack refuses is not tried again. */
  readonly isForgotten: boolean
  /** The content of a file; null when there is none. */
  readonly fileOf: (source: 'log' | 'sql') => Promise<string | null>
}

/** A lease on one row. */
export type Claimed = { readonly id: number; readonly lease: string }

/** This process; while it lives it holds the session advisory lock (`lock`, `hashtext(id)`) in the store. */
export type Owner = { readonly id: string; readonly lock: number }

/** A replica that dies in the middle is followed by another after this time; longer than two calls to Slack may take. */
const LEASE_MS = 25_000
/** One that is known to be dead is followed sooner; what it had sent has arrived by then, and is found. */
const DEAD_MS = 2_000

/**
 * Due is what changed, what runs and is to be refreshed, and what a dead replica left. `draw_after` goes to infinity while it is drawn,
 * so that a change in the meantime shows. Ends and decisions come before progress.
 */
export async function claim(db: Db, source: MessageSource, owner: Owner): Promise<Claimed | undefined> {
  const [row] = await db.query<Claimed>(
    `update lockkeeper.${source.table}
     set draw_lease = clock_timestamp() + $1 * interval '1 millisecond', draw_owner = $2, draw_after = 'infinity'
     where id = (
       select id from lockkeeper.${source.table}
       where (draw_lease is not null or draw_after < 'infinity' or revision > drawn_revision) -- what the index …_to_draw holds
         and ((draw_lease is null and (draw_after <= clock_timestamp() or (revision > drawn_revision and not (${source.isProgress}))))
          or draw_lease < clock_timestamp()
          or (draw_lease < clock_timestamp() + $4 * interval '1 millisecond' and draw_owner <> $2
              and pg_try_advisory_xact_lock($3::int, hashtext(draw_owner))))
       order by ${source.order} limit 1 for update skip locked)
     returning id, draw_lease::text as lease`,
    [LEASE_MS, owner.id, owner.lock, LEASE_MS - DEAD_MS],
  )
  return row
}

/** With the revision that it has by now. Undefined when another replica holds the row: then nothing more may be sent. */
export async function renew(db: Db, table: SourceTable, claimed: Claimed): Promise<(Claimed & { readonly revision: number }) | undefined> {
  const [row] = await db.query<Claimed & { revision: number }>(
    `update lockkeeper.${table} set draw_lease = clock_timestamp() + $3 * interval '1 millisecond'
     where id = $1 and draw_lease = $2::timestamptz returning id, draw_lease::text as lease, revision`,
    [claimed.id, claimed.lease, LEASE_MS],
  )
  return row
}

export async function release(
  db: Db,
  table: SourceTable,
  claimed: Claimed,
  drawn: { readonly revision: number; readonly nextInMs: number | null },
): Promise<void> {
  const released = await db.query(
    `update lockkeeper.${table} set draw_lease = null, drawn_revision = greatest(drawn_revision, $3),
       draw_after = least(draw_after, case when $4::float8 is null then 'infinity' else clock_timestamp() + $4 * interval '1 millisecond' end)
     where id = $1 and draw_lease = $2::timestamptz returning 1`,
    [claimed.id, claimed.lease, drawn.revision, drawn.nextInMs],
  )
  if (released.length === 0) await drawAgain(db, { table, id: claimed.id })
}

/** Another replica drew it meanwhile; whoever was late may have drawn something older over it. */
export const drawAgain = (db: Db, { table, id }: SourceRow) =>
  db.query(`update lockkeeper.${table} set draw_after = clock_timestamp() where id = $1`, [id])

export const drawCurrent = (db: Db, { table, isCurrent }: MessageSource) =>
  db.query(`update lockkeeper.${table} set draw_after = clock_timestamp() where ${isCurrent}`)
