import type { Clock } from '../lib/clock.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../lib/log.ts'
import type { Redactor } from '../redact/redact.ts'
import type { RateLimit } from '../slack/outbox/rate-limit.ts'

export type AppOptions = {
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  readonly log: Log
  readonly clock: Clock
  /** How fast it writes to Slack; left out, as Slack's limits ask. */
  readonly rateLimit?: RateLimit
  /** Ends the waiting for Slack at the start; afterwards there is `App.stop`. */
  readonly stop?: AbortSignal
}
