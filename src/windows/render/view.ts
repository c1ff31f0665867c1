import type { Db, Queries } from '../../store/pool.ts'
import type { Desired } from '../../slack/outbox/desired.ts'
import type { MessageSource } from '../../slack/outbox/message-source.ts'
import { itemsOf, type ChecklistItem } from '../checklist.ts'
import type { NoticeRow, WindowRow } from '../window.ts'
import { windowById, windowEventsOf, type WindowEventRow } from '../store.ts'

/** A window with everything that is shown of it. */
export type WindowView = {
  readonly window: WindowRow
  /** Of its present hours. */
  readonly notices: readonly NoticeRow[]
  readonly events: readonly WindowEventRow[]
  readonly items: readonly ChecklistItem[]
}

/** What was refused for a day after its end is not tried any more. */
const FORGOTTEN_MS = 86_400_000

/** Windows as the outbox draws them. */
export const windowSource = (db: Db, draw: (view: WindowView) => readonly Desired[]): MessageSource => ({
  table: 'maintenance',
  isProgress: 'true', // each change says when
  order: 'draw_after, id',
  // those that people look at; the rest is drawn when its next notice is due
  isCurrent: `state in ('scheduled', 'open') and id in (
    select id from lockkeeper.maintenance where state in ('scheduled', 'open') order by starts_at limit 200)`,
  async open(id) {
    const [row] = await db.query<{ revision: number; age: number | null }>(
      `select revision, (extract(epoch from lockkeeper.now() - closed_at) * 1000)::float8 as age from lockkeeper.maintenance where id = $1`,
      [id],
    )
    if (row === undefined) return undefined
    return {
      revision: row.revision,
      fields: { window: id },
      async draw() {
        const view = await windowViewOf(db, id)
        return {
          desired: view === undefined ? [] : draw(view),
          refreshInMs: null,
          isForgotten: row.age !== null && row.age > FORGOTTEN_MS,
          fileOf: async () => null,
        }
      },
    }
  },
})

/** The window is read last: what came after its events raises the revision and is drawn next. */
export async function windowViewOf(db: Queries, id: number): Promise<WindowView | undefined> {
  const [notices, events, items] = [await noticeRowsOf(db, id), await windowEventsOf(db, id), await itemsOf(db, [id])]
  const window = await windowById(db, id)
  if (window === undefined) return undefined
  return { window, notices: notices.filter(({ planNo }) => planNo === window.planNo), events, items }
}

const noticeRowsOf = (db: Queries, windowId: number) =>
  db.query<NoticeRow>(
    `select id, maintenance_id as "windowId", plan_no as "planNo", stage, due_at as "dueAt", useful_until as "usefulUntil", state, decided_at as "decidedAt"
     from lockkeeper.notice where maintenance_id = $1 order by due_at, id`,
    [windowId],
  )
