import { createContext, useContext } from 'react'
import type { Person, PlayState } from '../protocol.ts'
import type { MessageAddress } from './permalink.ts'

/** Through whose eyes a pane draws, and how it moves inside the pane. */
export type Viewer = {
  readonly state: PlayState
  readonly person: Person
  /** Milliseconds; ticks, so that "5 minutes ago" stays true. */
  readonly now: number
  /** Where this page is served: links to it are permalinks of this workspace. */
  readonly origin: string
  readonly openChannel: (id: string) => void
  readonly openMessage: (address: MessageAddress) => void
  readonly openThread: (channel: string, ts: string) => void
  readonly tell: (error: string) => void
}

export const ViewerContext = createContext<Viewer | null>(null)

export function useViewer(): Viewer {
  const viewer = useContext(ViewerContext)
  if (viewer === null) throw new Error('useViewer stands outside a pane.')
  return viewer
}

export function nameOf(state: PlayState, userId: string): string {
  if (userId === state.bot.user) return state.bot.name
  return state.people.find((person) => person.id === userId)?.name ?? userId
}

/** The app as Slack writes it above its messages; its handle may be lower case. */
export function botName(state: PlayState): string {
  return state.people.find((person) => person.id === state.bot.user)?.realName ?? state.bot.name
}

export function channelName(state: PlayState, channelId: string): string {
  return state.channels.find((channel) => channel.id === channelId)?.name ?? channelId
}

export function groupHandle(state: PlayState, groupId: string): string {
  return state.groups.find((group) => group.id === groupId)?.handle ?? groupId
}

/** What stands beside a name: the role, and what makes this account special. */
export function roleOf(person: Person): string {
  const kind = { member: '', bot: 'app', guest: 'guest', external: 'external', deactivated: 'deactivated' }[person.kind]
  const title = person.title.toLowerCase().includes(kind) && kind !== '' ? '' : kind
  return [person.title, title].filter((part) => part !== '').join(' · ')
}
