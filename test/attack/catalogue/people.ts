import type { Arena, Json } from './arena.ts'
import { LISTED, type Row } from './row.ts'

const vote = (user: string, token: keyof Arena['tokens'] = 'prod', changes: Json = {}): Row['run'] => {
  return (arena) =>
    arena.window({
      user: { id: user },
      view: { private_metadata: JSON.stringify({ token: arena.tokens[token], digest: arena.digests[token] }) },
      ...changes,
    })
}

const cancel = (user: string, token: keyof Arena['tokens']): Row['run'] => {
  return (arena) =>
    arena.window({
      user: { id: user },
      view: { callback_id: 'cancel_request', private_metadata: JSON.stringify({ token: arena.tokens[token], digest: '' }) },
    })
}

const row = (name: string, entry: Row['entry'], attack: string, run: Row['run'], audit: Row['audit'] = LISTED, told = LISTED): Row => ({
  row: name,
  entry,
  attack,
  run,
  told,
  audit,
})

/** While `act` goes on, Slack refuses to say. */
const without = (method: string, run: Row['run']): Row['run'] => {
  return async (arena) => {
    const fault = arena.flow.slack.fault({ kind: 'error', error: 'internal_error', methods: [method], untilCleared: true })
    try {
      return await run(arena)
    } finally {
      fault.clear()
    }
  }
}

const strangers = [
  ['guest', 'U0GINA'],
  ['external', 'U0XAVIER'],
  ['bot', 'U0LOCKBOT'],
  ['deactivated', 'U0ZOE'],
] as const

