import type { CardContext } from '../../src/request/render/card.ts'
import { cardKey, drawRun } from '../../src/request/render/draw.ts'
import { brokenText, reviewDueText } from '../../src/request/render/break-glass.ts'
import { pagedText, pageStatus } from '../../src/request/render/pages.ts'
import type { EventRow, RequestView } from '../../src/request/request.ts'
import { threadOf, type ThreadContext } from '../../src/request/render/thread.ts'
import { overrunText, windowClosedText } from '../../src/request/render/queue.ts'
import { approvalsOf, askOf, commitOf, shortDigest, titleOf } from '../../src/request/render/words.ts'
import { actions, button, linkButton, section } from '../../src/slack/blocks/blocks.ts'
import type { Desired } from '../../src/slack/outbox/desired.ts'
import { cleanMrkdwn, codeText, escapeLine, personText, quoteText } from '../../src/lib/text/text.ts'
import { requestCard } from './card.ts'

export type DrawContext = CardContext &
  ThreadContext & {
    /** Slack users who may decide now, without the requester; told once each while the request waits. */
    readonly approvers: readonly string[]
  }

/** Everything that should stand in Slack about a request: card, thread, messages to approvers. Pure; the outbox makes it so. */
export function drawRequest(view: RequestView, context: DrawContext): readonly Desired[] {
  const card = cardKey(view.request.id)
  return [
    cardOf(view, context),
    ...threadOf(view, card, context),
    ...(view.request.state === 'waiting' ? context.approvers.map((user) => notice(view, user, card)) : []),
    ...pageOf(view, context.timezone),
    ...view.events.flatMap((event) => pageNotices(view, event, card)),
    ...view.events.flatMap((event) => [...breakGlassNotices(view, event, card), ...slotNotices(view, event, card, context.timezone)]),
  ]
}

const cardOf = (view: RequestView, context: DrawContext): Desired =>
  view.request.startedAt === null
    ? {
        key: cardKey(view.request.id),
        destination: { kind: 'channel', channel: view.request.channel },
        content: { kind: 'current', message: requestCard(view, context) },
        isUrgent: true,
      }
    : drawRun(view, context)

const breakGlassAsked = ({ request: { breakGlass } }: RequestView): string =>
  breakGlass === null || breakGlass.brokenBy !== null ? '' : `\n*BREAK GLASS is asked for*\n${quoteText(breakGlass.reason)}`

/** To everybody who approves or reviews, when it happens; to reviewers again and again until one of them has looked. */
function breakGlassNotices(view: RequestView, event: EventRow, card: string): readonly Desired[] {
  if (event.kind !== 'glass_broken' && event.kind !== 'review_due') return []
  const text = event.kind === 'glass_broken' ? brokenText(view, event) : reviewDueText(view, event)
  return event.data.users.map((user) => ({
    key: `${event.kind}:${event.id}:${user}`,
    destination: { kind: 'direct', user },
    content: {
      kind: 'linked',
      to: card,
      message: (url) => ({
        text: text.replaceAll('*', ''),
        blocks: [section(text), actions(linkButton('Open the request', 'open', url))],
      }),
    },
    isUrgent: true,
  }))
}

/** In the channel, with a button as long as nobody has acknowledged. */
function pageOf(view: RequestView, timezone: string): readonly Desired[] {
  const status = pageStatus(view, timezone)
  if (status === null) return []
  const { text, isOpen } = status
  const message = {
    text: text.replaceAll('*', ''),
    blocks: [section(text), ...(isOpen ? [actions(acknowledgeButton(view))] : [])],
  }
  return [
    {
      key: `page:${view.request.id}`,
      destination: { kind: 'channel', channel: view.request.channel },
      content: { kind: 'current', message },
      isUrgent: true,
    },
  ]
}

const acknowledgeButton = ({ request }: RequestView) => button('Acknowledge', 'acknowledge', request.token, 'primary')

/** To those who are named, each time. */
function pageNotices(view: RequestView, event: EventRow, card: string): readonly Desired[] {
  if (event.kind !== 'paged') return []
  const text = pagedText(view, event)
  return event.data.users.map((user) => ({
    key: `paged:${event.id}:${user}`,
    destination: { kind: 'direct', user },
    content: {
      kind: 'linked',
      to: card,
      message: (url) => ({
        text: text.replaceAll('*', ''),
        blocks: [section(text), actions(acknowledgeButton(view), linkButton('Open the request', 'open', url))],
      }),
    },
    isUrgent: true,
  }))
}

function notice(view: RequestView, user: string, card: string): Desired {
  const { request } = view
  const plan = request.digest === null ? '' : ` Plan ${codeText(shortDigest(request.digest))}.`
  const text = `${personText(request.requester)} asks to ${askOf(request)} ${commitOf(request)} on ${escapeLine(view.targetTitle)}. You may decide.${plan}${breakGlassAsked(view)}`
  return {
    key: `dm:${request.id}:${user}`,
    isPassing: true,
    destination: { kind: 'direct', user },
    content: {
      kind: 'linked',
      to: card,
      message: (url) => ({
        text: `${escapeLine(titleOf(view))}: ${text.replaceAll('*', '')}`,
        blocks: [section(text), actions(linkButton('Open the request', 'open', url))],
      }),
    },
  }
}

/** To whoever asked when nobody answered in time, also to whoever had approved when its turn never came, and to whom an open end is up. */
function slotNotices(view: RequestView, event: EventRow, card: string, timezone: string): readonly Desired[] {
  const { request } = view
  const direct = (users: readonly string[], text: string, again: boolean): readonly Desired[] =>
    [...new Set(users)].filter(isSlackUser).map((user) => ({
      key: `${event.kind}:${event.id}:${user}`,
      destination: { kind: 'direct', user },
      content: {
        kind: 'linked',
        to: card,
        message: (url) => ({
          text: `${escapeLine(titleOf(view))}: ${text.replaceAll('*', '')}`,
          blocks: [
            section(`*${escapeLine(titleOf(view))}.* ${text}`),
            actions(
              ...(again && user === request.requester ? [button('Ask again', 'ask_again', request.token, 'primary')] : []),
              linkButton('Open the request', 'open', url),
            ),
          ],
        }),
      },
      isUrgent: true,
    }))
  const involved = [request.requester, ...approvalsOf(view).map((vote) => vote.actor)]
  switch (event.kind) {
    case 'expired':
      if (event.data.what === 'window') return direct(involved, windowClosedText(view), true)
      return direct(
        [request.requester],
        event.data.what === 'grant'
          ? 'The approval ended before the run could start. Nothing was changed.'
          : 'Nobody decided in time, so it has expired. Nothing was changed.',
        true,
      )
    case 'escalated':
      return direct(
        event.data.users,
        `Nobody has answered: ${event.data.count} of ${event.data.required} approvals. Please see that somebody decides.`,
        false,
      )
    case 'overrun':
      return direct([event.data.owner], overrunText(view, event, timezone), false)
    case 'ended':
      // approved for its turn, and stopped there: by a freeze, or since what was approved cannot be done any more
      return event.data.state === 'refused' && request.notBefore !== null
        ? direct(involved, cleanMrkdwn(request.outcome?.headline ?? 'It was refused. Nothing was changed.'), true)
        : []
    default:
      return []
  }
}

const isSlackUser = (account: string): boolean => /^[UW][A-Z0-9]+$/.test(account)
