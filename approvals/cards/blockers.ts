import { personText, escapeLine, truncateMrkdwn } from '../../src/lib/text/text.ts'
import { blockersOf, type Waived } from '../../src/request/blockers.ts'
import type { RequestView } from '../../src/request/request.ts'
import { section } from '../../src/slack/blocks/blocks.ts'
import type { Block } from '../../src/slack/port.ts'
import { findingLine } from '../blocked.ts'

/** What somebody has let pass although it blocks, who that was, and why. */
export function waivedBlocks(view: Pick<RequestView, 'request' | 'events'>, most = 3): readonly Block[] {
  const { waived } = blockersOf(view.request, view.events)
  if (waived.length === 0) return []
  const lines = waived.slice(0, most).map((one) => truncateMrkdwn(waivedLine(one), 800))
  const more = waived.length - most
  return [section(['*Waived*', ...lines, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n'))]
}

export const isBlocked = (view: Pick<RequestView, 'request' | 'events'>): boolean => blockersOf(view.request, view.events).open.length > 0

const waivedLine = ({ finding, by, reason }: Waived): string =>
  `${findingLine(finding)}\n    ${by === null ? 'by a comment in the file' : `by ${personText(by)}`}: “${escapeLine(reason)}”`
