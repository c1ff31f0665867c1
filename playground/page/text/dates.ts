/** Where and when a reader stands: an IANA zone and the present in milliseconds. */
export type Reader = { readonly zone: string; readonly now: number }

/** Slack's `<!date^seconds^format|…>` for one reader, in American English as Slack writes it. Unknown `{tokens}` stay as they are. */
export function formatSlackDate(seconds: number, format: string, reader: Reader): string {
  const at = seconds * 1000
  return format.replaceAll(/\{(\w+)\}/g, (token, name: string) => tokenText(name, at, reader) ?? token)
}

/** Time of day of a message, such as `4:46 AM`. */
export function clockTime(at: number, reader: Reader): string {
  return write(at, reader.zone, { hour: 'numeric', minute: '2-digit' })
}

/** `Today`, `Yesterday` or the day with its weekday, for the line between days. */
export function dayLabel(at: number, reader: Reader): string {
  return capital(nearDay(at, reader) ?? `${weekday(at, reader.zone)}, ${longDate(at, reader.zone, isOtherYear(at, reader))}`)
}

/** Everything about a moment, for the tooltip. */
export function fullTime(at: number, reader: Reader): string {
  const time = write(at, reader.zone, { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' })
  return `${weekday(at, reader.zone)}, ${longDate(at, reader.zone, true)} at ${time}`
}

/** `2026-11-20` in the reader's zone: equal for moments of one day. */
export function dayKey(at: number, zone: string): string {
  const parts = new Map(
    formatter(zone, { year: 'numeric', month: '2-digit', day: '2-digit' })
      .formatToParts(at)
      .map((p) => [p.type, p.value]),
  )
  return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`
}

export function agoText(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000)
  const [size, unit] = UNITS.find(([limit]) => Math.abs(seconds) >= limit) ?? [1, 'second']
  const count = Math.floor(Math.abs(seconds) / size)
  const amount = `${count} ${unit}${count === 1 ? '' : 's'}`
  return seconds > 0 ? `in ${amount}` : `${amount} ago`
}

const UNITS: readonly (readonly [number, string])[] = [
  [31_536_000, 'year'],
  [2_592_000, 'month'],
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
]

function tokenText(name: string, at: number, reader: Reader): string | null {
  const { zone } = reader
  switch (name) {
    case 'date_num':
      return dayKey(at, zone)
    case 'date_slash':
      return write(at, zone, { year: 'numeric', month: '2-digit', day: '2-digit' })
    case 'date':
    case 'date_long_full':
      return longDate(at, zone, true)
    case 'date_pretty':
      return nearDay(at, reader) ?? longDate(at, zone, isOtherYear(at, reader))
    case 'date_short':
      return shortDate(at, zone, true)
    case 'date_short_pretty':
      return nearDay(at, reader) ?? shortDate(at, zone, isOtherYear(at, reader))
    case 'date_long':
      return `${weekday(at, zone)}, ${longDate(at, zone, true)}`
    case 'date_long_pretty':
    case 'day_divider_pretty':
      return nearDay(at, reader) ?? `${weekday(at, zone)}, ${longDate(at, zone, isOtherYear(at, reader))}`
    case 'time':
      return clockTime(at, reader)
    case 'time_secs':
      return write(at, zone, { hour: 'numeric', minute: '2-digit', second: '2-digit' })
    case 'ago':
      return agoText(at, reader.now)
    default:
      return null
  }
}

function nearDay(at: number, reader: Reader): string | null {
  const days = (Date.parse(dayKey(at, reader.zone)) - Date.parse(dayKey(reader.now, reader.zone))) / 86_400_000
  return days === 0 ? 'today' : days === 1 ? 'tomorrow' : days === -1 ? 'yesterday' : null
}

function isOtherYear(at: number, { zone, now }: Reader): boolean {
  return dayKey(at, zone).slice(0, 4) !== dayKey(now, zone).slice(0, 4)
}

function weekday(at: number, zone: string): string {
  return write(at, zone, { weekday: 'long' })
}

function longDate(at: number, zone: string, withYear: boolean): string {
  const day = Number(write(at, zone, { day: 'numeric' }))
  return `${write(at, zone, { month: 'long' })} ${day}${ordinal(day)}${withYear ? `, ${write(at, zone, { year: 'numeric' })}` : ''}`
}

function shortDate(at: number, zone: string, withYear: boolean): string {
  return write(at, zone, { month: 'short', day: 'numeric', ...(withYear && { year: 'numeric' }) })
}

function ordinal(day: number): string {
  if (day >= 11 && day <= 13) return 'th'
  return ['th', 'st', 'nd', 'rd'][day % 10] ?? 'th'
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** ICU puts narrow no-break spaces before AM, which searches and tests do not expect. */
function write(at: number, zone: string, options: Intl.DateTimeFormatOptions): string {
  return formatter(zone, options).format(at).replaceAll('\u202f', ' ')
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`
  const known = formatters.get(key)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-US', { ...options, timeZone: isZone(zone) ? zone : 'UTC' })
  formatters.set(key, made)
  return made
}

function isZone(zone: string): boolean {
  try {
    void new Intl.DateTimeFormat('en-US', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
