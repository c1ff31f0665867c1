import type { Asker } from '../parse/channel-scope.ts'
import { acknowledgePage } from '../../approvals/decisions/acknowledge.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import type { Command } from '../parse/command.ts'
import { say, type Reply, type VerbDeps } from './reply.ts'

/** Possible from anywhere: whoever is woken should not have to look for the right channel. */
export async function ack(deps: VerbDeps, command: Extract<Command, { verb: 'ack' }>, asker: Asker): Promise<Reply> {
  const outcome = await acknowledgePage(deps, { account: asker.account, entry: asker.entry, answer: asker.answer, id: command.id })
  return isRefusal(outcome) ? outcome : say(outcome.text)
}
