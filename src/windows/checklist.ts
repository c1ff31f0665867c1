import type { Target } from '../config/config.ts'
import { writeAudit } from '../audit/write.ts'
import type { Db, Queries } from '../store/pool.ts'
import type { Due } from '../store/due.ts'
import type { OpenItem } from './store.ts'

/** What is to be done around a window, by whom, and whether it is. */

export const phases = ['T-48h', 'T-1h', 'during', 'T+2h'] as const
export type Phase = (typeof phases)[number]

export type ChecklistItem = {
  readonly id: number
  readonly windowId: number
  readonly phase: Phase
  readonly text: string
  /** `U…` */
  readonly owner: string | null
  /** What Lockkeeper ticks by itself. */
  readonly knows: 'backup' | 'rehearsal' | 'health' | null
  /** `U…`, `os:name`, or `lockkeeper`. */
  readonly doneBy: string | null
  readonly doneAt: Date | null
}

/** Of several targets, the items of all; the same item stands once. */
export async function insertChecklist(tx: Queries, windowId: number, targets: readonly Target[]): Promise<void> {
  for (const phase of phases) {
    const items = targets.flatMap((target) => target.windows.checklist[phase])
    const once = items.filter((item, index) => items.findIndex((other) => other.text === item.text) === index)
    for (const [ordinal, { text, owner, knows }] of once.entries())
      await tx.query(
        `insert into lockkeeper.checklist_item (maintenance_id, phase, ordinal, text, owner, knows) values ($1, $2, $3, $4, $5, $6)`,
        [windowId, phase, ordinal, text, owner?.replace('user:', '') ?? null, knows ?? null],
      )
  }
}

const itemColumns = `id, maintenance_id as "windowId", phase, text, owner, knows, done_by as "doneBy", done_at as "doneAt"`

export async function itemsOf(db: Queries, windowIds: readonly number[]): Promise<readonly ChecklistItem[]> {
  const rows = await db.query<ChecklistItem>(
    `select ${itemColumns} from lockkeeper.checklist_item where maintenance_id = any($1) order by maintenance_id, ordinal, id`,
    [windowIds],
  )
  return rows.toSorted((a, b) => phases.indexOf(a.phase) - phases.indexOf(b.phase))
}

/** False when it is so already. */
export async function tickItem(
  tx: Queries,
  item: { readonly windowId: number; readonly id: number; readonly by: string | null },
): Promise<boolean> {
  const ticked = await tx.query(
    `update lockkeeper.checklist_item set done_by = $3, done_at = case when $3::text is null then null else lockkeeper.now() end
     where id = $1 and maintenance_id = $2 and (done_by is null) <> ($3::text is null) returning 1`,
    [item.id, item.windowId, item.by],
  )
  return ticked.length > 0
}

/**
 * What Lockkeeper has seen itself: on each of the window's targets a run that verified its backup or found health green; in the window for
 * what is to be done in it or after it, two days before it at the earliest for the rest.
 */
const known = `i.done_by is null and i.knows in ('backup', 'health')
  and (m.state in ('scheduled', 'open') or (m.state = 'completed' and i.phase in ('during', 'T+2h') and m.closed_at > lockkeeper.now() - interval '1 day'))
  and not exists (select from unnest(m.targets) as own (name) where not exists (
    select from lockkeeper.request r join lockkeeper.step s on s.request_id = r.id
    where r.target = own.name and s.state = 'done' and s.name = case i.knows when 'backup' then 'verify-backup' else 'health' end
      and r.started_at >= case when i.phase in ('during', 'T+2h') then coalesce(m.opened_at, m.starts_at) else m.starts_at - interval '48 hours' end))`

export const knownItemsDue = (db: Db): Due => ({
  name: 'checklists',
  isDue: `exists (select from lockkeeper.maintenance m join lockkeeper.checklist_item i on i.maintenance_id = m.id where ${known})`,
  act: () =>
    db.transaction(async (tx) => {
      const ticked = await tx.query<{ window: number; target: string; text: string }>(
        `with due as (
           select i.id from lockkeeper.maintenance m join lockkeeper.checklist_item i on i.maintenance_id = m.id
           where ${known} for update of i, m skip locked),
         ticked as (
           update lockkeeper.checklist_item i set done_by = 'lockkeeper', done_at = lockkeeper.now() from due where i.id = due.id
           returning i.maintenance_id, i.text),
         drawn as (
           update lockkeeper.maintenance m set revision = revision + 1, draw_after = clock_timestamp()
           where m.id in (select maintenance_id from ticked) returning m.id, m.targets[1] as target)
         select drawn.id as window, drawn.target, ticked.text from ticked join drawn on drawn.id = ticked.maintenance_id`,
      )
      for (const { window, target, text } of ticked)
        await writeAudit(tx, { actor: 'lockkeeper', act: 'maintenance', target, result: 'item done', data: { window, item: text } })
    }),
})

/** What should be done by now and is not. Times are milliseconds since 1970. */
export const openAt = (
  items: readonly ChecklistItem[],
  window: { readonly startsAt: number; readonly endsAt: number },
  now: number,
): readonly OpenItem[] =>
  items.filter(({ phase, doneBy }) => doneBy === null && phaseAt(phase, window) <= now).map(({ text, owner }) => ({ text, owner }))

/** When the items of a phase should be done. */
export function phaseAt(phase: Phase, { startsAt, endsAt }: { readonly startsAt: number; readonly endsAt: number }): number {
  switch (phase) {
    case 'T-48h':
      return startsAt - 48 * HOUR_MS
    case 'T-1h':
      return startsAt - HOUR_MS
    case 'during':
      return endsAt
    case 'T+2h':
      return endsAt + 2 * HOUR_MS
  }
}

const HOUR_MS = 3_600_000
