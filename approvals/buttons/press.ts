import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { noted } from '../../src/lib/telemetry.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { requestByToken } from '../../src/request/store.ts'
import { actions, button, section } from '../../src/slack/blocks/blocks.ts'
import type { Answering } from '../../src/slack/answers/answering.ts'
import type { Message } from '../../src/slack/port.ts'
import { acknowledgePage } from '../decisions/acknowledge.ts'
import { audited } from '../decisions/audit.ts'
import { waitOn } from '../decisions/blocker.ts'
import { staleButton } from '../decisions/decision.ts'
import type { Click } from '../modals/click.ts'
import { isSeen, saidOf, saysIn } from '../modals/said.ts'
import { askAgain, queueOffered, type Asking } from '../requests/again.ts'
import { code } from '../wording.ts'
import type { ButtonDeps } from './deps.ts'
import { viewToOpen } from './open.ts'
import { unclear } from './settle.ts'

/** A button that was pressed, and where it stands. `ts`: of its message. */
export type Press = Click & { readonly action: string; readonly token: string; readonly ts: string | undefined }

/** What a button of a card, of a thread or of Home leads to. */
export async function press(deps: ButtonDeps, pressed: Press, answering: Answering): Promise<void> {
  await lead(deps, pressed, answering).catch((error: unknown) => {
    deps.onFault(error)
    return answerPress(answering, refuse('store_unreachable', unclear))
  })
}

async function lead(deps: ButtonDeps, pressed: Press, answering: Answering): Promise<void> {
  const { action, token, account } = pressed
  if (action === 'queue' || action === 'ask_again') return askFor(deps, pressed, action, answering)
  const request = await requestByToken(deps.db, token)
  if (request === undefined) return refuseAt(deps, pressed, answering, undefined, (await whyOtherStore(deps, pressed)) ?? staleButton())
  if (action === 'acknowledge') {
    const outcome = await acknowledgePage(deps, { token, account, entry: 'button', answer: isSeen(answering) })
    return isRefusal(outcome) ? answerPress(answering, outcome) : undefined
  }
  if (action === 'wait') {
    const outcome = await waitOn(deps, { token, account, entry: 'button', answer: isSeen(answering) })
    return isRefusal(outcome) ? answerPress(answering, outcome) : undefined
  }
  const view = await viewToOpen(deps, request, action, account)
  if (isRefusal(view)) return refuseAt(deps, pressed, answering, request, view)
  const opened = await deps.slack.openView(pressed.trigger, view)
  if (opened.kind !== 'ok') return refuseAt(deps, pressed, answering, request, notOpened(deps, request))
  await record(deps, pressed, request, { kind: 'opened' })
}

/** A request of its own, from a button below a refusal or below what has expired. */
async function askFor(deps: ButtonDeps, pressed: Press, action: 'queue' | 'ask_again', answering: Answering): Promise<void> {
  const pressing = { token: pressed.token, account: pressed.account, entry: 'button', answer: saysIn(answering, ASKED) } as const
  const outcome = await (action === 'queue' ? queueOffered(deps, pressing) : askAgain(deps, pressing)).catch((error: unknown) => {
    deps.onFault(error)
    return refuse('store_unreachable', unclear)
  })
  await answerPress(answering, outcome)
}

const ASKED = 'Asked'

async function whyOtherStore(deps: ButtonDeps, { channel, ts, thread }: Press): Promise<Refusal | null> {
  if (channel === undefined || ts === undefined) return null
  return deps.whyNotOurs({ channel, ts, ...(thread === undefined ? {} : { thread }) })
}

async function refuseAt(
  deps: ButtonDeps,
  pressed: Press,
  answering: Answering,
  request: RequestRow | undefined,
  refusal: Refusal,
): Promise<void> {
  await answerPress(answering, refusal)
  await record(deps, pressed, request, refusal)
}

/** What was pressed, after it was answered: a window lives 3 s, and what it leads to has a row of its own. */
async function record(
  deps: ButtonDeps,
  { action, account }: Press,
  request: RequestRow | undefined,
  outcome: Refusal | { readonly kind: 'opened' },
): Promise<void> {
  const act = `press ${action.slice(0, 40)}`
  const about = { act, target: request?.target ?? null, requestId: request?.id ?? null, digest: request?.digest ?? null }
  await audited(deps, deps.db, { account, entry: 'button' }, about, outcome).catch(deps.onFault)
}

/** To the one who clicked, where he clicked. */
async function answerPress(answering: Answering, said: Refusal | Asking): Promise<void> {
  if (isRefusal(said)) noted(said)
  await answering.say(saidOf(withOffer(said), isRefusal(said) ? 'Not possible' : ASKED))
}

/** A refusal with what can be done instead below it. */
export const withOffer = (said: { readonly text: string; readonly offer?: Refusal['offer'] }): Message =>
  said.offer === undefined
    ? { text: said.text }
    : { text: said.text, blocks: [section(said.text), actions(button(said.offer.label, 'queue', said.offer.token, 'primary'))] }

const notOpened = (deps: ButtonDeps, request: RequestRow) =>
  refuse(
    'stale_button',
    `Slack did not open the window in time. Nothing was changed. Click again, or type ${code(`${deps.command} show ${request.id}`)}.`,
  )
