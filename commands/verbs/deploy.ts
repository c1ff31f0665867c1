import { openRequest } from '../../approvals/request.ts'
import { code, list, mentionApprover } from '../../approvals/wording.ts'
import { isRefusal, refuse, type Refusal } from '../../src/refusal.ts'
import type { Target } from '../../src/config/config.ts'
import { audit } from '../../src/run/rows.ts'
import type { Command } from '../parse.ts'
import type { Asker, Reply, VerbDeps } from '../reply.ts'
import { whyNotHere } from '../where.ts'

export async function deploy(deps: VerbDeps, command: Extract<Command, { verb: 'deploy' }>, asker: Asker): Promise<Reply> {
  const target = findTarget(deps, command.target)
  if (isRefusal(target)) return target
  const elsewhere = whyNotHere(target, asker)
  if (elsewhere !== undefined) {
    await audit(deps.db, {
      actor: asker.account,
      act: 'request',
      target: target.name,
      result: elsewhere.code,
      data: { askedIn: asker.place?.channel ?? null },
    })
    return elsewhere
  }
  const opened = await openRequest(deps, {
    target,
    ask: { ref: command.ref, reason: command.reason, skipApp: command.skipApp },
    account: asker.account,
    askedIn: asker.place?.channel ?? null,
  })
  if (isRefusal(opened)) return opened
  return {
    kind: 'opened',
    requestId: opened.id,
    text: `#${opened.id} is asked for: ${command.ref === null ? code(target.source.branch) : code(command.ref)} to ${code(target.name)}. Its card appears in <#${target.channel}> while the plan is made; ${list(target.approvals.from.map(mentionApprover), 'or')} can approve it there. To take it back: ${code(`${deps.command} cancel ${opened.id}`)}.`,
  }
}

/** The name was checked when it was read; a request may still name a target that has left the configuration. */
export const findTarget = (deps: Pick<VerbDeps, 'targets'>, name: string): Target | Refusal =>
  deps.targets.get(name) ?? refuse('unknown_target', `${code(name)} is not in lockkeeper.yaml. Nothing was started.`)
