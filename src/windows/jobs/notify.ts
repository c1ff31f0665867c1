import { writeAudit } from '../../audit/write.ts'
import type { Target } from '../../config/config.ts'
import { storeNow } from '../../store/now.ts'
import type { Db, Tx } from '../../store/pool.ts'
import type { Due } from '../../store/due.ts'
import { queueNotifications } from '../notices/announce.ts'
import { itemsOf, openAt } from '../checklist.ts'
import { digestCrowded, type WindowNotice } from '../notices/notice-digest.ts'
import { notesOf } from '../notices/release-notes.ts'
import type { ReleaseNotes, WindowRow } from '../window.ts'
import { changeWindow, windowById, windowColumns, type NoticeData, type WindowEvent } from '../store.ts'
import { hoursOf, peopleOf, withdrawNotices } from '../schedule/schedule.ts'

export type NoticePorts = {
  readonly db: Db
  readonly targets: ReadonlyMap<string, Target>
}

/** Windows open and close, and people are told, when the store's clock says so. */
export const noticesDue = (ports: NoticePorts): Due => ({
  name: 'notices',
  isDue: `exists (select from lockkeeper.notice where state = 'pending' and due_at <= lockkeeper.now())`,
  act: () => sendNotices(ports),
})

/** What is later than this says so. */
const LATE_MS = 60_000
/** As many are decided in one transaction. */
const BATCH = 500
/** Slack takes about 40 edits a minute: announcements of very many windows are ticked off no faster. */
const EDIT_MS = 1_500

async function sendNotices(ports: NoticePorts): Promise<void> {
  while ((await ports.db.transaction((tx) => sendBatch(ports, tx))) === BATCH);
}

type DueNotice = {
  readonly id: number
  readonly stage: string
  readonly planNo: number
  readonly dueAt: Date
  readonly usefulUntil: Date
  readonly isLast: boolean
  readonly window: number
  /** When it is to be drawn anyway, in ms since 1970. */
  readonly drawAfter: number | null
}

/** Each row is decided by whoever holds it: it is sent, or missed, or its window is otherwise by now. */
async function sendBatch(ports: NoticePorts, tx: Tx): Promise<number> {
  const due = await claimNotices(tx)
  if (due.length === 0) return 0
  const now = await storeNow(tx)
  const windows = await windowsOf(tx, [...new Set(due.map(({ window }) => window))])
  const items = Map.groupBy(await itemsOf(tx, [...windows.keys()]), ({ windowId }) => windowId)
  const sent: WindowNotice[] = []
  const decided: { readonly id: number; readonly state: 'sent' | 'missed' | 'withdrawn' }[] = []
  for (const notice of due) {
    const before = windows.get(notice.window)
    if (before === undefined || !isOf(notice, before)) {
      decided.push({ id: notice.id, state: 'withdrawn' })
      continue
    }
    const window = await changeState(tx, before, notice.stage)
    windows.set(window.id, window)
    const isUseful = now < notice.usefulUntil.getTime()
    decided.push({ id: notice.id, state: isUseful ? 'sent' : 'missed' })
    if (isUseful) sent.push({ window, data: dataOf(ports, window, notice, items.get(window.id) ?? [], now) })
  }
  const drawTimes = new Map(due.map(({ window, drawAfter }) => [window, drawAfter]))
  await announce(ports, tx, sent, drawTimes) // before they are decided: a list looks at what was told earlier
  await decide(tx, decided)
  await writeAudit(tx, { actor: 'lockkeeper', act: 'notice', result: 'decided', data: summaryOf(due, decided) })
  return due.length
}

