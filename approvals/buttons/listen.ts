import type { App, BlockAction } from '@slack/bolt'
import { isRefusal } from '../../src/lib/refusal.ts'
import { answeringIn, formIn, type FormAnswering } from '../../src/slack/answers/answering.ts'
import { breakGlass, whyNoReason } from '../break-glass/decision.ts'
import { breakGlassCallback, noteInput, reviewCallback } from '../break-glass/views.ts'
import { endBlocker } from '../decisions/blocker.ts'
import { cancelRequest } from '../decisions/cancel.ts'
import { audited } from '../decisions/audit.ts'
import { clickedAt } from '../modals/click.ts'
import { endBlockerCallback, shownBlocker } from '../modals/blocker.ts'
import { cancelCallback } from '../modals/cancel.ts'
import { approveCallback, decisionOf, reasonInput, rejectCallback } from '../modals/confirm.ts'
import { workingView } from '../modals/notice-modal.ts'
import { saidOf } from '../modals/said.ts'
import { reviewRequest } from '../decisions/review.ts'
import { waiveFindings } from '../decisions/waive.ts'
import { waiveCallback, waivedIn } from '../modals/waive.ts'
import { castVote } from '../decisions/vote.ts'
import { IN_TIME_MS, type ButtonDeps } from './deps.ts'
import { press } from './press.ts'
import { settle } from './settle.ts'

/** Windows that are answered here. */
export const decisionWindows: readonly string[] = [
  approveCallback,
  rejectCallback,
  breakGlassCallback,
  reviewCallback,
  cancelCallback,
  endBlockerCallback,
  waiveCallback,
]

/** Registers the buttons of cards, threads and Home. Every other element is acknowledged and left alone. */
export function listenToButtons(app: App, deps: ButtonDeps): void {
  app.action<BlockAction>({ type: 'block_actions', action_id: /^(?!window_)/ }, async ({ body, action, context }) => {
    const token = tokenOf(action)
    if (token === undefined) return
    await press(deps, { ...clickedAt(body), ts: body.message?.ts, action: action.action_id, token }, answeringIn(context))
  })
  app.view(approveCallback, async ({ body, view, context }) => {
    const { token, digest } = shownTo(view.private_metadata)
    const ballot = { token, digest, account: body.user.id, entry: 'modal', decision: 'approve' } as const
    await settle(deps, formIn(context), (answer) => castVote(deps, { ...ballot, answer }), 'Counting your approval…')
  })
  app.view(rejectCallback, async ({ body, view, context }) => {
    const { token, digest } = shownTo(view.private_metadata)
    const reason = view.state.values[reasonInput]?.[reasonInput]?.value?.trim() ?? ''
    if (reason === '') {
      await recordForm(deps, body.user.id, 'reject')
      return askBack(formIn(context), reasonInput, 'Say in a sentence why, so that the others know what to change.')
    }
    const ballot = { token, digest, reason, account: body.user.id, entry: 'modal', decision: 'reject' } as const
    return settle(deps, formIn(context), (answer) => castVote(deps, { ...ballot, answer }), 'Rejecting…')
  })
  app.view(breakGlassCallback, async ({ body, view, context }) => {
    const { token, digest } = shownTo(view.private_metadata)
    const typed = view.state.values[reasonInput]?.[reasonInput]
    const reason = typed === undefined ? null : whyNoReason(typed.value ?? '')
    if (isRefusal(reason)) {
      await recordForm(deps, body.user.id, 'break-glass')
      return askBack(formIn(context), reasonInput, reason.text.replaceAll('`', ''))
    }
    const breaking = { token, digest, reason, account: body.user.id, entry: 'modal' } as const
    return settle(deps, formIn(context), (answer) => breakGlass(deps, { ...breaking, answer }), 'Breaking the glass…')
  })
  app.view(reviewCallback, async ({ body, view, context }) => {
    const note = view.state.values[noteInput]?.[noteInput]?.value ?? null
    const reviewing = { token: shownTo(view.private_metadata).token, note, account: body.user.id, entry: 'modal' } as const
    await settle(deps, formIn(context), (answer) => reviewRequest(deps, { ...reviewing, answer }), 'Writing it down…')
  })
  app.view(endBlockerCallback, async ({ body, view, context }) => {
    const ending = { account: body.user.id, entry: 'modal', ...shownBlocker(view.private_metadata) } as const
    await settle(deps, formIn(context), (answer) => endBlocker(deps, { ...ending, answer }), 'Ending it…')
  })
  app.view(waiveCallback, async ({ body, view, context }) => {
    const reason = view.state.values[reasonInput]?.[reasonInput]?.value?.trim() ?? ''
    if (reason === '') {
      await recordForm(deps, body.user.id, 'waive')
      return askBack(formIn(context), reasonInput, 'Say in a sentence why they may pass: everybody reads it.')
    }
    const { findings, ...decision } = waivedIn(view.private_metadata)
    const waiving = { ...decision, shown: findings, reason, account: body.user.id, entry: 'modal' } as const
    return settle(deps, formIn(context), (answer) => waiveFindings(deps, { ...waiving, answer }), 'Writing it down…')
  })
  app.view(cancelCallback, async ({ body, view, context }) => {
    const cancelling = { account: body.user.id, entry: 'modal', token: shownTo(view.private_metadata).token } as const
    await settle(deps, formIn(context), (answer) => cancelRequest(deps, { ...cancelling, answer }), 'Cancelling…')
  })
}

/** A window that goes back to be filled in, with what is wrong below its field. */
const askBack = (form: FormAnswering, field: string, text: string): Promise<void> =>
  form.answer(
    Promise.resolve({ response: { response_action: 'errors', errors: { [field]: text } }, said: saidOf({ text }) }),
    IN_TIME_MS,
    workingView(text),
  )

/** And its row of the audit. */
const recordForm = (deps: ButtonDeps, account: string, act: string) =>
  audited(deps, deps.db, { account, entry: 'modal' }, { act }, { kind: 'bad_arguments' }).catch(deps.onFault)

/** What the window was about. Metadata that is not ours leads to no request. */
const shownTo = (metadata: string) => decisionOf(metadata) ?? { token: '', digest: '' }

/** Undefined for what is no button of ours: a link, a field. */
function tokenOf(action: BlockAction['actions'][number]): string | undefined {
  if (action.type === 'overflow') return action.selected_option.value
  return action.type === 'button' && action.url === undefined ? (action.value ?? '') : undefined
}
