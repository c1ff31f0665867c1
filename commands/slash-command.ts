import type { AllMiddlewareArgs, SlackCommandMiddlewareArgs } from '@slack/bolt'
import { viewToBreak } from '../approvals/buttons/open.ts'
import { withOffer } from '../approvals/buttons/press.ts'
import { saidOf, saysIn } from '../approvals/modals/said.ts'
import { code } from '../approvals/wording.ts'
import { failpoint } from '../src/lib/failpoint.ts'
import { inTime } from '../src/lib/in-time.ts'
import { isRefusal, refuse, type Refusal } from '../src/lib/refusal.ts'
import { noted } from '../src/lib/telemetry.ts'
import { answeringIn } from '../src/slack/answers/answering.ts'
import { requestById } from '../src/request/store.ts'
import { whereExported } from './asked.ts'
import { dispatch } from './dispatch.ts'
import { ACT_MS, originIn, READ_MS, recordSafely, textOf, withoutFault, type ListenDeps } from './door.ts'
import { formNotOpened, requestForm } from './forms/deploy.ts'
import { notInDirect, targetsHere, whyNotHere, type Asker, type Origin } from './parse/channel-scope.ts'
import { parseText, type Command } from './parse/command.ts'
import { auditedBy, type Reply } from './verbs/reply.ts'

type Typed = Pick<SlackCommandMiddlewareArgs & AllMiddlewareArgs, 'command' | 'context'>

/** Answers what was typed, to whoever typed it; what takes longer is promised first. */
export async function answerSlashCommand(deps: ListenDeps, { command, context }: Typed): Promise<void> {
  const answering = answeringIn(context)
  const origin = originIn(command.channel_id, command.channel_name)
  const asker: Asker = { account: command.user_id, entry: 'slash', origin, answer: saysIn(answering) }
  const parsed = parseText(command.text ?? '', deps.known)
  if (!isRefusal(parsed) && parsed.verb === 'modal') {
    const refusal = await openForm(deps, command.trigger_id, origin)
    if (refusal !== undefined) await answering.say(saidOf({ text: refusal.text }))
    return recordSafely(deps, { ...auditedBy(deps, asker), act: 'form', result: refusal === undefined ? 'allowed' : refusal.code })
  }
  if (isRefusal(parsed)) {
    await answering.say(saidOf({ text: noted(parsed).text }))
    return recordSafely(deps, { ...auditedBy(deps, asker), act: 'command', result: parsed.code })
  }
  if (parsed.verb === 'break-glass') {
    const reply = await withoutFault(deps, openBreakGlass(deps, command.trigger_id, parsed, asker))
    if (textOf(reply) !== '') await answering.say(saidOf({ text: textOf(reply) }))
    const result = isRefusal(reply) ? reply.code : textOf(reply) === '' ? 'opened' : 'stale_button'
    // a number that nobody has yet may become another request's
    const requestId = result === 'unknown_request' ? null : parsed.id
    return recordSafely(deps, { ...auditedBy(deps, asker), act: 'break-glass', requestId, result })
  }
  const reply = withoutFault(deps, dispatch(deps, parsed, asker), parsed.verb === 'export' ? whereExported(parsed.id) : undefined)
  const quick = await inTime(reply, acting.has(parsed.verb) ? ACT_MS : READ_MS)
  if (quick.kind === 'late') answering.meanwhile(meanwhile(parsed.verb))
  const decided = await quick.value
  failpoint('before-answer', parsed.verb)
  await answering.say(saidOf(isRefusal(decided) ? withOffer(decided) : { text: textOf(decided) }))
}

const acting: ReadonlySet<Command['verb']> = new Set(['deploy', 'cancel', 'ack', 'freeze', 'unfreeze', 'lock', 'unlock'])

/** A form is opened before anything is looked up, since its trigger lives 3 s. */
async function openForm(deps: ListenDeps, trigger: string, origin: Origin): Promise<Refusal | undefined> {
  if (origin.isDirect) return notInDirect
  const asker: Asker = { account: '', entry: 'slash', origin }
  const targets = targetsHere(deps, asker)
  const [first] = deps.targets.values()
  if (targets.length === 0) return (first === undefined ? undefined : whyNotHere(first, asker)) ?? formNotOpened(deps.known)
  const opened = await deps.slack.openView(trigger, requestForm(targets, origin))
  return opened.kind === 'ok' ? undefined : formNotOpened(deps.known)
}

/** The same window as the card's. Asks Slack nothing before it, so an empty answer comes in time; who may is checked when it is sent. */
async function openBreakGlass(
  deps: ListenDeps,
  trigger: string,
  command: Extract<Command, { verb: 'break-glass' }>,
  asker: Asker,
): Promise<Extract<Reply, { readonly text: string }>> {
  const request = await requestById(deps.db, command.id)
  if (request === undefined)
    return refuse('unknown_request', `There is no request #${command.id}. ${code(`${deps.command} history`)} lists those there are.`)
  const target = deps.targets.get(request.target)
  const elsewhere = target === undefined ? undefined : whyNotHere(target, asker)
  if (elsewhere !== undefined) return elsewhere
  const view = await viewToBreak(deps, request, asker.account, command.reason)
  if (isRefusal(view)) return view
  const opened = await deps.slack.openView(trigger, view)
  return opened.kind === 'ok' ? { kind: 'said', text: '' } : { kind: 'said', text: windowNotOpened }
}

const windowNotOpened = 'Slack did not open the window in time. Nothing was started. Type it again, or use the card.'

function meanwhile(verb: string): string {
  switch (verb) {
    case 'deploy':
      return 'Still checking who may ask. The answer follows here; if none comes within a minute, look at the channel for a card before you ask again.'
    case 'cancel':
      return 'Still checking who may cancel. The answer follows here; the card shows whether it was cancelled.'
    case 'ack':
      return 'Still checking who you are. The answer follows here, and the thread of the card names who acknowledged.'
    case 'freeze':
    case 'unfreeze':
    case 'lock':
    case 'unlock':
      return 'Still checking who may do that. The answer follows here, and the channel is told when it is done.'
    case 'export':
      return 'Reading the records, the repository and the output. The evidence follows in the thread, and the answer here.'
    case 'plan':
      return 'Reading the repository and the database. The plan follows here.'
    default:
      return 'Reading. The answer follows here.'
  }
}
