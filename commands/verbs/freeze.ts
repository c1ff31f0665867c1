import { freezeTargets, unfreezeTargets } from '../../approvals/decisions/freeze.ts'
import { code } from '../../approvals/wording.ts'
import { fullTime } from '../../src/calendar/say.ts'
import { addDays, firstInstant, wallAt } from '../../src/calendar/zone.ts'
import { writeAudit } from '../../src/audit/write.ts'
import type { Target } from '../../src/config/config.ts'
import { isRefusal, type Refusal } from '../../src/lib/refusal.ts'
import { storeNow } from '../../src/store/now.ts'
import { checkReason } from '../parse/arguments.ts'
import { readFreezePeriod, type FreezePeriod } from '../parse/freeze-period.ts'
import type { Command } from '../parse/command.ts'
import { auditedBy, say, type Reply, type VerbDeps } from './reply.ts'
import { notInDirect, whyNotHere, type Asker } from '../parse/channel-scope.ts'
import { findTarget } from './deploy.ts'

/** Nothing starts on a target, or on any: a freeze for a while that people plan, a lock for the work of one person on one target. */
export async function freeze(deps: VerbDeps, command: Extract<Command, { verb: 'freeze' | 'lock' }>, asker: Asker): Promise<Reply> {
  const targets = targetsOf(deps, command.target, asker)
  if (isRefusal(targets)) return refused(deps, command, asker, targets)
  const period = readFreezePeriod(command.words, { now: await storeNow(deps.db), zone: targets?.[0]?.timezone ?? 'UTC' })
  if (isRefusal(period)) return refused(deps, command, asker, period)
  const reason = checkReason(command.reason ?? period.reason)
  if (isRefusal(reason)) return refused(deps, command, asker, reason)
  const done = await freezeTargets(deps, {
    kind: command.verb,
    targets,
    account: asker.account,
    entry: asker.entry,
    answer: asker.answer,
    until: period.until,
    reason: reason ?? '',
    more: dayOnly(deps, command, period, reason ?? ''),
  })
  return isRefusal(done) ? done : say(done.text)
}

/** The other reading of a day alone, to copy. */
function dayOnly(
  deps: VerbDeps,
  { verb, target }: Extract<Command, { verb: 'freeze' | 'lock' }>,
  { until, isDayOnly }: FreezePeriod,
  reason: string,
): string {
  const zone = (target === null ? undefined : deps.targets.get(target)?.timezone) ?? 'UTC'
  if (isDayOnly !== true || until === null) return ''
  const through = fullTime(firstInstant({ ...addDays(wallAt(until, zone), 1), hour: 0, minute: 0 }, zone), zone)
  const typed = `${deps.command} ${verb} ${target ?? 'all'} until "${through}"${reason === '' ? '' : ` ${reason}`}`
  return ` It ends as that day begins. To hold it through the day: ${code(typed, 700)}.`
}

export async function unfreeze(deps: VerbDeps, command: Extract<Command, { verb: 'unfreeze' | 'unlock' }>, asker: Asker): Promise<Reply> {
  const targets = targetsOf(deps, command.target, asker)
  if (isRefusal(targets)) return refused(deps, command, asker, targets)
  const kind = command.verb === 'unfreeze' ? 'freeze' : 'lock'
  const done = await unfreezeTargets(deps, { kind, targets, account: asker.account, entry: asker.entry, answer: asker.answer })
  return isRefusal(done) ? done : say(done.text)
}

/** Null: all of them. */
function targetsOf(deps: VerbDeps, name: string | null, asker: Asker): readonly Target[] | null | Refusal {
  if (asker.origin?.isDirect === true) return notInDirect
  if (name === null) return null
  const target = findTarget(deps, name)
  return isRefusal(target) ? target : (whyNotHere(target, asker) ?? [target])
}

async function refused(deps: VerbDeps, command: { readonly verb: string; readonly target: string | null }, asker: Asker, refusal: Refusal) {
  await writeAudit(deps.db, { ...auditedBy(deps, asker), act: command.verb, target: command.target, result: refusal.code })
  return refusal
}
