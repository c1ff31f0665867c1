/** What happens to a fault that nobody caught. */
export type OnStray = (error: Error) => void

/** More are not told: a fault in a loop must not fill the disk while the rest is drained. */
const MOST_TOLD = 20

/**
 * From now on, a promise that nobody awaited or a throw in a callback does not end this process by Node's own trace, which would show
 * whatever secret stands in it. `act` tells and ends; `become` replaces it once there is more to end than the process.
 */
export function catchStrayFaults(act: OnStray): { readonly become: (next: OnStray) => void } {
  let current = act
  let told = 0
  const caught = (reason: unknown) => {
    if (told++ >= MOST_TOLD) return
    try {
      current(reason instanceof Error ? reason : new Error(`not an error was thrown: ${String(reason)}`))
    } catch {
      process.exit(1) // it cannot even be told
    }
  }
  process.on('uncaughtException', caught)
  process.on('unhandledRejection', caught)
  return {
    become(next) {
      current = next
    },
  }
}
