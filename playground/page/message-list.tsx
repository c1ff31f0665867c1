import { Fragment, type ReactNode, useEffect, useLayoutEffect, useRef } from 'react'
import type { PlayMessage } from '../protocol.ts'
import { MessageRow } from './message.tsx'
import type { PaneMemory } from './pane-memory.ts'
import { isReply, tsTime } from './reading.ts'
import { dayKey, dayLabel } from './text/dates.ts'
import { useViewer } from './viewer.ts'

const CONTINUED_MS = 5 * 60_000
const NEAR_END_PX = 24

/** Messages with a line between days; stays at the end while the reader is there, and lets him read back in peace. */
export function MessageList({
  of,
  label,
  isThread,
  found,
  empty,
}: {
  readonly of: readonly PlayMessage[]
  readonly label: string
  readonly isThread: boolean
  /** The `ts` of a message to show and mark. */
  readonly found: PaneMemory['found']
  readonly empty: ReactNode
}): ReactNode {
  const { person, now } = useViewer()
  const scroller = useStickyEnd(found)
  return (
    <div className="messages" role="log" aria-label={label} tabIndex={0} ref={scroller}>
      <div className="messages-inner">
        {of.length === 0 && empty}
        {of.map((message, index) => {
          const before = of[index - 1]
          const at = tsTime(message.ts)
          const isNewDay = before === undefined || dayKey(tsTime(before.ts), person.timezone) !== dayKey(at, person.timezone)
          return (
            <Fragment key={`${message.ts} ${message.ephemeralTo ?? ''}`}>
              {isNewDay && !isThread && (
                <div className="day">
                  <span>{dayLabel(at, { zone: person.timezone, now })}</span>
                </div>
              )}
              <MessageRow
                of={message}
                isFound={message.ts === found?.ts}
                isInThread={isThread}
                isContinued={!isNewDay && isContinuation(before, message, isThread)}
              />
              {isThread && index === 0 && of.length > 1 && !isReply(message) && (
                <div className="day thread-count">
                  <span>
                    {of.length - 1} {of.length === 2 ? 'reply' : 'replies'}
                  </span>
                </div>
              )}
            </Fragment>
          )
        })}
      </div>
    </div>
  )
}

function isContinuation(before: PlayMessage | undefined, message: PlayMessage, isThread: boolean): boolean {
  if (before === undefined || before.user !== message.user || (isThread && !isReply(before))) return false
  if (message.ephemeralTo !== null || before.ephemeralTo !== null || message.broadcast || hasHeader(message) || hasHeader(before))
    return false
  return tsTime(message.ts) - tsTime(before.ts) < CONTINUED_MS
}

/** A card stands for itself. */
function hasHeader(message: PlayMessage): boolean {
  return message.blocks.some((block) => block['type'] === 'header' || block['type'] === 'plan')
}

function useStickyEnd(found: PaneMemory['found']): React.RefObject<HTMLDivElement | null> {
  const scroller = useRef<HTMLDivElement | null>(null)
  const isAtEnd = useRef(true)
  useLayoutEffect(() => {
    const message = found === null ? null : scroller.current?.querySelector(`[data-ts="${CSS.escape(found.ts)}"]`)
    if (message === null || message === undefined) return
    isAtEnd.current = false
    message.scrollIntoView({ block: 'start' })
  }, [found])
  useLayoutEffect(() => {
    const box = scroller.current
    if (box !== null && isAtEnd.current) box.scrollTop = box.scrollHeight
  })
  useEffect(() => {
    const box = scroller.current
    const inner = box?.firstElementChild
    if (box === null || inner === null || inner === undefined) return
    const onScroll = (): void => {
      isAtEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX
    }
    // Pictures, files and lazily drawn blocks grow after the first paint.
    const growth = new ResizeObserver(() => {
      if (isAtEnd.current) box.scrollTop = box.scrollHeight
    })
    box.addEventListener('scroll', onScroll, { passive: true })
    growth.observe(inner)
    return () => {
      box.removeEventListener('scroll', onScroll)
      growth.disconnect()
    }
  }, [])
  return scroller
}
