import type { ButtonDeps } from '../approvals/buttons/deps.ts'
import { writeAudit, type AuditEntry } from '../src/audit/write.ts'
import { noted } from '../src/lib/telemetry.ts'
import { refuse, type Refusal } from '../src/lib/refusal.ts'
import type { Answers } from '../src/slack/answers/answers.ts'
import type { SlackPort } from '../src/slack/port.ts'
import type { Origin } from './parse/channel-scope.ts'
import type { Reply, VerbDeps } from './verbs/reply.ts'
import type { SlackDeps } from './windows/slack.ts'

/** What everything that comes from Slack needs, and how it is answered. */

export type ListenDeps = VerbDeps &
  ButtonDeps & {
    readonly slack: Pick<SlackPort, 'openView' | 'updateView' | 'ephemeral'>
    /** What people are told. */
    readonly answers: Pick<Answers, 'take'>
    /** Everything about maintenance windows. */
    readonly windows: Omit<SlackDeps, 'slack'>
    /** The workspace that the bot belongs to (`T…`). */
    readonly team: string
    /** The app that the bot belongs to (`A…`); null when Slack did not say. */
    readonly slackApp: string | null
    /** As in `BoltOptions`: answers to a `response_url` go there and to Slack, and nowhere else. */
    readonly apiUrl?: string
    /** Draws Home for somebody; called when he opens it. */
    readonly showHome: (user: string) => Promise<void>
  }

/** What only reads is promised early; an act is promised only when Slack would give up. */
export const READ_MS = 800
export const ACT_MS = 2_300

/** Of an act that is over already: a store that is away is logged and changes nothing about the answer. */
export const recordSafely = (deps: ListenDeps, entry: AuditEntry): Promise<void> => writeAudit(deps.db, entry).catch(deps.onFault)

/** `where`: where it would show that it was done after all. */
export const withoutFault = <T>(deps: ListenDeps, reply: Promise<T>, where = IN_CHANNEL): Promise<T | Refusal> =>
  reply
    .catch((error: unknown): T | Refusal => {
      deps.onFault(error)
      return refuse(
        'store_unreachable',
        `Lockkeeper could not read or write its own records. ${where} Whoever operates Lockkeeper finds the reason in its log.`,
      )
    })
    .then(noted)

const IN_CHANNEL = 'If nothing of it shows in the channel within a minute, nothing was started or changed: try again then.'

export const textOf = (reply: Reply): string => (reply.kind === 'form' ? 'The form opens with the bare command.' : reply.text)

/** Direct messages, of two or of several. */
export const originIn = (channel: string, name: string | undefined): Origin => ({
  channel,
  isDirect: channel.startsWith('D') || name === 'directmessage' || name?.startsWith('mpdm-') === true,
})
