import type { Span } from '../../calendar/span.ts'
import { context, header, section } from '../../slack/blocks/blocks.ts'
import { fit } from '../../slack/limits/limits.ts'
import type { Message } from '../../slack/port.ts'
import { codeText, escapeLine, listText, personText, pluralText, truncate } from '../../lib/text/text.ts'
import { saySpan, sayTime, zoneSpan } from '../../calendar/say.ts'

/** `data` of a channel post of the kind `week`, as it was when it was posted. Times are milliseconds since 1970. */
export type WeekNews = Span & {
  readonly zone: string
  readonly windows: readonly {
    readonly id: number
    readonly titles: readonly string[]
    readonly span: Span
    readonly zone: string
    readonly reason: string
    readonly owner: string
    readonly isOpen: boolean
  }[]
  readonly freezes: readonly {
    readonly kind: 'freeze' | 'lock'
    readonly name: string
    /** Null: all targets. */
    readonly titles: readonly string[] | null
    readonly from: number
    /** Null as long as nobody lifts it. */
    readonly to: number | null
  }[]
}

/** The week in a channel: what is planned, what is frozen. It is posted once and not kept current, and says where what is current stands. */
export function weekMessage(news: WeekNews, command: string): Message {
  const { windows, freezes } = news
  const counts = `${pluralText(windows.length, 'window')}, ${pluralText(freezes.length, 'freeze')}`
  const more = windows.length - MOST
  const parts = Array.from({ length: Math.ceil(Math.min(windows.length, MOST) / IN_SECTION) }, (_, index) =>
    windows.slice(index * IN_SECTION, Math.min(MOST, (index + 1) * IN_SECTION)),
  )
  const frozen = freezes.slice(0, IN_SECTION).map((one) => freezeText(one, news.zone))
  const rest = freezes.length - frozen.length
  return fit({
    text: `Maintenance this week: ${counts}`,
    blocks: [
      header('Maintenance this week'),
      ...(parts.length === 0 ? [section('No maintenance window is planned.')] : []),
      ...parts.map((part) => section(part.map((one) => windowText(one)).join('\n'))),
      ...(more > 0 ? [section(`and ${pluralText(more, 'more window')}`)] : []),
      ...(frozen.length === 0 ? [] : [section(['*Nothing starts*', ...frozen, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'))]),
      context(`${zoneSpan(news, news.zone)} · what changes after that: ${codeText(`${command} list`)}`),
    ],
  })
}

const MOST = 12
const IN_SECTION = 6

const windowText = ({ id, titles, span, zone, reason, owner, isOpen }: WeekNews['windows'][number]): string =>
  `• *${titlesText(titles)}* #${id}, ${saySpan(span, zone)}${isOpen ? ', open now' : ''} · ${escapeLine(truncate(reason, 120))} · ${personText(owner)}`

const freezeText = ({ kind, name, titles, from, to }: WeekNews['freezes'][number], zone: string): string =>
  `• ${titles === null ? 'All targets' : titlesText(titles)}, ${to === null ? `from ${sayTime(from, zone)} until somebody lifts it` : saySpan({ from, to }, zone)} · ${kind} “${escapeLine(truncate(name, 120))}”`

const titlesText = (titles: readonly string[]): string => listText(titles.map((title) => escapeLine(title)))
