import type { Person } from '../protocol.ts'

/** Who and what is there when the workspace opens. Ids look like Slack's. */
export type Seed = {
  readonly workspace: { readonly id: string; readonly name: string; readonly domain: string }
  readonly app: {
    readonly id: string
    readonly name: string
    readonly botUser: string
    readonly botId: string
    readonly scopes: readonly string[]
    readonly events: readonly string[]
  }
  readonly people: readonly Person[]
  readonly groups: readonly { readonly id: string; readonly handle: string; readonly name: string; readonly members: readonly string[] }[]
  readonly channels: readonly SeedChannel[]
  readonly commands: readonly { readonly command: string; readonly usage: string; readonly description: string }[]
  /** User groups exist on paid plans only. */
  readonly plan: 'paid' | 'free'
  /** Whether this workspace's Slack draws `plan` and `task_card` blocks. */
  readonly planBlocks: boolean
  /** Minutes after which messages cannot be edited; `null` is always. */
  readonly editWindowMinutes: number | null
}

export type SeedChannel = {
  readonly id: string
  readonly name: string
  readonly topic: string
  readonly isPrivate: boolean
  readonly members: readonly string[]
}

/** The other organisation that shares channels with this one (Slack Connect). */
export const EXTERNAL_TEAM = 'T0PARTNER'

const person = (
  id: string,
  name: string,
  realName: string,
  title: string,
  kind: Person['kind'],
  color: string,
  timezone: string,
): Person => ({
  id,
  name,
  realName,
  title,
  timezone,
  kind,
  color,
})

const everyone = ['U0ALICE', 'U0BOB', 'U0CAROL', 'U0DAVE', 'U0GINA', 'U0XAVIER', 'U0LOCKBOT']

export const defaultSeed: Seed = {
  workspace: { id: 'T0HARBOR', name: 'Harbor Goods', domain: 'harbor-goods' },
  app: {
    id: 'A0LOCKKEEP',
    name: 'lockkeeper',
    botUser: 'U0LOCKBOT',
    botId: 'B0LOCKBOT',
    scopes: [
      'commands',
      'chat:write',
      'users:read',
      'users:read.email',
      'usergroups:read',
      'files:write',
      'channels:read',
      'groups:read',
      'channels:history',
      'groups:history',
      'im:write',
      'im:history',
      'pins:write',
      'bookmarks:write',
    ],
    events: ['app_home_opened'],
  },
  people: [
    person('U0ALICE', 'alice', 'Alice Marsh', 'Developer', 'member', '#2f6f9f', 'America/New_York'),
    person('U0BOB', 'bob', 'Bob Okafor', 'Database administrator', 'member', '#8a5a2b', 'Europe/Berlin'),
    person('U0CAROL', 'carol', 'Carol Nyström', 'Database administrator', 'member', '#3f7d4e', 'Europe/Stockholm'),
    person('U0DAVE', 'dave', 'Dave Lindqvist', 'Support', 'member', '#7a4b94', 'Asia/Singapore'),
    person('U0GINA', 'gina', 'Gina Park', 'Contractor', 'guest', '#a8453c', 'Europe/London'),
    person('U0XAVIER', 'xavier', 'Xavier Roy', 'Partner at Quayside', 'external', '#4c6472', 'America/Toronto'),
    person('U0ZOE', 'zoe', 'Zoe Hart', 'Former developer', 'deactivated', '#6b6b6b', 'Europe/Paris'),
    person('U0LOCKBOT', 'lockkeeper', 'Lockkeeper', 'App', 'bot', '#1f3a5f', 'Etc/UTC'),
  ],
  groups: [{ id: 'S0DBA', handle: 'dba', name: 'Database administrators', members: ['U0BOB', 'U0CAROL'] }],
  channels: [
    { id: 'C0DEPLOYS', name: 'deploys', topic: 'What goes live, and when', isPrivate: false, members: everyone },
    { id: 'C0GENERAL', name: 'general', topic: 'Everything else', isPrivate: false, members: everyone.filter((id) => id !== 'U0LOCKBOT') },
    {
      id: 'C0PROD',
      name: 'prod-changes',
      topic: 'Changes to production',
      isPrivate: true,
      members: ['U0ALICE', 'U0BOB', 'U0CAROL', 'U0LOCKBOT'],
    },
  ],
  commands: [
    { command: '/migrate', usage: 'deploy prod | plan | status | help', description: 'Take database migrations to a target' },
    { command: '/maintenance', usage: 'schedule prod "Tue 02:00" 2h | list | help', description: 'Plan maintenance windows' },
  ],
  plan: 'paid',
  planBlocks: true,
  editWindowMinutes: null,
}
