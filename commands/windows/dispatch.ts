import type { Asker } from '../parse/channel-scope.ts'
import { writeAudit } from '../../src/audit/write.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { auditedBy, type Reply } from '../verbs/reply.ts'
import { change, schedule } from './verbs.ts'
import type { WindowDeps } from './deps.ts'
import type { WindowCommand } from '../parse/window.ts'
import { help, listAhead, showChecklist, showWindow } from './replies.ts'

/** One command about windows to its reply, for Slack and the command line alike. What changes something writes its own row of the audit. */
export async function dispatchWindow(deps: WindowDeps, command: WindowCommand, asker: Asker): Promise<Reply> {
  if (command.verb === 'help' || command.verb === 'form') return help(deps)
  const actor = await deps.people.identify(asker.account, { fresh: isChange(command) })
  const reply = isRefusal(actor) ? actor : await replyTo(deps, command, asker, actor)
  if (isRefusal(reply) || !isChange(command))
    await writeAudit(deps.db, {
      ...auditedBy(deps, asker),
      act: `maintenance ${command.verb}`,
      target: 'targets' in command ? (command.targets[0] ?? null) : null,
      result: isRefusal(reply) ? reply.code : 'allowed',
      ...('id' in command ? { data: { window: command.id } } : {}),
    })
  return reply
}

type Act = Exclude<WindowCommand, { verb: 'help' | 'form' }>

const isChange = ({ verb }: Act): boolean => !['list', 'show', 'checklist'].includes(verb)

function replyTo(deps: WindowDeps, command: Act, asker: Asker, actor: Parameters<typeof schedule>[2]): Promise<Reply> {
  switch (command.verb) {
    case 'list':
      return listAhead(deps, command.target, asker)
    case 'show':
      return showWindow(deps, command.id, asker)
    case 'checklist':
      return showChecklist(deps, command.id, asker)
    case 'schedule':
      return schedule(deps, command, actor, asker)
    default:
      return change(deps, command, actor, asker)
  }
}
