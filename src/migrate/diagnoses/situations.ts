import { code } from '../../lib/text/code.ts'
import { sqlState as state } from '../../lib/sqlstate.ts'
import { adds, kindOfTool, ownWords, subject, toolOf, type Entry } from './entry.ts'
import type { Fault } from './fault.ts'

/** The statement is right and the moment, the session or the way to the server is not. */
export const situationDiagnoses: readonly Entry[] = [
  {
    code: 'copy_from_client',
    // the driver refuses to send rows, and the server words that as a cancel; another driver breaks the protocol
    matches: ({ sqlState, message }) =>
      message?.startsWith('COPY from stdin failed') === true ||
      (sqlState === state.protocolViolation && /COPY from stdin/.test(message ?? '')) ||
      message?.startsWith('cannot COPY to/from client in') === true,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: its \`COPY … FROM stdin\` waits for rows that ${toolOf(context)} does not send.`,
      why: 'Rows after such a statement are sent by `psql` alone; `pg_dump` writes them so for it. Nobody cancelled anything.',
      next: 'Write the rows as `INSERT … VALUES` (`pg_dump --inserts` writes them so), or load them outside of the migration. Then ask again.',
    }),
  },
  {
    code: 'pending_trigger_events',
    matches: ({ sqlState, message }) => sqlState === state.objectInUse && /pending trigger events/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: it writes rows and then changes their table ${code(/"([^"]+)" because/.exec(fault.message ?? '')?.[1] ?? '?')} in the same transaction.`,
      why: 'A deferred check of the written rows (a foreign key, a constraint trigger) is still due, and PostgreSQL changes no table below it.',
      next: 'Put the rows into a migration of their own before this one, or write `SET CONSTRAINTS ALL IMMEDIATE;` between the rows and the change. Then ask again.',
    }),
  },
  {
    code: 'in_use',
    matches: ({ sqlState }) => sqlState === state.objectInUse,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: what it changes is in use.`,
      why: `PostgreSQL says: ${ownWords(fault)}.${adds(fault.detail)}`,
      next: 'End what uses it (a cursor or query of the file itself, a replication slot, a session), then ask again.',
    }),
  },
  {
    code: 'not_ready',
    matches: ({ sqlState }) => sqlState === state.objectNotInPrerequisiteState,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped. PostgreSQL says: ${ownWords(fault)}.`,
      why: `Something that it uses is not in the state that the statement needs.${adds(fault.detail)}${adds(fault.hint)}`,
      next: 'Bring it into that state first (in the migration, or on the server), then ask again.',
    }),
  },
  {
    code: 'transaction_aborted',
    matches: ({ sqlState }) => sqlState === state.inFailedSqlTransaction,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: an earlier statement of its transaction had failed.`,
      why: 'After a failure PostgreSQL takes nothing more until the transaction ends, so this error is not the first one.',
      next: 'The first error stands further up in the log in the thread, or in the log of the server. Correct that and ask again.',
    }),
  },
  {
    code: 'ends_transaction',
    matches: ({ sqlState }) => sqlState === state.invalidTransactionTermination,
    explain: (fault, context) =>
      kindOfTool(context) === 'prisma'
        ? {
            headline: `${subject(context, fault)} stopped: a code block or procedure in it commits or rolls back, and it is not alone in its file.`,
            why: 'Prisma sends a file as one script, and PostgreSQL runs several statements as one transaction, which no block may end.',
            next: 'Put the block or the `CALL` into a migration of its own with nothing else in it, then ask again.',
          }
        : {
            headline: `${subject(context, fault)} stopped: a code block or procedure in it commits or rolls back.`,
            why: `${toolOf(context)} applies a file in a transaction, which no block may end.`,
            next: 'Take `COMMIT` and `ROLLBACK` out of the block or the procedure, or do that work outside of the migrations. Then ask again.',
          },
  },
  {
    code: 'concurrent_change',
    matches: ({ sqlState, message }) =>
      sqlState === state.serializationFailure ||
      (sqlState === state.internalError && /^tuple concurrently (updated|deleted)/.test(message ?? '')),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: somebody else changed the same thing at the same moment.`,
      why: `PostgreSQL says: ${ownWords(fault)}.`,
      next: 'Find out who else changes this database (another deployment, a script that grants rights), and ask again when that has ended.',
    }),
  },
  {
    code: 'pooler_between',
    matches: ({ sqlState }) => sqlState === state.duplicatePreparedStatement || sqlState === state.invalidSqlStatementName,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: a prepared statement is there twice or not at all (${ownWords(fault)}).`,
      why: 'Behind a transaction pooler the statements of one program come to several sessions of the server; a file that prepares or deallocates statements itself does the same.',
      next: 'Use the direct address of the server in `database.url`, or take `PREPARE` and `DEALLOCATE` out of the file. Then ask again.',
    }),
  },
  {
    code: 'no_such_file',
    matches: ({ sqlState }) => sqlState === state.undefinedFile,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: the server has no such file.`,
      why: `A path in SQL is one of the database server, not of the repository. PostgreSQL says: ${ownWords(fault)}.`,
      next: `Write the rows as \`INSERT … VALUES\` in place of a \`COPY\` from a file; a missing library belongs to an extension that is to be installed on ${code(context.host)}. Then ask again.`,
    }),
  },
  {
    code: 'raised',
    matches: ({ sqlState }) => sqlState === state.raiseException,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped with a message of its own: ${ownWords(fault)}.`,
      why: `A \`RAISE\` in the file, or in a function or trigger that it calls, ended it.${authors('detail', fault)}${authors('hint', fault)}`,
      next: 'See which condition it checks, put that right, then ask again.',
    }),
  },
]

/** Written by whoever wrote the RAISE; some repeat the message there. */
const authors = (part: 'detail' | 'hint', fault: Fault): string =>
  fault[part] === null || fault[part] === fault.message ? '' : ` Its ${part}: ${ownWords({ message: fault[part] })}.`
