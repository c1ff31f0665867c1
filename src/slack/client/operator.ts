import { performance } from 'node:perf_hooks'
import type { Log } from '../../lib/log.ts'
import { createCaller } from './client.ts'
import type { Sent } from '../port.ts'

/** What only an operator asks of Slack: never while a run is carried. */

/** Whether the app-level token opens connections. The address that Slack answers with is not used, and lapses. */
export const tryAppToken = (options: { readonly appToken: string; readonly log: Log; readonly apiUrl?: string }): Promise<Sent<null>> =>
  createCaller({ botToken: options.appToken, log: options.log, ...(options.apiUrl === undefined ? {} : { apiUrl: options.apiUrl }) })(
    'apps.connections.open',
  )

/** How far Slack's clock is ahead of ours in milliseconds, to about a second, from the date of any answer. Undefined without one. */
export async function slackAheadMs(apiUrl = 'https://slack.com/api/', timeoutMs = 5_000): Promise<number | undefined> {
  const asked = performance.now()
  const sent = Date.now()
  const answer = await fetch(new URL('api.test', apiUrl), { method: 'POST', signal: AbortSignal.timeout(timeoutMs) }).catch(() => undefined)
  const date = Date.parse(answer?.headers.get('date') ?? '')
  if (Number.isNaN(date)) return undefined
  // the header has whole seconds: half of one is the best guess
  return date + 500 - (sent + (performance.now() - asked) / 2)
}
