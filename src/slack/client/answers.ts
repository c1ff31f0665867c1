import type { SlackUser } from '../port.ts'
import { stringOf, type Json } from './web-api.ts'

export const userOf = (user: Json): SlackUser => {
  const profile = (user['profile'] as Json | undefined) ?? {}
  const teams = (user['enterprise_user'] as Json | undefined)?.['teams']
  return {
    id: stringOf(user['id']),
    team: stringOf(user['team_id']),
    name: stringOf(profile['display_name']) || stringOf(user['real_name']) || stringOf(user['name']),
    timezone: stringOf(user['tz']) || 'UTC',
    isDeleted: user['deleted'] === true,
    isBot: user['is_bot'] === true || user['id'] === 'USLACKBOT',
    isGuest: user['is_restricted'] === true || user['is_ultra_restricted'] === true,
    isStranger: user['is_stranger'] === true,
    ...(Array.isArray(teams) ? { teams: teams.map(stringOf) } : {}),
    ...(typeof profile['api_app_id'] === 'string' ? { app: profile['api_app_id'] } : {}),
  }
}

export const channelOf = (channel: Json) => ({
  id: stringOf(channel['id']),
  name: stringOf(channel['name']),
  isMember: channel['is_member'] === true,
  isArchived: channel['is_archived'] === true,
})
