import { code } from '../../lib/text/code.ts'
import { sqlState as state } from '../../lib/sqlstate.ts'
import { subject, type Entry } from './entry.ts'

/** The server's own limits. */
export const serverDiagnoses: readonly Entry[] = [
  {
    code: 'disk_full',
    matches: ({ sqlState, output }) => sqlState === state.diskFull || /No space left on device/.test(output),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: the database server's disk is full.`,
      why: 'A migration that rewrites a table or builds an index needs room for a second copy of it, and for its log.',
      next: `Free or add disk space on ${code(context.host)} (see \`pg_wal\`, old replication slots), then ask again.`,
    }),
  },
  {
    code: 'out_of_memory',
    matches: ({ sqlState }) => sqlState === state.outOfMemory || sqlState === state.programLimitExceeded,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: the database server ran out of memory or of room in its lock table.`,
      why: 'The migration touches more at once than the server is set up for.',
      next: 'Split the migration, or raise `max_locks_per_transaction` or `maintenance_work_mem`, then ask again.',
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
    code: 'read_only',
    matches: ({ sqlState }) => sqlState === state.readOnlySqlTransaction,
    explain: (_fault, context) => ({
      headline: `${code(context.database)} is read-only, so nothing can be migrated.`,
      why: 'The URL leads to a replica, or the server was switched to read-only.',
      next: 'Point `database.url` at the primary server, then ask again.',
    }),
  },
]
