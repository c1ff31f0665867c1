import type { Blocker, GuardEvent } from './blocker.ts'
import type { Commands } from '../config/commands.ts'
import type { Evidence, Plan } from '../plan/plan.ts'
import type { PersonsWaiver } from '../sql/weigh/finding.ts'

/** The rows of a request, as the whole house sees them. Times are Dates, ids are numbers (they stay far below 2^53). */

export const activeStates = ['planning', 'waiting', 'granted', 'running', 'needs_human'] as const
export const endedStates = ['succeeded', 'failed', 'cancelled', 'rejected', 'expired', 'refused'] as const
export type RequestState = (typeof activeStates)[number] | (typeof endedStates)[number]

/** How a run can end that has to switch maintenance mode off first. */
export type Ending = Extract<RequestState, 'failed' | 'cancelled' | 'needs_human'>

/** Who may break the glass of a request and who reviews it, with the members of groups beside them in the snapshot. */
export type BreakGlassRules = { readonly from: readonly string[]; readonly review: readonly string[]; readonly remindMs: number }

/** That somebody asked to go without approvals, did, and that a second person has looked at it. Times in milliseconds since 1970. */
export type BreakGlass = {
  readonly reason: string
  readonly askedBy: string
  readonly askedAt: number
  /** What was let through, by whom; null while it is only asked for. */
  readonly digest: string | null
  readonly brokenBy: string | null
  readonly brokenAt: number | null
  /** Humans who asked for it or broke it, also of earlier plans of this request: none of them may review. */
  readonly involved: readonly string[]
  /** Who reviews it, by the rules as they were when it was broken. */
  readonly review: readonly string[]
  readonly reviewedBy: string | null
  readonly reviewedAt: number | null
  readonly note: string | null
}

export type Ask = { readonly ref: string | null; readonly reason: string | null; readonly skipApp: boolean }

/** The rules for this request as they were when it was asked; the stricter of these and the present ones counts. */
export type PolicySnapshot = {
  readonly required: number
  readonly from: readonly string[]
  /** Members of each group when it was asked, so that somebody who joins later does not become eligible. */
  readonly members: Readonly<Record<string, readonly string[]>>
  readonly expiresMs: number
  readonly grantExpiresMs: number
  /** Left out: the target did not allow it when it was asked. */
  readonly breakGlass?: BreakGlassRules
  /** Who may let a finding pass that blocks. Left out: nothing blocked it. */
  readonly waive?: readonly string[]
}

/** What the card says at the end, or when a person is needed. All parts are mrkdwn with outside text escaped, except `excerpt`. */
export type RunOutcome = {
  readonly headline: string
  readonly why?: string
  readonly next?: string
  /** Raw lines of output, drawn preformatted. */
  readonly excerpt?: string
  /** For needs_human: what is certain and what is not. */
  readonly known?: string
  readonly notKnown?: string
  /** Whether maintenance mode is off again, and if not, what is known. */
  readonly maintenance?: string
  /** Name of the backup that is there if it is needed. */
  readonly backup?: string
}

/** What every request has, whatever became of it. */
type Asked = {
  readonly id: number
  readonly token: string
  readonly kind: string
  readonly target: string
  readonly requester: string
  readonly requesterHuman: string
  readonly askedIn: string | null
  readonly channel: string
  readonly ask: Ask
  readonly cancelRequestedAt: Date | null
  readonly cancelRequestedBy: string | null
  readonly createdAt: Date
  /** The store's clock when this row was read; what is past by it is decided without asking again. */
  readonly readAt: Date
  readonly revision: number
  /** Null as long as nobody asks to go without approvals. */
  readonly breakGlass: BreakGlass | null
  /** Maintenance mode may be on because of this run, and has to be switched off. */
  readonly owesOff: boolean
  /** For a request that waits for its turn: it starts by itself, not earlier than this and before `notAfter`. Null: as soon as it is approved. */
  readonly notBefore: Date | null
  readonly notAfter: Date | null
  /** The maintenance window that it is for, or in which it runs. */
  readonly windowId: number | null
  /** When what was approved is compared again with the world, before its turn. */
  readonly checkAt: Date | null
  /** When the opening closes in which it runs. */
  readonly closesAt: Date | null
  /** Why it may start outside of windows and in a freeze; null when it may not. */
  readonly overrideReason: string | null
}

