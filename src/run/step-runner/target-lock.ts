import { withTargetLock } from '../../database/session-lock.ts'
import { code } from '../../lib/text/code.ts'
import { escapeMarkup } from '../../lib/text/escape.ts'
import { refuse } from '../../lib/refusal.ts'
import type { RunPorts, UnderLock } from './ports.ts'

/** How long a step waits for the target's lock: whoever held it before may be on its way out. */
const WAIT_MS = 30_000

/** Two runs never change one target at once, also when their bots know nothing of each other. */
export async function underTargetLock<T>(
  { config }: Pick<RunPorts, 'config'>,
  { target, requestId, signal }: Parameters<RunPorts['underTargetLock']>[0],
  work: (lost: AbortSignal) => Promise<T>,
): Promise<UnderLock<T>> {
  const connection = { url: config.secret(target.database.url), applicationName: `lockkeeper-${requestId}-guard`, signal }
  const outcome = await withTargetLock({ ...connection, waitMs: WAIT_MS }, (lock) => work(lock.signal))
  if (outcome.kind === 'held' || outcome.kind === 'aborted') return outcome
  return { kind: 'refused', refusal: outcome.kind === 'unreachable' ? notReached(outcome.why, target.name) : taken(outcome.by) }
}

const notReached = ({ message }: Error, target: string) =>
  refuse('target_unreachable', `The database of ${code(target)} cannot be reached. ${escapeMarkup(message)}`)

const taken = (by: { readonly pid: number; readonly applicationName: string } | null) =>
  refuse(
    'target_taken',
    `${by === null ? 'another session' : `${code(by.applicationName)} (pid ${by.pid})`} holds Lockkeeper's lock in this database. Look who runs there; when it is gone, ask again.`,
  )
