import { isRefusal, refuse } from '../src/refusal.ts'
import { code } from '../approvals/wording.ts'
import { audit } from '../src/run/rows.ts'
import type { Command } from './parse.ts'
import type { Asker, Reply, VerbDeps } from './reply.ts'
import { cancel } from './verbs/cancel.ts'
import { deploy } from './verbs/deploy.ts'
import { help } from './verbs/help.ts'
import { history } from './verbs/history.ts'
import { plan } from './verbs/plan.ts'
import { show } from './verbs/show.ts'
import { status } from './verbs/status.ts'

/** One command to its reply, for Slack and the command line alike. Who is asking is checked first, whatever is asked. */
export async function answer(deps: VerbDeps, command: Command, asker: Asker): Promise<Reply> {
  if (command.verb === 'help') return help(deps.known, command.topic)
  const actor = await deps.people.identify(asker.account)
  if (isRefusal(actor)) {
    await audit(deps.db, { actor: asker.account, act: command.verb, result: actor.code })
    return actor
  }
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
    case 'history':
      return history(deps, command, asker)
    case 'show':
      return show(deps, command, asker)
    case 'break-glass': // Slack opens a window for it, and the command line does it itself
    case 'approve':
    case 'reject':
      return refuse(
        'unknown_verb',
        `Votes are given by the buttons of the card, and on the command line with ${code('lockkeeper approve')} while Slack cannot be reached.`,
      )
  }
}
