import type { Target } from '../../config/config.ts'
import { storeNow } from '../../store/now.ts'
import type { Queries, Tx } from '../../store/pool.ts'
import { queueNotifications } from '../notices/announce.ts'
import { insertChecklist, itemsOf, phaseAt, type ChecklistItem } from '../checklist.ts'
import { noticesOf } from '../notices/notice-schedule.ts'
import type { WindowRow } from '../window.ts'
import { addWindowEvent, changeWindow, insertWindow, type Hours, type NewWindow } from '../store.ts'

/** The changes of a window and of what is announced about it, each in its caller's transaction. Who may is asked before. */

/** A window with its checklist and every notice about it. Undefined when another replica has written this occurrence already. */
export async function scheduleWindow(
  tx: Queries,
  window: Omit<NewWindow, 'targets' | 'channels' | 'timezone'>,
  targets: readonly [Target, ...Target[]],
): Promise<WindowRow | undefined> {
  const row = await insertWindow(tx, {
    ...window,
    targets: targets.map(({ name }) => name),
    channels: [...new Set(targets.map(({ channel }) => channel))],
    timezone: targets[0].timezone,
  })
  if (row === undefined) return undefined
  await insertChecklist(tx, row.id, targets)
  await planNotices(tx, row, targets)
  await queueNotifications(tx, [{ window: row, targets, stage: 'scheduled' }])
  return row
}

/** Other hours: every notice that is still to come is withdrawn, and those of the new hours take their place. */
export async function replanWindow(
  tx: Queries,
  window: WindowRow,
  change: { readonly kind: 'rescheduled' | 'extended'; readonly by: string; readonly hours: Hours; readonly state?: 'open' },
  targets: readonly Target[],
): Promise<WindowRow> {
  const { kind, by, hours } = change
  await withdrawNotices(tx, window.id)
  const changed = await changeWindow(tx, window.id, {
    ...hours,
    isNewPlan: true,
    ...(change.state === undefined ? {} : { state: change.state }),
    // whoever said to stand by said it of other hours
    ...(kind === 'rescheduled' ? { standby: null, isStandbyConfirmed: false } : {}),
  })
  if (kind === 'extended') await keepDecided(tx, changed)
  await planNotices(tx, changed, targets)
  await addWindowEvent(tx, window.id, { kind, data: { by, from: hoursOf(window), to: hours, people: peopleOf(targets) } })
  await queueNotifications(tx, [{ window: changed, targets, stage: 'rescheduled' }])
  return changed
}

export async function cancelWindow(
  tx: Queries,
  window: WindowRow,
  { by, reason }: { readonly by: string; readonly reason: string | null },
  targets: readonly Target[],
): Promise<void> {
  await withdrawNotices(tx, window.id)
  const cancelled = await changeWindow(tx, window.id, { state: 'cancelled' })
  await addWindowEvent(tx, window.id, { kind: 'cancelled', data: { by, reason, at: hoursOf(window), people: peopleOf(targets) } })
  await queueNotifications(tx, [{ window: cancelled, targets, stage: 'cancelled', note: reason }])
}

/** By hand, before its time. What it leads to is the notices' own affair. */
export async function startNow(tx: Tx, window: WindowRow, hours: Hours, targets: readonly Target[]): Promise<void> {
  await withdrawNotices(tx, window.id)
  const moved = await changeWindow(tx, window.id, { ...hours, isNewPlan: true })
  await keepDecided(tx, moved)
  await planNotices(tx, moved, targets, hours.startsAt)
}

/** By hand: the notice of the end is due now, whenever it was planned. */
export async function endNow(tx: Tx, window: WindowRow): Promise<void> {
  await withdrawNotices(tx, window.id, `stage <> 'end'`)
  await tx.query(
    `update lockkeeper.notice set due_at = lockkeeper.now() where maintenance_id = $1 and stage = 'end' and state = 'pending'`,
    [window.id],
  )
  const now = await storeNow(tx)
  await planChecks(tx, { ...window, endsAt: new Date(now) }, await itemsOf(tx, [window.id]), now, ['T+2h'])
}

