import type { Redactor } from '../../redact/redact.ts'

/** What the database is like at the moment of the plan, as far as its role may see it. Read by `read.ts`. */
export type Live = {
  readonly tables: readonly LiveTable[]
  /** Transactions of others in this database, the one that has been open for the longest first. */
  readonly open: readonly OpenTransaction[]
  readonly replicas: readonly { readonly name: string; readonly lagMs: number }[]
  /** Statements that `pg_stat_statements` counted and that name something of the plan, the most frequent first. */
  readonly queries: readonly CountedQuery[]
  /** Free bytes where the database keeps its data; null where that is not known. */
  readonly freeBytes: number | null
  /** What could not be seen for lack of rights: sentences without a full stop. */
  readonly notSeen: readonly string[]
}

export type LiveTable = {
  readonly schema: string
  readonly name: string
  /** The planner's estimate; null when it was never analysed. A partitioned table carries the sum of its partitions. */
  readonly rows: number | null
  /** Without indexes. */
  readonly bytes: number
  readonly indexBytes: number
  /**
   * Rows inserted, updated and deleted: what was counted within a second while planning, or the average since the counters were last reset where
   * that is more. Null where too little was ever counted to measure it.
   */
  readonly writesPerSecond: number | null
  /** Scans of the table or of one of its indexes. */
  readonly readsPerSecond: number | null
  readonly isPartitioned: boolean
}

export type OpenTransaction = {
  readonly ageMs: number
  readonly application: string | null
  readonly role: string | null
  /** Shortened and redacted; null without the right to see it. */
  readonly query: string | null
  /** Tables of the plan on which it holds a lock. */
  readonly holds: readonly { readonly schema: string; readonly name: string }[]
}

export type CountedQuery = {
  /** Shortened and redacted. */
  readonly shown: string
  /** The whole of it, for the parser. */
  readonly text: string
  readonly calls: number
  /** Milliseconds for which it has been counted; null where that is not known. */
  readonly forMs: number | null
}

/** What is looked for. */
export type Asked = {
  /** Tables that the plan touches. */
  readonly tables: readonly { readonly schema: string; readonly name: string }[]
  /** Names of columns and tables that go or are renamed: statements that use them are looked for. */
  readonly going: readonly string[]
  readonly host: string
  readonly redactor: Redactor
}
