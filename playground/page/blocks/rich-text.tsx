import type { ReactNode } from 'react'
import { type Json, flagAt, numberAt, objectAt, objectsAt, textAt } from '../json.ts'
import { emojiOf } from '../text/emoji.ts'
import { Link, Mention, Moment } from '../text/text.tsx'

export function RichText({ of }: { readonly of: Json }): ReactNode {
  return (
    <div className="rich-text">
      {objectsAt(of, 'elements').map((part, index) => (
        <Part key={index} of={part} />
      ))}
    </div>
  )
}

function Part({ of }: { readonly of: Json }): ReactNode {
  switch (of['type']) {
    case 'rich_text_section':
      return (
        <p>
          <Leaves of={of} />
        </p>
      )
    case 'rich_text_preformatted':
      return (
        <pre className="preformatted">
          <Leaves of={of} />
        </pre>
      )
    case 'rich_text_quote':
      return (
        <blockquote>
          <Leaves of={of} />
        </blockquote>
      )
    case 'rich_text_list':
      return <List of={of} />
    default:
      return (
        <p className="cannot-draw" role="note">
          The playground cannot draw “{textAt(of, 'type') ?? 'a part without a type'}”.
        </p>
      )
  }
}

function List({ of }: { readonly of: Json }): ReactNode {
  const items = objectsAt(of, 'elements').map((item, index) => (
    <li key={index}>
      <Leaves of={item} />
    </li>
  ))
  const style = { marginLeft: `${1.5 * (numberAt(of, 'indent') ?? 0)}em` }
  return of['style'] === 'ordered' ? (
    <ol style={style} start={(numberAt(of, 'offset') ?? 0) + 1}>
      {items}
    </ol>
  ) : (
    <ul style={style}>{items}</ul>
  )
}

function Leaves({ of }: { readonly of: Json }): ReactNode {
  return objectsAt(of, 'elements').map((leaf, index) => (
    <Styled key={index} style={objectAt(leaf, 'style')}>
      <Leaf of={leaf} />
    </Styled>
  ))
}

function Leaf({ of }: { readonly of: Json }): ReactNode {
  switch (of['type']) {
    case 'text':
      return textAt(of, 'text')
    case 'link':
      return <Link url={textAt(of, 'url') ?? ''}>{textAt(of, 'text') ?? textAt(of, 'url')}</Link>
    case 'user':
      return <Mention kind="user" id={textAt(of, 'user_id') ?? ''} />
    case 'usergroup':
      return <Mention kind="group" id={textAt(of, 'usergroup_id') ?? ''} />
    case 'channel':
      return <Mention kind="channel" id={textAt(of, 'channel_id') ?? ''} />
    case 'broadcast':
      return <span className="mention mention-self">@{textAt(of, 'range')}</span>
    case 'date':
      return (
        <Moment
          seconds={numberAt(of, 'timestamp') ?? Number.NaN}
          format={textAt(of, 'format') ?? ''}
          url={textAt(of, 'url')}
          fallback={textAt(of, 'fallback') ?? ''}
        />
      )
    case 'emoji':
      return emojiOf(textAt(of, 'name') ?? '') ?? `:${textAt(of, 'name') ?? ''}:`
    default:
      return (
        <span className="cannot-draw" role="note">
          cannot draw “{textAt(of, 'type') ?? 'a piece without a type'}”
        </span>
      )
  }
}

function Styled({ style, children }: { readonly style: Json | null; readonly children: ReactNode }): ReactNode {
  let drawn = children
  if (flagAt(style, 'code')) drawn = <code>{drawn}</code>
  if (flagAt(style, 'bold')) drawn = <b>{drawn}</b>
  if (flagAt(style, 'italic')) drawn = <i>{drawn}</i>
  if (flagAt(style, 'strike')) drawn = <s>{drawn}</s>
  return drawn
}
