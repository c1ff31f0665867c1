import { type ReactNode, useEffect, useMemo, useState } from 'react'
import type { PlayState } from '../protocol.ts'
import { Composer } from './composer.tsx'
import { OverlayContext } from './dialog.tsx'
import { Home } from './home.tsx'
import { MessageList } from './message-list.tsx'
import { Modal } from './modal.tsx'
import { type PaneMemory, placeOfMessage } from './pane-memory.ts'
import { PersonSwitcher } from './person-switcher.tsx'
import { channelMessages, lastTs, threadMessages, visibleChannels } from './reading.ts'
import { type Place, Sidebar } from './sidebar.tsx'
import { clockTime } from './text/dates.ts'
import { Toast } from './toast.tsx'
import { botName, type Viewer, ViewerContext } from './viewer.ts'

type Props = {
  readonly side: 'left' | 'right'
  readonly state: PlayState
  readonly now: number
  readonly memory: PaneMemory
  readonly remember: (change: Partial<PaneMemory>) => void
  readonly readTs: (person: string, channel: string) => string
  readonly markRead: (person: string, channel: string, ts: string) => void
}

/** One person's Slack: own channels, own modals, own clock. */
export function Pane({ side, state, now, memory, remember, readTs, markRead }: Props): ReactNode {
  const [overlay, setOverlay] = useState<HTMLElement | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [isMenuOpen, setMenuOpen] = useState(false)
  const person =
    state.people.find((candidate) => candidate.id === memory.person) ?? state.people.find((candidate) => candidate.kind === 'member')
  const channels = person === undefined ? [] : visibleChannels(state, person.id)
  const place = placeOf(memory.place, channels)
  const here = place.kind === 'channel' ? channels.find((channel) => channel.id === place.id) : undefined
  const thread = here !== undefined && memory.thread !== null && memory.thread.channel === here.id ? memory.thread.ts : null

  const newest = here === undefined || person === undefined ? '0' : lastTs(state, here.id, person.id)
  useEffect(() => {
    if (here !== undefined && person !== undefined) markRead(person.id, here.id, newest)
  }, [here?.id, person?.id, newest])

  const modal = person === undefined ? undefined : state.modals.find((view) => view.person === person.id)
  useEffect(() => setError(null), [modal?.viewId])

  const viewer = useMemo<Viewer | null>(
    () =>
      person === undefined
        ? null
        : {
            state,
            person,
            now,
            origin: location.origin,
            openChannel: (id) => remember({ place: { kind: 'channel', id }, thread: null, found: null }),
            openMessage: (address) => remember(placeOfMessage(address)),
            openThread: (channel, ts) => remember({ place: { kind: 'channel', id: channel }, thread: { channel, ts } }),
            tell: setError,
          },
    [state, person, now],
  )
  if (viewer === null || person === undefined)
    return (
      <section className="pane">
        <p className="quiet">Nobody is in this workspace.</p>
      </section>
    )

  const go = (to: Place): void => {
    setMenuOpen(false)
    setError(null)
    remember({ place: to, thread: null, found: null })
  }
  const draftKey = `${person.id} ${here?.id ?? ''} ${thread ?? ''}`
  const draft = memory.drafts[draftKey] ?? ''
  const setDraft = (text: string): void => remember({ drafts: { ...memory.drafts, [draftKey]: text } })
  const title = here === undefined ? botName(state) : here.direct === null ? `# ${here.name}` : botName(state)

  return (
    <ViewerContext value={viewer}>
      <OverlayContext value={overlay}>
        <section
          className="pane"
          data-testid={`pane-${side}`}
          data-person={person.id}
          aria-label={`${person.realName}’s Slack`}
          style={{ '--person': person.color } as React.CSSProperties}
        >
          <header className="pane-head">
            <button
              type="button"
              className="menu-button"
              aria-label="Channels"
              aria-expanded={isMenuOpen}
              onClick={() => {
                setError(null)
                setMenuOpen(!isMenuOpen)
              }}
            >
              ☰
            </button>
            <PersonSwitcher
              state={state}
              person={person}
              now={now}
              onPick={(id) => {
                setError(null)
                remember({ person: id, thread: null })
              }}
            />
            <span className="quiet own-time" title={`Times on this side are in ${person.timezone}`}>
              {clockTime(now, { zone: person.timezone, now })}
              <span className="zone"> · {person.timezone.replaceAll('_', ' ')}</span>
            </span>
          </header>
          <div className={isMenuOpen ? 'pane-body menu-open' : 'pane-body'}>
            <Sidebar place={place} readTs={(channel) => readTs(person.id, channel)} onGo={go} />
            <main className={thread === null ? 'conversation' : 'conversation with-thread'} onClick={() => setMenuOpen(false)}>
              <div className="column column-channel">
                <div className="column-head">
                  <h2>{title}</h2>
                  {here === undefined && <span className="quiet">Home</span>}
                  {here !== undefined && here.topic !== '' && <span className="quiet topic">{here.topic}</span>}
                </div>
                {here === undefined ? (
                  <Home />
                ) : (
                  <>
                    <MessageList
                      key={`${person.id} ${here.id}`}
                      of={channelMessages(state, here.id, person.id)}
                      label={`Messages in ${title}`}
                      isThread={false}
                      found={memory.found}
                      empty={<Empty title={title} />}
                    />
                    {here.archived ? (
                      <p className="quiet archived">This channel is archived.</p>
                    ) : (
                      <Composer
                        key={`${person.id} ${here.id} composer`}
                        channel={here.id}
                        draft={memory.drafts[`${person.id} ${here.id} `] ?? ''}
                        setDraft={(text) => remember({ drafts: { ...memory.drafts, [`${person.id} ${here.id} `]: text } })}
                        placeholder={here.direct === null ? `Message #${here.name}` : `Message ${botName(state)}`}
                        testId="composer"
                      />
                    )}
                  </>
                )}
              </div>
              {here !== undefined && thread !== null && (
                <aside className="column column-thread" aria-label="Thread" data-testid="thread">
                  <div className="column-head">
                    <h2>Thread</h2>
                    <span className="quiet topic">{title}</span>
                    <button type="button" className="close" aria-label="Close thread" onClick={() => remember({ thread: null })}>
                      ×
                    </button>
                  </div>
                  <MessageList
                    key={`messages ${draftKey}`}
                    of={threadMessages(state, here.id, thread, person.id)}
                    label="Thread"
                    isThread
                    found={memory.found}
                    empty={<p className="quiet">This message is gone.</p>}
                  />
                  <Composer
                    key={draftKey}
                    channel={here.id}
                    threadTs={thread}
                    draft={draft}
                    setDraft={setDraft}
                    placeholder="Reply…"
                    testId="thread-composer"
                  />
                </aside>
              )}
            </main>
          </div>
          <div className="overlay" ref={setOverlay} />
          {modal !== undefined && <Modal key={modal.viewId} of={modal} />}
          <Toast text={error} onClose={() => setError(null)} />
        </section>
      </OverlayContext>
    </ViewerContext>
  )
}

function placeOf(wanted: Place | null, channels: PlayState['channels']): Place {
  if (wanted?.kind === 'home') return wanted
  const known =
    channels.find((channel) => channel.id === wanted?.id) ??
    channels.find((channel) => channel.direct === null && !channel.archived) ??
    channels[0]
  return known === undefined ? { kind: 'home' } : { kind: 'channel', id: known.id }
}

function Empty({ title }: { readonly title: string }): ReactNode {
  return <p className="quiet empty">This is the beginning of {title}.</p>
}
