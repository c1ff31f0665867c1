import { isPrisma } from '../config/tool.ts'
import { prismaLockHolder } from '../database/activity.ts'
import { withTarget } from '../database/connect.ts'
import type { RunContext } from '../request/step.ts'
import { whyOther } from './observe/database-proof.ts'
import { isProblem, openWorkspace } from './prisma/prisma-workspace.ts'
import { askStatus, type StatusAnswer } from './question.ts'

/** The question before the migration, asked while the backup is read back, which needs neither the database nor the tool. */
export type Ahead = {
  /** Never throws: what is in the way is met again, and told, by the step that needs the answer. Abort `signal` to end it. */
  readonly ask: (context: RunContext, signal: AbortSignal) => Promise<void>
  /** Gives it once. Null when there is none about migrations up to `last`, or the world has had time to overtake it. */
  readonly take: (requestId: number, last: string) => StatusAnswer | null
}

/** How long an answer is good for; the tool is started again after that. Small, since what it says was so then. */
export const GOOD_FOR_MS = 30_000

/**
 * In memory: whoever takes the run over asks anew. Only an answer that Prisma was seen to get from the pinned database is kept, and it can
 * only prove: what it speaks against is asked again before it is told.
 */
export function createAhead(ports: {
  /** The repository's code runs with the database's URL: whether the run is still allowed to let it. */
  readonly mayAsk: (requestId: number) => Promise<boolean>
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number
}): Ahead {
  const now = ports.now ?? (() => performance.now())
  const kept = new Map<number, { readonly last: string; readonly answer: StatusAnswer; readonly at: number }>()
  const isOld = ({ at }: { readonly at: number }) => now() - at > GOOD_FOR_MS
  return {
    async ask(context, signal) {
      for (const [id, one] of kept) if (id === context.requestId || isOld(one)) kept.delete(id)
      const last = context.plan.list.at(-1)?.name
      if (last === undefined) return
      try {
        const answer = (await ports.mayAsk(context.requestId)) ? await askWhere(context, last, signal) : null
        if (answer?.proof.kind === 'waiting' && !signal.aborted) kept.set(context.requestId, { last, answer, at: now() })
      } catch {
        // the step that needs the answer asks anew, and tells what is in the way
      }
    },
    take(requestId, last) {
      const found = kept.get(requestId)
      kept.delete(requestId)
      return found === undefined || found.last !== last || isOld(found) ? null : found.answer
    },
  }
}

/** Null where it is not asked: another database, somebody else who migrates, or a tool that has to be started to know what it is. */
async function askWhere(context: RunContext, last: string, signal: AbortSignal): Promise<StatusAnswer | null> {
  // another tool has nothing to be asked, and Prisma 8's one start before the run is not asked ahead
  if (!isPrisma(context.target.tool) || context.plan.prisma8 !== undefined) return null
  const workspace = await openWorkspace(context)
  if (isProblem(workspace) || workspace.tool.installed === null || workspace.tool.installed.major >= 8) return null
  const connection = { url: workspace.url, applicationName: `lockkeeper-ahead-${context.requestId}`, signal }
  const isFree = await withTarget(
    connection,
    async (client) =>
      (await whyOther(client, workspace.parsed, context.plan.identity)) === null && (await prismaLockHolder(client)) === null,
  )
  return isFree ? askStatus({ context, workspace }, last, signal) : null
}
