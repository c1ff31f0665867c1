/**
 * A session of the target. `backend` and `transaction`: when it and its transaction began (microseconds since 1970, as text), by which it is
 * known again; `statement` the same of what it runs. What other roles do is null without pg_read_all_stats.
 */
export type SeenSession = {
  /** 0 for a prepared transaction, which has no session. */
  readonly pid: number
  readonly role: string | null
  readonly applicationName: string | null
  readonly state: string | null
  readonly backend: string | null
  readonly transaction: string | null
  readonly statement: string | null
  readonly transactionMs: number | null
  readonly statementMs: number | null
  /** The first 200 characters, white space collapsed. May hold values: redact before showing. */
  readonly query: string | null
}

/** A session that waits for a lock. */
export type Waiter = {
  readonly pid: number
  /** How long it has waited. */
  readonly ms: number
  /** Of the lock, as in pg_locks: `relation`, `transactionid`, `virtualxid`, `advisory` … */
  readonly kind: string
  readonly relation: string | null
  /** Of its application. */
  readonly name: string | null
  /** Whom it waits for: process ids, and 0 for a prepared transaction. */
  readonly blockers: readonly number[]
}
