import type { RequestRow } from '../src/run/record.ts'

/** How people, times, states and outside text are written in sentences. Everything from outside passes `shown` or `code` first. */

/** Plain text from outside, safe inside mrkdwn: nothing in it can mention, link or turn the line around. */
export const shown = (text: string): string => stripped(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** The same as code; backticks would close it. */
export const code = (text: string, longest = 80): string => {
  const clean = stripped(text).replaceAll('`', 'ˋ')
  return `\`${shown(clean.length > longest ? `${clean.slice(0, longest)}…` : clean)}\``
}

/** `U…` becomes a mention, an OS login stays a name. */
export const mention = (actor: string): string => (/^[UW][A-Z0-9]+$/.test(actor) ? `<@${actor}>` : code(actor))

/** `user:U…` or `group:S…` as people see them. */
export const mentionApprover = (approver: string): string => {
  const id = approver.slice(approver.indexOf(':') + 1)
  return approver.startsWith('group:') ? `<!subteam^${id}>` : mention(id)
}

/** Each reader sees his own zone; the fallback is for the command line and notifications. */
export const when = (date: Date): string =>
  `<!date^${Math.floor(date.getTime() / 1000)}^{date_short_pretty} at {time}|${date.toISOString().slice(0, 16).replace('T', ' ')} UTC>`

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
      return `approved ${when(request.grantedAt ?? request.createdAt)} and about to start`
    case 'running':
      return `running since ${when(request.startedAt ?? request.createdAt)}`
    case 'needs_human':
      return `stopped and in need of a person since ${when(request.startedAt ?? request.createdAt)}`
    default:
      return `${endings[request.state]} ${when(request.endedAt ?? request.createdAt)}`
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

/** Control characters (but for line breaks, which become spaces), bidirectional marks and invisible ones. */
const stripped = (text: string): string =>
  text.replace(/\s+/gu, ' ').replace(/[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u061c\u00ad]/gu, '')
