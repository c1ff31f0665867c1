import type { Asker } from '../parse/channel-scope.ts'
import { cancelRequest } from '../../approvals/decisions/cancel.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import type { Command } from '../parse/command.ts'
import { say, type Reply, type VerbDeps } from './reply.ts'

/** Possible from anywhere: nothing should stand between a person and the brake. */
export async function cancel(deps: VerbDeps, command: Extract<Command, { verb: 'cancel' }>, asker: Asker): Promise<Reply> {
  const outcome = await cancelRequest(deps, { account: asker.account, entry: asker.entry, answer: asker.answer, id: command.id })
  return isRefusal(outcome) ? outcome : say(outcome.text)
}
