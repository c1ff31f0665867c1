import type { Asker } from './parse/channel-scope.ts'
import { isRefusal, refuse } from '../src/lib/refusal.ts'
import { code } from '../approvals/wording.ts'
import { writeAudit } from '../src/audit/write.ts'
import type { Command } from './parse/command.ts'
import { auditedBy, type Reply, type VerbDeps } from './verbs/reply.ts'
import { ack } from './verbs/ack.ts'
import { cancel } from './verbs/cancel.ts'
import { deploy } from './verbs/deploy.ts'
import { exportRequest } from './verbs/export.ts'
import { help } from './verbs/help.ts'
import { freeze, unfreeze } from './verbs/freeze.ts'
import { history } from './verbs/history.ts'
import { plan } from './verbs/plan.ts'
import { show } from './verbs/show.ts'
import { status } from './verbs/status/status.ts'

/**
 * One command to its reply, for Slack and the command line alike. Who is asking is checked first, whatever is asked, and everything but
 * `help` leaves a row in the audit: what changes something from where it is decided, what only reads from here.
 */
export async function dispatch(deps: VerbDeps, command: Command, asker: Asker): Promise<Reply> {
  if (command.verb === 'help') return help(deps.known, command.topic)
  const actor = await deps.people.identify(asker.account)
  if (isRefusal(actor)) {
    await record(deps, command, asker, actor)
    return actor
  }
  const reply = await replyTo(deps, command, asker)
  if (!writesItself.has(command.verb)) await record(deps, command, asker, reply)
  return reply
}

const writesItself: ReadonlySet<Command['verb']> = new Set(['ack', 'deploy', 'cancel', 'freeze', 'unfreeze', 'lock', 'unlock'])

const record = (deps: VerbDeps, command: Command, asker: Asker, reply: Reply) =>
  writeAudit(deps.db, {
    ...auditedBy(deps, asker),
    act: command.verb,
    target: 'target' in command ? command.target : null,
    requestId: 'id' in command ? command.id : null,
    result: isRefusal(reply) ? reply.code : 'allowed',
  })

async function replyTo(deps: VerbDeps, command: Exclude<Command, { verb: 'help' }>, asker: Asker): Promise<Reply> {
  switch (command.verb) {
    case 'modal':
      return { kind: 'form' }
    case 'status':
      return status(deps, command, asker)
    case 'plan':
      return plan(deps, command, asker)
    case 'deploy':
      return deploy(deps, command, asker)
    case 'cancel':
      return cancel(deps, command, asker)
    case 'ack':
      return ack(deps, command, asker)
    case 'history':
      return history(deps, command, asker)
    case 'show':
      return show(deps, command, asker)
    case 'export':
      return exportRequest(deps, command, asker)
    case 'freeze':
    case 'lock':
      return freeze(deps, command, asker)
    case 'unfreeze':
    case 'unlock':
      return unfreeze(deps, command, asker)
    case 'break-glass': // Slack opens a window for it, and the command line does it itself
    case 'approve':
    case 'reject':
      return refuse(
        'unknown_verb',
        `Votes are given by the buttons of the card, and on the command line with ${code('lockkeeper approve')} while Slack cannot be reached.`,
      )
  }
}
