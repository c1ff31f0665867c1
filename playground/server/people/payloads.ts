import type { Person } from '../../protocol.ts'
import { EXTERNAL_TEAM } from '../seed.ts'
import { type Json } from '../shape.ts'
import type { State, StoredMessage } from '../state.ts'

/** Fields that stand in every payload. The verification token is long deprecated and still there. */

const TOKEN = 'playground-verification-token'

const team = (state: State): Json => ({ id: state.seed.workspace.id, domain: state.seed.workspace.domain })

const userOf = (state: State, person: Person): Json => ({
  id: person.id,
  username: person.name,
  name: person.name,
  team_id: person.kind === 'external' ? EXTERNAL_TEAM : state.seed.workspace.id,
})

export function interaction(state: State, type: string, person: Person): Json {
  return {
    type,
    token: TOKEN,
    api_app_id: state.seed.app.id,
    team: team(state),
    user: userOf(state, person),
    enterprise: null,
    is_enterprise_install: false,
  }
}

export function commandPayload(
  state: State,
  person: Person,
  given: {
    readonly command: string
    readonly text: string
    readonly channel: { readonly id: string; readonly name: string }
    readonly responseUrl: string
    readonly trigger: string
  },
): Json {
  return {
    token: TOKEN,
    team_id: state.seed.workspace.id,
    team_domain: state.seed.workspace.domain,
    channel_id: given.channel.id,
    channel_name: given.channel.name,
    user_id: person.id,
    user_name: person.name,
    command: given.command,
    text: given.text,
    api_app_id: state.seed.app.id,
    is_enterprise_install: 'false',
    response_url: given.responseUrl,
    trigger_id: given.trigger,
  }
}

export function eventPayload(state: State, event: Json): Json {
  return {
    token: TOKEN,
    team_id: state.seed.workspace.id,
    api_app_id: state.seed.app.id,
    event,
    type: 'event_callback',
    event_id: state.nextId('Ev'),
    event_time: Math.floor(state.now() / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: state.seed.workspace.id,
        user_id: state.seed.app.botUser,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
  }
}

export const newResponseUrl = (
  state: State,
  given: { readonly person: string; readonly channel: string; readonly message: StoredMessage | null },
): string => {
  const id = state.nextId('r').toLowerCase()
  const { person, channel, message } = given
  state.responseUrls.set(id, {
    person,
    channel,
    at: state.now(),
    uses: 0,
    message: message?.ts ?? null,
    threadTs: message?.threadTs ?? null,
  })
  return `${state.origin}/response/${state.seed.workspace.id}/${id}`
}

/**
 * `should_escape`: people, channels, groups and links that were typed become their ids
 * (docs.slack.dev/interactivity/implementing-slash-commands), and `& < >` are escaped as everywhere.
 */
export function escapeCommand(state: State, text: string): string {
  const people = [...state.people.values()]
  const channels = [...state.channels.values()].filter((channel) => channel.direct === null)
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/(^|\s)(https?:\/\/\S+)/g, (_, before: string, url: string) => `${before}<${url}>`)
    .replace(/(^|\s)@([\w.-]+)/g, (typed, before: string, name: string) => {
      const person = people.find((each) => each.name === name)
      const group = [...state.groups.values()].find((each) => each.handle === name)
      return person ? `${before}<@${person.id}|${person.name}>` : group ? `${before}<!subteam^${group.id}|@${group.handle}>` : typed
    })
    .replace(/(^|\s)#([\w-]+)/g, (typed, before: string, name: string) => {
      const channel = channels.find((each) => each.name === name)
      return channel ? `${before}<#${channel.id}|${channel.name}>` : typed
    })
}
