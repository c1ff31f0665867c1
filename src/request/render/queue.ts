import { section } from '../../slack/blocks/blocks.ts'
import type { Block } from '../../slack/port.ts'
import { codeText, escapeLine, personText, quoteText } from '../../lib/text/text.ts'
import { saySpan, sayTime } from '../../calendar/say.ts'
import type { EventRow, RequestRow, RequestView } from '../request.ts'
import { approvedBy } from './words.ts'

/** What people read about a request that is for a window, that may start outside of one, or that outlasts one. */

/** On the card, before it starts: when its turn is, and that it needs no window. */
export function queueBlocks({ request }: Pick<RequestView, 'request'>, timezone: string): readonly Block[] {
  return [
    ...(request.overrideReason === null
      ? []
      : [
          section(
            `*OVERRIDE.* It may start outside of windows and in a freeze, by the right of ${personText(request.requester)}. ${needsNone(request) ? 'It needs no approval' : 'Approvals are needed as usual'}.\n${quoteText(request.overrideReason)}`,
          ),
        ]),
    ...(request.notBefore === null || request.notAfter === null
      ? []
      : [
          section(
            `*Queued for* ${spanOf(request, timezone)}. ${needsNone(request) ? 'It' : 'Once approved it'} starts by itself when its turn comes.`,
          ),
        ]),
  ]
}

/** `approvals.required: 0`, when its plan was made. */
export const needsNone = ({ policy }: Pick<RequestRow, 'policy'>): boolean => policy?.required === 0

/** `Dec 1, 2026 2:00 AM to 4:00 AM (Tue 1 Dec 02:00 to 04:00 America/New_York)`; empty for a request that waits for no turn. */
export const spanOf = ({ notBefore, notAfter }: Pick<RequestRow, 'notBefore' | 'notAfter'>, timezone: string): string =>
  notBefore === null || notAfter === null ? '' : saySpan({ from: notBefore.getTime(), to: notAfter.getTime() }, timezone)

type Of<Kind extends EventRow['kind']> = Extract<EventRow, { readonly kind: Kind }>

/** Said in the thread and in the channel at once. */
export const overriddenText = (view: RequestView, { data }: Of<'overridden'>): string =>
  `*OVERRIDE.* ${personText(data.by)} lets #${view.request.id} start on *${escapeLine(view.targetTitle)}* outside of windows and in a freeze${needsNone(view.request) ? '' : ', once it has the approvals that it needs'}.\n${quoteText(data.reason)}`

export const noStandbyText = ({ commands }: RequestView, { data }: Of<'no_standby'>): string =>
  data.windowId === null
    ? 'Its turn has come, and it waits: a run that starts by itself on this target needs a maintenance window with a person who stands by, and there is none.'
    : `Its turn has come, and it waits inside the window: ${data.standby === null ? 'nobody is named to stand by' : `${personText(data.standby)} has not confirmed to stand by`}. It starts when somebody confirms on the window's message (${codeText(`${commands.maintenance} show ${data.windowId}`)}), and ends when the window closes.`

export const movedText = (view: RequestView, { data }: Of<'window_moved'>, zone: string): string =>
  `Its window has other hours now: ${saySpan({ from: data.from, to: data.to }, zone)}. It starts ${data.startsAt === undefined || data.startsAt === data.from ? 'then' : sayTime(data.startsAt, zone)}, and an approval of this plan${view.request.grantedAt === null ? '' : ', also the one given,'} lasts until that closes.`

export const overrunText = ({ commands }: RequestView, { data }: Of<'overrun'>, zone: string): string =>
  `The window closed ${sayTime(data.closedAt, zone)}, and the run goes on: stopping it half-way would be worse. ${personText(data.owner)}, ${
    data.windowId === null
      ? 'people who rely on the end of the window should hear that it takes longer.'
      : `extend the window with ${codeText(`${commands.maintenance} extend ${data.windowId} 30m`)}, so that everybody is told.`
  }`

/** To whoever asked, and to those who had approved. */
export function windowClosedText(view: RequestView): string {
  const approved = approvedBy(view)
  const end = view.events.findLast((event) => event.kind === 'expired')
  const what = end?.kind === 'expired' && end.data.window !== undefined ? `Its window was ${end.data.window}` : 'The window closed'
  return `${what} before its turn came, so nothing runs and nothing was changed.${approved === '' ? '' : ` The approval by ${approved} was for that window and has ended with it.`}`
}
