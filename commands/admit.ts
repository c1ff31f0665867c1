import type { AllMiddlewareArgs, AnyMiddlewareArgs } from '@slack/bolt'
import { workingView } from '../approvals/modals/notice-modal.ts'
import { saidOf } from '../approvals/modals/said.ts'
import type { AuditEntry } from '../src/audit/write.ts'
import { failpoint } from '../src/lib/failpoint.ts'
import { inTime } from '../src/lib/in-time.ts'
import { ANSWERING, update } from '../src/slack/answers/answering.ts'
import type { Taken } from '../src/slack/answers/answers.ts'
import type { Asked } from '../src/slack/answers/rows.ts'
import { askedIn } from './asked.ts'
import { deliveryKeys, isFirstDelivery } from './dedupe.ts'
import { ACT_MS, recordSafely, type ListenDeps } from './door.ts'
import { answersTo, deliveryFault } from './http-body.ts'

type Incoming = AllMiddlewareArgs & AnyMiddlewareArgs

/** The gate before every handler: our workspace, and each delivery once, written down before anything is done. */
export async function admit(deps: ListenDeps, args: Incoming, handling: Handling): Promise<void> {
  const body = args.body as unknown as Readonly<Record<string, unknown>> // Slack's payloads differ; these fields are common
  const fault = deliveryFault(body, answersTo(deps.apiUrl))
  if (fault !== undefined) {
    deps.onFault(new Error(`a delivery that is none of Slack was refused: ${fault}`))
    await recordSafely(deps, { actor: userOf(body), entry: entryOf(body), act: 'delivery', result: 'bad_arguments', data: { why: fault } })
    return refuseDelivery(deps, args, MALFORMED)
  }
  if (teamOf(body) !== deps.team) {
    deps.onFault(new Error('a delivery for another workspace was refused'))
    await recordSafely(deps, { actor: userOf(body), entry: entryOf(body), act: 'delivery', result: 'not_a_member' })
    return refuseDelivery(deps, args, 'Lockkeeper serves another workspace. Nothing was started.')
  }
  if (deps.slackApp !== null && body['api_app_id'] !== deps.slackApp) {
    deps.onFault(new Error('a delivery for another app was refused'))
    await recordSafely(deps, { actor: userOf(body), entry: entryOf(body), act: 'delivery', result: 'not_a_member' })
    return refuseDelivery(deps, args, 'This was sent for another app than Lockkeeper. Nothing was started.')
  }
  const keys = deliveryKeys(body, args.context)
  const earlier = keys.map((key) => handling.get(key)).find((one) => one !== undefined)
  // what this process handles already is not asked of the store: the later one could be written down first
  if (earlier !== undefined) return acknowledgeAs(deps, args, earlier)
  const acknowledged = Promise.withResolvers<Acknowledged | undefined>()
  const done = Promise.withResolvers<void>()
  const handled: Handled = { acknowledged: acknowledged.promise, done: done.promise }
  for (const key of keys) handling.set(key, handled)
  try {
    await handle(deps, args, {
      keys,
      body,
      async acknowledge(response) {
        await acknowledge(deps, args, response)
        acknowledged.resolve({ response })
      },
    })
  } finally {
    acknowledged.resolve(undefined)
    done.resolve()
    for (const key of keys) if (handling.get(key) === handled) handling.delete(key)
  }
}

/** What this process handles, by everything that is the same when it comes again. */
export type Handling = Map<string, Handled>
type Handled = { readonly acknowledged: Promise<Acknowledged | undefined>; readonly done: Promise<void> }
type Acknowledged = { readonly response: unknown }

/** Slack hears one of the two and does not say which: both say the same, as far as it is known before Slack gives up. */
async function acknowledgeAs(deps: ListenDeps, args: Incoming, { acknowledged, done }: Handled): Promise<void> {
  const heard = await inTime(acknowledged, ACT_MS + 400) // when the first one has promised an answer, and before Slack gives up
  if (heard.kind === 'in time' && heard.value !== undefined) await acknowledge(deps, args, heard.value.response)
  await done
}

type Admitted = {
  readonly keys: readonly string[]
  readonly body: Readonly<Record<string, unknown>>
  readonly acknowledge: (response?: unknown) => Promise<void>
}

