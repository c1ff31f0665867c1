import type { RunContext } from '../request/step.ts'
import { patient, proveDatabase, type DatabaseProof } from './observe/database-proof.ts'
import type { Work } from './observe/work.ts'
import type { ToolSession } from './prisma/tool.ts'

/** What Prisma said about which database it would change and what, and where it was seen meanwhile. */
export type StatusAnswer = { readonly output: string; readonly proof: DatabaseProof }

/** Asks with all that was approved in place, up to `last`, and the marker behind it. */
export async function askStatus(work: Pick<Work, 'context' | 'workspace'>, last: string, signal?: AbortSignal): Promise<StatusAnswer> {
  const { context, workspace } = work
  const cwd = workspace.markedLayout(last)
  const session = patient(sessionOf(work, 'status'))
  return proveDatabase({
    url: workspace.url,
    applicationName: `lockkeeper-probe-${context.requestId}`,
    toolName: session.applicationName,
    schema: workspace.parsed.schema,
    status: async () => (await workspace.run(workspace.tool.commands.status, cwd, session, signal)).output,
  })
}

/** Of a short command. */
export const sessionOf = ({ context, workspace }: Pick<Work, 'context' | 'workspace'>, suffix: string): ToolSession => ({
  applicationName: `${workspace.applicationName}-${suffix}`,
  ...timeoutsOf(context),
})

export const timeoutsOf = ({ target }: Pick<RunContext, 'target'>): Pick<ToolSession, 'lockTimeoutMs' | 'statementTimeoutMs'> => ({
  lockTimeoutMs: target.database.lockTimeout,
  statementTimeoutMs: target.database.statementTimeout,
})
