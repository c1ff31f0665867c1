export type Refresher = { readonly request: () => void; readonly stop: () => void }

/** Runs `refresh` at each request, never twice at once: requests during a run and `gapMs` after it become one more run. A failure is tried again after `retryMs`. */
export function createRefresher(refresh: () => Promise<void>, times: { readonly retryMs: number; readonly gapMs: number }): Refresher {
  const status = { isRunning: false, isWanted: false, isStopped: false }
  let retry: ReturnType<typeof setTimeout> | undefined

  const run = async (): Promise<void> => {
    if (status.isRunning) return
    status.isRunning = true
    clearTimeout(retry)
    while (status.isWanted && !status.isStopped) {
      status.isWanted = false
      try {
        await refresh()
        await pause(times.gapMs)
      } catch {
        // `refresh` has told the person; here only the next attempt matters.
        status.isWanted = true
        break
      }
    }
    status.isRunning = false
    if (status.isWanted && !status.isStopped) retry = setTimeout(() => void run(), times.retryMs)
  }

  return {
    request: () => {
      status.isWanted = true
      void run()
    },
    stop: () => {
      status.isStopped = true
      clearTimeout(retry)
    },
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
