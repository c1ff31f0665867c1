import type { Target } from '../src/config/config.ts'
import type { Db, Tx } from '../src/db/pool.ts'
import type { People } from './people.ts'

/** The durable engine as approvals see it: both calls belong to the transaction that changes our rows, so that neither happens alone. */
export type Engine = {
  readonly start: (tx: Tx, requestId: number) => Promise<void>
  /** `key` is the same for the same act, so that a signal sent twice is one. */
  readonly signal: (tx: Tx, requestId: number, message: Signal, key: string) => Promise<void>
}

export type Signal = { readonly kind: 'decided' | 'cancel' | 'due' }

export type ApprovalDeps = {
  readonly db: Db
  readonly targets: ReadonlyMap<string, Target>
  readonly people: People
  readonly engine: Engine
  /** The slash command as it is named in this workspace, for sentences: `/migrate`. */
  readonly command: string
}
