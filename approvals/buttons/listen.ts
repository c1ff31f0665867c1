import type { App, BlockAction } from '@slack/bolt'
import { isRefusal } from '../../src/lib/refusal.ts'
import { breakGlass, whyNoReason } from '../break-glass/decision.ts'
import { breakGlassCallback, noteInput, reviewCallback } from '../break-glass/views.ts'
import { cancelRequest } from '../decisions/cancel.ts'
import { audited } from '../decisions/audit.ts'
import { clickedAt } from '../modals/click.ts'
import { cancelCallback } from '../modals/cancel.ts'
import { approveCallback, decisionOf, reasonInput, rejectCallback } from '../modals/confirm.ts'
import { reviewRequest } from '../decisions/review.ts'
import { castVote } from '../decisions/vote.ts'
import type { ButtonDeps } from './deps.ts'
import { press } from './press.ts'
import { settle } from './settle.ts'

/** Windows that are answered here. */
export const decisionWindows: readonly string[] = [approveCallback, rejectCallback, breakGlassCallback, reviewCallback, cancelCallback]

/** Registers the buttons of cards, threads and Home. Every other element is acknowledged and left alone. */
export function listenToButtons(app: App, deps: ButtonDeps): void {
  app.action<BlockAction>({ type: 'block_actions', action_id: /^(?!window_)/ }, async ({ body, action, ack }) => {
    await ack()
    const token = tokenOf(action)
    if (token !== undefined) await press(deps, { ...clickedAt(body), ts: body.message?.ts, action: action.action_id, token })
  })
  app.view(approveCallback, async ({ body, view, ack }) => {
    const { token, digest } = shownTo(view.private_metadata)
    const work = castVote(deps, { token, digest, account: body.user.id, entry: 'modal', decision: 'approve' })
    await settle(deps, work, view.id, ack, 'Counting your approval…')
  })
  app.view(rejectCallback, async ({ body, view, ack }) => {
    const { token, digest } = shownTo(view.private_metadata)
    const reason = view.state.values[reasonInput]?.[reasonInput]?.value?.trim() ?? ''
    if (reason === '') {
      await recordForm(deps, body.user.id, 'reject')
      return ack({ response_action: 'errors', errors: { [reasonInput]: 'Say in a sentence why, so that the others know what to change.' } })
    }
    const work = castVote(deps, { token, digest, reason, account: body.user.id, entry: 'modal', decision: 'reject' })
    return settle(deps, work, view.id, ack, 'Rejecting…')
  })
  app.view(breakGlassCallback, async ({ body, view, ack }) => {
    const { token, digest } = shownTo(view.private_metadata)
    const typed = view.state.values[reasonInput]?.[reasonInput]
    const reason = typed === undefined ? null : whyNoReason(typed.value ?? '')
    if (isRefusal(reason)) {
      await recordForm(deps, body.user.id, 'break-glass')
      return ack({ response_action: 'errors', errors: { [reasonInput]: reason.text.replaceAll('`', '') } })
    }
    const work = breakGlass(deps, { token, digest, reason, account: body.user.id, entry: 'modal' })
    return settle(deps, work, view.id, ack, 'Breaking the glass…')
  })
  app.view(reviewCallback, async ({ body, view, ack }) => {
    const note = view.state.values[noteInput]?.[noteInput]?.value ?? null
    const work = reviewRequest(deps, { token: shownTo(view.private_metadata).token, note, account: body.user.id, entry: 'modal' })
    await settle(deps, work, view.id, ack, 'Writing it down…')
  })
  app.view(cancelCallback, async ({ body, view, ack }) => {
    const work = cancelRequest(deps, { account: body.user.id, entry: 'modal', token: shownTo(view.private_metadata).token })
    await settle(deps, work, view.id, ack, 'Cancelling…')
  })
}

/** A window that goes back to be filled in. */
const recordForm = (deps: ButtonDeps, account: string, act: string) =>
  audited(deps, deps.db, { account, entry: 'modal' }, { act }, { kind: 'bad_arguments' }).catch(deps.onFault)

/** What the window was about. Metadata that is not ours leads to no request. */
const shownTo = (metadata: string) => decisionOf(metadata) ?? { token: '', digest: '' }

/** Undefined for what is no button of ours: a link, a field. */
function tokenOf(action: BlockAction['actions'][number]): string | undefined {
  if (action.type === 'overflow') return action.selected_option.value
  return action.type === 'button' && action.url === undefined ? (action.value ?? '') : undefined
}
