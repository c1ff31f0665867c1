import type { Queries } from '../store/pool.ts'

/** What the store knows, for gauges: the same in every process that shares it. */
export type StoreGauges = {
  /** Requests under way, by state. */
  readonly open: Readonly<Record<string, number>>
  /** Messages that were begun and are not yet known to stand in Slack. */
  readonly unsent: number
  /** Of the oldest of them; 0 when there is none. */
  readonly oldestUnsentSeconds: number
  /** Notices of maintenance windows that are due and that nobody has decided about. */
  readonly noticesDue: number
  /** What leaves by mail, webhooks and pages, by state; what was given up, in the last seven days. */
  readonly deliveries: Readonly<Record<'pending' | 'given_up', number>>
  /** Workflows of the engine, by its own word for their state. */
  readonly workflows: Readonly<Record<'pending' | 'enqueued', number>>
}

/** One statement, and each part of it reads an index that holds only what is under way. */
export async function readStoreGauges(db: Queries): Promise<StoreGauges> {
  const [row] = await db.query<{
    open: Record<string, number> | null
    unsent: number
    oldest: number
    pending: number
    enqueued: number
    due: number
    waiting: number
    givenUp: number
  }>(
    `select
       (select json_object_agg(state, count) from (
          select state, count(*)::int from lockkeeper.request
          where state in ('planning','waiting','granted','running','needs_human') group by state) by_state) as open,
       m.unsent, m.oldest, w.pending, w.enqueued,
       (select count(*)::int from lockkeeper.notice where state = 'pending' and due_at <= lockkeeper.now()) as due,
       d.waiting, d.given_up as "givenUp"
     from
       (select count(*)::int as unsent, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as oldest
        from lockkeeper.message where state in ('intended', 'unsure')) m,
       (select count(*) filter (where status = 'PENDING')::int as pending, count(*) filter (where status = 'ENQUEUED')::int as enqueued
        from dbos.workflow_status where status in ('PENDING', 'ENQUEUED')) w,
       (select count(*) filter (where state = 'pending')::int as waiting, count(*) filter (where state = 'given_up')::int as given_up
        from lockkeeper.delivery where state = 'pending' or state = 'given_up' and created_at > lockkeeper.now() - interval '7 days') d`,
  )
  return {
    open: row?.open ?? {},
    unsent: row?.unsent ?? 0,
    oldestUnsentSeconds: row?.oldest ?? 0,
    noticesDue: row?.due ?? 0,
    deliveries: { pending: row?.waiting ?? 0, given_up: row?.givenUp ?? 0 },
    workflows: { pending: row?.pending ?? 0, enqueued: row?.enqueued ?? 0 },
  }
}