/** It is the same maintenance, begun earlier or made longer: what was told of it stays ticked off. */
const keepDecided = (tx: Queries, { id, planNo }: WindowRow) =>
  tx.query(
    `update lockkeeper.notice set plan_no = $2 where maintenance_id = $1 and plan_no = $2 - 1 and state in ('sent', 'missed') and stage not like 'check:%'`,
    [id, planNo],
  )

export const withdrawNotices = (tx: Queries, windowId: number, which = 'true') =>
  tx.query(
    `update lockkeeper.notice set state = 'withdrawn', decided_at = lockkeeper.now() where maintenance_id = $1 and state = 'pending' and ${which}`,
    [windowId],
  )

export const hoursOf = (window: Pick<WindowRow, 'startsAt' | 'endsAt'>): Hours => ({
  startsAt: window.startsAt.getTime(),
  endsAt: window.endsAt.getTime(),
})

/** Slack users who are told of windows of these targets. */
export const peopleOf = (targets: readonly Target[]): readonly string[] => [
  ...new Set(targets.flatMap(({ windows }) => windows.people.map((person) => person.replace('user:', '')))),
]

async function planNotices(tx: Queries, window: WindowRow, targets: readonly Target[], at?: number): Promise<void> {
  const now = at ?? (await storeNow(tx))
  const { startsAt, endsAt } = hoursOf(window)
  const planned = noticesOf({
    startsAt,
    endsAt,
    notices: targets.flatMap(({ windows }) => windows.notices),
    during: Math.min(...targets.map(({ windows }) => windows.during), endsAt - startsAt),
    now,
  }).filter(({ stage }) => window.state === 'scheduled' || !stage.startsWith('before:'))
  await insertNotices(tx, window, planned)
  const noticeTimes = new Set(planned.map(({ dueAt }) => dueAt))
  const items = await itemsOf(tx, [window.id])
  const isStandby = targets.some(({ windows }) => windows.standby)
  const phases = (['T-48h', 'T-1h', 'T+2h'] as const).filter((phase) => !noticeTimes.has(phaseAt(phase, { startsAt, endsAt })))
  await planChecks(tx, window, items, now, phases, isStandby)
}

/** What is open is said in the notice of the same moment; where there is none, by a notice of its own. */
async function planChecks(
  tx: Queries,
  window: WindowRow,
  items: readonly ChecklistItem[],
  now: number,
  phases: readonly ('T-48h' | 'T-1h' | 'T+2h')[],
  isStandby = false,
): Promise<void> {
  const hours = hoursOf(window)
  const wanted = phases.filter((phase) => items.some((item) => item.phase === phase) || (isStandby && phase === 'T-1h'))
  await insertNotices(
    tx,
    window,
    wanted
      .map((phase) => ({
        stage: `check:${phase}`,
        dueAt: phaseAt(phase, hours),
        usefulUntil: phase === 'T+2h' ? hours.endsAt + 86_400_000 : hours.startsAt,
      }))
      .filter(({ dueAt }) => dueAt >= now),
  )
}

async function insertNotices(
  tx: Queries,
  { id, planNo }: WindowRow,
  notices: readonly { readonly stage: string; readonly dueAt: number; readonly usefulUntil: number }[],
): Promise<void> {
  await tx.query(
    `insert into lockkeeper.notice (maintenance_id, plan_no, stage, due_at, useful_until)
     select $1, $2, stage, to_timestamp(due / 1000), to_timestamp(useful / 1000)
     from unnest($3::text[], $4::float8[], $5::float8[]) as planned (stage, due, useful)
     on conflict (maintenance_id, plan_no, stage) do update set due_at = excluded.due_at, useful_until = excluded.useful_until, state = 'pending', decided_at = null`,
    [id, planNo, notices.map(({ stage }) => stage), notices.map(({ dueAt }) => dueAt), notices.map(({ usefulUntil }) => usefulUntil)],
  )
}
