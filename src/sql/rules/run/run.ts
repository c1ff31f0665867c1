import type { Node } from 'libpg-query'
import type { Parser } from '../../effects/parser.ts'
import {
  lockModes,
  type Compatibility,
  type Forecast,
  type Lock,
  type LockMode,
  type Part,
  type Relation,
  type Rule,
} from '../model/forecast.ts'
import { family, holders, relationOf } from '../schema/resolve.ts'
import type { Id, Table } from '../schema/model.ts'
import type { Schema } from '../schema/schema.ts'

/** One statement on its way: what it meets and what is found out about it. */
export type Run = {
  readonly schema: Schema
  readonly parser: Parser
  readonly session: Session
  /** Its number in the plan, from 1. */
  readonly statement: number
  /** Statements in bodies that are being read, one called by another. */
  readonly reading: Reading
  /** The statement as it is written. */
  readonly text: string
  /** A statement inside of another one: a body, what EXPLAIN or EXECUTE runs. */
  readonly follow: (run: Run, node: Node, text: string) => void
  readonly lock: (on: Id, mode: LockMode) => void
  /** The table with all its partitions and heirs. */
  readonly lockFamily: (on: Id, mode: LockMode) => void
  readonly part: (rule: Rule, on: Id | null, about?: Partial<Part>) => void
  /** Of several reasons the first counts. */
  readonly fail: (sqlstate: string, why: string) => void
  readonly dontKnow: (why: string) => void
}

export type Reading = {
  readonly depth: number
  /** Routines that are being read, or were in this statement. */
  readonly routines: Set<string>
  /** Inside of a body a way may not be taken, so that no failure is certain. */
  readonly isSure: boolean
}

/** What lives as long as the session. */
export type Session = {
  /** Statements kept by PREPARE. */
  readonly prepared: Map<string, Node>
  /** Where the transaction began, and its savepoints. */
  marks: readonly { readonly name: string | null; readonly at: number }[]
}

export type Found = Pick<Forecast, 'locks' | 'parts' | 'fails' | 'unknown'>

const STRENGTH = new Map(lockModes.map((mode, at) => [mode, at]))
export const isStronger = (one: LockMode, other: LockMode): boolean => (STRENGTH.get(one) ?? 0) > (STRENGTH.get(other) ?? 0)
export const strongest = (modes: readonly LockMode[]): LockMode =>
  modes.reduce<LockMode>((most, mode) => (isStronger(mode, most) ? mode : most), 'AccessShare')

export function createRun(shared: Pick<Run, 'schema' | 'parser' | 'session' | 'statement' | 'reading' | 'text' | 'follow'>): {
  readonly run: Run
  readonly found: () => Found
} {
  const { schema } = shared
  const locks = new Map<Id, Lock>()
  const parts: Part[] = []
  let fails: Forecast['fails'] = null
  let unknown: string | null = null
  const lock = (on: Id, mode: LockMode) => {
    const known = locks.get(on)
    if (known !== undefined) {
      if (isStronger(mode, known.mode)) locks.set(on, { ...known, mode })
    } else if (existsAt(schema, on)) locks.set(on, { on: relationOf(schema, on), mode, isNew: isNewAt(schema, on) })
  }
  const run: Run = {
    ...shared,
    lock,
    lockFamily: (on, mode) => family(schema, on).forEach((one) => lock(one, mode)),
    part: (rule, on, about = {}) =>
      parts.push({
        rule,
        table: on === null ? null : relationOf(schema, on),
        isNew: on !== null && isNewAt(schema, on),
        rewrites: [],
        scans: [],
        builds: [],
        loses: [],
        old: WORKS,
        new: WORKS,
        ...about,
      }),
    fail: (sqlstate, why) => {
      if (shared.reading.isSure) fails ??= { sqlstate, why }
    },
    dontKnow: (why) => (unknown ??= why),
  }
  return { run, found: () => ({ locks: [...locks.values()], parts, fails, unknown }) }
}

export const WORKS: Compatibility = { kind: 'works' }
export const breaks = (why: string): Compatibility => ({ kind: 'fails', why })
export const mayBreak = (why: string): Compatibility => ({ kind: 'may fail', why })

const existsAt = (schema: Schema, id: Id): boolean => schema.table(id) !== undefined || schema.index(id) !== undefined
export const isNewAt = (schema: Schema, id: Id): boolean => (schema.table(id) ?? schema.index(id))?.isNew === true

/** Those of a table and its partitions that hold rows, by name. */
export const rowsOf = (run: Run, table: Id): readonly Relation[] => holders(run.schema, table).map((id) => relationOf(run.schema, id))

/** Every index of the family, or those that are asked for. */
export const indexesOf = (run: Run, table: Id): Part['builds'] =>
  holders(run.schema, table).flatMap((id) => run.schema.indexes(id).map((index) => ({ name: index.name, on: relationOf(run.schema, id) })))

/** As people say it: without `public`. */
export const said = (run: Run, id: Id, column?: string): string => {
  const { schema, name } = relationOf(run.schema, id)
  return `${schema === 'public' ? '' : `${schema}.`}${name}${column === undefined ? '' : `.${column}`}`
}

/**
 * A column that the plan itself adds and that is null where nobody gives a value: an application that does not know it stores rows that no
 * foreign key, CHECK or unique index on it refuses.
 */
export const isUnusedYet = (table: Table, name: string): boolean =>
  table.columns.some((one) => one.name === name && one.isNew && one.default === null && one.identity === null && one.generated === null)
