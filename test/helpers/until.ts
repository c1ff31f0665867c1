import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a condition; throws with its name when it does not come true in time. */
export async function until<T>(
  name: string,
  holds: () => Promise<T | false | undefined | null> | T | false | undefined | null,
  withinMs = 20_000,
): Promise<T> {
  for (const end = performance.now() + withinMs; performance.now() < end; await sleep(20)) {
    const value = await holds()
    if (value !== false && value !== undefined && value !== null) return value
  }
  throw new Error(`${name} did not come true in ${withinMs} ms`)
}
