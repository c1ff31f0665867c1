import type { Refusal } from '../../src/lib/refusal.ts'
import type { RequestRow } from '../../src/request/request.ts'
import type { SlackPort } from '../../src/slack/port.ts'
import type { AgainDeps } from '../requests/again.ts'

export type ButtonDeps = AgainDeps & {
  readonly slack: Pick<SlackPort, 'openView'>
  /** The SQL of the plan's migrations, from git objects. */
  readonly readSql: (request: RequestRow) => Promise<readonly { readonly name: string; readonly sql: string }[] | Refusal>
  readonly onFault: (error: unknown) => void
  /** Why a message is not one of this store; null when it is, or does not say. */
  readonly whyNotOurs: (where: { readonly channel: string; readonly ts: string; readonly thread?: string }) => Promise<Refusal | null>
}

/** Slack waits 3 s for the acknowledgement and gives a trigger as long; the rest is for the way there and back. */
export const IN_TIME_MS = 2_000
