/** What the database is like at the moment of the plan, as far as its role may see it. Read by `read.ts`. */
export type Live = {
  readonly tables: readonly LiveTable[]
  /** The transaction that has been open for the longest in this database; null where there is none. */
  readonly longest: OpenTransaction | null
  readonly replicas: readonly { readonly name: string; readonly lagMs: number }[]
  /** Statements that `pg_stat_statements` counted and that name something of the plan, the most frequent first. */
  readonly queries: readonly CountedQuery[]
  readonly dependents: readonly Dependent[]
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
  /** Rows inserted, updated and deleted; null where it could not be measured. */
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

export type Dependent = {
  readonly schema: string
  readonly table: string
  /** Null: of the whole table. */
  readonly column: string | null
  readonly kind: 'view' | 'function' | 'publication' | 'foreign key'
  /** `order_totals`, as people say it. */
  readonly name: string
}
