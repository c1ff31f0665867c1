import type { AnswerIn } from '../../approvals/decisions/audit.ts'
import type { Click } from '../../approvals/modals/click.ts'
import { workingView } from '../../approvals/modals/notice-modal.ts'
import { isSeen, saidOf, saysIn } from '../../approvals/modals/said.ts'
import { writeAudit } from '../../src/audit/write.ts'
import { inTime } from '../../src/lib/in-time.ts'
import { noted } from '../../src/lib/telemetry.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { update, type Answering, type FormAnswering, type FormEnd } from '../../src/slack/answers/answering.ts'
import { storeNow } from '../../src/store/now.ts'
import { plainError, type FormValues } from '../forms/values.ts'
import { auditedBy, type Reply } from '../verbs/reply.ts'
import { notInDirect, targetsHere, whyNotHere, type Asker, type Origin } from '../parse/channel-scope.ts'
import { dispatchWindow } from './dispatch.ts'
import { knownHere, type WindowDeps, type WindowSlack } from './deps.ts'
import { formNotOpened, readConfirmed, readWindowForm, WINDOW_CONFIRM, WINDOW_FORM, windowForm } from '../forms/window.ts'
import { parseWindow } from '../parse/window.ts'
import { pressWindow, readWindowView, WINDOW_CANCEL, WINDOW_RESCHEDULE } from './buttons.ts'

/** What Slack brings about windows, without Slack's library: the caller hands over what a delivery says and how it is answered. */

export type SlackDeps = WindowDeps & WindowSlack

/** Callbacks of the windows that are answered here. */
export const windowViews: readonly string[] = [WINDOW_FORM, WINDOW_CONFIRM, WINDOW_RESCHEDULE, WINDOW_CANCEL]

/** What only reads is promised early; an act is promised only when Slack would give up. */
const ACT_MS = 2_300

export type Typed = {
  readonly text: string
  readonly trigger: string
  readonly asker: Asker & { readonly origin: Origin }
  readonly answering: Answering
}

export async function answerWindowCommand(deps: SlackDeps, { text, trigger, asker, answering }: Typed): Promise<void> {
  const say = (answer: string) => (answer === '' ? Promise.resolve() : answering.say(saidOf({ text: answer })))
  const parsed = parseWindow(text, knownHere(deps))
  if (isRefusal(parsed)) {
    await say(noted(parsed).text)
    return record(deps, asker, 'command', parsed.code)
  }
  if (parsed.verb === 'form') {
    const refusal = await openForm(deps, trigger, asker)
    await record(deps, asker, 'form', refusal?.code ?? 'allowed')
    return refusal === undefined ? undefined : say(noted(refusal).text)
  }
  const reply = safely(deps, dispatchWindow(deps, parsed, { ...asker, answer: saysIn(answering) }))
  const quick = await inTime(reply, ACT_MS)
  if (quick.kind === 'late') answering.meanwhile('Still checking. The answer follows here.')
  await say(textOf(await quick.value))
}

/** Before anything is looked up, since a trigger lives 3 s. */
async function openForm(deps: SlackDeps, trigger: string, asker: Typed['asker']): Promise<Refusal | undefined> {
  if (asker.origin.isDirect) return notInDirect
  const all = [...deps.targets.values()]
  const targets = targetsHere(deps, asker)
  if (targets.length === 0) return all[0] === undefined ? undefined : whyNotHere(all[0], asker)
  const opened = await deps.slack.openView(trigger, windowForm(targets, asker.origin))
  return opened.kind === 'ok' ? undefined : formNotOpened(knownHere(deps))
}

export type Clicked = { readonly action: string; readonly value: string; readonly at: Click; readonly answering: Answering }

export async function clickedWindow(deps: SlackDeps, { action, value, at, answering }: Clicked): Promise<void> {
  const { account, channel, viewId, trigger } = at
  const asker: Asker = {
    account,
    entry: 'button',
    answer: isSeen(answering),
    origin: channel === undefined ? null : { channel, isDirect: channel.startsWith('D') },
  }
  const outcome = await pressWindow(deps, { action, value, asker }).catch((error: unknown) => {
    deps.onFault(error)
    return storeUnreachable
  })
  if (outcome.kind === 'done') return
  if (outcome.kind === 'view') {
    const shown = await (viewId === undefined ? deps.slack.openView(trigger, outcome.view) : deps.slack.updateView(viewId, outcome.view))
    return shown.kind === 'ok' ? undefined : answering.say(saidOf({ text: NOT_OPENED }))
  }
  await answering.say(saidOf({ text: noted(outcome).text }))
}

