import type { AllMiddlewareArgs, AnyMiddlewareArgs, BlockAction } from '@slack/bolt'
import { clickedAt, answerClick } from '../approvals/modals/click.ts'
import { noticeView } from '../approvals/modals/notice-modal.ts'
import type { AuditEntry } from '../src/audit/write.ts'
import { inTime } from '../src/lib/in-time.ts'
import { deliveryKeys, isFirstDelivery } from './dedupe.ts'
import { ACT_MS, recordSafely, toAsker, type ListenDeps } from './door.ts'
import { answersTo, deliveryFault } from './http-body.ts'

type Incoming = AllMiddlewareArgs & AnyMiddlewareArgs

/** The gate before every handler: our workspace, and each delivery once, written down before anything is done. */
export async function admit(deps: ListenDeps, args: Incoming, handling: Map<string, Promise<void>>): Promise<void> {
  const body = args.body as unknown as Readonly<Record<string, unknown>> // Slack's payloads differ; these fields are common
  const fault = deliveryFault(body, answersTo(deps.apiUrl))
  if (fault !== undefined) {
    deps.onFault(new Error(`a delivery that is none of Slack was refused: ${fault}`))
    await recordSafely(deps, { actor: userOf(body), entry: entryOf(body), act: 'delivery', result: 'bad_arguments', data: { why: fault } })
    return refuseDelivery(args, MALFORMED)
  }
  if (teamOf(body) !== deps.team) {
    deps.onFault(new Error('a delivery for another workspace was refused'))
    await recordSafely(deps, { actor: userOf(body), entry: entryOf(body), act: 'delivery', result: 'not_a_member' })
    return refuseDelivery(args, 'Lockkeeper serves another workspace. Nothing was started.')
  }
  if (deps.slackApp !== null && body['api_app_id'] !== deps.slackApp) {
    deps.onFault(new Error('a delivery for another app was refused'))
    await recordSafely(deps, { actor: userOf(body), entry: entryOf(body), act: 'delivery', result: 'not_a_member' })
    return refuseDelivery(args, 'This was sent for another app than Lockkeeper. Nothing was started.')
  }
  const keys = deliveryKeys(body, args.context)
  const earlier = keys.flatMap((key) => handling.get(key) ?? [])
  const done = Promise.withResolvers<void>()
  for (const key of keys) handling.set(key, done.promise)
  try {
    // what this process handles already is not asked of the store: the later one could be written down first, and the first told nothing
    const isFirst = earlier.length > 0 ? false : await isFirstInTime(deps, keys)
    if (isFirst === undefined) return await answerUnread(deps, args)
    if (isFirst) return await args.next()
    // Slack takes the first acknowledgement of the two: an empty one must not come before the answer
    await inTime(Promise.all(earlier), ACT_MS)
    await refuseDelivery(args, undefined)
  } finally {
    done.resolve()
    for (const key of keys) if (handling.get(key) === done.promise) handling.delete(key)
  }
}

/** Undefined when the store does not say, or not before Slack gives up: then nothing is done, and the person is told to do it again. */
async function isFirstInTime({ db, onFault }: ListenDeps, keys: readonly string[]): Promise<boolean | undefined> {
  const asked = isFirstDelivery(db, keys).catch((error: unknown) => {
    onFault(error)
    return undefined
  })
  const answer = await inTime(asked, STORE_MS)
  return answer.kind === 'late' ? undefined : answer.value
}

const STORE_MS = 2_000

/** Commands and forms are answered with the acknowledgement; whoever clicked is told where the click was. */
async function answerUnread(deps: ListenDeps, args: Incoming): Promise<void> {
  await refuseDelivery(args, UNREAD)
  if (args.body.type !== 'block_actions' || !('actions' in args.body)) return
  const sent = await answerClick(deps.slack, clickedAt(args.body as BlockAction), { text: UNREAD })
  if (sent.kind !== 'ok') deps.onFault(new Error(`a click could not be answered: ${sent.kind}`))
}

const UNREAD =
  'Lockkeeper could not read or write its own records, so nothing was started or changed. Try again in a minute. Whoever operates Lockkeeper finds the reason in its log.'

const MALFORMED =
  'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.'

/** Acknowledged, so that Slack does not send it again; what a slash command answers is shown to the asker. */
async function refuseDelivery(args: Incoming, text: string | undefined): Promise<void> {
  if ('command' in args && 'ack' in args) {
    if (text === undefined) await args.ack()
    else await args.ack(toAsker(text))
    return
  }
  const ack: unknown = 'ack' in args ? args.ack : undefined
  if (typeof ack !== 'function') return // events are acknowledged by the library
  const isSubmission = args.body.type === 'view_submission'
  const response = isSubmission && text !== undefined ? { response_action: 'update', view: noticeView(text) } : undefined
  await (ack as (response?: unknown) => Promise<void>)(response)
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
