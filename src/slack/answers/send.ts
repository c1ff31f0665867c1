import { beginning } from '../limits/pieces.ts'
import { limits } from '../limits/shapes.ts'
import type { Message, Sent, SlackPort, View } from '../port.ts'
import type { AnswerRow } from './rows.ts'

/** Which ways there are to one person, and which of them an answer takes. */

export type AnswerSlack = Pick<SlackPort, 'respond' | 'ephemeral' | 'updateView' | 'openView' | 'openDirect' | 'post' | 'findByIntent'>

export type Sending =
  | { readonly kind: 'sent' }
  /** Not all of it yet: parts that stand there, and when it is tried again. */
  | { readonly kind: 'later'; readonly parts: number; readonly inMs: number; readonly why: string }
  /** No way leads to this person. */
  | { readonly kind: 'gone'; readonly why: string }

type Ways = {
  readonly slack: AnswerSlack
  readonly row: AnswerRow
  /** The address that came with the delivery; null when it cannot be read any more. */
  readonly responseUrl: string | null
  /** Opens a window, within 3 s of the click. */
  readonly trigger?: string | undefined
  readonly counted: (parts: number) => Promise<void>
}

/** It lives 30 minutes; one that Slack does not take for so many times is left. */
const URL_LIFE_MS = 29 * 60_000
const URL_TRIES = 4

/**
 * Part by part, by the first way that leads there. A way that Slack refuses for good is left for the next one; where Slack does not say
 * whether it took something the same way is tried again, since silence is worse than hearing it twice.
 */
export async function sendAnswer(ways: Ways): Promise<Sending> {
  const { row } = ways
  if (row.said === null) return { kind: 'gone', why: 'it says nothing' }
  const parts = partsOf(row.said.message)
  const open = waysOf(ways, row.said.view)
  const refused: string[] = []
  for (let part = row.parts; part < parts.length;) {
    const [way] = open
    const message = parts[part]
    if (message === undefined) break
    if (way === undefined) return { kind: 'gone', why: refused.join(', ') }
    const sent = await way.send(message, part)
    if (sent.kind === 'ok') {
      part = way.isWhole ? parts.length : part + 1
      if (part < parts.length) await ways.counted(part)
    } else if (sent.kind === 'refused' && !ofToken.has(sent.error)) {
      refused.push(`${way.name}: ${sent.error}`)
      open.shift()
    } else {
      const inMs = sent.kind === 'limited' ? sent.retryAfterMs : pauseAfter(row.tries)
      return { kind: 'later', parts: part, inMs, why: `${way.name}: ${sent.kind === 'limited' ? 'limited' : whyOf(sent)}` }
    }
  }
  return { kind: 'sent' }
}

const whyOf = (sent: Exclude<Sent<null>, { kind: 'ok' | 'limited' }>): string => (sent.kind === 'refused' ? sent.error : sent.cause)

/** The bot's own token is not in order; another way needs it too, and it may be put right. */
const ofToken: ReadonlySet<string> = new Set(['invalid_auth', 'not_authed', 'token_revoked', 'token_expired', 'account_inactive'])

const PAUSES = [1_000, 2_000, 5_000, 10_000, 30_000]
const pauseAfter = (tries: number): number => PAUSES[tries] ?? 60_000

type Way = {
  readonly name: string
  /** Shows all of it at once. */
  readonly isWhole?: true
  readonly send: (message: Message, part: number) => Promise<Sent<null>>
}

function waysOf(ways: Ways, view: View): Way[] {
  const { slack, row, trigger, responseUrl } = ways
  const { channel, thread, account } = row
  const isUrlAlive = responseUrl !== null && row.ageMs < URL_LIFE_MS && row.tries < URL_TRIES
  const byUrl: readonly Way[] = isUrlAlive
    ? [{ name: 'response_url', send: (message) => slack.respond(responseUrl, message, thread ?? undefined) }]
    : []
  const beside: readonly Way[] =
    channel === null
      ? []
      : [
          {
            name: 'beside it',
            send: (message) => slack.ephemeral({ channel, user: account, ...(thread === null ? {} : { thread }) }, message),
          },
        ]
  const direct: Way = { name: 'direct message', send: (message, part) => sendDirect(slack, row, message, part) }
  const { view: id } = row
  const inView: readonly Way[] = id === null ? [] : [{ name: 'window', isWhole: true, send: () => slack.updateView(id, view) }]
  const over: readonly Way[] = trigger === undefined ? [] : [{ name: 'over it', isWhole: true, send: () => slack.openView(trigger, view) }]
  switch (row.kind) {
    case 'command':
      return [...byUrl, ...beside, direct]
    case 'click':
      return id === null && channel === null ? [...over, direct] : [...inView, ...beside, ...byUrl, direct]
    case 'form':
      // whoever was promised nothing has seen it in the acknowledgement, and has closed the window
      return [...inView, row.promised === null ? { name: 'acknowledgement', isWhole: true, send: () => Promise.resolve(OK) } : direct]
  }
}

const OK = { kind: 'ok', value: null } as const

/** A message of which Slack knows whether it is there: one whose reply was lost is looked for before it is sent again. */
async function sendDirect(slack: AnswerSlack, row: AnswerRow, message: Message, part: number): Promise<Sent<null>> {
  const opened = await slack.openDirect(row.account)
  if (opened.kind !== 'ok') return opened
  const intent = `answer:${row.id}:${part}`
  if (row.tries > 0) {
    const found = await slack.findByIntent({ channel: opened.value }, intent)
    if (found.kind === 'ok' && found.value !== null) return OK
    if (found.kind === 'limited' || found.kind === 'unsure') return found
  }
  const posted = await slack.post({ channel: opened.value }, message, intent)
  return posted.kind === 'ok' ? OK : posted
}

/** Whole lines where there are some. What has blocks is made to fit when it is sent. */
function partsOf(message: Message): readonly Message[] {
  if (message.blocks !== undefined) return [message]
  const parts: Message[] = []
  for (let rest = message.text; rest !== '' || parts.length === 0;) {
    const text = beginning(rest, limits.text)
    parts.push({ text: text.trimEnd() })
    rest = rest.slice(text.length)
  }
  return parts
}
