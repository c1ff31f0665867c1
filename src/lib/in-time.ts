import { setTimeout as wait } from 'node:timers/promises'

/** What came of some work: its value in time, or the promise of a later one. */
export type InTime<T> = { readonly kind: 'in time'; readonly value: T } | { readonly kind: 'late'; readonly value: Promise<T> }

/** Slack waits 3 s for an answer; who needs longer says so first and answers afterwards. */
export async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<InTime<T>> {
  const stop = new AbortController()
  const late = wait(milliseconds, 'late' as const, { signal: stop.signal }).catch(() => 'late' as const)
  const first = await Promise.race([work.then((value) => ({ value })), late])
  stop.abort()
  return first === 'late' ? { kind: 'late', value: work } : { kind: 'in time', value: first.value }
}
