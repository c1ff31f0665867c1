import { commitsText } from '../../../approvals/cards/commits.ts'
import { code } from '../../../approvals/wording.ts'
import type { Target } from '../../../src/config/config.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { isRunner, pendingOfRunner } from '../prisma8.ts'
import type { VerbDeps } from '../reply.ts'
import { dueLines } from './record.ts'

const MOST = 5

/** What is merged and not live, what others changed in the schema, what is due; none where all is as it should be. Never throws. */
export async function morningLines(
  deps: Pick<VerbDeps, 'readStatus' | 'lookLive' | 'commitsNotLive' | 'onFault' | 'db' | 'command'>,
  target: Target,
): Promise<readonly string[]> {
  const safely = async <T>(work: Promise<T>): Promise<T | null> =>
    work.catch((error: unknown) => {
      deps.onFault(error)
      return null
    })
  const [status, commits, due] = await Promise.all([
    safely(deps.readStatus(target)),
    safely(deps.commitsNotLive(target)),
    dueLines(deps, target),
  ])
  if (status === null) return ['• It could not be read; the log of Lockkeeper says why.']
  if (isRefusal(status)) return [`• ${status.text}`]
  const pending = isRunner(status) ? pendingOfRunner(status.status) : status.pending
  const names = pending.slice(0, MOST).map(({ name }) => code(name))
  const rest = pending.length - names.length
  return [
    ...(pending.length === 0
      ? []
      : [
          `• Merged and not applied: ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}. To run ${pending.length === 1 ? 'it' : 'them'}: ${code(`${deps.command} deploy ${target.name}`)}.`,
        ]),
    ...(commits === null || commits.count === 0 ? [] : [`• Commits merged and not live: ${commitsText(commits)}.`]),
    ...due,
  ]
}
