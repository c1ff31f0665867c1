import { code } from '../../approvals/wording.ts'
import { example, usageOf, verbs, votingVerbs, type Known, type Verb } from '../parse/usage.ts'
import { say, type Reply } from './reply.ts'

export function help(known: Known, topic: Verb | null): Reply {
  if (topic !== null)
    return say(
      [
        `${code(`${known.command} ${usageOf(topic, known)}`, 240)} ${does[topic]}.`,
        `For example: ${code(example(topic, known), 120)}`,
      ].join('\n'),
    )
  const onCommandLine = !known.command.startsWith('/')
  return say(
    [
      '*Lockkeeper takes database migrations and the deploy around them from request to proof.* Somebody asks, somebody else approves, and the card in the channel tells the rest.',
      ...verbs.map((verb) => `• ${code(`${known.command} ${usageOf(verb, known)}`, 240)} ${does[verb]}`),
      ...(onCommandLine ? votingVerbs.map((verb) => `• ${code(`${known.command} ${usageOf(verb, known)}`, 240)} ${votes[verb]}`) : []),
      ...(onCommandLine ? [] : [`• ${code(known.command)} alone opens a form for a request`]),
      `For example: ${code(example('deploy', known), 120)}`,
    ].join('\n'),
  )
}

const does: Readonly<Record<Verb, string>> = {
  help: 'says how each verb is typed',
  status: 'shows which migrations are applied, pending or failed, and what runs',
  plan: 'shows what a deploy would do, without asking anybody for anything',
  deploy: 'asks for the pending migrations and the deploy; it runs when enough others have approved',
  cancel: 'takes a request back, or stops its run where that is safe',
  history: 'lists the last requests',
  show: 'shows one request with its votes, steps and end',
  export: 'makes the signed evidence of one request: a page to read and a document to verify',
  'break-glass': 'lets a waiting request run without approvals, where the target names who may; somebody else reviews it afterwards',
  ack: 'says that you look at what on-call was paged about, and ends the paging',
  freeze: 'lets nothing start on a target, or on all, until then; what runs goes on',
  unfreeze: 'ends a freeze before its time',
  lock: 'lets nothing start on one target while somebody works on it',
  unlock: 'ends a lock before its time',
}

const votes: Readonly<Record<(typeof votingVerbs)[number], string>> = {
  approve: 'counts your approval while Slack cannot be reached',
  reject: 'rejects a request while Slack cannot be reached',
}
