import type { Desired } from '../../slack/outbox/desired.ts'
import { runCard, type CardContext } from './card.ts'
import type { RequestView } from '../request.ts'

/** Names the one channel message of a request. */
export const cardKey = (requestId: number): string => `card:${requestId}`

/** The card once a run has begun; progress waits when Slack is short of calls, ends do not. */
export const drawRun = (view: RequestView, context: CardContext): Desired => ({
  key: cardKey(view.request.id),
  destination: { kind: 'channel', channel: view.request.channel },
  content: { kind: 'current', message: runCard(view, context) },
  isUrgent: view.request.state !== 'running' || view.request.cancelRequestedAt !== null,
})
