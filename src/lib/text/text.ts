import { breakTokens, escapeBrackets, escapeText, plainText } from './escape.ts'

/** Texts for people, as pure functions. */

/** One line of mrkdwn: white space of any kind becomes one space. */
export const escapeLine = (text: string): string => escapeText(oneLine(text))

/** One line of plain text. */
export const oneLine = (text: string): string => plainText(text).replace(/\s+/g, ' ').trim()

/** Inline code; backticks inside would end it and become plain quotes. */
export function codeText(text: string): string {
  const inner = escapeLine(text).replaceAll('`', '’')
  return inner === '' ? '' : `\`${inner}\``
}

/** A quotation, each line of it marked. */
export const quoteText = (text: string): string =>
  escapeText(text.trim())
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n')

/**
 * For mrkdwn that other parts of the house have built: their people, groups and times stay, and so does what is escaped already;
 * everything else that looks like markup with a meaning is neutralised.
 */
export function cleanMrkdwn(text: string): string {
  return plainText(text)
    .split(ownToken)
    .map((part, index) => (index % 2 === 1 ? part : breakTokens(escapeBrackets(part))))
    .join('')
}

/** A person as it acted: a Slack user is mentioned, a login of the operating system is named. */
export function personText(actor: string): string {
  if (/^[UW][A-Z0-9]+$/.test(actor)) return `<@${actor}>`
  return actor.startsWith('os:') ? `${codeText(actor.slice(3))} (command line)` : codeText(actor)
}

/** Who may decide, as the configuration writes it: `user:U…` or `group:S…`. */
export function approverText(approver: string): string {
  const [kind, id] = approver.split(':', 2)
  if (kind === 'group' && id !== undefined && /^S[A-Z0-9]+$/.test(id)) return `<!subteam^${id}>`
  return kind === 'user' && id !== undefined ? personText(id) : codeText(approver)
}

export type DateFormat = 'time' | 'seconds' | 'day' | 'long'

const dateFormats = {
  time: { slack: '{time}', intl: { timeStyle: 'short' } },
  seconds: { slack: '{time_secs}', intl: { timeStyle: 'medium' } },
  day: { slack: '{date_short_pretty} at {time}', intl: { dateStyle: 'medium', timeStyle: 'short' } },
  long: { slack: '{date_long} at {time}', intl: { dateStyle: 'long', timeStyle: 'short' } },
} as const satisfies Record<DateFormat, { readonly slack: string; readonly intl: Intl.DateTimeFormatOptions }>

/**
 * A time that each reader sees in his own zone; the fallback names its zone. Never write a colon right after it: `02:00:` is read as
 * an emoji.
 */
export function dateText(date: Date, format: DateFormat, fallbackZone = 'UTC'): string {
  return `<!date^${Math.floor(date.getTime() / 1000)}^${dateFormats[format].slack}|${zonedText(date, format, fallbackZone)}>`
}

function zonedText(date: Date, format: DateFormat, zone: string): string {
  const at = (timeZone: string) =>
    `${new Intl.DateTimeFormat('en-GB', { ...dateFormats[format].intl, timeZone }).format(date).replace(/[<>|^]/g, '')} ${timeZone.replace(/[<>|^]/g, '')}`
  try {
    return at(zone)
  } catch {
    return at('UTC') // an unknown zone must not keep a message back; the configuration's check names it
  }
}

/** Milliseconds as people say them: `0.3 s`, `41 s`, `1 min 52 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000
  if (!Number.isFinite(seconds)) return 'an unknown time'
  if (seconds < 9.95) return `${seconds > 0 && seconds < 0.05 ? 'under 0.1' : seconds.toFixed(1).replace(/\.0$/, '')} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return pair(Math.floor(whole / 60), 'min', whole % 60, 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(minutes / 60)
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

/** Bytes in decimal units: `512 bytes`, `1.6 GB`. */
export function bytesText(bytes: number): string {
  const value = Math.max(0, Math.round(bytes))
  if (!Number.isFinite(value)) return 'an unknown size'
  if (value < 1000) return value === 1 ? '1 byte' : `${value} bytes`
  return scaled(value, [
    [1e3, 'kB'],
    [1e6, 'MB'],
    [1e9, 'GB'],
    [1e12, 'TB'],
  ])
}

