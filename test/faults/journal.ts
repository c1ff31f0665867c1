/** What was done to a run and when, in the order in which it happened. */
export type Journal = {
  readonly note: (what: string) => void
  readonly lines: () => readonly string[]
}

/** Times are seconds since the beginning of the run, by a clock that no fault can set. */
export function createJournal(now: () => number = () => performance.now()): Journal {
  const began = now()
  const lines: string[] = []
  return {
    note: (what) => void lines.push(`${((now() - began) / 1_000).toFixed(2).padStart(7)} s  ${what}`),
    lines: () => lines,
  }
}
