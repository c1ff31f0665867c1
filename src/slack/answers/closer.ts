import { setTimeout as wait } from 'node:timers/promises'

/**
 * Gathers what is to be closed within a moment, so that a burst of windows is no burst of commits beside the votes that people wait for.
 * All of one moment stand or fall together; whoever gave one does it again.
 */
export function createCloser(close: (ids: readonly string[]) => Promise<void>, gatherMs: number): (id: string) => Promise<void> {
  let open: { readonly ids: string[]; readonly closed: Promise<void> } | undefined
  const begin = () => {
    const ids: string[] = []
    const closed = wait(gatherMs).then(() => {
      open = undefined
      return close(ids)
    })
    return { ids, closed }
  }
  return (id) => {
    open ??= begin()
    open.ids.push(id)
    return open.closed
  }
}
