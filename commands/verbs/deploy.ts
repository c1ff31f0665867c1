import { openRequest } from '../../approvals/requests/request.ts'
import type { SlotAsked } from '../../approvals/start-slot.ts'
import { code } from '../../approvals/wording.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { Target } from '../../src/config/config.ts'
import { writeAudit } from '../../src/audit/write.ts'
import { storeNow } from '../../src/store/now.ts'
import { readWhen } from '../../src/calendar/when.ts'
import type { Command } from '../parse/command.ts'
import { auditedBy, type Reply, type VerbDeps } from './reply.ts'
import { whyNotHere, type Asker } from '../parse/channel-scope.ts'

export async function deploy(deps: VerbDeps, command: Extract<Command, { verb: 'deploy' }>, asker: Asker): Promise<Reply> {
  const target = findTarget(deps, command.target)
  if (isRefusal(target)) return refused(deps, command, asker, target)
  const unfit = whyNotHere(target, asker) ?? (await deps.whyNoRun())
  if (unfit !== null) return refused(deps, command, asker, unfit)
  const slot = await slotOf(deps, command, target)
  if (isRefusal(slot)) return refused(deps, command, asker, slot)
  const opened = await openRequest(deps, {
    target,
    ask: { ref: command.ref, reason: command.reason, skipApp: command.skipApp },
    account: asker.account,
    askedIn: asker.origin?.channel ?? null,
    entry: asker.entry,
    answer: asker.answer,
    ...(command.breakGlass === true ? { breakGlass: true } : {}),
    ...(slot === null ? {} : { slot }),
    ...(command.override === undefined ? {} : { override: command.override }),
  })
  return isRefusal(opened) ? opened : { kind: 'opened', requestId: opened.id, text: opened.text }
}

/** What was typed about when it starts; a time without a zone is in the target's. */
async function slotOf(deps: VerbDeps, command: Extract<Command, { verb: 'deploy' }>, target: Target): Promise<SlotAsked | null | Refusal> {
  if (command.inWindow !== undefined) return { window: command.inWindow }
  if (command.at === undefined) return null
  const when = readWhen(command.at, { now: await storeNow(deps.db), zone: target.timezone })
  return isRefusal(when) ? refuse(when.code, `${when.text} Nothing was started.`) : { at: when.at }
}

async function refused(deps: VerbDeps, command: { readonly target: string }, asker: Asker, refusal: Refusal): Promise<Refusal> {
  await writeAudit(deps.db, {
    ...auditedBy(deps, asker),
    act: 'request',
    target: command.target,
    result: refusal.code,
    data: { askedIn: asker.origin?.channel ?? null },
  })
  return refusal
}

/** The name was checked when it was read; a request may still name a target that has left the configuration. */
export const findTarget = (deps: Pick<VerbDeps, 'targets'>, name: string): Target | Refusal =>
  deps.targets.get(name) ?? refuse('unknown_target', `${code(name)} is not in lockkeeper.yaml. Nothing was started.`)
