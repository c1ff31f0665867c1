import { readClock, type Reading } from '../../lib/clock-skew.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Sent, SlackPort } from '../port.ts'
import { call, clientOf, nothing, type Access } from './web-api.ts'

/**
 * Slack's clock, from the date that every answer carries, also one that refuses. It has whole seconds: the moment lies within the second
 * that begins here, so its middle is the best guess.
 */
export async function slackTime(access: Access, timeoutMs: number): Promise<Sent<number>> {
  let date: string | null = null
  const client = clientOf(access, timeoutMs, {
    fetch: async (...asked) => {
      const answer = await fetch(...asked)
      date = answer.headers.get('date') // the library keeps the headers to itself
      return answer
    },
  })
  const sent = await call(client, 'api.test', {}, nothing)
  const at = Date.parse(date ?? '')
  if (!Number.isNaN(at)) return { kind: 'ok', value: at + SECOND_MS / 2 }
  return sent.kind === 'ok' ? { kind: 'unsure', cause: 'the answer had no date' } : sent
}

const SECOND_MS = 1_000

/** Beside this process's clock; undefined when Slack does not answer. */
export const readSlackClock = (slack: Pick<SlackPort, 'time'>, clock: Clock): Promise<Reading | undefined> =>
  readClock(
    "Slack's clock",
    async () => {
      const sent = await slack.time()
      return sent.kind === 'ok' ? sent.value : undefined
    },
    clock,
    SECOND_MS / 2,
  )
