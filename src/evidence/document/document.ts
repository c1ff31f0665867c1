import type { MigrationClass } from '../../sql/effects/effect.ts'
import type { Plan } from '../../plan/plan.ts'
import type { PolicySnapshot, RequestState, StepState } from '../../request/request.ts'

/**
 * One request as evidence. It is written as canonical JSON and signed; times are ISO 8601 in UTC, digests SHA-256 in hex, sizes bytes.
 * What people wrote is plain text, redacted. A part that could not be read is null, and its `missing` says why.
 */
export type EvidenceDocument = {
  readonly kind: 'lockkeeper-evidence'
  readonly version: 1
  /** The store that the rows come from. */
  readonly store: string
  /** `isFinal`: the request has ended and what was let through without approvals is reviewed, so that a later bundle says nothing else about it. */
  readonly exported: { readonly at: string; readonly by: Person; readonly isFinal: boolean }
  readonly signer: { readonly keyId: string; readonly publicKey: string }
  readonly request: RequestPart
  readonly outcome: OutcomePart | null
  readonly plan: PlanPart | null
  readonly migrations: readonly MigrationPart[]
  readonly policy: PolicySnapshot | null
  /** Left out where the review weighed nothing. */
  readonly findings?: readonly FindingPart[]
  readonly votes: readonly VotePart[]
  readonly breakGlass: BreakGlassPart | null
  readonly checks: ChecksPart | null
  readonly steps: readonly StepPart[]
  readonly backups: readonly BackupPart[]
  readonly output: OutputPart
  readonly health: HealthPart | null
  readonly timeline: TimelinePart
  readonly tools: ToolsPart
  /** Slack's names for the accounts above, as they were when this was exported; null when Slack did not say. */
  readonly people: readonly { readonly account: string; readonly name: string | null }[]
}

/** The account that acted (`U…` or `os:login`) and the human behind it. */
export type Person = { readonly account: string; readonly human: string }

export type RequestPart = {
  readonly id: number
  readonly kind: string
  readonly target: string
  readonly title: string
  readonly state: RequestState
  readonly askedBy: Person
  readonly askedAt: string
  /** Channel in which it was typed; null on the command line. */
  readonly askedIn: string | null
  readonly channel: string
  readonly reason: string | null
  readonly ref: string | null
  readonly skipApp: boolean
  readonly expiresAt: string | null
  readonly grantedAt: string | null
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly cancelRequested: { readonly by: string | null; readonly at: string } | null
}

export type OutcomePart = {
  readonly headline: string
  readonly why: string | null
  readonly next: string | null
  readonly known: string | null
  readonly notKnown: string | null
  readonly excerpt: string | null
  readonly backup: string | null
}

export type PlanPart = {
  /** What people voted for, and whether SHA-256 of `content` as canonical JSON gives it. False when redaction changed the content. */
  readonly digest: string
  readonly isDigestOfContent: boolean
  readonly content: Plan
  readonly subject: string | null
  readonly author: string | null
  readonly notes: readonly string[]
}

export type MigrationPart = {
  readonly name: string
  /** Of the file's raw bytes, as approved. */
  readonly sha256: string
  readonly bytes: number
  readonly concurrently: boolean
  readonly rollbackSha256: string | null
  readonly review: {
    readonly class: MigrationClass
    readonly summary: string
    readonly rows: number | null
    readonly tables: readonly string[]
    readonly findings: readonly string[]
  } | null
  readonly sql: SqlPart
}

export type SqlPart =
  | { readonly kind: 'missing'; readonly why: string }
  | {
      readonly kind: 'text'
      readonly text: string
      /** Of the raw bytes that were read now; the same as the approved one, or the bundle says so. */
      readonly sha256: string
      readonly isApproved: boolean
      readonly isRedacted: boolean
      /** Characters that are left out at the end. */
      readonly cut: number
    }

