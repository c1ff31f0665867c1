import { personText, escapeLine, truncateMrkdwn } from '../../src/lib/text/text.ts'
import { count } from '../../src/lib/text/quoted.ts'
import { blockersOf, type Waived } from '../../src/request/blockers.ts'
import type { Evidence } from '../../src/plan/plan.ts'
import type { RequestView } from '../../src/request/request.ts'
import { section } from '../../src/slack/blocks/blocks.ts'
import type { Block } from '../../src/slack/port.ts'
import { findingLine } from '../blocked.ts'
import { list, mentionApprover } from '../wording.ts'

/** That something keeps the plan from being approved, and what somebody has let pass, with the reason. What it is stands among the findings. */
export function blockerBlocks(view: Pick<RequestView, 'request' | 'events'>, most = 3): readonly Block[] {
  const { open, waived } = blockersOf(view.request, view.events)
  return [
    ...(open.length === 0 ? [] : [section(openTitle(view, open.length))]),
    ...(waived.length === 0 ? [] : [section(lines('*Waived*', waived.map(waivedLine), most))]),
  ]
}

/** The evidence without blockers that were let pass, since those are told with who did. */
export function openEvidence({ request, events }: Pick<RequestView, 'request' | 'events'>): Evidence | null {
  const passed = new Set(blockersOf(request, events).waived.map(({ finding }) => finding))
  return request.evidence === null || passed.size === 0
    ? request.evidence
    : { ...request.evidence, findings: (request.evidence.findings ?? []).filter((finding) => !passed.has(finding)) }
}

export const isBlocked = (view: Pick<RequestView, 'request' | 'events'>): boolean => blockersOf(view.request, view.events).open.length > 0

function openTitle({ request }: Pick<RequestView, 'request'>, number: number): string {
  const who = list((request.policy?.waive ?? []).map(mentionApprover), 'or')
  const it = number === 1 ? 'it' : 'them'
  const waive = who === '' ? '' : ` Or ${who} may let ${it} pass with a reason, by Waive.`
  return `*${count(number, 'blocker')}: this plan cannot be approved as it is.* Change the SQL the safe way, which Read the SQL shows, and ask again.${waive}`
}

const lines = (title: string, all: readonly string[], most: number): string =>
  [
    title,
    ...all.slice(0, most).map((line) => truncateMrkdwn(line, 600)),
    ...(all.length > most ? [`… and ${all.length - most} more`] : []),
  ].join('\n')

const waivedLine = ({ finding, by, reason }: Waived): string =>
  `${findingLine(finding)}\n    ${by === null ? 'by a comment in the file' : `by ${personText(by)}`}: “${escapeLine(reason)}”`
