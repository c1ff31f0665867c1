import { context, header, linkButton, section } from '../../src/slack/blocks/blocks.ts'
import type { Commands } from '../../src/config/commands.ts'
import type { Block } from '../../src/slack/port.ts'
import { codeText, dateText, durationText, escapeLine, listText, personText, truncate } from '../../src/lib/text/text.ts'
import type { FreezeRow, WindowRow } from '../../src/windows/window.ts'
import { dayText, hoursOn } from '../../src/calendar/say.ts'
import { addDays, wallAt, type Day } from '../../src/calendar/zone.ts'

export type HomeWindow = {
  readonly window: WindowRow
  readonly titles: readonly string[]
  /** Its announcement. */
  readonly link: string | null
  /** Somebody must stand by. */
  readonly needsStandby: boolean
}

/** Times in milliseconds since 1970. */
export type HomeFreeze = {
  readonly kind: FreezeRow['kind']
  /** Null: all targets. */
  readonly titles: readonly string[] | null
  readonly reason: string
  readonly from: number
  /** Null: until somebody lifts it. */
  readonly to: number | null
  /** Null: it stands in the configuration. */
  readonly setBy: string | null
}

export type HomeCalendar = {
  readonly now: number
  readonly commands: Commands
  /** The reader's. */
  readonly zone: string
  /** Open ones and those of the next `DAYS_AHEAD` days, by their starts. */
  readonly windows: readonly HomeWindow[]
  readonly freezes: readonly HomeFreeze[]
}

export const DAYS_AHEAD = 14

/** Windows. */
export const MOST_SHOWN = 15
const MOST_FREEZES = 8
/** Lines of freezes that a section holds whole. */
const IN_SECTION = 4
/** What is cut stands whole in the announcement. */
const REASON = 150

/** The windows day by day, in at most so many blocks. */
export function windowBlocks({ now, zone, windows, commands }: HomeCalendar, room: number): readonly Block[] {
  const title = header(`Maintenance windows, next ${DAYS_AHEAD} days`)
  if (windows.length === 0) return [title, context(`None is planned. ${codeText(`${commands.maintenance} schedule`)} plans one.`)]
  const blocks: Block[] = []
  let shown = 0
  let day = ''
  for (const one of windows.slice(0, MOST_SHOWN)) {
    // what began before is shown today
    const at = Math.max(one.window.startsAt.getTime(), now)
    const heading = dayText(at, zone)
    const next = [...(heading === day ? [] : [context(`*${nameOf(at, now, zone)}*`)]), windowBlock(one, at, zone)]
    // the title, and the line that counts what is left out
    if (blocks.length + next.length + 2 > room) break
    blocks.push(...next)
    day = heading
    shown++
  }
  const more = windows.length - shown
  return [title, ...blocks, ...(more > 0 ? [context(`and ${more} more; ${codeText(`${commands.maintenance} list`)} has all`)] : [])]
}

function windowBlock({ window, titles, link, needsStandby }: HomeWindow, day: number, reader: string): Block {
  const span = { from: window.startsAt.getTime(), to: window.endsAt.getTime() }
  const { hours, there } = hoursOn(day, span, { zone: window.timezone, reader })
  const standby =
    window.standby !== null && window.standbyConfirmedAt !== null
      ? [`${personText(window.standby)} stands by`]
      : needsStandby
        ? ['*nobody stands by yet*']
        : []
  return section(
    [
      [`*${hours}*`, titlesText(titles), durationText(span.to - span.from), ...(window.state === 'open' ? ['*under way*'] : [])].join(
        ' · ',
      ),
      escapeLine(truncate(window.reason, REASON)),
      [`#${window.id}`, there, `owner ${personText(window.owner)}`, ...standby].join(' · '),
    ].join('\n'),
    link === null ? undefined : linkButton('Open', 'open', link),
  )
}

/** `Today, Tue 8 Dec`. */
function nameOf(at: number, now: number, zone: string): string {
  const name = dayText(at, zone)
  const today = wallAt(now, zone)
  const isDay = (day: Day) => sameDay(day, wallAt(at, zone))
  return isDay(today) ? `Today, ${name}` : isDay(addDays(today, 1)) ? `Tomorrow, ${name}` : name
}

const sameDay = (a: Day, b: Day): boolean => a.year === b.year && a.month === b.month && a.day === b.day

/** What keeps runs from starting, now and soon. Nothing when there is nothing. */
export function freezeBlocks({ now, zone, freezes }: HomeCalendar): readonly Block[] {
  if (freezes.length === 0) return []
  const sorted = freezes.toSorted((a, b) => Math.max(a.from, now) - Math.max(b.from, now) || (a.to ?? Infinity) - (b.to ?? Infinity))
  const lines = sorted.slice(0, MOST_FREEZES).map((freeze) => freezeLine(freeze, now, zone))
  const more = sorted.length - lines.length
  return [
    header('Freezes and locks'),
    section(lines.slice(0, IN_SECTION).join('\n')),
    ...(lines.length > IN_SECTION ? [section(lines.slice(IN_SECTION).join('\n'))] : []),
    ...(more > 0 ? [context(`and ${more} more`)] : []),
  ]
}

function freezeLine({ kind, titles, reason, from, to, setBy }: HomeFreeze, now: number, zone: string): string {
  const when = (at: number) => dateText(new Date(at), 'day', zone)
  const done = kind === 'freeze' ? 'frozen' : 'locked'
  const is = titles === null || titles.length > 1 ? 'are' : 'is'
  const state = from <= now ? `${is} ${done}` : `will be ${done} from ${when(from)}`
  return [
    `• *${titles === null ? 'All targets' : titlesText(titles)}* ${state} ${to === null ? 'until somebody lifts it' : `until ${when(to)}`}`,
    ...(reason.trim() === '' ? [] : [`“${escapeLine(truncate(reason, REASON))}”`]),
    ...(setBy === null ? [] : [personText(setBy)]),
  ].join(' · ')
}

const titlesText = (titles: readonly string[]): string => truncatedList(titles.map((title) => escapeLine(truncate(title, 60))))

const MOST_TITLES = 5

const truncatedList = (titles: readonly string[]): string =>
  titles.length <= MOST_TITLES ? listText(titles) : `${titles.slice(0, MOST_TITLES).join(', ')} and ${titles.length - MOST_TITLES} more`
