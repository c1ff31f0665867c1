import { mayPass } from '../../../guard/decide.ts'
import { reasonText } from '../../../guard/words.ts'
import { code } from '../../../lib/text/code.ts'
import { escapeMarkup } from '../../../lib/text/escape.ts'
import { seconds } from '../../../lib/text/sentences.ts'
import type { Attempt } from '../../attempts/attempt.ts'
import type { Diagnosis } from '../../diagnoses/diagnosis.ts'
import { guardStopOf, type GuardStop } from '../../observe/guarded.ts'

/** Why the guard ended this attempt; null when something else did, whatever the guard had begun. `diagnosed`: the code of its diagnosis. */
export const stopOf = (attempt: Attempt, diagnosed: string): GuardStop | null => (diagnosed === 'cancelled' ? guardStopOf(attempt) : null)

/** The same where another moment may be a better one. */
export function passingStop(attempt: Attempt, diagnosed: string): GuardStop | null {
  const stop = stopOf(attempt, diagnosed)
  return stop !== null && mayPass(stop.why) ? stop : null
}

/** Who was in the way of a try. */
type Blocker = { readonly name: string; readonly detail: string; readonly relation: string | null } | undefined

/** What people are told of one try, in the thread. `why` is null where its own lock timeout ended it. */
export function triedText(tried: {
  readonly number: number
  readonly of: number
  readonly stop: GuardStop | null
  readonly blocker: Blocker
  readonly lockTimeoutMs: number
  readonly pauseMs: number
}): string {
  const { number, of, stop, blocker, lockTimeoutMs, pauseMs } = tried
  const how =
    stop === null
      ? `it waited ${seconds(lockTimeoutMs)} for ${lockText(blocker)}${holderText(blocker)}, and gave up so that nobody waits behind it any longer`
      : `${reasonText(stop.why, stop.statement)}, so it was cancelled${stop.why.kind === 'queue' && blocker !== undefined ? ` (it waits for ${lockText(blocker)}${holderText(blocker)})` : ''}`
  return `Try ${number} of ${of}: ${how}; nothing was left. Next try in ${seconds(pauseMs)}.`
}

const lockText = (blocker: Blocker): string => (blocker?.relation == null ? 'a lock' : `a lock on ${code(blocker.relation)}`)
const holderText = (blocker: Blocker): string =>
  blocker === undefined ? '' : ` that ${code(blocker.name)} (${escapeMarkup(blocker.detail)}) holds`

/** For the end, when no further try is made. */
export function guardDiagnosis(
  diagnosis: Diagnosis,
  stop: GuardStop,
  { failed, tries, blocker }: { readonly failed: string | null; readonly tries: string; readonly blocker: Blocker },
): Diagnosis {
  const { why } = stop
  const subject = failed === null ? 'The migration' : code(failed)
  const reason = reasonText(why, stop.statement)
  return {
    ...diagnosis,
    code: 'cancelled_for_application',
    headline: `${subject} was cancelled so that the application can go on: ${reason}.`,
    ...(mayPass(why)
      ? {
          why: `It was tried ${tries}. It needs ${lockText(blocker)}${holderText(blocker)}, and while it waits everybody who comes later waits behind it.`,
          next: 'Wait for that query or end it, or choose a quieter moment; then ask again: what has run is kept and not repeated.',
        }
      : ownDoing(why.kind)),
  }
}

function ownDoing(kind: GuardStop['why']['kind']): Pick<Diagnosis, 'why' | 'next'> {
  switch (kind) {
    case 'queue':
    case 'connections':
      return {
        why: 'Nobody was in its way: it held its lock for that long itself, so it was not tried again, which would have kept the application waiting once more.',
        next: 'Split the work so that each lock is short (fill in batches, build indexes concurrently, validate constraints in a file of their own), or run it while the application is closed and raise `guard.queue` for that. Then ask again.',
      }
    case 'lag':
      return {
        why: 'It writes faster than the replicas can follow, and would do so again, so it was not tried again.',
        next: 'Split the work into smaller batches with pauses, or raise `guard.lag` for this target. Then ask again.',
      }
    case 'disk':
      return {
        why: 'A rewrite needs room for a second copy of the table. When the disk is full the whole server stops.',
        next: 'Free some of the disk, or lower `guard.disk` for this target. Then ask again.',
      }
  }
}
