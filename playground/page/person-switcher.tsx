import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import type { Person, PlayState } from '../protocol.ts'
import { Avatar } from './avatar.tsx'
import { clockTime } from './text/dates.ts'
import { roleOf } from './viewer.ts'

type Props = { readonly state: PlayState; readonly person: Person; readonly now: number; readonly onPick: (id: string) => void }

/** Who acts in this pane. */
export function PersonSwitcher({ state, person, now, onPick }: Props): ReactNode {
  const [isOpen, setOpen] = useState(false)
  const list = useRef<HTMLDivElement | null>(null)
  const button = useRef<HTMLButtonElement | null>(null)
  useEffect(() => {
    if (isOpen) list.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus()
  }, [isOpen])
  const close = (): void => {
    setOpen(false)
    button.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') close()
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    event.preventDefault()
    const items = [...(list.current?.querySelectorAll<HTMLElement>('button:not(:disabled)') ?? [])]
    const at = items.findIndex((item) => item === document.activeElement)
    items[(at + (event.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length]?.focus()
  }
  const people = state.people.filter((candidate) => candidate.kind !== 'bot')
  return (
    <div className="switcher" onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}>
      <button
        type="button"
        ref={button}
        className="switcher-button"
        data-testid="person-switcher"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label={`Acting as ${person.realName}, ${roleOf(person)}. Change person`}
        onClick={() => setOpen(!isOpen)}
      >
        <Avatar state={state} user={person.id} size={28} />
        <PersonWords of={person} />
        <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
          <path d="m2 4 4 4 4-4" fill="none" stroke="currentColor" strokeWidth="1.6" />
        </svg>
      </button>
      {isOpen && (
        <div className="popup people" role="menu" aria-label="Act as" ref={list} onKeyDown={onKeyDown}>
          {people.map((candidate) => (
            <button
              key={candidate.id}
              type="button"
              role="menuitemradio"
              aria-checked={candidate.id === person.id}
              disabled={candidate.kind === 'deactivated'}
              data-testid={`person-${candidate.name.toLowerCase()}`}
              onClick={() => {
                onPick(candidate.id)
                close()
              }}
            >
              <Avatar state={state} user={candidate.id} size={28} />
              <PersonWords of={candidate} />
              <span className="quiet local-time" title={candidate.timezone}>
                {clockTime(now, { zone: candidate.timezone, now })}
              </span>
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

function PersonWords({ of }: { readonly of: Person }): ReactNode {
  return (
    <span className="person-words">
      <b>{of.realName}</b>
      {of.title !== '' && <span className="quiet"> · {of.title}</span>}
      {of.kind !== 'member' && <span className={`badge badge-${of.kind}`}>{of.kind}</span>}
    </span>
  )
}
