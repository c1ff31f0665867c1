import { setTimeout as sleep } from 'node:timers/promises'
import { endAttempt, stateOf, type Attempt } from '../attempts/attempt.ts'
import type { Observer } from '../../guard/observer.ts'

/**
 * Stops a migrator in the order that leaves no doubt: its statement is cancelled, then its session terminated, and only when no session
 * is left its processes are ended. Killed first, its session would go on and commit. Resolves when processes and sessions are gone;
 * false when the database did not answer for so long that nothing is certain.
 */
export async function stopMigrator(
  observer: Observer,
  attempt: Attempt | null,
  applicationName: string,
  { pollMs, patienceMs }: { readonly pollMs: number; readonly patienceMs: number },
): Promise<boolean> {
  const began = performance.now()
  let aloneSince: number | null = null
  for (let unanswered = 0; ; await sleep(pollMs)) {
    const elapsed = performance.now() - began
    const act = elapsed < patienceMs ? 'pg_cancel_backend' : 'pg_terminate_backend'
    const sessions = await observer.glance(async (client) => {
      const { rows } = await client.query<{ pid: number }>(
        `select pid, ${act}(pid) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid() and datname is not null`,
        [applicationName],
      )
      return rows.length
    })
    const living = attempt !== null && (await stateOf(attempt)).kind === 'living'
    if (sessions === 0 && !living) return true
    // without a session it is starting, ending, or hangs: it may still connect, so the sessions are looked at again afterwards. Its patience
    // begins when its session is gone, since it has yet to say how that ended
    aloneSince = sessions === 0 ? (aloneSince ?? performance.now()) : null
    const alone = aloneSince === null ? 0 : performance.now() - aloneSince
    if (attempt !== null && alone >= patienceMs) endAttempt(attempt, alone >= 2 * patienceMs ? 'SIGKILL' : 'SIGTERM')
    if (sessions === null && ++unanswered * pollMs > 60_000) return false
    if (sessions !== null) unanswered = 0
  }
}
