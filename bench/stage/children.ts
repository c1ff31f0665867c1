import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** A child process of another process, from when it was first seen to when it was last seen, in milliseconds since the epoch. */
export type Life = { readonly pid: number; readonly name: string; readonly from: number; readonly to: number }

/** Watches the children of a process until `stop`. */
export function watchChildren(pid: number): { readonly stop: () => Promise<readonly Life[]> } {
  const worker = new Worker(new URL('children.worker.ts', import.meta.url), { workerData: { pid } })
  return {
    async stop() {
      worker.postMessage('stop')
      const [lives] = (await once(worker, 'message')) as [readonly Life[]]
      await worker.terminate()
      return lives.toSorted((a, b) => a.from - b.from)
    },
  }
}

/** How much of the time between `from` and `to` at least one of them lived. */
export function coveredMs(lives: readonly Life[], from: number, to: number): number {
  let covered = 0
  let until = from
  for (const life of lives.toSorted((a, b) => a.from - b.from)) {
    const begin = Math.max(until, life.from)
    const end = Math.min(to, life.to)
    if (end <= begin) continue
    covered += end - begin
    until = end
  }
  return covered
}

/** Milliseconds since the epoch, finer than `Date.now()`; other processes of this machine agree on it. */
export const epochMs = (): number => performance.timeOrigin + performance.now()
