import { createContext, type KeyboardEvent, type ReactNode, useContext, useEffect, useId, useRef } from 'react'
import { createPortal } from 'react-dom'
import { PlainText } from './text/text.tsx'

/** The pane's layer over everything else in it: a dialog of one person leaves the other person's pane alone. */
export const OverlayContext = createContext<HTMLElement | null>(null)

type Props = {
  readonly title: string
  readonly testId: string
  readonly onClose: () => void
  readonly isWide?: boolean
  readonly children: ReactNode
}

export function Dialog({ title, testId, onClose, isWide = false, children }: Props): ReactNode {
  const overlay = useContext(OverlayContext)
  const box = useRef<HTMLDivElement | null>(null)
  const titleId = useId()

  useEffect(() => {
    const before = document.activeElement
    const wanted = box.current?.querySelector<HTMLElement>(
      '[autofocus], [data-autofocus], .dialog-body input, .dialog-body textarea, .dialog-body select',
    )
    ;(wanted ?? box.current)?.focus()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])

  const latestClose = useRef(onClose)
  latestClose.current = onClose
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented || overlay === null || !isAddressed(overlay, box.current)) return
      event.preventDefault()
      latestClose.current()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [overlay])

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Tab' && box.current !== null) keepFocusInside(event, box.current)
  }

  if (overlay === null) return null
  return createPortal(
    <div className="backdrop" onKeyDown={onKeyDown}>
      <div
        className={isWide ? 'dialog dialog-wide' : 'dialog'}
        role="dialog"
        aria-modal="true"
        aria-labelledby={titleId}
        data-testid={testId}
        tabIndex={-1}
        ref={box}
      >
        <div className="dialog-head">
          <h2 id={titleId}>
            <PlainText source={title} />
          </h2>
          <button type="button" className="close" aria-label="Close" onClick={onClose}>
            ×
          </button>
        </div>
        {children}
      </div>
    </div>,
    overlay,
  )
}

/** Escape means the topmost dialog of the pane that has the focus; a focus that fell to the page means any. */
function isAddressed(overlay: HTMLElement, box: HTMLElement | null): boolean {
  const pane = overlay.closest('section')
  const isHere = document.activeElement === document.body || pane?.contains(document.activeElement) === true
  return isHere && overlay.lastElementChild === box?.parentElement
}

function keepFocusInside(event: KeyboardEvent, box: HTMLElement): void {
  const stops = [...box.querySelectorAll<HTMLElement>('a[href], button:not(:disabled), input, textarea, select:not(:disabled), summary')]
  const [first, last] = [stops[0], stops.at(-1)]
  const leaving = event.shiftKey ? first : last
  if (document.activeElement !== leaving && document.activeElement !== box) return
  event.preventDefault()
  ;(event.shiftKey ? last : first)?.focus()
}
