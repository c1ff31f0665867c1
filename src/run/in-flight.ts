import type { Step } from '../request/step.ts'

/** What this process does for runs, so that it can be asked to stop without leaving a mess. The runs go on elsewhere or at the next start. */
export type InFlight = {
  /** From then on no step begins here. */
  readonly isStopping: () => boolean
  /** Aborts when a step of this kind must end because the process does. */
  readonly signalFor: (changes: Step['changes']) => AbortSignal
  readonly during: <T>(changes: Step['changes'], work: () => Promise<T>) => Promise<T>
  /** Resolves when nothing that this process would break is under way. */
  readonly stop: () => Promise<void>
}

/** A deploy command that is cut off is a person's work afterwards, so it is given the time to end: less than services are given to stop. */
const APPLICATION_MS = 45_000
/** Children are asked to end and after 5 s made to. */
const ABORTED_MS = 7_000

export function createInFlight(patienceMs = APPLICATION_MS): InFlight {
  const stopping = new AbortController()
  const late = new AbortController()
  const current = new Map<Promise<unknown>, Step['changes']>()
  const ended = (which: (changes: Step['changes']) => boolean, withinMs: number) => {
    const work = [...current].flatMap(([promise, changes]) => (which(changes) ? [promise] : []))
    const timeout = Promise.withResolvers<void>()
    const timer = setTimeout(timeout.resolve, withinMs)
    return Promise.race([Promise.allSettled(work), timeout.promise]).finally(() => clearTimeout(timer))
  }
  return {
    isStopping: () => stopping.signal.aborted,
    signalFor: (changes) => (changes === 'application' ? late.signal : stopping.signal),
    async during(changes, work) {
      const promise = work()
      current.set(promise, changes)
      try {
        return await promise
      } finally {
        current.delete(promise)
      }
    },
    async stop() {
      const why = new Error('this process is asked to stop')
      stopping.abort(why)
      await ended((changes) => changes === 'application', patienceMs)
      late.abort(why)
      // the migrator is not waited for: it goes on by itself, and whoever takes the run over finds it
      await ended((changes) => changes !== 'database', ABORTED_MS)
    },
  }
}
