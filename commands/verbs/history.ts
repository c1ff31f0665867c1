import { code, mention, stateSince } from '../../approvals/wording.ts'
import { breakGlassMark } from './break-glass.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { listRequests } from '../../src/request/store.ts'
import type { Command } from '../parse/command.ts'
import { say, type Reply, type VerbDeps } from './reply.ts'
import { notInDirect, whyNotHere, type Asker } from '../parse/channel-scope.ts'
import { findTarget } from './deploy.ts'

const SHOWN = 10

export async function history(deps: VerbDeps, command: Extract<Command, { verb: 'history' }>, asker: Asker): Promise<Reply> {
  if (asker.origin?.isDirect === true) return notInDirect
  if (command.target !== null) {
    const target = findTarget(deps, command.target)
    if (isRefusal(target)) return target
    const elsewhere = whyNotHere(target, asker)
    if (elsewhere !== undefined) return elsewhere
  }
  const requests = await listRequests(deps.db, { ...(command.target === null ? {} : { target: command.target }), limit: SHOWN + 1 })
  const allowed = requests.filter(({ target }) => {
    const settings = deps.targets.get(target)
    return settings === undefined || whyNotHere(settings, asker) === undefined
  })
  if (allowed.length === 0)
    return say(
      `Nothing was asked for${command.target === null ? '' : ` on ${code(command.target)}`} yet. Begin with ${code(`${deps.command} plan ${command.target ?? deps.known.targets[0] ?? 'prod'}`)}.`,
    )
  const lines = allowed
    .slice(0, SHOWN)
    .map(
      (request) =>
        `• #${request.id} ${code(request.target)} ${stateSince(request)} · asked by ${mention(request.requester)}${breakGlassMark(request)}`,
    )
  return say(
    [
      `*Last requests${command.target === null ? '' : ` for ${code(command.target)}`}, newest first*`,
      ...lines,
      `${requests.length > SHOWN ? `Older ones: ${code(`${deps.command} show <id>`)} with a smaller number. ` : ''}Details: ${code(`${deps.command} show ${allowed[0]?.id ?? 1}`)}`,
    ].join('\n'),
  )
}
