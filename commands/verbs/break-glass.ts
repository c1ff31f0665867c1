import { mention, shown, when } from '../../approvals/wording.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { isUnreviewed } from '../../src/request/render/words.ts'

/** What the verbs say about a request whose glass was broken. */

/** At the end of its line in a list; empty for every other request. */
export function glassMark(request: RequestRow): string {
  if (request.glass?.brokenBy == null) return ''
  return isUnreviewed(request) ? ' · *BREAK GLASS, not reviewed*' : ` · break-glass, reviewed by ${mention(request.glass.reviewedBy ?? '')}`
}

export const unreviewedLine = (request: RequestRow): string =>
  `*BREAK GLASS, not reviewed*: #${request.id}, let through by ${mention(request.glass?.brokenBy ?? '')} ${when(new Date(request.glass?.brokenAt ?? 0))}, “${shown(request.glass?.reason ?? '')}”`

/** Who asked for it, who did it, who has looked at it. */
export function glassLines({ glass }: RequestRow): readonly string[] {
  if (glass === null) return []
  if (glass.brokenBy === null) return [`Break-glass was asked for by ${mention(glass.askedBy)}: “${shown(glass.reason)}”`]
  const review =
    glass.reviewedBy === null
      ? '*Not reviewed yet.*'
      : `Reviewed by ${mention(glass.reviewedBy)} ${when(new Date(glass.reviewedAt ?? 0))}${glass.note === null ? '.' : `: “${shown(glass.note)}”`}`
  return [`*BREAK GLASS* by ${mention(glass.brokenBy)} ${when(new Date(glass.brokenAt ?? 0))}: “${shown(glass.reason)}”`, review]
}
