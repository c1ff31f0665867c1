/**
 * What statements will do to this database, as the statements before them left it: locks, rewrites, scans, builds, losses, and whether the
 * application goes on working. Made by `rules/`, weighed against the live numbers by `weigh/`, shown by approvals and commands.
 * Measured: `test/contract/forecast` runs statements on PostgreSQL 14 to 18 and holds what happened against this.
 */

/** As `pg_locks.mode` without its ending, the weakest first. */
export const lockModes = [
  'AccessShare',
  'RowShare',
  'RowExclusive',
  'ShareUpdateExclusive',
  'Share',
  'ShareRowExclusive',
  'Exclusive',
  'AccessExclusive',
] as const
export type LockMode = (typeof lockModes)[number]

/** A table, index, sequence or view of the database; the schema is always resolved. */
export type Relation = { readonly schema: string; readonly name: string }

/** One statement of a file. What several subcommands do stands in its `parts`, in the order in which PostgreSQL runs them. */
export type Forecast = {
  /** Of the statement's first word, from 1. */
  readonly line: number
  readonly sql: string
  /** The strongest mode for each relation, over all parts; held until the transaction ends. */
  readonly locks: readonly Lock[]
  readonly parts: readonly Part[]
  /** That it is refused as things stand: it has no effect then, nor have those after it. */
  readonly fails: { readonly sqlstate: string; readonly why: string } | null
  /** Why nobody knows what it does (dynamic SQL, an unknown function); null where it is known. Counts as breaking. */
  readonly unknown: string | null
}

export type Lock = {
  readonly on: Relation
  readonly mode: LockMode
  /** `table`: one that had rows to offer before this plan; what the plan itself made is nobody's concern. */
  readonly isNew: boolean
}

export type Part = {
  readonly rule: Rule
  /** What it is about; names as they are at this moment. */
  readonly table: Relation | null
  readonly column?: string
  /** Of a constraint, index, trigger, type, view, function, policy, publication … by the rule. */
  readonly name?: string
  /** Types before and after, as `format_type` writes them. */
  readonly from?: string
  readonly to?: string
  /** The other end of a foreign key, the partition that is attached. */
  readonly other?: Relation
  /** The table itself is new in this plan: harmless whatever it does. */
  readonly isNew: boolean
  /** Whose rows are all written anew, and what gets an empty file (TRUNCATE) or a new one for its single row (a sequence). */
  readonly rewrites: readonly Relation[]
  /** Whose rows are all read. */
  readonly scans: readonly Relation[]
  /** Indexes built or rebuilt; `name` null where PostgreSQL will choose it. */
  readonly builds: readonly { readonly name: string | null; readonly on: Relation }[]
  /** What is gone afterwards, a sentence without a full stop each: `shop.orders.note with what it holds`. */
  readonly loses: readonly string[]
  /** Old code on the new schema, new code on the old one. */
  readonly old: Compatibility
  readonly new: Compatibility
}

export type Compatibility = { readonly kind: 'works' } | { readonly kind: 'may fail' | 'fails'; readonly why: string }

/** Closed: advice and policy are decided by it. */
export const rules = [
  'add column',
  'add required column',
  'add column that is filled row by row',
  'drop column',
  'rename column',
  'change type',
  'set not null',
  'drop not null',
  'set default',
  'drop default',
  'set expression',
  'add check',
  'add foreign key',
  'add unique',
  'add primary key',
  'add exclusion',
  'use index',
  'validate constraint',
  'alter constraint',
  'drop constraint',
  'rename constraint',
  'create table',
  'drop table',
  'rename table',
  'truncate',
  'move table',
  'change storage',
  'change settings',
  'change owner',
  'row security',
  'replica identity',
  'attach partition',
  'detach partition',
  'create partition',
  'create index',
  'create index concurrently',
  'drop index',
  'drop index concurrently',
  'reindex',
  'rename index',
  'create type',
  'add enum value',
  'rename enum value',
  'alter type',
  'drop type',
  'alter domain',
  'create sequence',
  'alter sequence',
  'drop sequence',
  'create view',
  'drop view',
  'refresh view',
  'create function',
  'drop function',
  'create trigger',
  'switch trigger',
  'drop trigger',
  'publication',
  'extension',
  'schema',
  'grant',
  'comment',
  'insert',
  'update',
  'delete',
  'read',
  'lock table',
  'vacuum',
  'session setting',
  'transaction',
  'database',
  'other',
  'unknown',
] as const
export type Rule = (typeof rules)[number]
