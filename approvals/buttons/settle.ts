import { inTime } from '../../src/lib/in-time.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { noted } from '../../src/lib/telemetry.ts'
import type { View } from '../../src/slack/port.ts'
import { noticeView, workingView } from '../modals/notice-modal.ts'
import { IN_TIME_MS, type ButtonDeps } from './deps.ts'

/**
 * What was done stands on the card, so its window closes by itself; a refusal is said in the window. When the answer takes longer than
 * Slack waits, the window says both.
 */
export async function settle(
  deps: ButtonDeps,
  work: Promise<{ readonly kind: string; readonly text: string }>,
  viewId: string,
  ack: unknown,
  meanwhile: string,
): Promise<void> {
  // Bolt wants views of its own type, and ours are checked against Slack's limits where they are sent
  const acknowledge = ack as (
    response: { readonly response_action: 'update'; readonly view: View } | { readonly response_action: 'clear' },
  ) => Promise<void>
  const notice = work.then(noted).then(
    (outcome) => ({ isDone: !isRefusal(outcome), view: noticeView(outcome.text, isRefusal(outcome) ? 'Not possible' : 'Done') }),
    (error: unknown) => {
      deps.onFault(error)
      return { isDone: false, view: noticeView(unclear, 'Unclear') }
    },
  )
  const quick = await inTime(notice, IN_TIME_MS)
  if (quick.kind === 'in time')
    return acknowledge(quick.value.isDone ? { response_action: 'clear' } : { response_action: 'update', view: quick.value.view })
  await acknowledge({ response_action: 'update', view: workingView(meanwhile) })
  const sent = await deps.slack.updateView(viewId, (await quick.value).view)
  if (sent.kind !== 'ok') deps.onFault(new Error(`a window could not be updated: ${sent.kind}`))
}

export const unclear =
  'Lockkeeper could not read or write its own records. The card shows whether this counts; if it does not, try again in a minute. Whoever operates Lockkeeper finds the reason in its log.'
