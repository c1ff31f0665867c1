import { personText, escapeLine, truncateMrkdwn } from '../../src/lib/text/text.ts'
import { count } from '../../src/lib/text/quoted.ts'
import { blockersOf, type Waived } from '../../src/request/blockers.ts'
import type { RequestView } from '../../src/request/request.ts'
import { section } from '../../src/slack/blocks/blocks.ts'
import type { Block } from '../../src/slack/port.ts'
import { findingLine } from '../blocked.ts'
import { list, mentionApprover } from '../wording.ts'

/** What keeps the plan from being approved, and what somebody has let pass, with the reason. */
export function blockerBlocks(view: Pick<RequestView, 'request' | 'events'>, most = 3): readonly Block[] {
  const { open, waived } = blockersOf(view.request, view.events)
  return [
    ...(open.length === 0 ? [] : [section(lines(openTitle(view, open.length), open.map(findingLine), most))]),
    ...(waived.length === 0 ? [] : [section(lines('*Waived*', waived.map(waivedLine), most))]),
  ]
}

export const isBlocked = (view: Pick<RequestView, 'request' | 'events'>): boolean => blockersOf(view.request, view.events).open.length > 0

function openTitle({ request }: Pick<RequestView, 'request'>, number: number): string {
  const who = list((request.policy?.waive ?? []).map(mentionApprover), 'or')
  const next = who === '' ? '' : ` Mend the migration, or ${who} may let ${number === 1 ? 'it' : 'them'} pass with a reason.`
  return `*${count(number, 'finding')} ${number === 1 ? 'blocks' : 'block'} this plan.*${next}`
}

const lines = (title: string, all: readonly string[], most: number): string =>
  [
    title,
    ...all.slice(0, most).map((line) => truncateMrkdwn(line, 600)),
    ...(all.length > most ? [`… and ${all.length - most} more`] : []),
  ].join('\n')

const waivedLine = ({ finding, by, reason }: Waived): string =>
  `${findingLine(finding)}\n    ${by === null ? 'by a comment in the file' : `by ${personText(by)}`}: “${escapeLine(reason)}”`
