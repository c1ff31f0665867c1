import type { SeenSession, Waiter } from './session.ts'

/**
 * Who waits behind these sessions, directly or behind somebody who does, and how long it has been behind them: no longer than it has waited
 * itself, and no longer than whoever stands between. Pure.
 */
export function behindUs(ours: ReadonlySet<number>, waiters: readonly Waiter[]): readonly Waiter[] {
  const others = waiters.filter(({ pid }) => !ours.has(pid))
  const behind = new Map<number, number>()
  for (let isSettled = false; !isSettled;) {
    isSettled = true
    for (const { pid, ms, blockers } of others) {
      const longest = Math.max(-1, ...blockers.map((one) => (ours.has(one) ? ms : Math.min(ms, behind.get(one) ?? -1))))
      if (longest <= (behind.get(pid) ?? -1)) continue
      behind.set(pid, longest)
      isSettled = false
    }
  }
  return others.flatMap((one) => {
    const ms = behind.get(one.pid)
    return ms === undefined ? [] : [{ ...one, ms }]
  })
}

/** Who has to end before this one goes on: of those that do not wait themselves, the one whose transaction is the oldest. Pure. */
export function inOurWay(ours: Waiter, waiters: readonly Waiter[], sessions: readonly SeenSession[]): SeenSession | null {
  const waiting = new Map(waiters.map((one) => [one.pid, one]))
  const seen = new Set<number>([ours.pid])
  const roots: SeenSession[] = []
  for (const open = [...ours.blockers]; open.length > 0;) {
    const pid = open.pop()
    if (pid === undefined || seen.has(pid)) continue
    seen.add(pid)
    const next = waiting.get(pid)
    if (next !== undefined) open.push(...next.blockers)
    else if (pid === 0) roots.push(PREPARED)
    else roots.push(...sessions.filter((one) => one.pid === pid))
  }
  return roots.toSorted((a, b) => (b.transactionMs ?? 0) - (a.transactionMs ?? 0) || a.pid - b.pid)[0] ?? null
}

const PREPARED: SeenSession = {
  pid: 0,
  role: null,
  applicationName: 'a prepared transaction',
  state: null,
  backend: null,
  transaction: null,
  statement: null,
  transactionMs: null,
  statementMs: null,
  query: null,
}
