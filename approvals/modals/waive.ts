import { findingKey } from '../../src/request/blockers.ts'
import type { RequestView } from '../../src/request/request.ts'
import { context, modal, section, textInput } from '../../src/slack/blocks/blocks.ts'
import type { View } from '../../src/slack/port.ts'
import type { Finding } from '../../src/sql/weigh/finding.ts'
import { findingLine } from '../blocked.ts'
import { LONGEST_WAIVER } from '../decisions/waive.ts'
import { count } from '../../src/lib/text/quoted.ts'
import { decisionOf, reasonInput, type Decision } from './confirm.ts'

export const waiveCallback = 'waive_findings'

/** More than these are not waived at once. */
const MOST = 20

/** Each finding that blocks, and why it may pass. */
export function waiveView({ request }: Pick<RequestView, 'request'>, open: readonly Finding[]): View {
  const shown = open.slice(0, MOST)
  const metadata = { token: request.token, digest: request.digest ?? '', findings: shown.map(findingKey) }
  return modal({
    callback: waiveCallback,
    title: `Waive, #${request.id}`,
    submit: 'Let them pass',
    metadata: JSON.stringify(metadata),
    blocks: [
      section(`*${count(shown.length, 'finding')} of this plan ${shown.length === 1 ? 'blocks' : 'block'} it.*`),
      ...shown.map((finding) => section(findingLine(finding))),
      ...(open.length > MOST ? [context(`and ${open.length - MOST} more, which this does not waive`)] : []),
      textInput({
        id: reasonInput,
        label: 'Why they may pass',
        multiline: true,
        placeholder: 'What makes this harmless here and now',
        maximum: LONGEST_WAIVER,
      }),
      context('It is for this plan alone. Your name and your reason stand on the card and in the record.'),
    ],
  })
}

/** Nothing for what this bot did not write. */
export function waivedIn(metadata: string): Decision & { readonly findings: readonly string[] } {
  const decision = decisionOf(metadata) ?? { token: '', digest: '' }
  const { findings } = decision.token === '' ? {} : (JSON.parse(metadata) as { readonly findings?: unknown })
  return { ...decision, findings: Array.isArray(findings) ? findings.filter((one) => typeof one === 'string').slice(0, MOST) : [] }
}
