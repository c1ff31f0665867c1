import type { RequestRow } from '../src/request/request.ts'
import { approverText, codeText, dateText, escapeLine, personText, truncate } from '../src/lib/text/text.ts'

/** How people, times, states and outside text are written in sentences. Everything from outside passes `shown` or `code` first. */

/** Outside text as one line inside a sentence. */
export const shown = escapeLine

/** The same as code, and not longer than a reader wants. */
export const code = (text: string, longest = 80): string => codeText(truncate(text, longest))

export const mention = personText
export const mentionApprover = approverText
export const when = (date: Date): string => dateText(date, 'day')

/** What a target is called, and what is typed for it where that differs. */
export const nameOf = ({ title, name }: { readonly title: string; readonly name: string }): string =>
  title === name ? `*${shown(title)}*` : `*${shown(title)}* (${code(name)})`

/** `a`, `a and b`, `a, b and c`. */
export const list = (parts: readonly string[], last = 'and'): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} ${last} ${parts.at(-1)}`

/** What a request is doing, and since when, for a sentence about who holds a target. */
export function stateSince(request: RequestRow): string {
  switch (request.state) {
    case 'planning':
      return `planning since ${when(request.createdAt)}`
    case 'waiting':
      return `waiting for approval since ${when(request.createdAt)}`
    case 'granted':
      return request.notBefore === null
        ? `approved ${when(request.grantedAt)} and about to start`
        : `approved ${when(request.grantedAt)}, starts by itself ${when(request.notBefore)}`
    case 'running':
      return `running since ${when(request.startedAt)}`
    case 'needs_human':
      return `stopped and in need of a person since ${when(request.startedAt)}`
    default:
      return `${endings[request.state]} ${when(request.endedAt)}`
  }
}

export const endings = {
  succeeded: 'finished',
  failed: 'failed',
  cancelled: 'cancelled',
  rejected: 'rejected',
  expired: 'expired',
  refused: 'refused',
} as const

/** mrkdwn as a terminal shows it. */
export const asPlainText = (mrkdwn: string): string =>
  mrkdwn
    .replace(/<!date\^\d+\^[^|>]*\|([^>]*)>/g, '$1')
    .replace(/<!subteam\^([A-Z0-9]+)(?:\|([^>]*))?>/g, (_, id: string, label?: string) => label ?? `group ${id}`)
    .replace(/<@([A-Z0-9]+)(?:\|[^>]*)?>/g, '$1')
    .replace(/<#([A-Z0-9]+)(?:\|([^>]*))?>/g, (_, id: string, label?: string) => (label === undefined || label === '' ? id : `#${label}`))
    .replace(/<(https?:[^|>]+)\|([^>]*)>/g, '$2 ($1)')
    .replace(/<(https?:[^>]+)>/g, '$1')
    .replace(/\*([^*\n]+)\*/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
