import { setTimeout as wait } from 'node:timers/promises'

/**
 * For tests that start several bots at once: how long a machine takes for that says nothing about the bot, so the test's own time limits it.
 */
export const patiently = <T>(what: string, holds: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> =>
  until(what, holds, 90_000)

/**
 * Waits until `holds` gives something other than undefined or false; says what it waited for when it never does. The limit is a guard
 * against hanging and measures nothing: one start of the Prisma CLI takes more than a second of a slow core. What promises a time says it.
 */
export async function until<T>(
  what: string,
  holds: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 60_000,
): Promise<T> {
  const end = performance.now() + withinMs
  for (;;) {
    const value = await holds()
    if (value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`it did not come true within ${withinMs} ms: ${what}`)
    await wait(25)
  }
}
