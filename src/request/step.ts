import type { Blockers } from './blocker.ts'
import type { Target } from '../config/config.ts'
import type { Plan } from '../plan/plan.ts'
import type { Redactor } from '../redact/redact.ts'
import type { RequestEvent, RunOutcome } from './request.ts'

/**
 * A step looks before it acts. `inspect` reads the world and never changes it: `done` is skipped (a run that was taken over finds its
 * own earlier work), `todo` acts, `unknown` stops the run as needs_human.
 */
export type Step = {
  readonly name: string
  readonly title: string
  /** Before a step that changes the database or the application, the grant and the plan are checked again. */
  readonly changes: 'nothing' | 'files' | 'database' | 'application'
  /** Runs at the end whatever happened before: nobody is asked whether it still may, and a cancel does not stop it. */
  readonly isOwed?: true
  readonly inspect: (context: RunContext) => Promise<Inspection>
  readonly act: (context: RunContext) => Promise<StepEnd>
}

export type Inspection =
  | { readonly kind: 'done'; readonly output: string; readonly data?: unknown }
  | { readonly kind: 'todo' }
  | { readonly kind: 'unknown'; readonly outcome: RunOutcome }

export type StepEnd =
  /** `output` is one line of numbers for the card: `1.6 GB in 7.7 s`. `data` is JSON that later steps read. */
  | { readonly kind: 'done'; readonly output: string; readonly data?: unknown }
  | { readonly kind: 'failed'; readonly output: string; readonly outcome: RunOutcome; readonly data?: unknown }
  | { readonly kind: 'cancelled'; readonly output: string; readonly outcome: RunOutcome; readonly data?: unknown }
  | { readonly kind: 'unknown'; readonly output: string; readonly outcome: RunOutcome; readonly data?: unknown }

export type RunContext = {
  readonly requestId: number
  /** The slash command as it is named here, for sentences. */
  readonly command: string
  readonly digest: string
  readonly target: Target
  readonly plan: Plan
  /** 1 for the first try; more after an adoption. */
  readonly attempt: number
  /** Working directory of this run, 0700: spools, the migrator's output, notes to a successor. It survives the process. */
  readonly directory: string
  /** Where the approved commit is checked out (`checkout` step), and the application's directory inside it. */
  readonly checkout: string
  readonly applicationDirectory: string
  /** Redacted output of all steps, appended (0600); becomes the log file in the thread. */
  readonly spool: string
  /** Aborts on cancel, and when this process may no longer act. The migrate step handles it in its own order. */
  readonly signal: AbortSignal
  /** Whether a person asked to cancel (as opposed to a lost store). */
  readonly isCancelled: () => boolean
  readonly redactor: Redactor
  readonly secret: (reference: string) => string
  /** The operator's environment and PATH for children. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** What is happening right now, for the card; cheap, throttled by the callee. */
  readonly report: (details: string) => void
  /** JSON for the card while the step runs (`data` of its row), for example the state of each migration; throttled like `report`. */
  readonly progress: (data: unknown) => void
  /** A post in the thread. */
  readonly note: (event: RequestEvent) => Promise<void>
  /** Who is in the way of a migration: what people are shown of it, and what they ask for. */
  readonly blockers: Blockers
  /** A row of the audit about this run; on the disk when it resolves. */
  readonly audit: (act: string, result: string, data: Readonly<Record<string, unknown>>) => Promise<void>
  /** `data` of an earlier step of this run. */
  readonly dataOf: (step: string) => unknown
}
