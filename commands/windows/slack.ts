import { answerClick, type Click } from '../../approvals/modals/click.ts'
import { noticeView, workingView } from '../../approvals/modals/notice-modal.ts'
import { writeAudit } from '../../src/audit/write.ts'
import { inTime } from '../../src/lib/in-time.ts'
import { noted } from '../../src/lib/telemetry.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { View } from '../../src/slack/port.ts'
import { storeNow } from '../../src/store/now.ts'
import type { FormValues } from '../forms/deploy.ts'
import { auditedBy, type Reply } from '../verbs/reply.ts'
import { notInDirect, whyNotHere, type Asker, type Origin } from '../parse/channel-scope.ts'
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
  /** Shown to the asker alone; an empty text shows nothing. */
  readonly ack: (text: string) => Promise<void>
  readonly respond: (text: string) => Promise<void>
}

export async function answerWindowCommand(deps: SlackDeps, { text, trigger, asker, ack, respond }: Typed): Promise<void> {
  const parsed = parseWindow(text, knownHere(deps))
  if (isRefusal(parsed)) {
    await ack(noted(parsed).text)
    return record(deps, asker, 'command', parsed.code)
  }
  if (parsed.verb === 'form') {
    await ack('')
    const refusal = await openForm(deps, trigger, asker)
    await record(deps, asker, 'form', refusal?.code ?? 'allowed')
    return refusal === undefined ? undefined : respond(noted(refusal).text)
  }
  const reply = safely(deps, dispatchWindow(deps, parsed, asker))
  const quick = await inTime(reply, ACT_MS)
  if (quick.kind === 'in time') return ack(textOf(quick.value))
  await ack('Still checking. The answer follows here.')
  await respond(textOf(await quick.value))
}

/** Before anything is looked up, since a trigger lives 3 s. */
async function openForm(deps: SlackDeps, trigger: string, asker: Typed['asker']): Promise<Refusal | undefined> {
  if (asker.origin.isDirect) return notInDirect
  const all = [...deps.targets.values()]
  const targets = all.filter((target) => whyNotHere(target, asker) === undefined)
  if (targets.length === 0) return all[0] === undefined ? undefined : whyNotHere(all[0], asker)
  const opened = await deps.slack.openView(trigger, windowForm(targets, asker.origin))
  return opened.kind === 'ok' ? undefined : formNotOpened(knownHere(deps))
}

export type Clicked = { readonly action: string; readonly value: string; readonly at: Click }

export async function clickedWindow(deps: SlackDeps, { action, value, at }: Clicked): Promise<void> {
  const { account, channel, viewId, trigger } = at
  const asker: Asker = {
    account,
    entry: 'button',
    origin: channel === undefined ? null : { channel, isDirect: channel.startsWith('D') },
  }
  const outcome = await pressWindow(deps, { action, value, asker }).catch((error: unknown) => {
    deps.onFault(error)
    return storeUnreachable
  })
  if (outcome.kind === 'done') return
  if (outcome.kind === 'view')
    return shown(
      deps,
      await (viewId === undefined ? deps.slack.openView(trigger, outcome.view) : deps.slack.updateView(viewId, outcome.view)),
    )
  noted(outcome)
  shown(deps, await answerClick(deps.slack, at, { text: outcome.text }))
}

function shown(deps: SlackDeps, sent: { readonly kind: string }): void {
  if (sent.kind !== 'ok') deps.onFault(new Error(`what a button leads to could not be shown: ${sent.kind}`))
}

export type Submitted = {
  readonly callback: string
  readonly metadata: string
  readonly values: FormValues
  readonly user: string
  readonly viewId: string
  readonly ack: (response: FormResponse) => Promise<void>
}

export type FormResponse =
  | { readonly response_action: 'errors'; readonly errors: Readonly<Record<string, string>> }
  | { readonly response_action: 'update' | 'push'; readonly view: View }
  | { readonly response_action: 'clear' }

export async function submittedWindow(deps: SlackDeps, submitted: Submitted): Promise<void> {
  const { ack, viewId } = submitted
  const work = responseTo(deps, submitted).catch((error: unknown): FormResponse => {
    deps.onFault(error)
    return noticeResponse(storeUnreachable)
  })
  const quick = await inTime(work, ACT_MS)
  if (quick.kind === 'in time') return ack(quick.value)
  await ack({ response_action: 'update', view: workingView('Lockkeeper is still checking. The answer appears here.') })
  const late = await quick.value
  const view =
    'view' in late
      ? late.view
      : noticeView('errors' in late ? Object.values(late.errors).join(' ') : 'Done. It stands in the channel.', 'Done')
  shown(deps, await deps.slack.updateView(viewId, view))
}

async function responseTo(deps: SlackDeps, submitted: Submitted): Promise<FormResponse> {
  const { callback, metadata, values, user } = submitted
  const asker = (origin: Origin | null): Asker => ({ account: user, entry: 'modal', origin })
  if (callback === WINDOW_FORM) {
    const read = readWindowForm(values, metadata, { targets: deps.targets, known: knownHere(deps), now: await storeNow(deps.db) })
    const result = isRefusal(read) ? read.code : read.kind === 'errors' ? 'bad_arguments' : 'understood'
    await record(deps, asker(null), 'form', result)
    if (isRefusal(read)) return noticeResponse(read)
    return read.kind === 'errors' ? { response_action: 'errors', errors: read.errors } : { response_action: 'push', view: read.view }
  }
  const read = callback === WINDOW_CONFIRM ? readConfirmed(metadata) : await readWindowView(deps, callback, metadata, values)
  if (isRefusal(read)) {
    await record(deps, asker(null), 'form', read.code)
    return noticeResponse(read)
  }
  const origin = 'origin' in read ? read.origin : { channel: read.channel, isDirect: false }
  const reply = await dispatchWindow(deps, read.command, asker(origin))
  if (!isRefusal(reply)) return { response_action: 'clear' }
  noted(reply)
  // a slip in a field is said under it
  return reply.code === 'bad_arguments' && callback === WINDOW_RESCHEDULE
    ? { response_action: 'errors', errors: { when: (reply.text.split(' The whole command:')[0] ?? '').replaceAll('`', '').slice(0, 500) } }
    : noticeResponse(reply)
}

/** A refusal takes the place of the page; what was typed before it is kept below. */
const noticeResponse = (refusal: Refusal): FormResponse => ({ response_action: 'update', view: noticeView(refusal.text) })

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
