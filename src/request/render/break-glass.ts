import { actions, button, context, section } from '../../slack/blocks/blocks.ts'
import type { Block } from '../../slack/port.ts'
import { approverText, codeText, dateText, escapeLine, listText, personText, pluralText, quoteText } from '../../lib/text/text.ts'
import { endedStates, type EventRow, type RequestRow, type RequestView } from '../request.ts'
import { approvalsOf, isUnreviewed, shortDigest } from './words.ts'

/** What people read about a request whose glass was broken, wherever it is drawn. */

/** On every card from then on: loud until it is reviewed, then one line. */
export function breakGlassBlocks(view: RequestView, timezone: string): readonly Block[] {
  const { request } = view
  const { breakGlass } = request
  if (breakGlass?.brokenBy == null) return []
  if (!isUnreviewed(request)) return [context(reviewedLine(request, timezone))]
  return [section(`${breakGlassLine(view)}\n${quoteText(breakGlass.reason)}`), ...(canBeReviewed(request) ? [reviewButton(request)] : [])]
}

/** `*BREAK GLASS.* Bob let it run with 0 of 1 approvals. Not reviewed yet: …` */
export function breakGlassLine(view: RequestView): string {
  const { request } = view
  const { breakGlass, policy } = request
  const what =
    breakGlass?.digest === request.digest ? 'this' : `an earlier plan of this (${codeText(shortDigest(breakGlass?.digest ?? ''))})`
  const count = `${approvalsOf(view).length} of ${pluralText(policy?.required ?? 1, 'approval')}`
  const reviewers = listText((breakGlass?.review ?? []).map(approverText))
  const next = canBeReviewed(request)
    ? `*Not reviewed yet.* Somebody else of ${reviewers} has to look at what happened.`
    : `*Not reviewed yet.* When it has ended, somebody else of ${reviewers} has to look at what happened.`
  return `*BREAK GLASS.* ${personText(breakGlass?.brokenBy ?? '')} let ${what} run with ${count}. ${next}`
}

const canBeReviewed = (request: RequestRow): boolean => (endedStates as readonly string[]).includes(request.state)

const reviewButton = (request: RequestRow): Block => actions(button('Review', 'review', request.token, 'primary'))

function reviewedLine({ breakGlass }: RequestRow, timezone: string): string {
  const note = breakGlass?.note == null ? '' : `, “${escapeLine(breakGlass.note)}”`
  return `Break-glass by ${personText(breakGlass?.brokenBy ?? '')}, “${escapeLine(breakGlass?.reason ?? '')}”. Reviewed by ${personText(breakGlass?.reviewedBy ?? '')} ${dateText(new Date(breakGlass?.reviewedAt ?? 0), 'day', timezone)}${note}.`
}

/** Said in the thread and in the channel at once. */
export function brokenText(view: RequestView, { data }: Extract<EventRow, { readonly kind: 'glass_broken' }>): string {
  const { request } = view
  const earlier =
    data.unreviewed.length === 0
      ? ''
      : `\n*${listText(data.unreviewed.map((id) => `#${id}`))} on ${escapeLine(view.targetTitle)} ${data.unreviewed.length === 1 ? 'was' : 'were'} let through the same way and ${data.unreviewed.length === 1 ? 'has' : 'have'} not been reviewed either.*`
  return `*BREAK GLASS.* ${personText(data.by)} lets #${request.id} run on *${escapeLine(view.targetTitle)}* with ${data.count} of ${pluralText(data.required, 'approval')}. ${askedBy(request, data.by)}\n${quoteText(data.reason)}\nIt stays marked until somebody else of ${listText(data.review.map(approverText))} has reviewed it.${earlier}`
}

const askedBy = (request: RequestRow, by: string): string =>
  request.requester === by ? 'The request is by the same person.' : `${personText(request.requester)} asked for it.`

export const reviewDueText = (view: RequestView, { data }: Extract<EventRow, { readonly kind: 'review_due' }>): string =>
  `*Not reviewed yet.* #${view.request.id} ran without enough approvals: ${personText(view.request.breakGlass?.brokenBy ?? '')} broke the glass. ${
    data.needsPerson === true
      ? `It needs a person first: when what the card names is put right, close it with ${codeText(`${view.commands.migrate} cancel ${view.request.id}`)}. Then somebody`
      : 'Somebody'
  } else of ${listText(data.review.map(approverText))} has to look at it and press *Review* on the card.`

export const reviewedText = (view: RequestView, { data }: Extract<EventRow, { readonly kind: 'reviewed' }>): string =>
  `${personText(data.by)} reviewed the break-glass of #${view.request.id}.${data.note === '' ? '' : `\n${quoteText(data.note)}`}`