/** Who may, and what may still be decided. */
export const peopleRows: readonly Row[] = [
  ...strangers.flatMap(([kind, user]) => [
    row(kind, 'slash command', `${kind === 'external' ? 'an external' : `a ${kind}`} account asks`, (arena) =>
      arena.command({ text: 'deploy closed', user_id: user, channel_id: 'C0PROD' }),
    ),
    row(kind, 'slash command', `${kind === 'external' ? 'an external' : `a ${kind}`} account reads`, (arena) =>
      arena.command({ text: 'status', user_id: user }),
    ),
    row(kind, 'modal', `${kind === 'external' ? 'an external' : `a ${kind}`} account approves`, vote(user)),
    row(kind, 'modal', `${kind === 'external' ? 'an external' : `a ${kind}`} account cancels`, cancel(user, 'prod')),
  ]),
  row('self-approval', 'button', 'the requester presses Approve', (arena) => arena.press(arena.ids.prod, 'approve', 'U0ALICE')),
  row('self-approval', 'button', 'the requester presses Reject', (arena) => arena.press(arena.ids.prod, 'reject', 'U0ALICE')),
  row('self-approval', 'modal', 'the requester sends the window of somebody else', vote('U0ALICE')),
  row('self-approval', 'command line', 'the requester at the machine, while Slack is down', async (arena) =>
    arena.cli(['approve', String(arena.ids.prod), '--digest', arena.digests.prod.slice(0, 8)], { isSlackDown: true }),
  ),
  row('the same human twice', 'button', 'a second account of the requester presses Approve', (arena) =>
    arena.press(arena.ids.prod, 'approve', 'U0DAVE'),
  ),
  row('the same human twice', 'modal', 'a second account of the requester approves', vote('U0DAVE')),
  row('not in the group', 'modal', 'somebody outside the group approves', vote('U0ERIN')),
  row("staging's approval for production", 'modal', 'an approver of one target approves another', vote('U0BOB', 'staging')),
  row('removed from the group since', 'modal', 'an approver opens the window, is taken out of the group, and sends it', async (arena) => {
    const { slack } = arena.flow
    slack.setGroup('S0DBA', ['U0CAROL'])
    try {
      return await vote('U0BOB')(arena)
    } finally {
      slack.setGroup('S0DBA', ['U0BOB', 'U0CAROL'])
    }
  }),
  row('added to the group since', 'modal', 'somebody is put into the group after the request was made', async (arena) => {
    const { slack } = arena.flow
    slack.setGroup('S0DBA', ['U0BOB', 'U0CAROL', 'U0ERIN'])
    try {
      return await vote('U0ERIN')(arena)
    } finally {
      slack.setGroup('S0DBA', ['U0BOB', 'U0CAROL'])
    }
  }),
  row('group unreadable', 'modal', 'Slack does not say who is in the group', without('usergroups.users.list', vote('U0BOB'))),
  row('identity unreadable', 'modal', 'Slack does not say who somebody is', without('users.info', vote('U0BOB'))),
  row(
    'identity unreadable',
    'slash command',
    'Slack does not say who somebody is',
    without('users.info', (arena) => arena.command({ text: 'deploy closed', channel_id: 'C0PROD', user_id: 'U0FAYE' })),
  ),
  row('a channel that the target does not allow', 'slash command', 'asks for a target of another channel', (arena) =>
    arena.type('deploy closed', 'U0CAROL'),
  ),
  row('a channel that the target does not allow', 'slash command', 'reads a target of another channel', (arena) =>
    arena.type('status closed', 'U0CAROL'),
  ),
  row('a direct message', 'slash command', 'asks in a direct message', (arena) =>
    arena.command({ text: 'deploy prod', channel_id: 'D0ERIN', channel_name: 'directmessage' }),
  ),
  row('a direct message', 'slash command', 'asks in a message of several', (arena) =>
    arena.command({ text: 'deploy prod', channel_name: 'mpdm-erin--bob-1' }),
  ),
  row('a direct message', 'slash command', 'reads in a direct message', (arena) =>
    arena.command({ text: 'history', channel_id: 'D0ERIN', channel_name: 'directmessage' }),
  ),
  row('not among those who may ask', 'slash command', 'asks for a target that only one person may ask for', (arena) =>
    arena.type('deploy closed', 'U0ALICE', 'C0PROD'),
  ),
  row('not among those who may cancel', 'modal', 'a stranger to a request cancels it', cancel('U0ERIN', 'prod')),
  row('not among those who may cancel', 'slash command', 'a stranger to a request cancels it', (arena) =>
    arena.type(`cancel ${arena.ids.prod}`, 'U0ERIN'),
  ),
  row('expired', 'button', 'Approve on a request that has expired', (arena) =>
    arena.button({ user: { id: 'U0BOB' }, actions: [{ value: arena.tokens.expired }] }),
  ),
  row('expired', 'modal', 'a vote for a request that has expired', vote('U0BOB', 'expired')),
  row('expired', 'modal', 'a cancel of a request that has expired', cancel('U0ALICE', 'expired')),
  row('cancelled request', 'modal', 'a vote for a request that was cancelled', vote('U0BOB', 'cancelled')),
  row('cancelled request', 'slash command', 'a second cancel', (arena) => arena.type(`cancel ${arena.ids.cancelled}`)),
  row('one request at a time', 'slash command', 'a second request for a target that is taken', (arena) =>
    arena.type('deploy prod', 'U0BOB'),
  ),
  row('break-glass that is not configured', 'slash command', 'breaks the glass of a target without it', (arena) =>
    arena.type(`break-glass ${arena.ids.prod} --reason "it burns"`, 'U0ERIN'),
  ),
  row('a login that is nobody', 'command line', 'a login without a person asks', (arena) =>
    arena.cli(['deploy', 'closed'], { isNobody: true }),
  ),
  row('a login that is nobody', 'command line', 'a login without a person votes', (arena) =>
    arena.cli(['approve', String(arena.ids.prod), '--digest', arena.digests.prod.slice(0, 8)], { isNobody: true }),
  ),
  row('votes belong into Slack', 'command line', 'a vote at the machine while Slack answers', (arena) =>
    arena.cli(['reject', String(arena.ids.staging), '--digest', '0'.repeat(8), '--reason', 'no']),
  ),
]
