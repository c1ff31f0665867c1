import { createHash } from 'node:crypto'

/** A row of the audit as text, column by column, as the canonical line has them; `null` is SQL's null. */
export type ChainRow = {
  readonly seq: string
  readonly id: string
  /** UTC with microseconds: `2026-11-20T10:00:00.000000Z`. */
  readonly at: string
  readonly entry: string
  readonly actor: string
  readonly human: string | null
  readonly act: string
  readonly target: string | null
  readonly requestId: string | null
  readonly result: string
  readonly digest: string | null
  /** As PostgreSQL writes the jsonb. */
  readonly data: string
  readonly prev: string | null
  readonly hash: string | null
}

export type Head = { readonly seq: number; readonly hash: string }

/** Before the first row. */
export const START: Head = { seq: 0, hash: '0'.repeat(64) }

/** What is wrong with the chain at a row, in words that end a sentence. */
export type Break = { readonly seq: number; readonly why: string }

const COLUMNS = ['seq', 'id', 'at', 'entry', 'actor', 'human', 'act', 'target', 'requestId', 'result', 'digest', 'data'] as const

/**
 * The text that a row's hash is made of: each column as its length in bytes (UTF-8), a colon and itself, or `-` for null, with `|`
 * between. The lengths make it unambiguous, whatever stands in a column. `lockkeeper.audit_line` in the store writes the same.
 */
export const canonicalLine = (row: Omit<ChainRow, 'prev' | 'hash'>): string => COLUMNS.map((column) => field(row[column])).join('|')

const field = (value: string | null) => (value === null ? '-' : `${Buffer.byteLength(value)}:${value}`)

/** sha256 of the hash before, a line feed and the line, in hexadecimal. */
export const hashOf = (prev: string, line: string): string => createHash('sha256').update(`${prev}\n${line}`).digest('hex')

/** What is wrong with `row` behind `before`. The next one is compared with what is stored in `row`, so that one fault is told once. */
export function breaksAt(before: Head, row: ChainRow): readonly Break[] {
  const seq = Number(row.seq)
  const changed = row.hash === hashOf(row.prev ?? '', canonicalLine(row)) ? [] : [{ seq, why: 'it was changed after it was written' }]
  if (seq !== before.seq + 1) return [{ seq: before.seq + 1, why: whyMissing(before.seq + 1, seq) }, ...changed]
  if (row.prev !== before.hash)
    return [
      { seq, why: before.seq === 0 ? 'it is not the beginning that a chain has' : `it does not follow row ${before.seq} as it is now` },
    ]
  return changed
}

const whyMissing = (expected: number, found: number): string =>
  found === expected + 1 ? 'it is missing' : `it is missing, and all up to ${found - 1}`
