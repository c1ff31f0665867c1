import { code } from '../../lib/text/code.ts'
import { count } from '../../lib/text/sentences.ts'
import type { StepEnd } from '../../request/step.ts'
import { attemptsIn } from '../attempts/attempt.ts'
import { APPLICATION, unclearOutcome } from '../decide/outcomes.ts'
import type { MigrationTask } from '../observe/watch.ts'
import type { WorkspaceProblem } from '../prisma/prisma-workspace.ts'
import { endedTasks } from './progress.ts'
import type { RunnerWork } from './work.ts'

/** What is said of every end that is none: the reason is always the same. */
export const UNDONE = 'Prisma 8 runs all that is pending in one transaction, and the database undid it: nothing of it stayed.'

export const notStartedEnd = (problem: WorkspaceProblem): StepEnd => ({
  kind: 'failed',
  output: 'not started',
  outcome: { headline: `*${problem.headline} Nothing was changed.*`, next: problem.next },
})

/** `*None of the 2 migrations is applied.*` */
export const noneSentence = (tasks: readonly MigrationTask[]): string =>
  tasks.length === 1 ? 'It is not applied.' : `None of the ${tasks.length} migrations is applied.`

/** The marker has not moved and nothing of this run is at work. */
export function cancelledEnd({ workspace }: RunnerWork, line: string | null): StepEnd {
  const tasks = endedTasks(workspace.approved, { failed: null, line: '' })
  const hasBegun = line !== null
  return {
    kind: 'cancelled',
    output: line ?? 'cancelled',
    data: { migrations: tasks },
    outcome: {
      headline: `*Cancelled while migrating. ${noneSentence(tasks)}* ${APPLICATION}`,
      why: hasBegun ? `It was running. ${UNDONE}` : 'Nothing was running.',
      next: 'Ask again when it may run.',
    },
  }
}

/** A database that does not answer. */
export function silentEnd({ context, workspace }: RunnerWork): StepEnd {
  const { host, port } = workspace.parsed
  const where = code(`${host}:${port}`)
  if (attemptsIn(workspace.base).length === 0)
    return notStartedEnd({
      headline: `The database server ${where} cannot be reached.`,
      next: 'Check that the server is up and that this machine may reach it (address, firewall, VPN), then ask again.',
    })
  return {
    kind: 'unknown',
    output: 'unclear',
    outcome: unclearOutcome({
      headline: 'The connection to the database was lost while migrating.',
      tasks: [],
      known: ['The migrator had been started. It runs in one transaction: all of it is applied or nothing.'],
      notKnown: `Which of the two it is for ${count(workspace.approved.length, 'migration')}: ${where} does not answer.`,
      next: `Look again when the database answers: ${code(`${context.command} status`)} shows whether it has the new contract. Then cancel this request, and ask anew if it does not.`,
    }),
  }
}

/** The lock of the target went away with its session, so nothing new may start. When the store was lost too, the run comes back here. */
export function lostHoldEnd({ context, workspace }: RunnerWork): StepEnd {
  const tasks = endedTasks(workspace.approved, { failed: null, line: '' })
  return {
    kind: 'unknown',
    output: 'interrupted',
    data: { migrations: tasks },
    outcome: unclearOutcome({
      headline: 'The hold on the target was lost before the migration began.',
      tasks,
      known: ['Nothing of this run is at work.'],
      notKnown: 'Whether somebody else has begun to change the database meanwhile.',
      next: `Look at ${code(`${context.command} status`)}, then cancel this request and ask anew.`,
    }),
  }
}

export function strayEnd({ workspace }: RunnerWork, database: string): StepEnd {
  const tasks = endedTasks(workspace.approved, { failed: null, line: '' })
  return {
    kind: 'unknown',
    output: 'stopped: another database',
    data: { migrations: tasks },
    outcome: unclearOutcome({
      headline: `The migrator was at work in the database ${code(database)}, which was not approved, and was stopped.`,
      tasks,
      notKnown: `What it changed in ${code(database)}.`,
      next: `Find out why the repository's ${code('prisma.config.ts')} leads Prisma there, and look at ${code('prisma_contract.marker')} in ${code(database)}. Then cancel this request.`,
    }),
  }
}

/** Before anything was started. */
export const refusedEnd = ({ workspace }: RunnerWork, why: string, next?: string): StepEnd => {
  const tasks = endedTasks(workspace.approved, { failed: null, line: '' })
  return {
    kind: 'unknown',
    output: 'not started',
    data: { migrations: tasks },
    outcome: unclearOutcome({
      headline: `${why} Nothing was started.`,
      tasks,
      notKnown: 'Why what Prisma would do differs from what was approved.',
      next: next ?? 'Compare the repository and the configuration with the target. Then cancel this request, mend it and ask again.',
    }),
  }
}
