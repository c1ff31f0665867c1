import { plainText } from '../../lib/text/escape.ts'
import ical, { ICalCalendarMethod, ICalEventStatus } from 'ical-generator'
import type { Queries } from '../../store/pool.ts'
import type { WindowRow } from '../window.ts'

/** A window as calendars see it. */
export type CalendarWindow = Pick<
  WindowRow,
  'id' | 'targets' | 'startsAt' | 'endsAt' | 'timezone' | 'reason' | 'work' | 'state' | 'planNo' | 'createdAt'
> & { readonly changedAt: Date }

/** How long a window that is over stays in the feed. */
const KEPT = '90 days'
/** The nearest ones; a calendar with more than that helps nobody. */
const MOST = 2_000

/** By their starts. The last change is that of a row that tells of one, since the window itself changes whenever it is drawn. */
export async function calendarWindows(db: Queries, target: string | null): Promise<readonly CalendarWindow[]> {
  const rows = await db.query<CalendarWindow>(
    `select id, targets, starts_at as "startsAt", ends_at as "endsAt", timezone, reason, work, state, plan_no as "planNo",
       created_at as "createdAt",
       greatest(created_at, opened_at, closed_at, (select max(at) from lockkeeper.maintenance_event e where e.maintenance_id = m.id)) as "changedAt"
     from lockkeeper.maintenance m
     where ends_at > lockkeeper.now() - interval '${KEPT}' and ($1::text is null or $1 = any(targets))
     order by abs(extract(epoch from starts_at - lockkeeper.now())), id limit ${MOST}`,
    [target],
  )
  return rows.toSorted((a, b) => a.startsAt.getTime() - b.startsAt.getTime() || a.id - b.id)
}

/**
 * The windows as iCalendar (RFC 5545), the same text for the same rows. Times are UTC, which every calendar shows in its reader's zone. A
 * plan that changed has a higher SEQUENCE, and a window that was cancelled stays and says so.
 */
export function icsOf(
  windows: readonly CalendarWindow[],
  context: { readonly name: string; readonly store: string; readonly titleOf: (target: string) => string },
): string {
  const calendar = ical({
    name: line(context.name),
    method: ICalCalendarMethod.PUBLISH,
    prodId: { company: 'Lockkeeper', product: 'Maintenance windows', language: 'EN' },
  })
  for (const window of windows) {
    const isCancelled = window.state === 'cancelled'
    calendar.createEvent({
      id: `window-${window.id}@${context.store}.lockkeeper`,
      sequence: window.planNo + (isCancelled ? 1 : 0),
      status: isCancelled ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
      start: window.startsAt,
      end: window.endsAt,
      summary: line(`Maintenance: ${window.targets.map(context.titleOf).join(', ')}`),
      description: descriptionOf(window),
      created: window.createdAt,
      lastModified: window.changedAt,
      stamp: window.changedAt,
    })
  }
  return calendar.toString()
}

const descriptionOf = ({ id, reason, work, timezone }: CalendarWindow): string =>
  [`Why: ${line(reason)}`, ...(work === null ? [] : [`What runs: ${line(work)}`]), `Window ${id}, planned in ${timezone}`].join('\n')

const line = (text: string): string => plainText(text).replace(/\s+/g, ' ').trim()
