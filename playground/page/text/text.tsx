import type { MouseEvent, ReactNode } from 'react'
import { type Json, textAt } from '../json.ts'
import { parsePermalink } from '../permalink.ts'
import { channelName, groupHandle, nameOf, useViewer } from '../viewer.ts'
import { formatSlackDate, fullTime } from './dates.ts'
import { emojiOf } from './emoji.ts'
import { type Inline, parseMrkdwn } from './mrkdwn.ts'

/** A text object of Block Kit, plain or mrkdwn. */
export function TextObject({ of }: { readonly of: Json | null }): ReactNode {
  const text = textAt(of, 'text') ?? ''
  return textAt(of, 'type') === 'mrkdwn' ? <Mrkdwn source={text} /> : <PlainText source={text} />
}

/** Plain text knows no markup but emoji names. */
export function PlainText({ source }: { readonly source: string }): ReactNode {
  return source.replaceAll(/:([a-z0-9_+-]+):/g, (token, name: string) => emojiOf(name) ?? token)
}

export function Mrkdwn({ source }: { readonly source: string }): ReactNode {
  return parseMrkdwn(source).map((part, index) => {
    if (part.kind === 'preformatted')
      return (
        <pre key={index} className="preformatted">
          {part.text}
        </pre>
      )
    if (part.kind === 'quote')
      return (
        <blockquote key={index}>
          <Inlines of={part.children} />
        </blockquote>
      )
    return (
      <p key={index}>
        <Inlines of={part.children} />
      </p>
    )
  })
}

export function Mention({
  kind,
  id,
  label,
}: {
  readonly kind: 'user' | 'channel' | 'group'
  readonly id: string
  readonly label?: string | null
}): ReactNode {
  const { state, person, openChannel } = useViewer()
  if (kind === 'user') return <span className={id === person.id ? 'mention mention-self' : 'mention'}>@{nameOf(state, id)}</span>
  if (kind === 'group') {
    const isMine = state.groups.some((group) => group.id === id && group.members.includes(person.id))
    return <span className={isMine ? 'mention mention-self' : 'mention'}>@{groupHandle(state, id).replace(/^@/, '')}</span>
  }
  const name = channelName(state, id)
  return (
    <button type="button" className="mention mention-link" onClick={() => openChannel(id)}>
      #{name === id ? (label ?? id) : name}
    </button>
  )
}

export function Moment({
  seconds,
  format,
  url,
  fallback,
}: {
  readonly seconds: number
  readonly format: string
  readonly url?: string | null
  readonly fallback?: string
}): ReactNode {
  const { person, now } = useViewer()
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return <>{fallback ?? ''}</>
  const reader = { zone: person.timezone, now }
  const time = (
    <time dateTime={date.toISOString()} title={fullTime(date.getTime(), reader)}>
      {formatSlackDate(seconds, format, reader)}
    </time>
  )
  return url === undefined || url === null ? time : <Link url={url}>{time}</Link>
}

/** A permalink of this workspace leads to its message in the same pane. */
export function Link({ url, children }: { readonly url: string; readonly children: ReactNode }): ReactNode {
  const { origin, openMessage } = useViewer()
  const address = parsePermalink(url, origin)
  if (address !== null) {
    const go = (event: MouseEvent): void => {
      event.preventDefault()
      openMessage(address)
    }
    return (
      <a href={url} onClick={go}>
        {children}
      </a>
    )
  }
  return /^(?:https?|mailto|tel):/.test(url) ? (
    <a href={url} target="_blank" rel="noreferrer">
      {children}
    </a>
  ) : (
    <>{children}</>
  )
}

function Inlines({ of }: { readonly of: readonly Inline[] }): ReactNode {
  return of.map((inline, index) => <Piece key={index} of={inline} />)
}

function Piece({ of }: { readonly of: Inline }): ReactNode {
  switch (of.kind) {
    case 'text':
      return of.text
    case 'bold':
      return (
        <b>
          <Inlines of={of.children} />
        </b>
      )
    case 'italic':
      return (
        <i>
          <Inlines of={of.children} />
        </i>
      )
    case 'strike':
      return (
        <s>
          <Inlines of={of.children} />
        </s>
      )
    case 'code':
      return <code>{of.text}</code>
    case 'link':
      return <Link url={of.url}>{of.label}</Link>
    case 'user':
    case 'channel':
    case 'group':
      return <Mention kind={of.kind} id={of.id} label={of.label} />
    case 'broadcast':
      return <span className="mention mention-self">@{of.name}</span>
    case 'date':
      return <Moment seconds={of.seconds} format={of.format} url={of.url} fallback={of.fallback} />
    case 'emoji':
      return (
        <span role="img" aria-label={of.name.replaceAll('_', ' ')}>
          {of.glyph}
        </span>
      )
  }
}
