import type { Person } from '../../protocol.ts'
import { refuse } from '../errors.ts'
import { EXTERNAL_TEAM } from '../seed.ts'
import { flagOf, type Json } from '../shape.ts'
import type { State } from '../state.ts'
import { pageOf } from './conversations.ts'
import { required, type Call, type Method } from './method.ts'

export const peopleMethods: Readonly<Record<string, Method>> = {
  'auth.test': { token: 'bot', scopes: [], tier: 'none', run: authTest },
  'users.info': { token: 'bot', scopes: ['users:read'], tier: 4, run: info },
  'users.list': { token: 'bot', scopes: ['users:read'], tier: 2, run: list },
  'usergroups.list': { token: 'bot', scopes: ['usergroups:read'], tier: 2, run: groups },
  'usergroups.users.list': { token: 'bot', scopes: ['usergroups:read'], tier: 2, run: groupMembers },
}

function authTest({ state }: Call): Json {
  const { workspace, app } = state.seed
  return {
    url: `${state.origin}/`,
    team: workspace.name,
    team_id: workspace.id,
    user: app.name,
    user_id: app.botUser,
    bot_id: app.botId,
    is_enterprise_install: false,
  }
}

function info(call: Call): Json {
  const person = call.state.people.get(required(call, 'user'))
  return person ? { user: userJson(call.state, person) } : refuse('user_not_found')
}

function list(call: Call): Json {
  const { page, next } = pageOf(call, [...call.state.people.values()], 200)
  return {
    members: page.map((each) => userJson(call.state, each)),
    cache_ts: Math.floor(call.state.now() / 1000),
    response_metadata: { next_cursor: next },
  }
}

function groups(call: Call): Json {
  if (call.state.seed.plan === 'free') return refuse('plan_upgrade_required')
  const withUsers = flagOf(call.args['include_users'])
  const usergroups = [...call.state.groups.values()].map((group) => ({
    id: group.id,
    team_id: call.state.seed.workspace.id,
    is_usergroup: true,
    name: group.name,
    handle: group.handle,
    date_delete: 0,
    user_count: group.members.length,
    users: withUsers ? group.members : undefined,
  }))
  return { usergroups }
}

function groupMembers(call: Call): Json {
  if (call.state.seed.plan === 'free') return refuse('plan_upgrade_required')
  const group = call.state.groups.get(required(call, 'usergroup'))
  return group ? { users: [...group.members] } : refuse('no_such_subteam')
}

function userJson(state: State, person: Person): Json {
  const external = person.kind === 'external'
  return {
    id: person.id,
    team_id: external ? EXTERNAL_TEAM : state.seed.workspace.id,
    name: person.name,
    real_name: person.realName,
    deleted: person.kind === 'deactivated',
    is_bot: person.kind === 'bot',
    is_app_user: false,
    tz: person.timezone,
    // A deactivated account carries few fields, a stranger no roles of this workspace.
    ...(person.kind === 'deactivated' || external
      ? {}
      : { is_admin: false, is_owner: false, is_restricted: person.kind === 'guest', is_ultra_restricted: false }),
    ...(external ? { is_stranger: true } : {}),
    profile: {
      real_name: person.realName,
      display_name: person.name,
      title: person.title,
      team: external ? EXTERNAL_TEAM : state.seed.workspace.id,
      ...(person.id === state.seed.app.botUser ? { api_app_id: state.seed.app.id, bot_id: state.seed.app.botId } : {}),
    },
    updated: 0,
  }
}
