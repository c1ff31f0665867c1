import type { Config, Target } from '../../config/config.ts'
import type { Liveness } from '../../engine/liveness.ts'
import type { Log } from '../../lib/log.ts'
import type { Refusal } from '../../lib/refusal.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Redactor } from '../../redact/redact.ts'
import type { RequestRow } from '../../request/request.ts'
import type { Db, Queries } from '../../store/pool.ts'
import type { InFlight } from '../in-flight.ts'

export type Compared =
  { readonly kind: 'same' } | { readonly kind: 'changed'; readonly why: string } | { readonly kind: 'unknown'; readonly why: string }

/** A database that is restarted or failed over, or a host of git that is away for a moment, ends no run and no request. */
export const COMPARE_WITHIN_MS = 30_000

export type RunPorts = {
  readonly db: Db
  readonly log: Log
  readonly config: Config
  readonly redactor: Redactor
  readonly env: Readonly<Record<string, string | undefined>>
  readonly liveness: () => Liveness
  readonly inFlight: InFlight
  readonly owns: (db: Queries, requestId: number) => Promise<boolean>
  /** From `approvals/`, which is above: whether this request may still change anything. */
  readonly stillGranted: (requestId: number) => Promise<true | Refusal>
  /** Whether a run may begin at all now, whatever was approved: the record, the store, the clocks. */
  readonly whyNoRun: (request: RequestRow) => Promise<Refusal | null>
  /** Whether a run that has begun must not go on, since its own record is not the newest. Asks nobody. */
  readonly whyStop: () => Refusal | null
  readonly compare: (plan: Plan, request: RequestRow, phase: 'before-migrate' | 'after-migrate') => Promise<Compared>
  /** How long what cannot be compared is tried again; `COMPARE_WITHIN_MS` where it is left out. */
  readonly compareWithinMs?: number
  /** Why the target's present configuration is not the one that was approved, as a sentence; null when it is. Looks at nothing else. */
  readonly reconfigured: (plan: Plan, request: RequestRow) => string | null
  /** Runs `work` under the session lock in the target database; its signal aborts when that session is lost. Waits until `signal` aborts. */
  readonly underTargetLock: <T>(
    what: { readonly target: Target; readonly requestId: number; readonly signal: AbortSignal },
    work: (lost: AbortSignal) => Promise<T>,
  ) => Promise<UnderLock<T>>
}

/** The slash command, as people type it. */
export const commandOf = ({ config }: Pick<RunPorts, 'config'>): string => config.file.slack.command

export type UnderLock<T> =
  | { readonly kind: 'held'; readonly value: T }
  /** Nothing was begun: somebody else holds it, or the database does not answer. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'aborted' }
