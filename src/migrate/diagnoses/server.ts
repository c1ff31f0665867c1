import { code } from '../../lib/text/code.ts'
import { sqlState as state } from '../../lib/sqlstate.ts'
import { adds, ownWords, subject, type Entry } from './entry.ts'
import type { Fault } from './fault.ts'

/** The server's own limits. */
export const serverDiagnoses: readonly Entry[] = [
  {
    code: 'disk_full',
    matches: ({ sqlState, output }) => sqlState === state.diskFull || (sqlState === null && /No space left on device/.test(output)),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: the database server's disk is full.`,
      why: 'A migration that rewrites a table or builds an index needs room for a second copy of it, and for its log.',
      next: `Free or add disk space on ${code(context.host)} (see \`pg_wal\`, old replication slots), then ask again.`,
    }),
  },
  {
    code: 'lock_table_full',
    matches: ({ sqlState, message, hint }) =>
      sqlState === state.outOfMemory && (/out of shared memory/.test(message ?? '') || /max_locks_per_transaction/.test(hint ?? '')),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: the server has no room left in its lock table.`,
      why: 'Each table, index and partition that one transaction touches takes a lock, and the file touches more than the server is set up for.',
      next: 'Split the migration, or raise `max_locks_per_transaction` (the server is restarted for that). Then ask again.',
    }),
  },
  {
    code: 'out_of_memory',
    matches: ({ sqlState }) => sqlState === state.outOfMemory,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: the database server ran out of memory.`,
      why: `The migration needs more at once than the server has.${adds(fault.detail)}`,
      next: 'Split the migration, or lower `maintenance_work_mem` or `work_mem` for it, then ask again.',
    }),
  },
  {
    code: 'index_row_too_large',
    matches: ({ sqlState, message }) => sqlState === state.programLimitExceeded && /^index row (size|requires)/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: rows have values that are too long for ${indexIn(fault)}.`,
      why: `A B-tree index takes values up to about 2,700 bytes.${adds(fault.hint)}`,
      next: 'Index a hash of the column (`md5(column)`) or use a GIN index for text and JSON, then ask again.',
    }),
  },
  {
    code: 'limit_exceeded',
    matches: ({ sqlState }) => sqlState === state.programLimitExceeded || sqlState === state.tooManyColumns,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: it goes beyond a limit of PostgreSQL's.`,
      why: `PostgreSQL says: ${ownWords(fault)}.${adds(fault.detail)}${adds(fault.hint)}`,
      next: 'Change the migration so that it stays within, then ask again.',
    }),
  },
  {
    code: 'deadlock',
    matches: ({ sqlState }) => sqlState === state.deadlockDetected,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} and another session waited for each other, and the database stopped the migration.`,
      why: 'They took the same locks in opposite order. What the migration had done was undone.',
      next: 'Try again at a quieter moment, or split the migration so that it takes one lock at a time.',
    }),
  },
  {
    code: 'read_only_file',
    // its record was written a moment before, in the same session
    matches: ({ sqlState, output }) =>
      sqlState === state.readOnlySqlTransaction && /apply_migration::apply_script|^Error: P3018/m.test(output),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: its transaction is read-only.`,
      why: `The record of migrations could be written a moment before, so ${code(context.database)} takes changes: the file itself, or a function that it calls, makes the transaction read-only.`,
      next: 'Take `READ ONLY`, `transaction_read_only` or `default_transaction_read_only` out of it, then ask again.',
    }),
  },
  {
    code: 'read_only',
    matches: ({ sqlState }) => sqlState === state.readOnlySqlTransaction,
    explain: (fault, context) => ({
      headline: `${code(context.database)} is read-only, so nothing can be migrated.`,
      why: `PostgreSQL says: ${ownWords(fault)}. The URL leads to a standby, or \`default_transaction_read_only\` is on for the server, the database or the role.`,
      next: 'Point `database.url` at the primary server, or switch the setting off, then ask again.',
    }),
  },
]

const indexIn = ({ message }: Fault): string => {
  const name = /index "([^"]+)"/.exec(message ?? '')?.[1]
  return name === undefined ? 'an index that it builds' : `the index ${code(name)}`
}
