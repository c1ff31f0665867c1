import type { ReactNode } from 'react'
import type { PlayState } from '../protocol.ts'
import { unreadMessages, visibleChannels } from './reading.ts'
import { botName, useViewer } from './viewer.ts'

export type Place = { readonly kind: 'channel'; readonly id: string } | { readonly kind: 'home' }
type Props = { readonly place: Place; readonly readTs: (channel: string) => string; readonly onGo: (place: Place) => void }

export function Sidebar({ place, readTs, onGo }: Props): ReactNode {
  const { state, person } = useViewer()
  const channels = visibleChannels(state, person.id)
  const item = (channel: PlayState['channels'][number], label: string): ReactNode => {
    const isHere = place.kind === 'channel' && place.id === channel.id
    const unread = isHere ? [] : unreadMessages(state, channel.id, person.id, readTs(channel.id))
    const isAddressed = channel.direct !== null || unread.some((message) => message.text.includes(`<@${person.id}>`))
    return (
      <Item
        key={channel.id}
        testId={`channel-${channel.direct === null ? channel.name : 'direct'}`}
        isHere={isHere}
        unread={unread.length}
        isAddressed={isAddressed}
        onGo={() => onGo({ kind: 'channel', id: channel.id })}
      >
        {label}
        {channel.archived && <span className="quiet"> (archived)</span>}
      </Item>
    )
  }
  return (
    <nav className="sidebar" aria-label={`Channels of ${person.realName}`}>
      <h2>Channels</h2>
      <ul>{channels.filter((channel) => channel.direct === null).map((channel) => item(channel, `# ${channel.name}`))}</ul>
      <h2>{botName(state)}</h2>
      <ul>
        <Item testId="open-home" isHere={place.kind === 'home'} unread={0} onGo={() => onGo({ kind: 'home' })}>
          Home
        </Item>
        {channels.filter((channel) => channel.direct !== null).map((channel) => item(channel, 'Messages'))}
      </ul>
    </nav>
  )
}

type ItemProps = {
  readonly testId: string
  readonly isHere: boolean
  readonly unread: number
  /** A direct message or a mention, which shows loud. */
  readonly isAddressed?: boolean
  readonly onGo: () => void
  readonly children: ReactNode
}

function Item({ testId, isHere, unread, isAddressed = false, onGo, children }: ItemProps): ReactNode {
  return (
    <li>
      <button
        type="button"
        className={unread > 0 ? 'place unread' : 'place'}
        data-testid={testId}
        {...(isHere && { 'aria-current': 'page' as const })}
        onClick={onGo}
      >
        <span className="place-name">{children}</span>
        {unread > 0 && (
          <span className={isAddressed ? 'count loud' : 'count'}>
            {unread}
            <span className="sr-only"> unread</span>
          </span>
        )}
      </button>
    </li>
  )
}
