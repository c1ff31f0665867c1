import { z } from 'zod'
import type { PlanClass } from '../config/keys/classes.ts'
import type { ToolSettings } from '../config/tool.ts'
import type { Identity } from '../database/identity.ts'
import type { MigrationEvidence } from '../sql/review.ts'
import type { Finding } from '../sql/weigh/finding.ts'

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
  /** Of a commit that brings Prisma 8. Plans of 5 to 7 do not have the key, so their digests are what they always were. */
  readonly prisma8?: RunnerPlanned
  /** By the class of the plan. Plans of targets without such rules do not have the key. */
  readonly rules?: { readonly class: PlanClass; readonly order: 'migrate-first' | 'app-first'; readonly maintenance: 'on' | 'off' }
  /** Of a tool that is not Prisma: its settings as far as they decide what runs. */
  readonly tool?: OtherTool
}

/** What of Prisma 8's files decides what runs; `sha256` of a migration in the list is that of its `ops.json`. */
export type RunnerPlanned = {
  /** The exact version of Prisma that the commit settles on. */
  readonly version: string
  /** From the root of the repository. */
  readonly directory: string
  /** The emitted contract, to which the run would lead. */
  readonly contract: { readonly path: string; readonly hash: string; readonly sha256: string }
  /** The contract that the database had when asked; null when it was empty. */
  readonly marker: string | null
  readonly packages: readonly {
    readonly name: string
    readonly from: string | null
    readonly to: string
    readonly migrationHash: string
    /** Of the bytes of `migration.json`. */
    readonly metadataSha256: string
    /** Of the contract to which it leads, with which Prisma compares the database at the end. */
    readonly snapshotSha256: string
  }[]
}

export type OtherTool =
  | { readonly kind: 'sql'; readonly baseline: string | null }
  | { readonly kind: 'command'; readonly name: string; readonly run: readonly string[]; readonly applied: string; readonly undone: boolean }

/** Whatever else decides what runs. Plans of Prisma do not have the key, so their digests are what they always were. */
export function toolPlanned(tool: ToolSettings): Pick<Plan, 'tool'> {
  if ('prisma' in tool) return {}
  if ('sql' in tool) return { tool: { kind: 'sql', baseline: tool.sql.baseline ?? null } }
  const { name, run, applied, undone } = tool.command
  return { tool: { kind: 'command', name, run, applied, undone } }
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
  readonly phase: 'prepare' | 'maintenance-on' | 'deploy' | 'health' | 'maintenance-off' | 'maintenance-probe' | 'assert'
  readonly name: string
  /** The resolved configuration: argument vector, probe or assertion, working directory, environment (references, not secrets). */
  readonly settings: unknown
}

/**
 * Whether steps build or deploy what is in our checkout, so that it has to hold whole files in place of pointers of Git LFS. A deployment
 * from elsewhere (a directory with its own git-lfs) does not see what our checkout lacks, and a step that names lfs fetches by itself.
 */
export function worksOnCheckout(steps: readonly PlannedStep[]): boolean {
  const commands = steps.flatMap(({ phase, settings }) => {
    const read = commandShape.safeParse(settings)
    return read.success && (phase === 'prepare' || phase === 'deploy')
      ? [{ cwd: read.data.cwd, text: [...read.data.run, read.data.cwd].join(' ') }]
      : []
  })
  return (
    commands.some(({ cwd, text }) => cwd === undefined || /\{checkout\}|LOCKKEEPER_CHECKOUT/.test(text)) &&
    !commands.some(({ text }) => /\blfs\b/.test(text))
  )
}

const commandShape = z.object({ run: z.array(z.string()), cwd: z.string().optional() })

/** What is shown beside the plan but does not belong to the digest, since it may change without changing what runs. */
export type Evidence = {
  readonly migrations: readonly MigrationEvidence[]
  /** `main is 4 ahead, migrations unchanged` and the like; sentences. */
  readonly notes: readonly string[]
  /** What should be known before it is approved; mrkdwn whose outside parts are escaped. */
  readonly warnings?: readonly string[]
  /** What the review found, weighed by this database; left out by versions that did not weigh. A blocker is not approved unless it is waived. */
  readonly findings?: readonly Finding[]
  readonly subject: string
  readonly author: string
  /** Bytes of the whole database, for the backup's estimate. */
  readonly databaseBytes: number
  /** Seconds and bytes of the last backup of this target, if any. */
  readonly lastBackup: { readonly seconds: number; readonly bytes: number } | null
  readonly takenAt: string
  /** Left out where nobody knows which commit is live, or the repository does not have it. */
  readonly commits?: CommitsSince
}

/** What this commit brings beside the one that is live. Merges are left out. */
export type CommitsSince = {
  /** Full SHA of the live one. */
  readonly live: string
  readonly count: number
  /** The newest first, at most 20. */
  readonly newest: readonly { readonly commit: string; readonly subject: string; readonly author: string }[]
  /** Who wrote how many of them, the most first; of a very long list, of its newest 1,000. */
  readonly authors: readonly { readonly name: string; readonly commits: number }[]
  /** Commits that are live and that this one does not have: the run goes back behind them. */
  readonly lost: number
}
