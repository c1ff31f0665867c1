export type Refresher = { readonly request: () => void; readonly stop: () => void }

/** Runs `refresh` at each request, never twice at once: requests during a run and `gapMs` after it become one more run. A failure is tried again after `retryMs`. */
export function createRefresher(refresh: () => Promise<void>, times: { readonly retryMs: number; readonly gapMs: number }): Refresher {
  let isRunning = false
  let isWanted = false
  let isStopped = false
  let retry: ReturnType<typeof setTimeout> | undefined

  const run = async (): Promise<void> => {
    if (isRunning) return
    isRunning = true
    clearTimeout(retry)
    while (isWanted && !isStopped) {
      isWanted = false
      try {
        await refresh()
        await pause(times.gapMs)
      } catch {
        // `refresh` has told the person; here only the next attempt matters.
        isWanted = true
        break
      }
    }
    isRunning = false
    if (isWanted && !isStopped) retry = setTimeout(() => void run(), times.retryMs)
  }

  return {
    request: () => {
      isWanted = true
      void run()
    },
    stop: () => {
      isStopped = true
      clearTimeout(retry)
    },
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
