import type { ReactNode } from 'react'
import type { PlayMessage } from '../protocol.ts'
import { Avatar } from './avatar.tsx'
import { Blocks } from './blocks/blocks.tsx'
import { FileCard } from './file-card.tsx'
import { Interactive } from './interactive.tsx'
import { isReply, threadSummary, tsTime } from './reading.ts'
import { agoText, clockTime, fullTime } from './text/dates.ts'
import { Mrkdwn } from './text/text.tsx'
import { nameOf, useViewer } from './viewer.ts'

type Props = {
  readonly of: PlayMessage
  /** Within minutes of the same sender's last message: drawn without the avatar. */
  readonly isContinued: boolean
  /** A link led here. */
  readonly isFound: boolean
  readonly isInThread: boolean
}

export function MessageRow({ of, isContinued, isInThread, isFound }: Props): ReactNode {
  const { state, person } = useViewer()
  const isPrivate = of.ephemeralTo !== null
  const className = [
    'message',
    isContinued && 'continued',
    isPrivate && 'private',
    isFound && 'found',
    of.text.includes(`<@${person.id}>`) && 'mentions',
  ]
    .filter(Boolean)
    .join(' ')
  return (
    <article
      className={className}
      data-testid="message"
      data-ts={of.ts}
      data-user={of.user}
      aria-label={`Message from ${nameOf(state, of.user)}`}
    >
      {isPrivate && (
        <p className="note">
          <EyeIcon /> Only visible to you
        </p>
      )}
      {of.broadcast && <BroadcastNote of={of} isInThread={isInThread} />}
      <div className="message-row">
        <div className="message-side">{isContinued ? <Time of={of} /> : <Avatar state={state} user={of.user} />}</div>
        <div className="message-main">
          {!isContinued && <Sender of={of} />}
          <Interactive container={{ channel: of.channel, ts: of.ts }} blocks={of.blocks}>
            {of.blocks.length > 0 ? (
              <Blocks of={of.blocks} />
            ) : (
              of.text !== '' && (
                <div className="text">
                  <Mrkdwn source={of.text} />
                </div>
              )
            )}
          </Interactive>
          {of.editedAt !== null && <EditedMark at={of.editedAt} />}
          {of.files.map((file) => (
            <FileCard key={file.id} of={file} />
          ))}
          {!isInThread && <Replies of={of} />}
        </div>
      </div>
    </article>
  )
}

function Sender({ of }: { readonly of: PlayMessage }): ReactNode {
  const { state } = useViewer()
  const sender = state.people.find((candidate) => candidate.id === of.user)
  const mark =
    of.user === state.bot.user || sender?.kind === 'bot'
      ? 'APP'
      : sender?.kind === 'guest'
        ? 'GUEST'
        : sender?.kind === 'external'
          ? 'EXTERNAL'
          : null
  return (
    <div className="sender">
      <b>{sender?.realName ?? nameOf(state, of.user)}</b>
      {mark !== null && <span className="badge">{mark}</span>}
      <Time of={of} />
    </div>
  )
}

function Time({ of }: { readonly of: PlayMessage }): ReactNode {
  const { person, now } = useViewer()
  const reader = { zone: person.timezone, now }
  const at = tsTime(of.ts)
  return (
    <time className="stamp" dateTime={new Date(at).toISOString()} title={fullTime(at, reader)}>
      {clockTime(at, reader)}
    </time>
  )
}

function EditedMark({ at }: { readonly at: number }): ReactNode {
  const { person, now } = useViewer()
  return (
    <span className="edited" title={fullTime(at, { zone: person.timezone, now })}>
      (edited)
    </span>
  )
}

function BroadcastNote({ of, isInThread }: { readonly of: PlayMessage; readonly isInThread: boolean }): ReactNode {
  const { openThread } = useViewer()
  if (isInThread) return <p className="note">Also sent to the channel</p>
  const root = of.threadTs
  if (root === null) return null
  return (
    <p className="note">
      replied to a{' '}
      <button type="button" className="link" onClick={() => openThread(of.channel, root)}>
        thread
      </button>
    </p>
  )
}

function Replies({ of }: { readonly of: PlayMessage }): ReactNode {
  const { state, person, now, openThread } = useViewer()
  const root = isReply(of) ? (of.threadTs ?? of.ts) : of.ts
  const summary = isReply(of) || of.ephemeralTo !== null ? null : threadSummary(state, of.channel, root, person.id)
  if (summary === null) {
    return of.ephemeralTo === null && !isReply(of) ? (
      <button type="button" className="hover-action" onClick={() => openThread(of.channel, root)}>
        Reply in thread
      </button>
    ) : null
  }
  return (
    <button type="button" className="replies" data-testid="open-thread" onClick={() => openThread(of.channel, root)}>
      {summary.people.map((user) => (
        <Avatar key={user} state={state} user={user} size={22} />
      ))}
      <b>
        {summary.count} {summary.count === 1 ? 'reply' : 'replies'}
      </b>
      <span className="quiet">last reply {agoOrNow(tsTime(summary.lastTs), now)}</span>
    </button>
  )
}

function agoOrNow(at: number, now: number): string {
  return now - at < 60_000 ? 'just now' : agoText(at, now)
}

function EyeIcon(): ReactNode {
  return (
    <svg viewBox="0 0 20 20" width="14" height="14" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.6">
      <path d="M1.8 10S4.8 4.5 10 4.5 18.2 10 18.2 10 15.2 15.5 10 15.5 1.8 10 1.8 10Z" />
      <circle cx="10" cy="10" r="2.4" />
    </svg>
  )
}
