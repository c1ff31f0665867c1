import type { App, BlockAction } from '@slack/bolt'
import { writeAudit } from '../src/audit/write.ts'
import { inTime } from '../src/lib/in-time.ts'
import { noted } from '../src/lib/telemetry.ts'
import { isRefusal, refuse, type Refusal } from '../src/lib/refusal.ts'
import type { RequestRow } from '../src/request/request.ts'
import { requestByToken, viewOf, votesOf } from '../src/request/store.ts'
import { actions, button, context, header, modal, preformatted, section } from '../src/slack/blocks/blocks.ts'
import type { Message, SlackPort, View } from '../src/slack/port.ts'
import { askAgain, queueOffered, type AgainDeps, type Asking } from './requests/again.ts'
import { breakGlass, notConfigured, whyNoReason } from './break-glass/decision.ts'
import { cancelRequest } from './cancel.ts'
import { approveCallback, approveView, decisionOf, reasonInput, rejectCallback, rejectView } from './modals/confirm.ts'
import { acknowledgePage } from './acknowledge.ts'
import { glassCallback, glassView, noteInput, reviewCallback, reviewView } from './break-glass/views.ts'
import { glassRulesOf } from './policy.ts'
import { ownBreakGlass, reviewersOf, reviewRequest, whyNotReview, whyNotYet } from './review.ts'
import { toldView, workingView } from './modals/notice-modal.ts'
import { whyNoApproval } from './requests/start-slot.ts'
import { castVote, ownRequest, whyClosed } from './vote.ts'
import { code, mention, stateSince } from './wording.ts'

export type ButtonDeps = AgainDeps & {
  readonly slack: Pick<SlackPort, 'openView' | 'updateView' | 'ephemeral'>
  /** The SQL of the plan's migrations, from git objects. */
  readonly readSql: (request: RequestRow) => Promise<readonly { readonly name: string; readonly sql: string }[] | Refusal>
  readonly onFault: (error: unknown) => void
  /** Why a message is not one of this store; null when it is, or does not say. */
  readonly whyNotOurs: (where: { readonly channel: string; readonly ts: string; readonly thread?: string }) => Promise<Refusal | null>
}

/** Slack waits 3 s for the acknowledgement and gives a trigger as long; the rest is for the way there and back. */
const IN_TIME_MS = 2_000

/** Windows that are answered here. */
export const decisionWindows: readonly string[] = [approveCallback, rejectCallback, glassCallback, reviewCallback, 'cancel_request']

