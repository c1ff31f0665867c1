import type { State } from './state.ts'

/** Resolves with the first truthy value, looked at now and at each change. Rejects with what was awaited and the last calls. */
export function waitFor<T>(
  state: State,
  find: () => T | null | undefined | false,
  options: { readonly timeoutMs?: number; readonly what?: string } = {},
): Promise<T> {
  const { timeoutMs = 10_000, what = 'what was awaited' } = options
  return new Promise((resolve, reject) => {
    const look = (): void => {
      try {
        const value = find()
        if (value === null || value === undefined || value === false) return
        stop()
        resolve(value)
      } catch (error) {
        stop()
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
    const timer = setTimeout(() => {
      stop()
      reject(new Error(`${what} did not come within ${timeoutMs} ms; last calls:\n${lastCalls(state)}`))
    }, timeoutMs)
    const leave = state.onChange(look)
    const stop = (): void => {
      clearTimeout(timer)
      leave()
    }
    look()
  })
}

function lastCalls(state: State): string {
  const lines = state.calls
    .slice(-8)
    .map((call) => `  ${call.method} ${JSON.stringify(call.args).slice(0, 200)} -> ${JSON.stringify(call.answer).slice(0, 200)}`)
  return lines.length > 0 ? lines.join('\n') : '  none'
}
