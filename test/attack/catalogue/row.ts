import type { Arena } from './arena.ts'

/** One way to attack, by one way in. */
export type Row = {
  /** The words of the security design that it belongs to. */
  readonly row: string
  readonly entry: Entry
  /** Over one of the two alone, where the other cannot carry it or answers otherwise. */
  readonly transport?: 'socket' | 'http'
  readonly attack: string
  readonly run: (arena: Arena) => Promise<string>
  /** What the person reads, or the HTTP status with what stands in the body. */
  readonly told: string
  /** The one audit row: who, what, and how it ended. Null when none may be written. */
  readonly audit: AuditSeen | null | typeof LISTED
}

export type AuditSeen = readonly [actor: string, act: string, result: string]

/** It stands in `sentences.ts`, under the row's key. */
export const LISTED = '(listed)'

export const keyOf = ({ entry, row, attack }: Pick<Row, 'entry' | 'row' | 'attack'>): string => `${entry}, ${row}: ${attack}`

/** Slash commands, buttons and windows are driven over Socket Mode and over signed HTTP, both. */
export type Entry = 'HTTP' | 'slash command' | 'button' | 'modal' | 'command line'
