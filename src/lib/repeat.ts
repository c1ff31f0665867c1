import { setTimeout as wait } from 'node:timers/promises'

/** Does something again and again with a pause in between, never twice at once. `stop` waits for the round that is under way. */
export function every(
  pauseMs: number,
  act: () => Promise<unknown>,
  onFault: (error: Error) => void,
): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController()
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await act().catch(onFault)
      await wait(pauseMs, undefined, { signal: stopping.signal }).catch(() => {}) // aborted: the loop ends
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await loop
    },
  }
}
