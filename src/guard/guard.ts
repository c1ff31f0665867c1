import { decide, type Judgement, type Limits, type Reason, type Seen } from './decide.ts'
import { withSample, type Figures } from './figures.ts'
import type { Observer } from './observer.ts'
import { takeSample, type Sample } from './sample.ts'
import { cancelStatement } from './sessions.ts'

/** Looks at one migration again and again, and cancels its statement where that is due. */
export type Guard = {
  /** One look; null when the database does not answer. */
  readonly look: () => Promise<Sample | null>
  /** Until the next one: longer where a look takes long and nobody waits, so that watching never becomes a load of its own. */
  readonly pauseMs: () => number
  readonly figures: () => Figures
}

export type Guarded = {
  readonly observer: Observer
  readonly applicationName: string
  readonly limits: Limits
  readonly everyMs: number
  /** Of the server's disk; null where that is not known. */
  readonly freeBytes: () => Promise<number | null>
  /** What earlier processes measured of the same run. */
  readonly figures: Figures
  /** Before it is cancelled, so that whoever finds the end knows whose doing it was. */
  readonly beforeCancel: (why: Reason, sample: Sample) => void
  /** It had ended by then. */
  readonly notCancelled: () => void
  /** After each look, with what came of it. */
  readonly tell: (judgement: Judgement, sample: Sample, figures: Figures) => Promise<void>
}

export function makeGuard(guarded: Guarded): Guard {
  let seen: readonly Seen[] = []
  let { figures } = guarded
  let how: 'whole' | 'bare' = 'whole'
  let tookMs = 0
  let isTense = false
  let lastCancelled: { readonly statement: string | null; readonly atMs: number } | null = null

  const ask = async (): Promise<Sample | null> => {
    try {
      return await guarded.observer.glance((client) => takeSample(client, guarded.applicationName, how))
    } catch (error) {
      if (how === 'bare') throw error
      how = 'bare' // the server does not let us ask all of it
      return guarded.observer.glance((client) => takeSample(client, guarded.applicationName, how))
    }
  }

  const cancel = async (sample: Sample, why: Reason): Promise<boolean> => {
    const { worker, atMs } = sample
    if (worker === undefined) return false
    // it takes a moment to end; then it is asked again
    if (lastCancelled?.statement === worker.statement && atMs - lastCancelled.atMs < AGAIN_MS) return false
    guarded.beforeCancel(why, sample)
    const isDone = await guarded.observer.glance((client) => cancelStatement(client, guarded.applicationName, worker))
    if (isDone === false) guarded.notCancelled()
    if (isDone !== true) return false
    if (lastCancelled?.statement !== worker.statement) figures = { ...figures, cancelled: figures.cancelled + 1 }
    lastCancelled = { statement: worker.statement, atMs }
    return true
  }

  return {
    async look() {
      const began = performance.now()
      const sample = await ask()
      tookMs = performance.now() - began
      if (sample === null) return null
      isTense = sample.waiting !== null || sample.queue.count > 0
      figures = withSample(figures, sample)
      seen = [...seen, { ...sample, freeBytes: await guarded.freeBytes() }].slice(-KEPT)
      const judgement = decide(seen, guarded.limits)
      const isCancelled = judgement.kind === 'cancel' && (await cancel(sample, judgement.why))
      await guarded.tell(judgement.kind === 'cancel' && !isCancelled ? { kind: 'tell' } : judgement, sample, figures)
      return sample
    },
    pauseMs: () => pauseAfter({ everyMs: guarded.everyMs, tookMs, isTense }),
    figures: () => figures,
  }
}

/** A look every 250 ms and more: several seconds of them. */
const KEPT = 64
/** Between two cancels of the same statement. */
const AGAIN_MS = 2_000

/** A fifth of the time at most is spent on looking while nobody waits. A server that is slow is no reason to see a queue later. Pure. */
export function pauseAfter(look: { readonly everyMs: number; readonly tookMs: number; readonly isTense: boolean }): number {
  const { everyMs, tookMs, isTense } = look
  return isTense ? everyMs : Math.max(everyMs, Math.min(LONGEST_MS, tookMs * 4))
}

const LONGEST_MS = 1_000