/** Registers the buttons of cards, threads and Home. Every other element is acknowledged and left alone. */
export function listenToButtons(app: App, deps: ButtonDeps): void {
  app.action<BlockAction>({ type: 'block_actions', action_id: /^(?!window_)/ }, async ({ body, action, ack }) => {
    await ack()
    if (action.type === 'overflow') return pressed(deps, body, { action: action.action_id, token: action.selected_option.value })
    if (action.type !== 'button' || action.url !== undefined) return
    await pressed(deps, body, { action: action.action_id, token: action.value ?? '' })
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
  app.view(glassCallback, async ({ body, view, ack }) => {
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
  app.view('cancel_request', async ({ body, view, ack }) => {
    const work = cancelRequest(deps, { account: body.user.id, entry: 'modal', token: shownTo(view.private_metadata).token })
    await settle(deps, work, view.id, ack, 'Cancelling…')
  })
}

/** A window that goes back to be filled in. */
const recordForm = (deps: ButtonDeps, account: string, act: string) =>
  writeAudit(deps.db, { actor: account, human: deps.people.humanOf(account), entry: 'modal', act, result: 'bad_arguments' }).catch(
    deps.onFault,
  )

type Pressed = { readonly action: string; readonly token: string }

async function pressed(deps: ButtonDeps, body: BlockAction, { action, token }: Pressed): Promise<void> {
  if (action === 'queue' || action === 'ask_again') return asked(deps, body, { action, token })
  const request = await requestByToken(deps.db, token)
  if (request === undefined) {
    const unknown = (await otherStore(deps, body)) ?? unknownButton
    await tell(deps, body, unknown)
    return record(deps, body, action, undefined, unknown.code)
  }
  if (action === 'acknowledge') {
    const outcome = await acknowledgePage(deps, { token, account: body.user.id, entry: 'button' })
    return isRefusal(outcome) ? tell(deps, body, outcome) : undefined
  }
  const view = await viewToOpen(deps, request, action, body.user.id)
  if (isRefusal(view)) {
    await tell(deps, body, view)
    return record(deps, body, action, request, view.code)
  }
  const opened = await deps.slack.openView(body.trigger_id, view)
  if (opened.kind !== 'ok') await tell(deps, body, notOpened(deps, request))
  await record(deps, body, action, request, opened.kind === 'ok' ? 'opened' : 'stale_button')
}

/** A request of its own, from a button below a refusal or below what has expired. */
async function asked(deps: ButtonDeps, body: BlockAction, { action, token }: Pressed): Promise<void> {
  const pressing = { token, account: body.user.id, entry: 'button' } as const
  const outcome = await (action === 'queue' ? queueOffered(deps, pressing) : askAgain(deps, pressing)).catch((error: unknown) => {
    deps.onFault(error)
    return refuse('store_unreachable', unclear)
  })
  await tell(deps, body, outcome)
}

async function otherStore(deps: ButtonDeps, body: BlockAction): Promise<Refusal | null> {
  const channel = body.channel?.id
  const ts: unknown = body.message?.ts
  if (channel === undefined || typeof ts !== 'string') return null
  const thread = threadOf(body.message)
  return deps.whyNotOurs({ channel, ts, ...(thread === undefined ? {} : { thread }) })
}

/** What was pressed, after it was answered: a window lives 3 s, and what it leads to has a row of its own. */
const record = (deps: ButtonDeps, body: BlockAction, action: string, request: RequestRow | undefined, result: string) =>
  writeAudit(deps.db, {
    actor: body.user.id,
    human: deps.people.humanOf(body.user.id),
    entry: 'button',
    act: `press ${action.slice(0, 40)}`,
    target: request?.target ?? null,
    requestId: request?.id ?? null,
    result,
    digest: request?.digest ?? null,
  })

/** Nothing here asks Slack, since a window must open within 3 s; everything is checked again when it is sent. */
async function viewToOpen(deps: ButtonDeps, request: RequestRow, action: string, user: string): Promise<View | Refusal> {
  switch (action) {
    case 'approve':
    case 'reject':
      return (await whyNotDecide(deps, request, action, user)) ?? confirmView(deps, request, action)
    case 'break_glass':
      return viewToBreak(deps, request, user, null)
    case 'review':
      return viewToReview(deps, request, user)
    case 'cancel':
      return confirmCancelView(request)
    case 'sql':
      return sqlView(deps, request)
    default:
      return refuse(
        'not_available_yet',
        `This button does nothing yet. Nothing was changed. ${code(`${deps.command} help`)} lists what can be typed.`,
      )
  }
}

async function confirmView(deps: ButtonDeps, request: RequestRow, action: 'approve' | 'reject'): Promise<View> {
  const view = await viewFor(deps, request)
  return action === 'approve' ? approveView(view) : rejectView(view)
}

const viewFor = (deps: ButtonDeps, request: RequestRow) =>
  viewOf(deps.db, request, deps.targets.get(request.target)?.title ?? request.target, '')

/** The window before the glass is broken, also for the command that opens it. Nothing here asks Slack. */
export async function viewToBreak(deps: ButtonDeps, request: RequestRow, user: string, reason: string | null): Promise<View | Refusal> {
  const refusal = await whyNotBreakHere(deps, request, user)
  return refusal ?? glassView(await viewFor(deps, request), reason)
}

async function viewToReview(deps: ButtonDeps, request: RequestRow, user: string): Promise<View | Refusal> {
  const refusal = whyNotReviewHere(deps, request, user)
  return refusal ?? reviewView(await viewFor(deps, request))
}

async function whyNotBreakHere(deps: ButtonDeps, request: RequestRow, user: string): Promise<Refusal | undefined> {
  const closed = await whyClosed(deps, deps.db, request, { account: user, decision: 'break_glass', digest: request.digest ?? '' })
  if (closed !== undefined) return closed
  const target = deps.targets.get(request.target)
  const isAllowed = request.policy?.breakGlass !== undefined && target !== undefined && glassRulesOf(target) !== undefined
  return isAllowed ? undefined : notConfigured(request.target, deps.command, request)
}

function whyNotReviewHere(deps: ButtonDeps, request: RequestRow, user: string): Refusal | undefined {
  const { humanOf } = deps.people
  const isInvolved = request.glass?.involved.some((one) => humanOf(one) === humanOf(user)) === true
  return whyNotReview(request) ?? (isInvolved ? ownBreakGlass(request, reviewersOf(deps, request)) : whyNotYet(request))
}

async function whyNotDecide(
  deps: ButtonDeps,
  request: RequestRow,
  action: 'approve' | 'reject',
  user: string,
): Promise<Refusal | undefined> {
  const closed = await whyClosed(deps, deps.db, request, {
    account: user,
    decision: action,
    digest: request.digest ?? '',
  })
  const shut = closed ?? (action === 'approve' ? await whyNoApproval(deps, deps.db, request) : undefined)
  if (shut !== undefined) return shut
  const { humanOf } = deps.people
  if (![humanOf(request.requester), humanOf(request.requesterHuman)].includes(humanOf(user))) return undefined
  const votes = (await votesOf(deps.db, request.id)).filter((vote) => vote.digest === request.digest && vote.decision === 'approve')
  return ownRequest(
    request,
    deps.command,
    action,
    votes.map((vote) => vote.human),
    request.policy?.required ?? 1,
  )
}

const cancellable: Readonly<Partial<Record<RequestRow['state'], string>>> = {
  planning: 'It has not started, so nothing was changed and nothing will be.',
  waiting: 'It has not started, so nothing was changed and nothing will be.',
  granted: 'It is approved and has not started, so nothing was changed and nothing will be.',
  running:
    'It is running. A dump or a build is stopped at once; a migration that has begun is ended in the order that is safe for it, and what is applied stays applied. The card says where it stopped.',
  needs_human:
    'Lockkeeper stopped because something is unclear. Closing it means that you take over: the record names you, Lockkeeper changes nothing more about it, and the next run becomes possible.',
}

const CLOSES_LATER =
  'Lockkeeper stopped because something is unclear, and maintenance mode is still on. Closing it means that you take over: the record names you, maintenance mode is switched off, Lockkeeper changes nothing more about it, and the next run becomes possible.'

function confirmCancelView(request: RequestRow): View | Refusal {
  const meaning = request.owesOff && request.state === 'needs_human' ? CLOSES_LATER : cancellable[request.state]
  if (meaning === undefined)
    return refuse('nothing_to_cancel', `#${request.id} is not under way any more: ${stateSince(request)}. Nothing was changed.`)
  const isClosing = request.state === 'needs_human'
  return modal({
    callback: 'cancel_request',
    title: isClosing ? `Close #${request.id}` : `Cancel #${request.id}`,
    submit: isClosing ? 'I take over' : 'Cancel it',
    close: 'Keep it',
    metadata: JSON.stringify({ token: request.token, digest: request.digest ?? '' }),
    blocks: [section(`${code(request.target)}, asked by ${mention(request.requester)}, ${stateSince(request)}.`), section(meaning)],
  })
}

/** Preformatted text of a block and blocks of a window, as Slack takes them. */
const SQL_BLOCK = 2_900
const SQL_BLOCKS = 60

async function sqlView(deps: ButtonDeps, request: RequestRow): Promise<View | Refusal> {
  const read = await inTime(deps.readSql(request), IN_TIME_MS)
  if (read.kind === 'late') {
    read.value.catch(deps.onFault)
    return refuse(
      'repository_unreachable',
      `Reading the SQL of #${request.id} takes longer than Slack keeps a window waiting. It stands in the thread of the card.`,
    )
  }
  if (isRefusal(read.value)) return read.value
  const blocks = read.value.flatMap(({ name, sql }) => [
    header(name),
    ...Array.from({ length: Math.max(1, Math.ceil(sql.length / SQL_BLOCK)) }, (_, part) =>
      preformatted(sql.slice(part * SQL_BLOCK, (part + 1) * SQL_BLOCK) || '-- empty'),
    ),
  ])
  return modal({
    callback: 'told',
    title: `SQL of #${request.id}`,
    close: 'Close',
    blocks: [
      context(`Plan ${code((request.digest ?? '').slice(0, 8))}, commit ${code((request.plan?.commit ?? '').slice(0, 7))}`),
      ...(blocks.length === 0 ? [section('No migration is pending, so there is no SQL.')] : blocks.slice(0, SQL_BLOCKS)),
      ...(blocks.length > SQL_BLOCKS ? [context('The rest does not fit here; the whole of it stands in the thread of the card.')] : []),
    ],
  })
}

/**
 * What was done stands on the card, so its window closes by itself; a refusal is said in the window. When the answer takes longer than
 * Slack waits, the window says both.
 */
async function settle(
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
  const told = work.then(noted).then(
    (outcome) => ({ isDone: !isRefusal(outcome), view: toldView(outcome.text, isRefusal(outcome) ? 'Not possible' : 'Done') }),
    (error: unknown) => {
      deps.onFault(error)
      return { isDone: false, view: toldView(unclear, 'Unclear') }
    },
  )
  const quick = await inTime(told, IN_TIME_MS)
  if (quick.kind === 'in time')
    return acknowledge(quick.value.isDone ? { response_action: 'clear' } : { response_action: 'update', view: quick.value.view })
  await acknowledge({ response_action: 'update', view: workingView(meanwhile) })
  const sent = await deps.slack.updateView(viewId, (await quick.value).view)
  if (sent.kind !== 'ok') deps.onFault(new Error(`a window could not be updated: ${sent.kind}`))
}

const unclear =
  'Lockkeeper could not read or write its own records. The card shows whether this counts; if it does not, try again in a minute. Whoever operates Lockkeeper finds the reason in its log.'

/** To the one who clicked, where he clicked. */
async function tell(deps: ButtonDeps, body: BlockAction, said: Refusal | Asking): Promise<void> {
  if (isRefusal(said)) noted(said)
  const channel = body.channel?.id
  const thread = threadOf(body.message)
  const sent =
    channel === undefined
      ? await deps.slack.openView(body.trigger_id, toldView(said.text, isRefusal(said) ? 'Not possible' : 'Asked'))
      : await deps.slack.ephemeral({ channel, user: body.user.id, ...(thread === undefined ? {} : { thread }) }, withOffer(said))
  if (sent.kind !== 'ok') deps.onFault(new Error(`a refusal could not be shown: ${sent.kind}`))
}

/** A refusal with what can be done instead below it. */
export const withOffer = (said: { readonly text: string; readonly offer?: Refusal['offer'] }): Message =>
  said.offer === undefined
    ? { text: said.text }
    : { text: said.text, blocks: [section(said.text), actions(button(said.offer.label, 'queue', said.offer.token, 'primary'))] }

function threadOf(message: BlockAction['message']): string | undefined {
  const thread: unknown = message?.['thread_ts']
  return typeof thread === 'string' && thread !== message?.ts ? thread : undefined
}

/** What the window was about. Metadata that is not ours leads to no request. */
const shownTo = (metadata: string) => decisionOf(metadata) ?? { token: '', digest: '' }

const unknownButton = refuse(
  'stale_button',
  'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
)

const notOpened = (deps: ButtonDeps, request: RequestRow) =>
  refuse(
    'stale_button',
    `Slack did not open the window in time. Nothing was changed. Click again, or type ${code(`${deps.command} show ${request.id}`)}.`,
  )
