import type { Span } from '../../calendar/span.ts'

/** Times for where Slack does not draw them: in words, with the year and the zone. */

/** `Tue 1 Dec 2026 02:00 to 04:00 (America/New_York)`. */
export function spanIn({ from, to }: Span, zone: string): string {
  const [start, end] = [partsOf(from, zone), partsOf(to, zone)]
  return `${start.day} ${start.time} to ${start.day === end.day ? '' : `${end.day} `}${end.time} (${zone})`
}

function partsOf(at: number, zone: string): { readonly day: string; readonly time: string } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
  const get = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? ''
  const month = get('month').slice(0, 3) // Sept
  return {
    day: `${get('weekday')} ${get('day')} ${month} ${get('year')}`,
    time: `${get('hour')}:${get('minute')}${get('second') === '00' ? '' : `:${get('second')}`}`,
  }
}
