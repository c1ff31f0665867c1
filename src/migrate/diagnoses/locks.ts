import { code } from '../../lib/text/code.ts'
import { sqlState as state } from '../../lib/sqlstate.ts'
import { seconds } from '../../lib/text/sentences.ts'
import { subject, type DiagnosisContext, type Entry } from './entry.ts'

/** Waiting, stopping and being stopped. */
export const lockDiagnoses: readonly Entry[] = [
  {
    // The wait for Prisma's own lock ends by our lock_timeout or by Prisma's 10 s, before any migration has begun
    code: 'migrator_lock_held',
    matches: ({ prismaCode, sqlState, migration, output }) =>
      (prismaCode === 'P1002' && output.includes('advisory')) || (sqlState === state.lockNotAvailable && migration === null),
    explain: (_fault, context) => ({
      headline: `Another migrator is at work on ${code(context.database)}, so nothing was started.`,
      why: `Prisma lets one migrator at a time into a database, by an advisory lock, and ${context.blocker === undefined ? 'somebody else' : context.blocker.name} holds it.`,
      next: 'Wait until it has ended, or find out who runs it and end it; then ask again. Nothing was changed.',
    }),
  },
  {
    code: 'lock_timeout',
    matches: ({ sqlState }) => sqlState === state.lockNotAvailable,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} could not get its lock.`,
      why: `${lockWhy(context)} Waiting longer would have queued everybody else behind it.`,
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
      why: `One statement ran for longer than ${seconds(context.statementTimeoutMs)}, the target's \`statementTimeout\`.`,
      next: 'Split the work (fill in batches, build indexes concurrently in a file of their own), or raise `database.statementTimeout` for this target, then ask again.',
    }),
  },
  {
    code: 'cancelled',
    matches: ({ sqlState }) => sqlState === state.queryCanceled,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} was cancelled while it ran.`,
      why: 'Somebody asked the database to cancel its statement: this product after a cancel, or a person or a tool by `pg_cancel_backend`.',
      next: 'Look at what is applied and what is not, then ask again when it may run.',
    }),
  },
  {
    code: 'terminated',
    matches: ({ sqlState, output }) =>
      sqlState === state.adminShutdown ||
      /terminating connection due to administrator command|Connection terminated unexpectedly|server closed the connection unexpectedly/.test(
        output,
      ),
    explain: (fault, context) => ({
      headline: `The connection to the database was ended during ${(fault.migration ?? context.migration === null) ? subject(context, fault) : code(context.migration ?? '')}.`,
      why: 'The session was terminated or the server restarted. What was not committed is undone by the database.',
      next: 'Check that the server is up and stays up. Look at what is applied and what is not, then ask again.',
    }),
  },
]

function lockWhy({ blocker, tries, lockTimeoutMs }: DiagnosisContext): string {
  const waited =
    tries === undefined ? `It waited for ${seconds(lockTimeoutMs)}` : `It was tried ${tries}, waiting ${seconds(lockTimeoutMs)} each time`
  if (blocker === undefined) return `${waited} for a lock that another session held; which one could not be seen in that time.`
  return `It needs a lock${blocker.relation === null ? '' : ` on ${code(blocker.relation)}`} that ${blocker.name} holds.`
}
