import type { SlackViewMiddlewareArgs, ViewSubmitAction } from '@slack/bolt'
import { noticeView, workingView } from '../approvals/modals/notice-modal.ts'
import { inTime } from '../src/lib/in-time.ts'
import { isRefusal } from '../src/lib/refusal.ts'
import type { View } from '../src/slack/port.ts'
import { storeNow } from '../src/store/now.ts'
import { dispatch } from './dispatch.ts'
import { ACT_MS, recordSafely, textOf, withoutFault, type FormResponse, type ListenDeps } from './door.ts'
import { originOf, readForm } from './forms/deploy.ts'
import { auditedBy, type Reply } from './verbs/reply.ts'

type Sent = Pick<SlackViewMiddlewareArgs<ViewSubmitAction>, 'body' | 'view' | 'ack'>

/** Answers the form behind the bare command; one with a slip goes back as it was filled in. */
export async function answerDeployForm(deps: ListenDeps, { body, view, ack }: Sent): Promise<void> {
  // Bolt wants views of its own type, and ours are checked against Slack's limits where they are sent
  const acknowledge = ack as unknown as (response: FormResponse) => Promise<void>
  const origin = originOf(view.private_metadata)
  const form = { ...auditedBy(deps, { account: body.user.id, entry: 'modal', origin: null }), act: 'form' }
  if (origin === undefined) {
    await recordSafely(deps, { ...form, result: 'stale_button' })
    return acknowledge({ response_action: 'update', view: noticeView(formUnknown) })
  }
  const now = await storeNow(deps.db).catch(deps.onFault)
  const read = readForm(view.state.values, deps.known, now === undefined ? null : { now, targets: deps.targets })
  if ('errors' in read) {
    await recordSafely(deps, { ...form, result: 'bad_arguments' })
    return acknowledge({ response_action: 'errors', errors: read.errors })
  }
  const answered = withoutFault(deps, dispatch(deps, read, { account: body.user.id, entry: 'modal', origin })).then(formEnd)
  const quick = await inTime(answered, ACT_MS)
  if (quick.kind === 'in time') return acknowledge(quick.value)
  await acknowledge({ response_action: 'update', view: workingView('Lockkeeper is still checking. The answer appears here.') })
  const end = await quick.value
  const sent = await deps.slack.updateView(view.id, end.view)
  if (sent.kind !== 'ok') deps.onFault(new Error(`the form's answer could not be shown: ${sent.kind}`))
}

/** A refusal lies over the form, which stays as it was filled in. */
const formEnd = (reply: Reply): { readonly response_action: 'update' | 'push'; readonly view: View } =>
  isRefusal(reply)
    ? { response_action: 'push', view: noticeView(reply.text) }
    : { response_action: 'update', view: noticeView(textOf(reply), 'Asked') }

export const formUnknown = 'This form is from an older Lockkeeper. Nothing was started. Open it again.'
