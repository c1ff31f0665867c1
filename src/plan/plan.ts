import type { Identity } from '../database/identity.ts'
import type { MigrationEvidence } from '../sql/review.ts'

/**
 * A plan is what people approve. It is canonical JSON; its SHA-256 is the digest. Everything in it is decided before the grant, from
 * git objects and by reading the database; nothing in it is a secret.
 */
export type Plan = {
  readonly version: 1
  readonly target: string
  readonly identity: Identity
  readonly commit: string
  readonly ref: string
  /** Migrations applied when asked, oldest first. */
  readonly baseline: readonly Checksum[]
  /** Migrations to apply, in the order in which they will run. */
  readonly list: readonly PlannedMigration[]
  readonly steps: readonly PlannedStep[]
  /** SHA-256 of the approval policy and the guards in force when the plan was made. */
  readonly policy: string
}

/** SHA-256 in hex of the file's raw bytes, as Prisma records it. */
export type Checksum = { readonly name: string; readonly sha256: string }

export type PlannedMigration = Checksum & {
  readonly bytes: number
  /** Of `rollback.sql` beside it, when there is one. */
  readonly rollbackSha256: string | null
  /** Its only statement is `… CONCURRENTLY`: it runs outside a transaction and without timeouts. */
  readonly concurrently: boolean
}

export type PlannedStep = {
  readonly phase: 'prepare' | 'maintenance-on' | 'deploy' | 'health' | 'maintenance-off' | 'maintenance-probe'
  readonly name: string
  /** The resolved configuration: argument vector or probe, working directory, environment (references, not secrets). */
  readonly settings: unknown
}

/** What is shown beside the plan but does not belong to the digest, since it may change without changing what runs. */
export type Evidence = {
  readonly migrations: readonly MigrationEvidence[]
  /** `main is 4 ahead, migrations unchanged` and the like; sentences. */
  readonly notes: readonly string[]
  /** What should be known before it is approved; mrkdwn whose outside parts are escaped. */
  readonly warnings?: readonly string[]
  readonly subject: string
  readonly author: string
  /** Bytes of the whole database, for the backup's estimate. */
  readonly databaseBytes: number
  /** Seconds and bytes of the last backup of this target, if any. */
  readonly lastBackup: { readonly seconds: number; readonly bytes: number } | null
  readonly takenAt: string
}
