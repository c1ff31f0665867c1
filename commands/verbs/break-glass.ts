import { mention, shown, when } from '../../approvals/wording.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { isUnreviewed } from '../../src/request/render/words.ts'

/** What the verbs say about a request whose glass was broken. */

/** At the end of its line in a list; empty for every other request. */
export function breakGlassMark(request: RequestRow): string {
  if (request.breakGlass?.brokenBy == null) return ''
  return isUnreviewed(request)
    ? ' · *BREAK GLASS, not reviewed*'
    : ` · break-glass, reviewed by ${mention(request.breakGlass.reviewedBy ?? '')}`
}

export const unreviewedLine = (request: RequestRow): string =>
  `*BREAK GLASS, not reviewed*: #${request.id}, let through by ${mention(request.breakGlass?.brokenBy ?? '')} ${when(new Date(request.breakGlass?.brokenAt ?? 0))}, “${shown(request.breakGlass?.reason ?? '')}”`

/** Who asked for it, who did it, who has looked at it. */
export function breakGlassLines({ breakGlass }: RequestRow): readonly string[] {
  if (breakGlass === null) return []
  if (breakGlass.brokenBy === null) return [`Break-glass was asked for by ${mention(breakGlass.askedBy)}: “${shown(breakGlass.reason)}”`]
  const review =
    breakGlass.reviewedBy === null
      ? '*Not reviewed yet.*'
      : `Reviewed by ${mention(breakGlass.reviewedBy)} ${when(new Date(breakGlass.reviewedAt ?? 0))}${breakGlass.note === null ? '.' : `: “${shown(breakGlass.note)}”`}`
  return [
    `*BREAK GLASS* by ${mention(breakGlass.brokenBy)} ${when(new Date(breakGlass.brokenAt ?? 0))}: “${shown(breakGlass.reason)}”`,
    review,
  ]
}
