import { breakGlassLine } from '../../src/request/render/break-glass.ts'
import type { RequestView } from '../../src/request/request.ts'
import { bold, elapsedOf } from '../../src/request/render/words.ts'
import { context, fields, modal, section, textInput } from '../../src/slack/blocks/blocks.ts'
import type { Block, View } from '../../src/slack/port.ts'
import {
  approverText,
  cleanMrkdwn,
  codeText,
  dateText,
  durationText,
  escapeLine,
  listText,
  personText,
  quoteText,
} from '../../src/lib/text/text.ts'
import { LONGEST_BREAK_GLASS_REASON } from './decision.ts'
import { decided, metadataOf, reasonInput } from '../modals/confirm.ts'
import { LONGEST_NOTE } from '../decisions/review.ts'

/** The windows before the glass is broken, and when a second person looks at it afterwards. */

export const breakGlassCallback = 'break_glass_request'
export const reviewCallback = 'review_request'
/** Block and action id of the note. */
export const noteInput = 'note'

/** `typed`: a reason that came with the command. The one that the request was asked with stands, and is not asked for again. */
export function breakGlassView(view: RequestView, typed: string | null = null): View {
  const { request } = view
  const { breakGlass, policy } = request
  const asked = breakGlass === null || breakGlass.brokenBy !== null ? null : breakGlass
  return modal({
    callback: breakGlassCallback,
    title: `Break the glass #${request.id}`,
    submit: 'Break the glass',
    close: 'Do not',
    metadata: metadataOf(view),
    blocks: [
      section(
        `*It runs at once, without waiting for an approval.* Backup, checks and expiry stay as they are. The channel and everybody who approves are told, and somebody else of ${listText((policy?.breakGlass?.review ?? []).map(approverText))} reviews it afterwards.`,
      ),
      ...decided(view),
      ...(asked === null ? [reasonBlock(typed)] : [section(`*Why*, said by ${personText(asked.askedBy)}\n${quoteText(asked.reason)}`)]),
      context('This is for exactly the plan that is shown. If anything in it changes, it asks again.'),
    ],
  })
}

const reasonBlock = (typed: string | null): Block =>
  textInput({
    id: reasonInput,
    label: 'What cannot wait',
    multiline: true,
    placeholder: 'Everybody reads this, now and in the record',
    maximum: LONGEST_BREAK_GLASS_REASON,
    ...(typed === null ? {} : { initial: typed }),
  })

/** What was let through, what came of it, and a word about it. */
export function reviewView(view: RequestView): View {
  const { request } = view
  const { breakGlass, outcome } = request
  return modal({
    callback: reviewCallback,
    title: `Review #${request.id}`,
    submit: 'Reviewed',
    close: 'Not yet',
    metadata: metadataOf(view),
    blocks: [
      section(`${breakGlassLine(view)}\n${quoteText(breakGlass?.reason ?? '')}`),
      section(
        [
          `*What came of it.* ${outcome === null ? escapeLine(request.state) : bold(cleanMrkdwn(outcome.headline)).replaceAll('*', '')}`,
          ...(outcome?.why === undefined ? [] : [`*Why.* ${cleanMrkdwn(outcome.why)}`]),
        ].join('\n'),
      ),
      ...fields([
        ['Let through', breakGlass?.brokenAt == null ? null : dateText(new Date(breakGlass.brokenAt), 'day')],
        ['Took', request.startedAt === null ? 'it did not start' : durationText(elapsedOf(view))],
        ['Backup', backupOf(view)],
      ]),
      ...decided(view),
      textInput({
        id: noteInput,
        label: 'What you found',
        multiline: true,
        optional: true,
        placeholder: 'For the record: was it right, what has to be done now',
        maximum: LONGEST_NOTE,
      }),
      context('Your name and the time stand in the record, and the mark on the request goes.'),
    ],
  })
}

function backupOf({ request, steps }: RequestView): string | null {
  if (request.outcome?.backup !== undefined) return codeText(request.outcome.backup)
  const step = steps.find((one) => one.name === 'backup')
  return step?.state === 'done' && step.output ? escapeLine(step.output) : null
}
