import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { guardDefaults, type GuardSettings } from '../../config/keys/guard.ts'
import { reasonShape, type Limits } from '../../guard/decide.ts'
import { freeDisk } from '../../guard/disk.ts'
import { figuresShape, noFigures, type Figures } from '../../guard/figures.ts'
import { makeGuard, type Guard } from '../../guard/guard.ts'
import type { Observer } from '../../guard/observer.ts'
import { shownStatement } from '../../guard/words.ts'
import { readJson, writeWholeSync } from '../../lib/durable-file.ts'
import type { RunContext } from '../../request/step.ts'
import type { Blocked } from './blocked.ts'
import { attemptsIn, type Attempt } from '../attempts/attempt.ts'

/** The guard of one attempt. What it measures and does is kept in files, for the diagnosis and for whoever takes the run over. */
export function guardOf(
  watched: {
    readonly context: Pick<RunContext, 'target' | 'redactor' | 'report'>
    readonly observer: Observer
    readonly applicationName: string
    readonly base: string
    /** Of the server. */
    readonly host: string
    readonly blocked: Blocked
  },
  attempt: Attempt | null,
): Guard {
  const { context, observer, applicationName, base, host, blocked } = watched
  const guard = context.target.guard ?? guardDefaults
  const mark = attempt === null ? null : markOf(attempt)
  let wroteAt = -Infinity
  return makeGuard({
    observer,
    applicationName,
    limits: attempt === null ? NONE : limitsOf(guard, attempt),
    everyMs: guard.every,
    freeBytes: guard.disk === undefined ? async () => null : freeDisk(observer, host),
    figures: figuresIn(base),
    beforeCancel: (why, { worker }) => {
      const statement = shownStatement(context.redactor.text(worker?.query ?? ''))
      if (mark !== null) writeWholeSync(mark, JSON.stringify({ why, statement } satisfies GuardStop))
    },
    notCancelled: () => {
      if (mark !== null) rmSync(mark, { force: true })
    },
    tell: async (judgement, sample, figures) => {
      blocked.see(sample)
      if (judgement.kind === 'cancel') context.report('The application waits, so the statement is being cancelled.')
      else if (performance.now() - wroteAt < WRITE_MS) return
      wroteAt = performance.now()
      keepFigures(base, figures)
    },
  })
}

const WRITE_MS = 1_000

const stopShape = z.object({ why: reasonShape, statement: z.string() })
export type GuardStop = z.output<typeof stopShape>

/** Why the guard cancelled this attempt; null when it did not. */
export function guardStopOf(attempt: Attempt): GuardStop | null {
  const found = readJson(markOf(attempt))
  return found === null ? null : stopShape.parse(found)
}

/** What was measured in all tries of this run. */
export function figuresIn(base: string): Figures {
  const found = readJson(figuresPath(base))
  return found === null ? noFigures : figuresShape.parse(found)
}

export const keepFigures = (base: string, figures: Figures): void => writeWholeSync(figuresPath(base), JSON.stringify(figures))

/** The end of the step with what was measured, for the record. */
export const withFigures = <End extends { readonly data?: unknown }>(end: End, base: string): End =>
  typeof end.data === 'object' && end.data !== null ? { ...end, data: dataWithFigures(end.data, base) } : end

export const dataWithFigures = <Data extends object>(data: Data, base: string): Data =>
  existsSync(figuresPath(base)) ? { ...data, guard: { ...figuresIn(base), tries: attemptsIn(base).length } } : data

const markOf = ({ directory }: Attempt): string => join(directory, 'guard.json')
const figuresPath = (base: string): string => join(base, 'figures.json')

/**
 * An index that is built concurrently keeps no reader and no writer waiting, and cancelling it throws hours of work away and leaves an invalid
 * index. Whoever waits behind it has brought a stronger lock of his own, so that is told and no reason to cancel.
 */
const limitsOf = ({ queue, lag, connections, disk }: GuardSettings, { intent }: Attempt): Limits => ({
  queueMs: intent.concurrently ? null : queue,
  lagMs: lag ?? null,
  connectionsPercent: connections ?? null,
  freeBytes: disk ?? null,
})

const NONE: Limits = { queueMs: null, lagMs: null, connectionsPercent: null, freeBytes: null }
