import { code } from '../../lib/text/code.ts'
import { sqlState as state } from '../../lib/sqlstate.ts'
import { seconds } from '../../lib/text/sentences.ts'
import { fileSays, subject, type DiagnosisContext, type Entry } from './entry.ts'
import { named, type Fault } from './fault.ts'

/** Waiting, stopping and being stopped. */
export const lockDiagnoses: readonly Entry[] = [
  {
    // The wait for Prisma's own lock ends by our lock_timeout or by Prisma's 10 s, before any migration has begun
    code: 'migrator_lock_held',
    matches: ({ prismaCode, sqlState, migration, output }) =>
      (prismaCode === 'P1002' && output.includes('advisory')) || (sqlState === state.lockNotAvailable && migration === null),
    explain: ({ prismaCode }, context) => ({
      headline:
        prismaCode === 'P1002'
          ? `Another session holds the migration lock on ${code(context.database)}, so nothing was started.`
          : `Another session holds the migration lock or its record on ${code(context.database)}, so nothing was started.`,
      why:
        prismaCode === 'P1002'
          ? `Prisma lets one migrator at a time into a database, by an advisory lock, and ${holderOf(context)} holds it.`
          : `Before its first migration Prisma takes an advisory lock and reads \`_prisma_migrations\`. It waited ${seconds(context.lockTimeoutMs)} for one of them, which ${holderOf(context)} holds.`,
      next: 'Wait until that session has ended, or find out whose it is and end it; then ask again. Nothing was changed.',
    }),
  },
  {
    code: 'lock_timeout',
    matches: ({ sqlState }) => sqlState === state.lockNotAvailable,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} could not get its lock${onTable(fault, context)}.`,
      why: isNotWaitedFor(fault, context)
        ? `A statement in it does not wait (\`NOWAIT\`), and ${holderOf(context) === 'somebody else' ? 'another session' : holderOf(context)} holds a lock that excludes it.`
        : `${lockWhy(context, fileSays(context, fault, /lock_timeout/i))} Waiting longer would have queued everybody else behind it.`,
      next:
        context.blocker === undefined
          ? 'Try again at a quieter moment: what has run is kept and not repeated.'
          : 'Wait for that query or end it, then ask again: what has run is kept and not repeated.',
    }),
  },
  {
    code: 'statement_timeout',
    matches: ({ sqlState, message }) => sqlState === state.queryCanceled && (message === null || message.includes('timeout')),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} took too long and was stopped by the database.`,
      why: fileSays(context, fault, /statement_timeout/i)
        ? 'One statement ran for longer than the `statement_timeout` that the file sets itself.'
        : `One statement ran for longer than ${seconds(context.statementTimeoutMs)}, the target's \`statementTimeout\`.`,
      next: `Split the work (fill in batches, build indexes concurrently in a file of their own), or ${fileSays(context, fault, /statement_timeout/i) ? 'raise the `statement_timeout` in the file' : 'raise `database.statementTimeout` for this target'}, then ask again.`,
    }),
  },
  {
    code: 'cancelled',
    matches: ({ sqlState, message }) => sqlState === state.queryCanceled && (message === null || /due to user request/.test(message)),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} was cancelled while it ran.`,
      why: 'Somebody asked the database to cancel its statement: this product after a cancel, or a person or a tool by `pg_cancel_backend`.',
      next: 'Look at what is applied and what is not, then ask again when it may run.',
    }),
  },
  {
    code: 'idle_timeout',
    matches: ({ sqlState }) => sqlState === state.idleInTransactionSessionTimeout,
    explain: (fault, context) => ({
      headline: `The server ended the session of ${subject(context, fault)}, because it was idle inside a transaction for too long.`,
      why: 'The file leaves a transaction open (a `BEGIN` without `COMMIT`), and `idle_in_transaction_session_timeout` of the server, the database or the role bounds that. What was not committed is undone.',
      next: 'Take the `BEGIN` out of the file (Prisma needs none), then ask again.',
    }),
  },
  {
    code: 'terminated',
    matches: ({ sqlState, prismaCode, output }) =>
      sqlState === state.adminShutdown ||
      sqlState === state.crashShutdown ||
      prismaCode === 'P1017' ||
      (sqlState === null &&
        /terminating connection due to administrator command|Connection terminated unexpectedly|server closed the connection unexpectedly/.test(
          output,
        )),
    explain: (fault, context) => ({
      headline: `The connection to the database was ended during ${(fault.migration ?? context.migration === null) ? subject(context, fault) : code(context.migration ?? '')}.`,
      why: 'The session was terminated or the server restarted. What was not committed is undone by the database.',
      next: 'Check that the server is up and stays up. Look at what is applied and what is not, then ask again.',
    }),
  },
]

/** Of a lock that is waited for, PostgreSQL does not say the table. */
const isNotWaitedFor = (fault: Fault, context: DiagnosisContext): boolean =>
  fault.isForeign ? fileSays(context, fault, /\bnowait\b/i) : fault.message?.startsWith('could not obtain lock on') === true
const onTable = (fault: Fault, context: DiagnosisContext): string => {
  const table = isNotWaitedFor(fault, context) ? named(fault, 'relation') : null
  return table === null ? '' : ` on ${code(table)}`
}

const holderOf = ({ blocker }: DiagnosisContext): string => (blocker === undefined ? 'somebody else' : blocker.name)

function lockWhy({ blocker, tries, lockTimeoutMs }: DiagnosisContext, isOwnTimeout: boolean): string {
  if (isOwnTimeout && blocker === undefined)
    return 'It waited for a lock as long as the file itself lets it, and another session held that lock.'
  const waited =
    tries === undefined ? `It waited for ${seconds(lockTimeoutMs)}` : `It was tried ${tries}, waiting ${seconds(lockTimeoutMs)} each time`
  if (blocker === undefined) return `${waited} for a lock that another session held; which one could not be seen in that time.`
  return `It needs a lock${blocker.relation === null ? '' : ` on ${code(blocker.relation)}`} that ${blocker.name} holds.`
}