/** Nobody has read yet what it would do. */
type Unplanned = { readonly plan: null; readonly digest: null; readonly evidence: null; readonly policy: null; readonly expiresAt: null }

/** What is voted for, by which rules, and until when. */
type Planned = {
  readonly plan: Plan
  readonly digest: string
  readonly evidence: Evidence
  readonly policy: PolicySnapshot
  readonly expiresAt: Date
}

type NotGranted = { readonly grantedAt: null; readonly grantExpiresAt: null }
type Granted = { readonly grantedAt: Date; readonly grantExpiresAt: Date }
type NotStarted = { readonly startedAt: null; readonly endedAt: null; readonly ending: null }

export type PlanningRequest = Asked & Unplanned & NotGranted & NotStarted & { readonly state: 'planning'; readonly outcome: null }
export type WaitingRequest = Asked & Planned & NotGranted & NotStarted & { readonly state: 'waiting'; readonly outcome: null }
export type GrantedRequest = Asked & Planned & Granted & NotStarted & { readonly state: 'granted'; readonly outcome: null }
export type RunningRequest = Asked &
  Planned &
  Granted & {
    readonly state: 'running'
    readonly startedAt: Date
    readonly endedAt: null
    /** How a run that is still called running will end, with the outcome that stands here already, once maintenance mode is off again. */
    readonly ending: Ending | null
    readonly outcome: RunOutcome | null
  }
export type StoppedRequest = Asked &
  Planned &
  Granted & {
    readonly state: 'needs_human'
    readonly startedAt: Date
    readonly endedAt: null
    readonly ending: null
    readonly outcome: RunOutcome
  }
/** It may have ended before it had a plan, an approval or a start. */
export type EndedRequest = Asked &
  (Planned | Unplanned) &
  (Granted | NotGranted) & {
    readonly state: (typeof endedStates)[number]
    readonly startedAt: Date | null
    readonly endedAt: Date
    readonly ending: null
    readonly outcome: RunOutcome | null
  }

/** A request by its state: what must be there in a state is there by its type. */
export type RequestRow = PlanningRequest | WaitingRequest | GrantedRequest | RunningRequest | StoppedRequest | EndedRequest

/** One that people could read and vote for; its plan says so. */
export type PlannedRequest = Extract<RequestRow, { readonly plan: Plan }>

export type VoteRow = {
  readonly requestId: number
  readonly digest: string
  readonly actor: string
  readonly human: string
  /** `break_glass` is a right of its own: it never counts as an approval. */
  readonly decision: 'approve' | 'reject' | 'break_glass'
  readonly reason: string | null
  readonly at: Date
}

export type StepState = 'pending' | 'running' | 'done' | 'skipped' | 'failed' | 'cancelled' | 'unknown'

export type StepRow = {
  readonly requestId: number
  readonly ordinal: number
  readonly name: string
  readonly title: string
  readonly state: StepState
  readonly attempt: number
  readonly details: string | null
  readonly output: string | null
  readonly data: unknown
  readonly startedAt: Date | null
  readonly endedAt: Date | null
}

/** Why on-call is paged about a request. */
export type PageReason = 'needs_human' | 'failed' | 'health_lost'