async function handle(deps: ListenDeps, args: Incoming, { keys, body, acknowledge }: Admitted): Promise<void> {
  const until = performance.now() + ACT_MS
  const asked = askedIn(body, deps.known)
  if (asked === undefined) {
    const isFirst = await inStoreTime(deps, isFirstDelivery(deps.db, keys))
    await acknowledge()
    return isFirst === true ? args.next() : undefined
  }
  const taking = deps.answers.take(keys, asked)
  const taken = await inStoreTime(deps, taking)
  if (taken === undefined) {
    await answerUnread(deps, asked, acknowledge)
    return taking.then(forget, () => {}) // one that comes late is not handled, and was told of
  }
  if (taken.kind === 'twin') {
    // without an acknowledgement of ours Slack hears the other one's
    if (asked.kind !== 'form') return (await inStoreTime(deps, taken.isAnsweredApart())) === true ? acknowledge() : undefined
    const response = await taken.responseWithin(until - performance.now(), workingView(STILL_CHECKING)).catch(deps.onFault)
    return response === undefined ? undefined : acknowledge(response)
  }
  // nothing is said in it, so that it does not matter which of several Slack hears, and nobody is kept waiting by a decision
  const acknowledging = asked.kind === 'form' ? undefined : acknowledge()
  failpoint('after-take')
  const inHand = asked.kind === 'form' ? taken.form(acknowledge) : taken.answering
  args.context[ANSWERING] = inHand
  try {
    await args.next()
  } catch (error) {
    await inHand.lose()
    throw error
  }
  await Promise.all([inHand.end(), acknowledging])
}

const forget = (taken: Taken): Promise<void> | undefined => (taken.kind === 'first' ? taken.answering.end() : undefined)

const STILL_CHECKING = 'Lockkeeper is still checking. The answer appears here.'

/** Undefined when the store does not say, or not before Slack gives up: then nothing is done, and the person is told to do it again. */
async function inStoreTime<T>({ onFault }: ListenDeps, asking: Promise<T>): Promise<T | undefined> {
  const answer = await inTime(
    asking.catch((error: unknown) => {
      onFault(error)
      return undefined
    }),
    STORE_MS,
  )
  return answer.kind === 'late' ? undefined : answer.value
}

const STORE_MS = 2_000

/**
 * Without the store there is no row, and no telling who else was asked: every replica says the same, in a way that Slack takes once. Of
 * acknowledgements it hears one, of triggers it takes one, and a window shows the same again.
 */
async function answerUnread(deps: ListenDeps, asked: Asked, acknowledge: Admitted['acknowledge']): Promise<void> {
  const { message, view } = saidOf({ text: UNREAD })
  if (asked.kind === 'command') return acknowledge({ response_type: 'ephemeral', ...message })
  if (asked.kind === 'form') return acknowledge(update(view))
  await acknowledge()
  const { account, channel, thread, view: window, trigger = '' } = asked
  const shown = await (window === undefined ? deps.slack.openView(trigger, view) : deps.slack.updateView(window, view))
  if (shown.kind === 'ok' || (shown.kind === 'refused' && shown.error === 'exchanged_trigger_id')) return
  if (channel === undefined) return deps.onFault(new Error(`a click could not be answered: ${shown.kind}`))
  const sent = await deps.slack.ephemeral({ channel, user: account, ...(thread === undefined ? {} : { thread }) }, message)
  if (sent.kind !== 'ok') deps.onFault(new Error(`a click could not be answered: ${sent.kind}`))
}

const UNREAD =
  'Lockkeeper could not read or write its own records. If no other answer follows within a minute, nothing was started or changed: try again then. Whoever operates Lockkeeper finds the reason in its log.'

const MALFORMED =
  'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.'

/** What is said in an acknowledgement is said alike by whoever gets this delivery: it is of none that this bot answers. */
async function refuseDelivery(deps: ListenDeps, args: Incoming, text: string): Promise<void> {
  if ('command' in args) return acknowledge(deps, args, { response_type: 'ephemeral', text })
  return acknowledge(deps, args, args.body.type === 'view_submission' ? update(saidOf({ text }).view) : undefined)
}

/** The one place that acknowledges; events are acknowledged by the library. On a connection that has just gone nobody hears it. */
async function acknowledge({ onFault }: ListenDeps, args: Incoming, response?: unknown): Promise<void> {
  const ack: unknown = 'ack' in args ? args.ack : undefined
  // Bolt wants views of its own type, and ours are checked against Slack's limits before they come here
  if (typeof ack === 'function') await (ack as (response?: unknown) => Promise<void>)(response).catch(onFault)
}

function userOf(body: Readonly<Record<string, unknown>>): string {
  const user = body['user'] as { readonly id?: unknown } | null | undefined
  const id = body['user_id'] ?? user?.id
  return typeof id === 'string' && /^[UW][A-Z0-9]{1,40}$/.test(id) ? id : 'unknown'
}

function entryOf(body: Readonly<Record<string, unknown>>): AuditEntry['entry'] & string {
  if (typeof body['command'] === 'string') return 'slash'
  return body['type'] === 'view_submission' ? 'modal' : 'button'
}

function teamOf(body: Readonly<Record<string, unknown>>): string | undefined {
  const team = body['team'] as { readonly id?: unknown } | null | undefined
  const id = body['team_id'] ?? team?.id
  return typeof id === 'string' ? id : undefined
}