/** With the rows of their windows, so that nobody changes the hours meanwhile. What somebody holds is looked at in a second. */
const claimNotices = (tx: Tx) =>
  tx.query<DueNotice>(
    `select n.id, n.stage, n.plan_no as "planNo", n.due_at as "dueAt", n.useful_until as "usefulUntil", m.id as window,
       case when m.draw_after < 'infinity' then (extract(epoch from m.draw_after) * 1000)::float8 end as "drawAfter",
       n.stage like 'before:%' and not exists (
         select from lockkeeper.notice later where later.maintenance_id = n.maintenance_id and later.plan_no = n.plan_no
           and later.stage like 'before:%' and later.due_at > n.due_at) as "isLast"
     from lockkeeper.notice n join lockkeeper.maintenance m on m.id = n.maintenance_id
     where n.state = 'pending' and n.due_at <= lockkeeper.now()
     order by n.due_at, n.id limit ${BATCH} for update of n, m skip locked`,
  )

async function windowsOf(tx: Tx, ids: readonly number[]): Promise<Map<number, WindowRow>> {
  const rows = await tx.query<WindowRow>(`select ${windowColumns} from lockkeeper.maintenance where id = any($1)`, [ids])
  return new Map(rows.map((row) => [row.id, row]))
}

/** A window that ended early has its last items still before it. */
function isOf({ planNo, stage }: DueNotice, window: WindowRow): boolean {
  if (planNo !== window.planNo || window.state === 'cancelled') return false
  return window.state !== 'completed' || stage === 'check:T+2h'
}

/** It opens and closes by itself, also when nobody can be told any more. */
async function changeState(tx: Tx, window: WindowRow, stage: string): Promise<WindowRow> {
  if (stage === 'start' && window.state === 'scheduled') return turned(tx, await changeWindow(tx, window.id, { state: 'open' }), 'opened')
  if (stage !== 'end') return window
  const outcome = await notesOf(tx, window)
  await withdrawNotices(tx, window.id, `stage not in ('end', 'check:T+2h')`)
  return turned(tx, await changeWindow(tx, window.id, { state: 'completed', outcome }), 'completed')
}

async function turned(tx: Tx, window: WindowRow, result: string): Promise<WindowRow> {
  for (const target of window.targets)
    await writeAudit(tx, { actor: 'lockkeeper', act: 'maintenance', target, result, data: { window: window.id } })
  return (await windowById(tx, window.id)) ?? window
}

function dataOf(
  { targets }: NoticePorts,
  window: WindowRow,
  notice: DueNotice,
  items: Parameters<typeof openAt>[0],
  now: number,
): NoticeData {
  const own = window.targets.flatMap((name) => targets.get(name) ?? [])
  const at = hoursOf(window)
  const { stage, planNo, dueAt } = notice
  const open = stage.startsWith('during:') ? [] : openAt(items, { ...at, ...(stage === 'end' ? { endsAt: now } : {}) }, now)
  const isAhead = stage === 'start' || at.startsAt - now <= HOUR_MS
  const needsStandby = own.some(({ windows }) => windows.standby) && window.standbyConfirmedAt === null
  return {
    stage,
    planNo,
    at,
    channels: window.channels,
    people: stage.startsWith('during:') ? [] : peopleOf(own),
    ...(now - dueAt.getTime() > LATE_MS ? { isLate: true } : {}),
    ...(notice.isLast ? { isLast: true } : {}),
    ...(open.length === 0 ? {} : { open }),
    ...(needsStandby && isAhead && window.state !== 'completed' && !stage.startsWith('during:') ? { isUnattended: true } : {}),
    ...(stage === 'end' && window.outcome !== null ? { notes: window.outcome satisfies ReleaseNotes } : {}),
  }
}

const HOUR_MS = 3_600_000

const decide = (tx: Tx, decided: readonly { readonly id: number; readonly state: string }[]) =>
  tx.query(
    `update lockkeeper.notice set state = decided.state, decided_at = lockkeeper.now()
     from unnest($1::bigint[], $2::text[]) as decided (id, state) where notice.id = decided.id`,
    [decided.map(({ id }) => id), decided.map(({ state }) => state)],
  )