/** One change of state. The thread shows each as one post. */
export type RequestEvent =
  | { readonly kind: 'requested'; readonly data: Record<string, never> }
  | { readonly kind: 'approved'; readonly data: { readonly by: string; readonly count: number; readonly required: number } }
  | { readonly kind: 'rejected'; readonly data: { readonly by: string; readonly reason: string } }
  /** Findings that block were let pass, for this plan alone: by their keys, with what they said. */
  | { readonly kind: 'waived'; readonly data: PersonsWaiver }
  /** `samePlan`: what is voted for has not changed, so the approvals that still count under today's rules stay. */
  | { readonly kind: 'asked_anew'; readonly data: { readonly why: string; readonly samePlan?: true } }
  /** `window`: the window that it was for has closed. */
  | {
      readonly kind: 'expired'
      readonly data: {
        readonly what: 'request' | 'grant' | 'window'
        /** By hand, before its time. */ readonly window?: 'cancelled' | 'completed'
      }
    }
  /** Half of the time after the reminder nobody has answered: somebody else is told. */
  | {
      readonly kind: 'escalated'
      readonly data: {
        readonly count: number
        readonly required: number
        readonly to: readonly string[]
        readonly users: readonly string[]
      }
    }
  /** Before its turn it was compared again with the world, and nothing had changed. */
  | { readonly kind: 'checked'; readonly data: Record<string, never> }
  /** It may start outside of windows and in a freeze. */
  | { readonly kind: 'overridden'; readonly data: { readonly by: string; readonly reason: string } }
  /** The window is open, and nobody has confirmed to stand by. */
  | { readonly kind: 'no_standby'; readonly data: { readonly windowId: number | null; readonly standby: string | null } }
  /** The hours of its window have changed; milliseconds since 1970. */
  | {
      readonly kind: 'window_moved'
      readonly data: {
        readonly windowId: number
        readonly from: number
        readonly to: number
        /** When the run starts; when the window does, unless it was asked for a later time. */
        readonly startsAt?: number
      }
    }
  /** The window closed while it runs. */
  | { readonly kind: 'overrun'; readonly data: { readonly windowId: number | null; readonly owner: string; readonly closedAt: number } }
  | {
      readonly kind: 'reminded'
      readonly data: { readonly digest: string; readonly count: number; readonly required: number; readonly from: readonly string[] }
    }
  | {
      readonly kind: 'glass_broken'
      readonly data: {
        readonly by: string
        readonly reason: string
        readonly count: number
        readonly required: number
        readonly review: readonly string[]
        /** Accounts that are told by a direct message. */
        readonly users: readonly string[]
        /** Earlier requests on this target that nobody has reviewed yet. */
        readonly unreviewed: readonly number[]
      }
    }
  | {
      readonly kind: 'review_due'
      /** `needsPerson`: it cannot be reviewed before somebody has closed it. */
      readonly data: { readonly review: readonly string[]; readonly users: readonly string[]; readonly needsPerson?: true }
    }
  | { readonly kind: 'reviewed'; readonly data: { readonly by: string; readonly note: string } }
  /** `count`: how often by now; `users` are told by a direct message. */
  | { readonly kind: 'paged'; readonly data: { readonly reason: PageReason; readonly count: number; readonly users: readonly string[] } }
  | { readonly kind: 'page_acknowledged'; readonly data: { readonly by: string } }
  | { readonly kind: 'cancel_requested'; readonly data: { readonly by: string } }
  | { readonly kind: 'started'; readonly data: Record<string, never> }
  | { readonly kind: 'finding'; readonly data: { readonly text: string } }
  | { readonly kind: 'step_done'; readonly data: { readonly step: string; readonly title: string; readonly output: string } }
  | {
      readonly kind: 'migration_done'
      readonly data: { readonly name: string; readonly output: string; readonly at: number; readonly of: number }
    }
  | GuardEvent
  | { readonly kind: 'adopted'; readonly data: { readonly step: string | null } }
  /** It has stopped, and ends once maintenance mode is off again. `headline` is mrkdwn. */
  | { readonly kind: 'ending'; readonly data: { readonly state: Ending; readonly headline: string } }
  | { readonly kind: 'ended'; readonly data: { readonly state: RequestState } }

export type EventRow = RequestEvent & { readonly id: number; readonly requestId: number; readonly at: Date }

/** Everything that a renderer needs. */
export type RequestView = {
  readonly request: RequestRow
  readonly targetTitle: string
  readonly commands: Commands
  readonly votes: readonly VoteRow[]
  readonly steps: readonly StepRow[]
  readonly events: readonly EventRow[]
  /** Who is in the way of the migration that runs; left out where nobody is. */
  readonly blocker?: Blocker
  /** The last lines of output of the running or last step, redacted. */
  readonly tail: string
  readonly now: Date
}
