import type { PlayMessage, PlayState } from '../../../playground/protocol.ts'

/** A small workspace for the page's tests. */
export function workspace(change: Partial<PlayState> = {}): PlayState {
  const person = { title: 'developer', timezone: 'Europe/Paris', kind: 'member', color: '#446688' } as const
  return {
    revision: 1,
    workspace: { id: 'T0SHOP', name: 'Shop' },
    bot: { user: 'U0BOT', name: 'lockkeeper', connected: true, mode: 'socket', outage: null },
    commands: [
      { command: '/migrate', usage: 'deploy prod', description: 'Migrations' },
      { command: '/maintenance', usage: 'list', description: 'Windows' },
    ],
    people: [
      { ...person, id: 'U0ALICE', name: 'alice', realName: 'Alice Moreau' },
      { ...person, id: 'U0BOB', name: 'bob', realName: 'Bob Okafor', timezone: 'America/New_York' },
    ],
    groups: [{ id: 'S0DBA', handle: 'dba', members: ['U0BOB'] }],
    channels: [
      { id: 'C0DEPLOYS', name: 'deploys', topic: '', direct: null, members: ['U0ALICE', 'U0BOB'], archived: false },
      { id: 'C0DBA', name: 'dba', topic: '', direct: null, members: ['U0BOB'], archived: false },
      { id: 'D0BOB', name: '', topic: '', direct: 'U0BOB', members: ['U0BOB', 'U0BOT'], archived: false },
    ],
    messages: [],
    modals: [],
    homes: [],
    ...change,
  }
}

export function message(ts: string, change: Partial<PlayMessage> = {}): PlayMessage {
  return {
    channel: 'C0DEPLOYS',
    ts,
    threadTs: null,
    user: 'U0BOT',
    text: 'hello',
    blocks: [],
    editedAt: null,
    ephemeralTo: null,
    broadcast: false,
    files: [],
    metadata: null,
    ...change,
  }
}
