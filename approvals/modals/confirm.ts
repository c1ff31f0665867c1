import type { RequestView } from '../../src/request/request.ts'
import { askOf, commitOf, shortDigest } from '../../src/request/render/words.ts'
import { context, fields, modal, section, textInput } from '../../src/slack/blocks/blocks.ts'
import type { Block, View } from '../../src/slack/port.ts'
import { codeText, dateText, escapeLine, personText, truncateMrkdwn } from '../../src/lib/text/text.ts'
import { approvalsText, classesText, databaseText, toolText } from '../cards/evidence.ts'
import { commitLines, commitsText } from '../cards/commits.ts'
import { adviceBlocks } from '../cards/advice.ts'
import { drawnEvidence } from '../../src/request/blockers.ts'
import { waivedBlocks } from '../cards/blockers.ts'
import { findingsBlocks, inWindow } from '../cards/findings.ts'
import { migrationLines } from '../cards/migrations.ts'
import { assertionBlocks } from './assertions.ts'

/** What travels through a modal: the random id, and the digest that the reader saw. */
export type Decision = { readonly token: string; readonly digest: string }

export const approveCallback = 'approve_request'
export const rejectCallback = 'reject_request'
/** Block and action id of the reason. */
export const reasonInput = 'reason'

/** Asks for certainty before a vote; it is for exactly the plan that is shown. */
export function approveView(view: RequestView): View {
  return modal({
    callback: approveCallback,
    title: `Approve #${view.request.id}`,
    submit: 'Approve',
    metadata: metadataOf(view),
    blocks: [
      ...decided(view),
      context(
        `Your approval is for plan ${codeText(shortDigest(view.request.digest ?? ''))} alone. If anything in it changes, it asks again.${lastsUntil(view)}`,
      ),
    ],
  })
}

/** In its place while something blocks: what that is, and the safe way. There is nothing to send. */
export const blockedView = (view: RequestView): View =>
  modal({ callback: 'told', title: `#${view.request.id} is blocked`, close: 'Close', blocks: decided(view) })

const lastsUntil = ({ request: { notBefore, notAfter } }: RequestView): string =>
  notBefore === null || notAfter === null
    ? ''
    : ` It lasts until the window closes, ${dateText(notAfter, 'day')}; the run starts by itself ${dateText(notBefore, 'day')} at the earliest.`

export function rejectView(view: RequestView): View {
  return modal({
    callback: rejectCallback,
    title: `Reject #${view.request.id}`,
    submit: 'Reject',
    metadata: metadataOf(view),
    blocks: [
      ...decided(view),
      textInput({
        id: reasonInput,
        label: 'Why',
        multiline: true,
        placeholder: 'What has to change before you would approve',
        maximum: 1000,
      }),
      context('A rejection is final. The reason is shown to everybody in the thread.'),
    ],
  })
}

/** Undefined for anything that this bot did not write. */
export function decisionOf(metadata: string): Decision | undefined {
  try {
    const value: unknown = JSON.parse(metadata)
    if (typeof value !== 'object' || value === null) return undefined
    const { token, digest } = value as Partial<Record<keyof Decision, unknown>>
    const isOurs = typeof token === 'string' && /^[\w-]{1,64}$/.test(token) && typeof digest === 'string' && /^[0-9a-f]{0,64}$/.test(digest)
    return isOurs ? { token, digest } : undefined
  } catch {
    return undefined
  }
}

export const metadataOf = ({ request }: Pick<RequestView, 'request'>): string =>
  JSON.stringify({ token: request.token, digest: request.digest ?? '' } satisfies Decision)

export function decided(view: RequestView): readonly Block[] {
  const { request } = view
  const evidence = drawnEvidence(request, view.events)
  return [
    section(`${personText(request.requester)} asks to ${askOf(request)} ${commitOf(request)} on *${escapeLine(view.targetTitle)}*.`),
    ...findingsBlocks(evidence, { space: inWindow, waivers: request.policy?.waive ?? [] }),
    ...waivedBlocks(view, 20),
    ...adviceBlocks(evidence),
    ...migrationLines(request.plan, request.evidence),
    ...assertionBlocks(request.plan),
    ...fields([
      ['Approvals', request.policy === null || request.endedAt !== null ? null : approvalsText(view)],
      ['Risk', request.evidence === null ? null : classesText(request.evidence)],
      ['Commit', request.plan === null ? null : codeText(request.plan.commit.slice(0, 12))],
      ['Commits', commitsText(request.evidence?.commits)],
      ['Tool', request.plan === null ? null : toolText(request.plan)],
      ['Database', request.plan === null ? null : databaseText(request.plan)],
      ['Plan', request.digest === null ? null : codeText(shortDigest(request.digest))],
    ]),
    ...brings(request.evidence),
  ]
}

/** Below the 3,000 characters of a section, of which subjects take up to 200 each. */
function brings(evidence: RequestView['request']['evidence']): readonly Block[] {
  const lines = commitLines(evidence?.commits, 10)
  return lines.length === 0 ? [] : [section(truncateMrkdwn(['*Commits since the live one*', ...lines].join('\n'), 2_900))]
}
