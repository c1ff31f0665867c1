import type { AllMiddlewareArgs, SlackViewMiddlewareArgs, ViewSubmitAction } from '@slack/bolt'
import { workingView } from '../approvals/modals/notice-modal.ts'
import { saidOf } from '../approvals/modals/said.ts'
import { isRefusal } from '../src/lib/refusal.ts'
import { formIn, update, type FormEnd } from '../src/slack/answers/answering.ts'
import { storeNow } from '../src/store/now.ts'
import { dispatch } from './dispatch.ts'
import { ACT_MS, recordSafely, textOf, withoutFault, type ListenDeps } from './door.ts'
import { originOf, readForm, requestForm } from './forms/deploy.ts'
import { targetsHere, type Asker } from './parse/channel-scope.ts'
import { auditedBy, type Reply } from './verbs/reply.ts'

type Sent = Pick<SlackViewMiddlewareArgs<ViewSubmitAction> & AllMiddlewareArgs, 'body' | 'view' | 'context'>

/** Answers the form behind the bare command; one with a slip goes back as it was filled in. */
export async function answerDeployForm(deps: ListenDeps, { body, view, context }: Sent): Promise<void> {
  const answer = (end: FormEnd | Promise<FormEnd>) =>
    formIn(context).answer(Promise.resolve(end), ACT_MS, workingView('Lockkeeper is still checking. The answer appears here.'))
  const origin = originOf(view.private_metadata)
  const form = { ...auditedBy(deps, { account: body.user.id, entry: 'modal', origin: null }), act: 'form' }
  if (origin === undefined) {
    await recordSafely(deps, { ...form, result: 'stale_button' })
    return answer(noticeEnd(formUnknown))
  }
  const now = await storeNow(deps.db).catch(deps.onFault)
  const read = readForm(view.state.values, deps.known, now === undefined ? null : { now, targets: deps.targets })
  if ('kind' in read) {
    await recordSafely(deps, { ...form, result: 'bad_arguments' })
    if (read.kind === 'unclear')
      return answer({
        response: update(requestForm(targetsHere(deps, { origin }), origin, read.filled)),
        said: saidOf({ text: read.text }),
      })
    return answer({
      response: { response_action: 'errors', errors: read.errors },
      said: saidOf({ text: Object.values(read.errors).join(' ') }),
    })
  }
  const asker: Asker = {
    account: body.user.id,
    entry: 'modal',
    origin,
    answer: (tx, { text }) => formIn(context).answerIn(tx, asked(text)),
  }
  await answer(withoutFault(deps, dispatch(deps, read, asker)).then(formEnd))
}

/** A refusal lies over the form, which stays as it was filled in. */
function formEnd(reply: Reply): FormEnd {
  if (!isRefusal(reply)) return asked(textOf(reply))
  const said = saidOf({ text: reply.text })
  return { response: { response_action: 'push', view: said.view }, said }
}

const asked = (text: string): FormEnd => noticeEnd(text, 'Asked')

export function noticeEnd(text: string, title?: string): FormEnd {
  const said = saidOf({ text }, title)
  return { response: update(said.view), said }
}

export const formUnknown = 'This form is from an older Lockkeeper. Nothing was started. Open it again.'
