import type { Plan } from '../../plan/plan.ts'
import { attemptsIn, outputOf, stateOf } from '../attempts/attempt.ts'
import type { Workspace } from '../prisma/prisma-workspace.ts'
import type { ToolSession } from '../prisma/tool.ts'

export type Agreement = {
  /** Prisma says that all that it was given is applied. */
  readonly agrees: boolean
  /** Whether it works through a driver adapter. */
  readonly adapter: boolean
  /** What it said when it does not agree, redacted. */
  readonly said: string
}

/**
 * Whether Prisma sees all of the approved as applied. Its `deploy` of the last group ends with that word, after it has read the directory
 * and the record itself; that it is kept beside the attempt saves a start. Where it is missing (the run came from another machine, the
 * migrator was killed after its last commit, others applied the rest) Prisma is asked.
 */
export async function agreementOf({
  workspace,
  plan,
  cwd,
  session,
}: {
  readonly workspace: Workspace
  readonly plan: Pick<Plan, 'list'>
  readonly cwd: string
  readonly session: ToolSession
}): Promise<Agreement> {
  const last = attemptsIn(workspace.base).at(-1)
  if (last !== undefined && last.intent.migrations.at(-1) === plan.list.at(-1)?.name) {
    const state = await stateOf(last)
    const said = outputOf(last)
    const { complete, datasource } = workspace.tool.readDeploy(said)
    if (state.kind === 'ended' && state.exit.exitCode === 0 && complete)
      return { agrees: true, adapter: datasource?.adapter === true, said: '' }
  }
  const { exitCode, output } = await workspace.run(workspace.tool.commands.status, cwd, session)
  const { pending, datasource } = workspace.tool.readStatus(output)
  return { agrees: exitCode === 0 && pending?.length === 0, adapter: datasource?.adapter === true, said: output }
}