/** When each window was to be drawn anyway, in ms since 1970; null: it was not. */
type DrawTimes = ReadonlyMap<number, number | null>

async function announce(ports: NoticePorts, tx: Tx, sent: readonly WindowNotice[], drawTimes: DrawTimes): Promise<void> {
  const crowded = await digestCrowded(tx, sent)
  const events = sent.map(({ window, data }): { readonly windowId: number; readonly event: Extract<WindowEvent, { kind: 'notice' }> } => {
    const channels = data.channels.filter((channel) => !crowded.has(channel))
    return { windowId: window.id, event: { kind: 'notice', data: { ...data, channels, people: channels.length === 0 ? [] : data.people } } }
  })
  await addEvents(tx, events, drawTimes)
  await queueNotifications(
    tx,
    sent
      .filter(({ data }) => !/^(during|check):/.test(data.stage))
      .map(({ window, data }) => ({
        window,
        stage: data.stage,
        targets: window.targets.flatMap((name) => ports.targets.get(name) ?? []),
      })),
  )
}

async function addEvents(
  tx: Tx,
  events: readonly { readonly windowId: number; readonly event: WindowEvent }[],
  drawTimes: DrawTimes,
): Promise<void> {
  if (events.length === 0) return
  await tx.query(
    `with added as (
       insert into lockkeeper.maintenance_event (maintenance_id, kind, data)
       select window_id, 'notice', data from unnest($1::bigint[], $2::jsonb[]) with ordinality as event (window_id, data, at) order by at)
     update lockkeeper.maintenance set revision = revision + 1,
       draw_after = coalesce(to_timestamp(later.at / 1000), clock_timestamp() + later.ms * interval '1 millisecond')
     from unnest($3::bigint[], $4::float8[], $5::float8[]) as later (id, ms, at) where maintenance.id = later.id`,
    [
      events.map(({ windowId }) => windowId),
      events.map(({ event }) => JSON.stringify(event.data)),
      ...patience(events, await waitingEdits(tx), drawTimes),
    ],
  )
}

/** Of earlier notices; those of this one come behind them. */
async function waitingEdits(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ waiting: number }>(
    `select count(*)::int as waiting from lockkeeper.maintenance
     where (draw_lease is not null or draw_after < 'infinity' or revision > drawn_revision) -- what the index maintenance_to_draw holds
       and draw_after > clock_timestamp() and draw_after < 'infinity'`,
  )
  return row?.waiting ?? 0
}

/** What has a post to send is drawn now; what is only ticked off, one after the other, and what has a place already keeps it. */
function patience(
  events: readonly { readonly windowId: number; readonly event: WindowEvent }[],
  waiting: number,
  drawTimes: DrawTimes,
): readonly [ids: number[], delays: number[], drawTimes: (number | null)[]] {
  const delays = new Map<number, number>()
  let quiet = waiting
  for (const { windowId, event } of events) {
    const isPost = event.kind !== 'notice' || event.data.channels.length > 0
    if (isPost) delays.set(windowId, 0)
    else if (!delays.has(windowId)) delays.set(windowId, drawTimes.get(windowId) == null ? quiet++ * EDIT_MS : KEPT)
  }
  const ids = [...delays.keys()]
  return [ids, [...delays.values()], ids.map((id) => (delays.get(id) === KEPT ? (drawTimes.get(id) ?? null) : null))]
}

const KEPT = -1
const MOST_NAMED = 50

function summaryOf(due: readonly DueNotice[], decided: readonly { readonly id: number; readonly state: string }[]) {
  const names = new Map(due.map(({ id, window, stage }) => [id, `${window} ${stage}`]))
  const named = (state: string) => {
    const all = decided.filter((one) => one.state === state).map(({ id }) => names.get(id))
    return all.length === 0 ? {} : { [state]: { count: all.length, first: all.slice(0, MOST_NAMED) } }
  }
  return { ...named('sent'), ...named('missed'), ...named('withdrawn') }
}
