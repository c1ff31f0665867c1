import { isZone, nearestZone } from './zone.ts'

/** `windows.allow`: when runs may start, week by week. */

export type AllowRule = {
  /** 0 is Sunday; the day on which it opens. */
  readonly days: ReadonlySet<number>
  /** Minutes of the day; `to` is on the next day where it is not after `from`. */
  readonly from: number
  readonly to: number
  readonly zone: string
}

export type AllowFault = { readonly problem: string; readonly fix: string }

export const isAllowFault = (value: readonly AllowRule[] | AllowFault): value is AllowFault => 'problem' in value

/** `Tue,Wed 02:00-04:00 America/New_York; Mon-Fri 22:00-02:00; daily 12:00-13:00`. Without a zone, the target's. */
export function readAllow(text: string, zone: string): readonly AllowRule[] | AllowFault {
  const rules: AllowRule[] = []
  for (const part of text.split(';')) {
    const rule = readRule(part.trim(), zone)
    if ('problem' in rule) return rule
    rules.push(rule)
  }
  return rules
}

function readRule(part: string, own: string): AllowRule | AllowFault {
  if (part === '') return { problem: 'has nothing between two semicolons', fix: EXAMPLE }
  const [, names = '', from, to, zone = own] = /^(.*?)\s*\b(\d\d?:\d\d)\s*[-–]\s*(\d\d?:\d\d)(?:\s+(\S+))?$/.exec(part) ?? []
  if (from === undefined || to === undefined) return { problem: `"${part}" does not say from when until when`, fix: EXAMPLE }
  const [start, end] = [minutesOf(from), minutesOf(to)]
  if (start === undefined || start === DAY_MINUTES) return { problem: `"${from}" is not a time of day`, fix: EXAMPLE }
  if (end === undefined) return { problem: `"${to}" is not a time of day`, fix: EXAMPLE }
  if (start === end) return { problem: `"${part}" ends when it begins`, fix: 'For a whole day write 00:00-24:00.' }
  if (!isZone(zone)) return { problem: `"${zone}" is not a time zone`, fix: nearestZone(zone) }
  const days = readDays(names)
  return days instanceof Set ? { days, from: start, to: end, zone } : days
}

function readDays(names: string): Set<number> | AllowFault {
  const parts = names
    .replace(/\s*-\s*/g, '-')
    .split(/[\s,]+/)
    .filter((name) => name !== '')
  if (parts.length === 0) return new Set(WEEK.keys())
  const days = new Set<number>()
  for (const name of parts) {
    if (/^(daily|every)$/i.test(name)) return new Set(WEEK.keys())
    const [first = '', last = first] = name.split('-')
    const [start, end] = [dayOf(first), dayOf(last)]
    if (start < 0 || end < 0)
      return { problem: `"${start < 0 ? first : last}" is not a day of the week`, fix: 'Write Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily.' }
    for (let day = start; ; day = (day + 1) % 7) {
      days.add(day)
      if (day === end) break
    }
  }
  return days
}

const WEEK = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const

/** `Tue`, `Tues`, `Tuesday`. */
const dayOf = (name: string): number => (name.length < 3 ? -1 : WEEK.findIndex((day) => day.startsWith(name.toLowerCase())))

const DAY_MINUTES = 24 * 60

function minutesOf(text: string): number | undefined {
  const [hour = 0, minute = 0] = text.split(':').map(Number)
  const minutes = hour * 60 + minute
  return minute < 60 && minutes <= DAY_MINUTES ? minutes : undefined
}

const EXAMPLE = 'Write for example "Tue,Wed 02:00-04:00 America/New_York; Sat 22:00-02:00".'
