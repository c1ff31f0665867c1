import type { Asker } from '../parse/channel-scope.ts'
import type { AfterDeps } from '../../approvals/requests/after.ts'
import type { OpenDeps } from '../../approvals/requests/request.ts'
import type { AuditEntry } from '../../src/audit/write.ts'
import type { Target } from '../../src/config/config.ts'
import type { ExportEvidence } from '../../src/evidence/export.ts'
import type { SlackPort } from '../../src/slack/port.ts'
import type { LiveSchema } from '../../src/live-schema/look.ts'
import type { SetAside } from '../../src/live-schema/set-aside.ts'
import type { LiveCommit } from '../../src/deploy/live-commit.ts'
import type { CommitsSince, Evidence, Plan } from '../../src/plan/plan.ts'
import type { RunnerPlan, ShownStatus } from '../../src/plan/prisma8/make.ts'
import type { MigrationRow } from '../../src/plan/status.ts'
import type { Refusal } from '../../src/lib/refusal.ts'
import type { Ask } from '../../src/request/request.ts'
import type { Known } from '../parse/usage.ts'

/** What a verb answers; the caller shows it to the asker alone. `text` is mrkdwn with outside parts escaped. */
export type Reply =
  | { readonly kind: 'said'; readonly text: string }
  /** A request was written; its card appears in the target's channel. */
  | { readonly kind: 'opened'; readonly requestId: number; readonly text: string }
  /** The form that builds a request is wanted. */
  | { readonly kind: 'form' }
  | Refusal

export const say = (text: string): Reply => ({ kind: 'said', text })

/** What every audit row about an asker says of him. */
export const auditedBy = (
  deps: { readonly people: { readonly humanOf: (account: string) => string } },
  { account, entry }: Asker,
): Pick<AuditEntry, 'actor' | 'human' | 'entry'> => ({ actor: account, human: deps.people.humanOf(account), entry })

/** Names of migrations by what stands in the database and in the newest commit of the target's branch. */
export type TargetStatus = {
  /** `missing`: tables but no record of migrations; `fresh`: neither. */
  readonly baseline: 'present' | 'missing' | 'fresh'
  readonly applied: readonly Named[]
  readonly pending: readonly Named[]
  readonly failed: readonly Named[]
  readonly running: readonly Named[]
  readonly rolledBack: readonly Named[]
  readonly edited: readonly Named[]
  readonly unknown: readonly Named[]
  /** Rows of `_prisma_migrations` by their start. */
  readonly record: readonly RecordRow[]
}

export type RecordRow = Pick<MigrationRow, 'name' | 'startedAt' | 'finishedAt' | 'rolledBackAt'>

type Named = { readonly name: string }

/** Of a commit that brings Prisma 8. */
export type RunnerShown = { readonly kind: 'runner'; readonly status: ShownStatus }

export type PlanShown = {
  readonly plan: Plan
  readonly digest: string
  readonly evidence: Evidence
  /** Of Prisma 8 only. */
  readonly operations?: RunnerPlan['operations']
}

export type LiveLook = { readonly schema: LiveSchema; readonly setAside: readonly SetAside[] }

/** What the verbs are given. */
export type VerbDeps = OpenDeps &
  AfterDeps & {
    readonly known: Known
    readonly readStatus: (target: Target) => Promise<TargetStatus | RunnerShown | Refusal>
    /** What is live by the target's `current` command; null when it has none. */
    readonly askLiveCommit: (target: Target) => Promise<LiveCommit | null>
    /** The live schema beside what the last run left; null when the target cannot be read. */
    readonly lookLive: (target: Target) => Promise<LiveLook | null>
    /** What the branch has beside the live commit; null where nobody knows. */
    readonly commitsNotLive: (target: Target) => Promise<CommitsSince | null>
    readonly makePlan: (target: Target, ask: Ask) => Promise<PlanShown | Refusal>
    readonly exportEvidence: ExportEvidence
    /** Where evidence goes. */
    readonly slack: Pick<SlackPort, 'upload' | 'openDirect' | 'permalink'>
    /** Whether anything may run at all now: the audit, the store, the clocks. Null when it may. */
    readonly whyNoRun: () => Promise<Refusal | null>
    /** A fault that is answered with a sentence still belongs in the log. */
    readonly onFault: (error: unknown) => void
  }