/** What the review found, weighed by this database, and who let it pass although it blocked. */
export type FindingPart = {
  readonly code: string
  readonly weight: 'note' | 'warning' | 'blocker'
  readonly migration: string
  readonly line: number | null
  readonly table: string | null
  readonly text: string
  /** `by` null: by a comment in the migration. */
  readonly waived: { readonly by: string | null; readonly reason: string; readonly at: string | null } | null
}

export type VotePart = {
  readonly by: Person
  /** `break_glass` lets a request run without approvals, and counts as none. */
  readonly decision: 'approve' | 'reject' | 'break_glass'
  readonly digest: string
  /** Whether it is for the plan above. */
  readonly counts: boolean
  readonly comment: string | null
  readonly at: string
}

/** That somebody asked to go without approvals, did, and that a second person has looked at it. */
export type BreakGlassPart = {
  readonly reason: string
  readonly askedBy: string
  readonly askedAt: string
  /** Of the plan that was let through; null while it is only asked for. */
  readonly digest: string | null
  readonly brokenBy: string | null
  readonly brokenAt: string | null
  readonly reviewedBy: string | null
  readonly reviewedAt: string | null
  readonly note: string | null
}

export type ChecksPart = {
  readonly count: number
  readonly names: readonly string[]
  readonly findings: readonly { readonly level: string; readonly code: string; readonly text: string }[]
}

export type StepPart = {
  readonly name: string
  readonly title: string
  readonly state: StepState
  readonly attempts: number
  readonly startedAt: string | null
  readonly endedAt: string | null
  /** Seconds between the two. */
  readonly seconds: number | null
  readonly output: string | null
  readonly details: string | null
  readonly data: unknown
}

export type BackupPart = {
  readonly name: string
  readonly path: string
  readonly state: string
  readonly takenAt: string
  readonly seconds: number | null
  /** Of the files, and of the database when it was dumped. */
  readonly bytes: number | null
  readonly databaseBytes: number | null
  readonly files: number | null
  readonly migrationRecords: number | null
  readonly forDigest: string | null
  readonly serverVersion: string | null
  readonly clientVersion: string | null
  /** SHA-256 of `manifest.json` as it lies beside the files, which names the SHA-256 of each. */
  readonly manifestSha256: string | null
  readonly manifestMissing: string | null
  readonly verification: { readonly isVerified: boolean; readonly at: string | null; readonly found: string | null }
}

export type OutputPart =
  | { readonly kind: 'missing'; readonly why: string }
  | {
      readonly kind: 'text'
      /** Bytes and SHA-256 of the whole redacted output. */
      readonly bytes: number
      readonly sha256: string
      readonly head: string
      /** Empty unless it was cut. */
      readonly tail: string
      /** Characters between head and tail that are left out. */
      readonly cut: number
    }

export type HealthPart = {
  readonly probes: readonly unknown[]
  readonly state: StepState
  readonly output: string | null
  readonly answers: readonly { readonly url: string; readonly said: string }[]
}

export type TimelinePart = {
  readonly entries: readonly TimelineEntry[]
  /** Entries that are left out because there are too many. */
  readonly cut: number
}

export type TimelineEntry = {
  readonly at: string
  readonly source: 'event' | 'audit' | 'step'
  /** Of the row. */
  readonly id: number
  readonly what: string
  readonly data: unknown
  /** The row's place in the store's hash chain, for rows of the audit log that have one. */
  readonly chain: ChainLink | null
}

/** `hash` is SHA-256 of `prev`, a line feed and `line`: each row can be checked by itself, and rows that follow each other together. */
export type ChainLink = { readonly seq: number; readonly prev: string; readonly hash: string; readonly line: string }

/** Null: nothing of this run recorded it. */
export type ToolsPart = {
  readonly lockkeeper: string
  readonly node: string
  readonly prisma: string | null
  readonly postgresql: string | null
  readonly pgDump: string | null
}
