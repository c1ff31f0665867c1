import { escapeMarkup } from '../lib/text/escape.ts'
import type { Queries } from '../store/pool.ts'
import { code } from '../lib/text/code.ts'
import { durationText } from '../lib/text/text.ts'
import type { Ending, RunOutcome } from './request.ts'

/**
 * Maintenance mode around a run. Once switching it on has begun, the run does not end before it was switched off: its end is written
 * down (`request.ending`, with the outcome), the switch is set, and then it ends. See docs/adr/0010-maintenance-mode-ends-with-the-run.md.
 */

export const MAINTENANCE_ON = 'maintenance-on'
export const MAINTENANCE_OFF = 'maintenance-off'

/** `data` of the step that was to switch it on, when it is certain that none of its commands has run. */
export const NOT_BEGUN = { began: false } as const

/** What stands in `data` of the step that switched it off. */
export type SwitchedOff = { readonly probe: { readonly url: string; readonly said: string } | null }

/** SQL about a row of `request`: switching it on has begun, and switching it off was not tried to its end. */
export const owesOffColumn = `exists (select 1 from lockkeeper.step s join lockkeeper.step o using (request_id)
  where s.request_id = request.id and s.name = '${MAINTENANCE_ON}' and s.attempt > 0 and s.data->'began' is distinct from 'false'
    and o.name = '${MAINTENANCE_OFF}' and o.ended_at is null)`

/**
 * While it is unclear what a migration does or has done, users stay away from the database: a person decides first. Whatever else ends a
 * run, the switch is set before anybody is asked.
 */
export const staysOn = (ending: Ending, step: string): boolean => ending === 'needs_human' && step === 'migrate'

export const stillOn = (outcome: RunOutcome): RunOutcome => ({
  ...outcome,
  maintenance:
    'It is still on, since it is not clear what the database is doing. Closing this request switches it off, so make sure of the database first.',
})

/** `It was on for 12 s and is off again: … answers HTTP 200.`; null when it was not switched off by this run. */
export async function offAgain(db: Queries, requestId: number): Promise<string | null> {
  const [row] = await db.query<{ wasOn: boolean; ms: number; data: SwitchedOff | null }>(
    `select s.state = 'done' as "wasOn", (extract(epoch from o.ended_at - s.started_at) * 1000)::float8 as ms, o.data
     from lockkeeper.step s join lockkeeper.step o using (request_id)
     where s.request_id = $1 and s.name = $2 and o.name = $3 and o.state = 'done' and s.started_at is not null`,
    [requestId, MAINTENANCE_ON, MAINTENANCE_OFF],
  )
  if (row === undefined) return null
  const probe = row.data?.probe ?? null
  const probed =
    probe === null ? '; no probe is configured, so nobody has looked.' : `: ${code(probe.url)} answers ${escapeMarkup(probe.said)}.`
  return row.wasOn ? `It was on for ${durationText(row.ms)} and is off again${probed}` : `It is off${probed}`
}

/** It could not be switched off, at the end of a run that had ended badly already: both are told, the more urgent one first. */
export const notOffEither = (off: RunOutcome, before: RunOutcome): RunOutcome => ({
  ...before,
  headline: `${off.headline} ${before.headline}`,
  ...(off.why === undefined ? {} : { maintenance: off.why }),
  next: [off.next, before.next].filter((part) => part !== undefined).join(' '),
  ...(before.excerpt === undefined && off.excerpt !== undefined ? { excerpt: off.excerpt } : {}),
})
