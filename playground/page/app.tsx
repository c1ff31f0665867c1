import { type ReactNode, useCallback, useEffect, useState } from 'react'
import type { PlayState } from '../protocol.ts'
import { Hint } from './hint.tsx'
import { Pane } from './pane.tsx'
import { keep, type PaneMemory, placeOfMessage, recall, recallMarks, recallPerson } from './pane-memory.ts'
import { parsePermalink } from './permalink.ts'
import { compareTs, visibleChannels } from './reading.ts'
import { useMedia } from './use-media.ts'
import { usePlayState } from './use-play-state.ts'
import { botName } from './viewer.ts'

const EXAMPLE = '/migrate deploy prod'
const HINT_KEY = 'playground.hint'
const MARKS_KEY = 'playground.read'
const CLOCK_MS = 15_000

export function App(): ReactNode {
  const { state, isReachable } = usePlayState()
  if (state === null) return <Waiting isReachable={isReachable} />
  return <Workspace state={state} isReachable={isReachable} />
}

function Workspace({ state, isReachable }: { readonly state: PlayState; readonly isReachable: boolean }): ReactNode {
  const isNarrow = useMedia('(max-width: 800px)')
  const now = useClock()
  const [left, rememberLeft] = usePane('left', personNamed(state, 'alice', 0))
  const [right, rememberRight] = usePane('right', personNamed(state, 'bob', 1))
  const [marks, setMarks] = useState(() => recallMarks(MARKS_KEY))
  const [isHinting, setHinting] = useState(() => recall(HINT_KEY) !== 'dismissed')

  const readTs = (person: string, channel: string): string => marks[`${person} ${channel}`] ?? '0'
  const markRead = (person: string, channel: string, ts: string): void => {
    if (compareTs(ts, readTs(person, channel)) <= 0) return
    setMarks((before) => ({ ...before, [`${person} ${channel}`]: ts }))
  }
  useEffect(() => keep(MARKS_KEY, marks), [marks])

  const showHint = (isShown: boolean): void => {
    setHinting(isShown)
    keep(HINT_KEY, isShown ? 'shown' : 'dismissed')
  }
  const fillExample = (): void => {
    const alice = personNamed(state, 'alice', 0)
    const channel = visibleChannels(state, alice).find((candidate) => candidate.direct === null && !candidate.archived)
    if (channel === undefined) return
    rememberLeft({
      person: alice,
      place: { kind: 'channel', id: channel.id },
      thread: null,
      drafts: { ...left.drafts, [`${alice} ${channel.id} `]: EXAMPLE },
    })
    // The composer exists only after the pane has moved there.
    requestAnimationFrame(() => document.querySelector<HTMLElement>('[data-testid="pane-left"] [data-testid="composer"]')?.focus())
  }
  const shared = { state, now, readTs, markRead }
  return (
    <div className="page">
      <header className="top">
        <h1>{state.workspace.name}</h1>
        <span className="quiet">A Slack in the browser. Each side acts as one person.</span>
        {!isHinting && (
          <button type="button" className="link" onClick={() => showHint(true)}>
            What to try
          </button>
        )}
      </header>
      <Banner state={state} isReachable={isReachable} />
      {isHinting && <Hint example={EXAMPLE} isNarrow={isNarrow} onFill={fillExample} onDismiss={() => showHint(false)} />}
      <div className={isNarrow ? 'panes one' : 'panes'}>
        <Pane side="left" memory={left} remember={rememberLeft} {...shared} />
        {!isNarrow && <Pane side="right" memory={right} remember={rememberRight} {...shared} />}
      </div>
    </div>
  )
}

function Banner({ state, isReachable }: { readonly state: PlayState; readonly isReachable: boolean }): ReactNode {
  const { connected, outage } = state.bot
  const [hasConnected, setConnected] = useState(connected)
  useEffect(() => {
    if (connected) setConnected(true)
  }, [connected])
  const text = !isReachable
    ? 'The playground’s server does not answer. Trying again…'
    : outage !== null
      ? (OUTAGES[outage] ?? `Slack outage simulated: ${outage}`)
      : connected
        ? null
        : hasConnected
          ? `${botName(state)} is not connected. Waiting for it to come back…`
          : `${botName(state)} is starting…`
  return (
    <div role="status" className="banner-frame">
      {text !== null && (
        <p className="banner" data-testid="banner">
          {text}
        </p>
      )}
    </div>
  )
}

/** The server names what it simulates in a word. */
const OUTAGES: Readonly<Record<string, string>> = {
  outage: 'Slack outage simulated: Slack does not answer the bot. What people see here waits until it does.',
  ratelimited: 'Slack outage simulated: every call of the bot is told to wait.',
  'lost-reply': 'Slack outage simulated: the bot’s calls are carried out, but it never hears so.',
  error: 'Slack outage simulated: the bot’s calls are refused.',
}

function Waiting({ isReachable }: { readonly isReachable: boolean }): ReactNode {
  return (
    <p className="waiting" role="status">
      {isReachable ? 'Opening the workspace…' : 'The playground’s server does not answer. Trying again…'}
    </p>
  )
}

function personNamed(state: PlayState, name: string, index: number): string {
  const members = state.people.filter((person) => person.kind === 'member')
  return (members.find((person) => person.name.toLowerCase() === name) ?? members[index] ?? members[0])?.id ?? ''
}

function usePane(side: string, person: string): readonly [PaneMemory, (change: Partial<PaneMemory>) => void] {
  const key = `playground.${side}`
  const [memory, setMemory] = useState<PaneMemory>(() => ({ person: recallPerson(key) ?? person, ...start(), drafts: {} }))
  useEffect(() => keep(key, { person: memory.person }), [memory.person])
  return [memory, useCallback((change) => setMemory((before) => ({ ...before, ...change })), [])]
}

/** A permalink in the address bar opens its message on both sides. */
function start(): Pick<PaneMemory, 'place' | 'thread' | 'found'> {
  const address = parsePermalink(location.href, location.origin)
  return address === null ? { place: null, thread: null, found: null } : placeOfMessage(address)
}

function useClock(): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), CLOCK_MS)
    return () => clearInterval(timer)
  }, [])
  return now
}
