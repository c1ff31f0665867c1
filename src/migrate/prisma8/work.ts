import type { Queryable } from '../../database/connect.ts'
import { sessionsOf } from '../../database/activity.ts'
import { readRunnerState } from '../../plan/prisma8/state.ts'
import type { RunContext } from '../../request/step.ts'
import { attemptsIn, isSettled, stateOf } from '../attempts/attempt.ts'
import type { Timing } from '../attempts/timing.ts'
import type { Observer } from '../../guard/observer.ts'
import type { ToolSession } from '../prisma/tool.ts'
import type { RunnerFacts } from './next.ts'
import type { RunnerWorkspace } from './workspace.ts'

/** One run's migrator of Prisma 8, as its parts pass it around. */
export type RunnerWork = {
  readonly context: RunContext
  readonly workspace: RunnerWorkspace
  readonly observer: Observer
  readonly timing: Timing
}

export async function runnerFactsOf({ workspace }: Pick<RunnerWork, 'workspace'>, client: Queryable): Promise<RunnerFacts> {
  const attempt = attemptsIn(workspace.base).at(-1)
  const state = attempt === undefined ? null : await stateOf(attempt)
  const sessions = await sessionsOf(client, workspace.applicationName)
  return {
    attempt: attempt === undefined || state === null ? null : { attempt, state, settled: isSettled(attempt) },
    sessions: sessions.length,
    // after the sessions: what they did last must be in it
    state: await readRunnerState(client, workspace.parsed.schema, workspace.files.contract.namespaces),
  }
}

/** Of a short command. */
export const shortSession = ({ context, workspace }: Pick<RunnerWork, 'context' | 'workspace'>, suffix: string): ToolSession => ({
  applicationName: `${workspace.applicationName}-${suffix}`,
  ...timeoutsOf(context.target),
})

export const timeoutsOf = ({ database }: RunContext['target']): Pick<ToolSession, 'lockTimeoutMs' | 'statementTimeoutMs'> => ({
  lockTimeoutMs: database.lockTimeout,
  statementTimeoutMs: database.statementTimeout,
})