/** A number of things: `9,400`, `4.1 M`. */
export function countText(count: number): string {
  const value = Math.max(0, Math.round(count))
  if (!Number.isFinite(value)) return 'unknown'
  if (value < 999_950) return value.toLocaleString('en-US')
  return scaled(value, [
    [1e6, 'M'],
    [1e9, 'bn'],
  ])
}

/** `1 migration`, `3 migrations`. */
export const pluralText = (count: number, one: string, more = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : more}`

/** `a, b and c`. */
export function listText(parts: readonly string[]): string {
  const last = parts.at(-1) ?? ''
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`
}

/** At most `limit` UTF-16 units, of which Slack never counts more; ends between code points, with an ellipsis. */
export function truncate(text: string, limit: number): string {
  if (text.length <= limit) return text
  if (limit <= 1) return limit === 1 ? '…' : ''
  return `${wholeStart(text, limit - 1)}…`
}

/** The end of a text, which is what matters of output: at most `limit` UTF-16 units, from the beginning of a line where one is near. */
export function lastPart(text: string, limit: number): string {
  if (text.length <= limit) return text
  if (limit <= 1) return limit === 1 ? '…' : ''
  const start = text.length - (limit - 1)
  const end = text.slice(isLowSurrogate(text, start) ? start + 1 : start)
  const line = end.indexOf('\n')
  return line >= 0 && line < end.length - 1 && line < 200 ? `…${end.slice(line)}` : `…${end}`
}

/** Like `truncate`, for mrkdwn: never ends inside `&amp;` or `<…>`, and closes an open code block or code. */
export function truncateMrkdwn(text: string, limit: number): string {
  if (text.length <= limit) return text
  if (limit < 8) return truncate(text.replace(/[&<>`]/g, ''), limit)
  let start = wholeStart(text, limit - 4)
  const open = Math.max(start.lastIndexOf('<') > start.lastIndexOf('>') ? start.lastIndexOf('<') : -1, openEntity(start))
  if (open >= 0) start = start.slice(0, Math.min(open, start.lastIndexOf('<') > start.lastIndexOf('>') ? start.lastIndexOf('<') : open))
  const fences = start.split('```').length - 1
  if (fences % 2 === 1) return `${start}…\`\`\``
  return (start.replaceAll('```', '').split('`').length - 1) % 2 === 1 ? `${start}…\`` : `${start}…`
}

const ownToken = /(<@[UW][A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>|<!date\^\d+\^[^<>|^]*\|[^<>|]*>|&amp;|&lt;|&gt;)/

const pair = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`

/** One decimal below a hundred; the next unit as soon as rounding would give 1,000 of the smaller. */
function scaled(value: number, units: readonly (readonly [number, string])[]): string {
  let text = ''
  for (const [factor, unit] of units) {
    const amount = value / factor
    text = `${amount < 99.95 ? amount.toFixed(1).replace(/\.0$/, '') : Math.round(amount).toLocaleString('en-US')} ${unit}`
    if (amount < 999.5) return text
  }
  return text
}

const isLowSurrogate = (text: string, index: number): boolean => /[\udc00-\udfff]/.test(text.charAt(index))

const wholeStart = (text: string, length: number): string => text.slice(0, isLowSurrogate(text, length) && length > 0 ? length - 1 : length)

/** Where an entity begins that is cut off before its semicolon, or -1. */
function openEntity(text: string): number {
  const at = text.lastIndexOf('&')
  return at >= 0 && text.length - at < 6 && !text.includes(';', at) ? at : -1
}
