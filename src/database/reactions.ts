import type { Queryable } from './connect.ts'
import { REACTION_QUERIES } from './reaction-queries.ts'

type Of = { readonly schema: string; readonly table: string }
type Pair = Of & { readonly otherSchema: string; readonly other: string }
export type WriteEvent = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'

/** `origin`: unless the session acts for a replica; `replica`: only then. */
export type Fires = 'origin' | 'always' | 'replica' | 'never'

/** What stands in the database already and runs when a statement calls it or writes its table. */
export type Reactions = {
  /**
   * `args` are the types of what goes in, as the catalogue names them. `text` is the whole CREATE statement, of an aggregate one that calls the
   * functions that it is made of; null where the language is not one that we read.
   */
  readonly routines: readonly {
    readonly schema: string
    readonly name: string
    readonly args: readonly string[]
    readonly language: string
    readonly text: string | null
  }[]
  /** Those that people made; `routines` are its function and those of its condition, without their schemas. */
  readonly triggers: readonly (Of & {
    readonly name: string
    readonly events: readonly WriteEvent[]
    /** Of `UPDATE OF …`. */
    readonly columns: readonly string[] | null
    readonly routines: readonly string[]
    readonly isInstead: boolean
    readonly isForEachRow: boolean
    readonly fires: Fires
  })[]
  /** `text` is the whole CREATE RULE. */
  readonly rules: readonly (Of & { readonly name: string; readonly event: WriteEvent; readonly text: string; readonly fires: Fires })[]
  /** `tags` null: of every command. */
  readonly eventTriggers: readonly {
    readonly name: string
    readonly tags: readonly string[] | null
    readonly routine: string
    readonly fires: Fires
  }[]
  /** By name alone. */
  readonly operators: readonly { readonly name: string; readonly routine: string }[]
  /** Functions of domains, and of types made of them. By name alone. */
  readonly domains: readonly { readonly name: string; readonly by: 'default' | 'check'; readonly routine: string }[]
  /** By the name of the type that they lead to. */
  readonly casts: readonly { readonly name: string; readonly from: string; readonly routine: string }[]
  /** Functions that something of `table` calls. */
  readonly uses: readonly (Of & {
    readonly by: 'default' | 'generated column' | 'check' | 'index' | 'policy' | 'view' | 'cast'
    readonly routine: string
    /** That of a default. */
    readonly column: string | null
    /** What a policy is for; null for all. */
    readonly event: WriteEvent | 'SELECT' | null
    /** A policy that does not bind this role. */
    readonly isOff: boolean
  })[]
  /** Foreign keys from `other` to `table`, and what becomes of its rows when those of `table` go or change. */
  readonly references: readonly (Pair & {
    readonly name: string
    readonly onDelete: 'delete' | 'unset' | null
    readonly onUpdate: 'update' | 'unset' | null
    readonly columns: readonly string[]
    readonly otherColumns: readonly string[]
    readonly fires: Fires
  })[]
  /** Tables whose rows belong to `table` as well. `keys`: the columns that say which partition has a row; null where any may. */
  readonly heirs: readonly (Pair & { readonly isPartition: boolean; readonly keys: readonly string[] | null })[]
  /** Views that pass on what is written to them, or that call what changes a session; `text` is their query. */
  readonly views: readonly (Of & { readonly text: string; readonly isUpdatable: boolean })[]
  /** Views and materialized views, and what they read. */
  readonly reads: readonly Pair[]
}

export const noReactions: Reactions = {
  routines: [],
  triggers: [],
  rules: [],
  eventTriggers: [],
  operators: [],
  domains: [],
  casts: [],
  uses: [],
  references: [],
  heirs: [],
  views: [],
  reads: [],
}

const QUERIES: Readonly<Record<keyof Reactions, string>> = REACTION_QUERIES

/** Whatever belongs to extensions is left out. */
export async function readReactions(client: Queryable): Promise<Reactions> {
  const { rows } = await client.query<Reactions>(
    `select ${Object.entries(QUERIES)
      .map(([name, query]) => `coalesce((${query}), '[]') as "${name}"`)
      .join(', ')}`,
  )
  return rows[0] ?? noReactions
}
