import { openRequest, saidOpened } from '../../approvals/requests/request.ts'
import type { SlotAsked } from '../../approvals/start-slot.ts'
import { code, list } from '../../approvals/wording.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { Target } from '../../src/config/config.ts'
import { writeAudit } from '../../src/audit/write.ts'
import { listRequests } from '../../src/request/store.ts'
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
    ...(command.breakGlass === true ? { breakGlass: true } : {}),
    ...(slot === null ? {} : { slot }),
    ...(command.override === undefined ? {} : { override: command.override }),
  })
  if (isRefusal(opened)) return opened
  if (command.breakGlass === true) return askedToBreak(deps, command, target, opened.id, asker)
  return {
    kind: 'opened',
    requestId: opened.id,
    text: await saidOpened(deps, opened, target, command.ref),
  }
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

/** Whoever asked may press the button, and hears at once what is still open. */
async function askedToBreak(
  deps: VerbDeps,
  command: Extract<Command, { verb: 'deploy' }>,
  target: Target,
  id: number,
  { origin }: Asker,
): Promise<Reply> {
  const unreviewed = await listRequests(deps.db, { target: target.name, isUnreviewed: true, limit: 20 })
  const earlier =
    unreviewed.length === 0
      ? ''
      : ` *${list(unreviewed.map((one) => `#${one.id}`))} on this target ran the same way and ${unreviewed.length === 1 ? 'is' : 'are'} not reviewed yet.*`
  return {
    kind: 'opened',
    requestId: id,
    text: `#${id} is asked for with break-glass: ${code(command.ref ?? target.source.branch)} to ${code(target.name)}. Nothing runs yet. Its card appears in <#${target.channel}> while the plan is made; read the plan there and press *Break the glass*${origin === null ? `, or read it here with ${code(`${deps.command} break-glass ${id}`)} while Slack cannot be reached` : ''}. To take it back: ${code(`${deps.command} cancel ${id}`)}.${earlier}`,
  }
}

/** The name was checked when it was read; a request may still name a target that has left the configuration. */
export const findTarget = (deps: Pick<VerbDeps, 'targets'>, name: string): Target | Refusal =>
  deps.targets.get(name) ?? refuse('unknown_target', `${code(name)} is not in lockkeeper.yaml. Nothing was started.`)
