import { isRefusal } from '../../src/lib/refusal.ts'
import { noted } from '../../src/lib/telemetry.ts'
import { update, type FormAnswering, type FormEnd } from '../../src/slack/answers/answering.ts'
import type { AnswerIn } from '../decisions/audit.ts'
import { workingView } from '../modals/notice-modal.ts'
import { saidOf } from '../modals/said.ts'
import { IN_TIME_MS, type ButtonDeps } from './deps.ts'

/**
 * What was done stands on the card, so its window closes by itself; a refusal is said in the window. When the answer takes longer than
 * Slack waits, the window says both.
 */
export async function settle(
  deps: Pick<ButtonDeps, 'onFault'>,
  form: FormAnswering,
  work: (answer: AnswerIn) => Promise<{ readonly kind: string; readonly text: string }>,
  meanwhile: string,
): Promise<void> {
  const end = work((tx, outcome) => form.answerIn(tx, endOf(outcome)))
    .then(noted)
    .then(endOf, (error: unknown) => {
      deps.onFault(error)
      return toldIn(unclear, 'Unclear')
    })
  await form.answer(end, IN_TIME_MS, workingView(meanwhile))
}

const endOf = (outcome: { readonly kind: string; readonly text: string }): FormEnd =>
  isRefusal(outcome)
    ? toldIn(outcome.text, 'Not possible')
    : { response: { response_action: 'clear' }, said: saidOf({ text: outcome.text }, 'Done') }

function toldIn(text: string, title: string): FormEnd {
  const said = saidOf({ text }, title)
  return { response: update(said.view), said }
}

export const unclear =
  'Lockkeeper could not read or write its own records. The card shows whether this counts; if it does not, try again in a minute. Whoever operates Lockkeeper finds the reason in its log.'
