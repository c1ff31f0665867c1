import { openRequest } from '../../approvals/request.ts'
import { code, list, mentionApprover } from '../../approvals/wording.ts'
import { isRefusal, refuse, type Refusal } from '../../src/refusal.ts'
import type { Target } from '../../src/config/config.ts'
import { writeAudit } from '../../src/audit/write.ts'
import type { Command } from '../parse.ts'
import { auditedBy, type Asker, type Reply, type VerbDeps } from '../reply.ts'
import { whyNotHere } from '../where.ts'

export async function deploy(deps: VerbDeps, command: Extract<Command, { verb: 'deploy' }>, asker: Asker): Promise<Reply> {
  const target = findTarget(deps, command.target)
  if (isRefusal(target)) return refused(deps, command, asker, target)
  const unfit = whyNotHere(target, asker) ?? (await deps.whyNoRun())
  if (unfit !== null) return refused(deps, command, asker, unfit)
  const opened = await openRequest(deps, {
    target,
    ask: { ref: command.ref, reason: command.reason, skipApp: command.skipApp },
    account: asker.account,
    askedIn: asker.place?.channel ?? null,
    entry: asker.entry,
  })
  if (isRefusal(opened)) return opened
  return {
    kind: 'opened',
    requestId: opened.id,
    text: `#${opened.id} is asked for: ${command.ref === null ? code(target.source.branch) : code(command.ref)} to ${code(target.name)}. Its card appears in <#${target.channel}> while the plan is made; ${list(target.approvals.from.map(mentionApprover), 'or')} can approve it there. To take it back: ${code(`${deps.command} cancel ${opened.id}`)}.`,
  }
}

async function refused(deps: VerbDeps, command: { readonly target: string }, asker: Asker, refusal: Refusal): Promise<Refusal> {
  await writeAudit(deps.db, {
    ...auditedBy(deps, asker),
    act: 'request',
    target: command.target,
    result: refusal.code,
    data: { askedIn: asker.place?.channel ?? null },
  })
  return refusal
}

/** The name was checked when it was read; a request may still name a target that has left the configuration. */
export const findTarget = (deps: Pick<VerbDeps, 'targets'>, name: string): Target | Refusal =>
  deps.targets.get(name) ?? refuse('unknown_target', `${code(name)} is not in lockkeeper.yaml. Nothing was started.`)
