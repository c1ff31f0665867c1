import type { Queries } from '../store/pool.ts'

/** By which way an act came in. `bot`: it acts by itself; `recovery`: it goes on with what another process began. */
export type Entry = 'slash' | 'button' | 'modal' | 'cli' | 'bot' | 'recovery'

/** Who did what by which way, and how it ended. */
export type AuditEntry = {
  /** `U…`, `os:name`, or `lockkeeper` for the bot itself. */
  readonly actor: string
  /** The human behind the account. Left out for the bot itself. */
  readonly human?: string
  /** Left out for the bot itself. */
  readonly entry?: Entry
  readonly act: string
  readonly target?: string | null
  readonly requestId?: number | null
  /** A code of src/lib/refusal.ts, or what came of it: `opened`, `counted`, `started`, … */
  readonly result: string
  /** What the act was about: the digest of a plan, the hash of a configuration. */
  readonly digest?: string | null
  /** Small and without secrets; values of JSON. */
  readonly data?: Readonly<Record<string, unknown>>
}

/**
 * The only place that writes the audit. In a transaction the row stands or falls with the act; its place in the chain (`seq`, `prev`,
 * `hash`) is given by the store at the commit, so that transactions wait for each other there and nowhere before.
 */
export async function writeAudit(db: Queries, entry: AuditEntry): Promise<void> {
  await db.query(
    `insert into lockkeeper.audit (actor, human, entry, act, target, request_id, result, digest, data)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      entry.actor,
      entry.human ?? null,
      entry.entry ?? 'bot',
      entry.act,
      entry.target ?? null,
      entry.requestId ?? null,
      entry.result,
      entry.digest ?? null,
      JSON.stringify(entry.data ?? {}).replaceAll('\\u0000', ''), // jsonb takes no NUL
    ],
  )
}
