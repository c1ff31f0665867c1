import type { Effect } from '../effect.ts'
import { inVerb, tableName, type Table } from '../names.ts'
import type { Parser } from '../parser.ts'
import type { Read } from '../routines.ts'
import type { Switches } from './switches.ts'

/** What it takes to follow a statement. */
export type How = {
  readonly parser: Parser
  readonly read: Read
  /** Calls a function by its name; undefined when nobody can read it. */
  readonly known: (name: string) => readonly Effect[] | undefined
  readonly switches: Switches
  /** Of the views that the plan creates: what reading them does to the session. */
  readonly views: ReadonlyMap<string, readonly Effect[]>
  /** What was followed within this statement already: each table and event once, so that what goes in circles ends. */
  readonly followed: Set<string>
}

/** An effect that comes by something else: `trigger t of orders`. */
export function by(what: string, effect: Effect, table?: Table, runs: 'runs' | 'may run' = 'runs'): Effect {
  const { finding, createsTable: _createsTable, onTable: _onTable, room: _room, ...rest } = effect
  const of = table === undefined ? what : `${what} of ${tableName(table)}`
  return {
    ...rest,
    verb: `by ${inVerb(of)} ${effect.verb}`,
    ...(finding === undefined ? {} : { finding: `${of} ${runs} with it: ${finding}` }),
  }
}
