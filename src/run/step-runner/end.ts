import { writeAudit } from '../../audit/write.ts'
import { doneHeadline } from '../../request/render/words.ts'
import { MAINTENANCE_OFF, notOffEither, offAgain, staysOn, stillOn } from '../../request/maintenance-mode.ts'
import type { Ending, RequestRow, RunOutcome } from '../../request/request.ts'
import { about, addEvent, endLater, requestById, transition } from '../../request/store.ts'
import type { Queries, Tx } from '../../store/pool.ts'

/**
 * `ended`: the run has come to its end, or needs a person. `off first`: it ends when maintenance mode is off. `off when closed`: it needs
 * a person, and maintenance mode stays on until that person has decided.
 */
export type Next = 'next' | 'ended' | 'off first' | 'off when closed'

/** What the workflow does about a run that has stopped. */
export function endOf({ state, ending, owesOff }: RequestRow): Exclude<Next, 'next'> {
  if (state === 'running' && ending !== null) return 'off first'
  return state === 'needs_human' && owesOff ? 'off when closed' : 'ended'
}

/** A run that has switched maintenance mode on only says that it stops, and ends when that is off again. */
export async function stopRun(
  tx: Tx,
  request: RequestRow,
  step: string,
  ending: Ending,
  outcome: RunOutcome,
): Promise<Exclude<Next, 'next'>> {
  const whole = await withBackup(tx, request.id, outcome)
  if (step === MAINTENANCE_OFF) return endRun(tx, request, step, 'needs_human', withRest(request, whole))
  if (!request.owesOff) return endRun(tx, request, step, ending, whole)
  if (staysOn(ending, step)) return endRun(tx, request, step, ending, stillOn(whole))
  await endLater(tx, request.id, 'running', ending, whole)
  return 'off first'
}

/** The switch could not be set: beside that stands what had stopped the run before, or that all of it is done. */
function withRest({ plan, ending, outcome }: RequestRow, off: RunOutcome): RunOutcome {
  if (ending !== null && outcome !== null) return notOffEither(off, outcome)
  return plan === null ? off : { ...off, known: `All else is done. ${doneHeadline(plan).replaceAll('*', '')}` }
}

export async function endRun(
  tx: Tx,
  request: RequestRow,
  step: string,
  ending: Ending,
  outcome: RunOutcome,
): Promise<Exclude<Next, 'next'>> {
  const off = await offAgain(tx, request.id)
  const whole = off === null ? outcome : { ...outcome, maintenance: off }
  if (!(await transition(tx, request.id, ['running'], ending, { outcome: whole, isOver: true }))) return 'ended'
  await addEvent(tx, request.id, { kind: 'ended', data: { state: ending } })
  await writeAudit(tx, { ...about(request), act: 'run', result: ending, data: { step } })
  const now = await requestById(tx, request.id)
  return now === undefined ? 'ended' : endOf(now)
}

/** Whoever reads that it failed wants to know at once what there is to go back to. */
async function withBackup(tx: Queries, id: number, outcome: RunOutcome): Promise<RunOutcome> {
  const [backup] = await tx.query<{ name: string }>(
    `select name from lockkeeper.backup where request_id = $1 and state in ('written', 'verified') order by created_at desc limit 1`,
    [id],
  )
  return backup === undefined ? outcome : { backup: backup.name, ...outcome }
}
