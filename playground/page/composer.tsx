import { type KeyboardEvent, type ReactNode, useId, useLayoutEffect, useRef, useState } from 'react'
import type { PlayState } from '../protocol.ts'
import { act } from './api.ts'
import { suggestCommands } from './suggest.ts'
import { useViewer } from './viewer.ts'

type Props = {
  readonly channel: string
  readonly threadTs?: string
  readonly placeholder: string
  readonly draft: string
  readonly setDraft: (text: string) => void
  readonly testId: string
}

/** Enter sends, Shift+Enter breaks the line; a text that begins with `/` is a command. */
export function Composer({ channel, threadTs, placeholder, draft, setDraft, testId }: Props): ReactNode {
  const { state, person, tell } = useViewer()
  const [picked, setPicked] = useState(0)
  const [isDismissed, setDismissed] = useState(false)
  const [isSending, setSending] = useState(false)
  const field = useGrowing(draft)
  const listId = useId()
  const suggestions = isDismissed ? [] : suggestCommands(state.commands, draft)
  const usage = state.commands.find(({ command }) => draft.startsWith(`${command} `))
  const active = suggestions[Math.min(picked, suggestions.length - 1)]

  const write = (text: string): void => {
    setDismissed(false)
    setPicked(0)
    setDraft(text)
  }
  const send = async (): Promise<void> => {
    const text = draft.trim()
    if (text === '' || isSending) return
    setDraft('')
    setSending(true)
    const body = { person: person.id, channel, text, ...(threadTs !== undefined && { threadTs }) }
    const answer = await act(text.startsWith('/') ? 'command' : 'say', body)
    setSending(false)
    if (!answer.ok) tell(answer.error)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return
    const isList = suggestions.length > 0
    if (isList && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault()
      setPicked((picked + (event.key === 'ArrowDown' ? 1 : suggestions.length - 1)) % suggestions.length)
    } else if (isList && event.key === 'Escape') {
      event.preventDefault()
      setDismissed(true)
    } else if (active !== undefined && (event.key === 'Tab' || (event.key === 'Enter' && active.command !== draft.trim()))) {
      event.preventDefault()
      write(`${active.command} `)
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      void send()
    }
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      {suggestions.length > 0 && (
        <Suggestions
          id={listId}
          of={suggestions}
          active={active}
          onPick={(command) => {
            write(`${command} `)
            field.current?.focus()
          }}
        />
      )}
      {suggestions.length === 0 && usage !== undefined && usage.usage !== '' && (
        <p className="usage" data-testid="usage">
          <b>{usage.command}</b> {usage.usage}
        </p>
      )}
      <div className="composer-box">
        <textarea
          ref={field}
          rows={1}
          value={draft}
          placeholder={placeholder}
          aria-label={placeholder}
          data-testid={testId}
          role="combobox"
          aria-expanded={suggestions.length > 0}
          aria-controls={listId}
          aria-autocomplete="list"
          {...(active !== undefined && { 'aria-activedescendant': `${listId}-${active.command}` })}
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" className="send" aria-label="Send" disabled={draft.trim() === '' || isSending}>
          <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true">
            <path d="M2.5 3.2 18 10 2.5 16.8l1.8-5.7L11 10 4.3 8.9z" fill="currentColor" />
          </svg>
        </button>
      </div>
    </form>
  )
}

type Commands = PlayState['commands']

function Suggestions({
  id,
  of,
  active,
  onPick,
}: {
  readonly id: string
  readonly of: Commands
  readonly active: Commands[number] | undefined
  readonly onPick: (command: string) => void
}): ReactNode {
  return (
    <div className="popup suggestions" role="listbox" id={id} aria-label="Commands" data-testid="suggestions">
      {of.map((item) => (
        <div
          key={item.command}
          id={`${id}-${item.command}`}
          role="option"
          tabIndex={-1}
          aria-selected={item === active}
          // The field keeps the focus, so that typing goes on.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onPick(item.command)}
        >
          <span>
            <b>{item.command}</b> <span className="quiet">{item.usage}</span>
          </span>
          <span className="quiet">{item.description}</span>
        </div>
      ))}
    </div>
  )
}

function useGrowing(text: string): React.RefObject<HTMLTextAreaElement | null> {
  const field = useRef<HTMLTextAreaElement | null>(null)
  useLayoutEffect(() => {
    if (field.current === null) return
    field.current.style.height = 'auto'
    field.current.style.height = `${Math.min(field.current.scrollHeight, 160)}px`
  }, [text])
  return field
}