const NOT_OPENED = 'Slack did not open the window in time. Nothing was changed. Click again.'

export type Submitted = {
  readonly callback: string
  readonly metadata: string
  readonly values: FormValues
  readonly user: string
  readonly form: FormAnswering
}

export async function submittedWindow(deps: SlackDeps, submitted: Submitted): Promise<void> {
  const end = endOf(deps, submitted).catch((error: unknown): FormEnd => {
    deps.onFault(error)
    return noticeEnd(storeUnreachable)
  })
  await submitted.form.answer(end, ACT_MS, workingView('Lockkeeper is still checking. The answer appears here.'))
}

async function endOf(deps: SlackDeps, submitted: Submitted): Promise<FormEnd> {
  const { callback, metadata, values, user, form } = submitted
  const answer: AnswerIn = (tx) => form.answerIn(tx, DONE)
  const asker = (origin: Origin | null): Asker => ({ account: user, entry: 'modal', origin, answer })
  if (callback === WINDOW_FORM) {
    const read = readWindowForm(values, metadata, { targets: deps.targets, known: knownHere(deps), now: await storeNow(deps.db) })
    const result = isRefusal(read) ? read.code : read.kind === 'view' ? 'understood' : 'bad_arguments'
    await record(deps, asker(null), 'form', result)
    if (isRefusal(read)) return noticeEnd(read)
    if (read.kind === 'errors') return errorsEnd(read.errors)
    return read.kind === 'unclear'
      ? { response: update(windowForm(targetsHere(deps, read), read.origin, read.filled)), said: saidOf({ text: read.text }) }
      : { response: { response_action: 'push', view: read.view }, said: { message: { text: PAGE_LATE }, view: read.view } }
  }
  const read = callback === WINDOW_CONFIRM ? readConfirmed(metadata) : await readWindowView(deps, callback, metadata, values)
  if (isRefusal(read)) {
    await record(deps, asker(null), 'form', read.code)
    return noticeEnd(read)
  }
  const origin = 'origin' in read ? read.origin : { channel: read.channel, isDirect: false }
  const reply = await dispatchWindow(deps, read.command, asker(origin))
  if (!isRefusal(reply)) return DONE
  noted(reply)
  // a slip in a field is said under it
  return reply.code === 'bad_arguments' && callback === WINDOW_RESCHEDULE
    ? errorsEnd({ when: plainError(reply.text.split(' The whole command:')[0] ?? '') })
    : noticeEnd(reply)
}

/** A refusal takes the place of the page; what was typed before it is kept below. */
function noticeEnd({ text }: Refusal): FormEnd {
  const said = saidOf({ text })
  return { response: update(said.view), said }
}

const errorsEnd = (errors: Readonly<Record<string, string>>): FormEnd => ({
  response: { response_action: 'errors', errors },
  said: saidOf({ text: Object.values(errors).join(' ') }),
})

/** Of a window that was closed before it could be shown. */
const PAGE_LATE = 'The next page of the form came too late, so nothing was changed. Open the form again.'

const DONE: FormEnd = { response: { response_action: 'clear' }, said: saidOf({ text: 'Done. It stands in the channel.' }, 'Done') }

const record = (deps: SlackDeps, asker: Asker, act: string, result: string): Promise<void> =>
  writeAudit(deps.db, { ...auditedBy(deps, asker), act: `maintenance ${act}`, result }).catch(deps.onFault)

const safely = (deps: SlackDeps, reply: Promise<Reply>): Promise<Reply> =>
  reply
    .catch((error: unknown) => {
      deps.onFault(error)
      return storeUnreachable
    })
    .then(noted)

const textOf = (reply: Reply): string => (reply.kind === 'form' ? '' : reply.text)

const storeUnreachable = refuse(
  'store_unreachable',
  'Lockkeeper could not read or write its own records. If no announcement appears or changes within a minute, nothing was changed: try again then. Whoever operates Lockkeeper finds the reason in its log.',
)
