import { type ReactNode, useEffect } from 'react'

const SHOWN_MS = 12_000

/** A sentence about what did not work, for the person of the pane. */
export function Toast({ text, onClose }: { readonly text: string | null; readonly onClose: () => void }): ReactNode {
  useEffect(() => {
    if (text === null) return
    const timer = setTimeout(onClose, SHOWN_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <div className="toasts" role="alert">
      {text !== null && (
        <div className="toast" data-testid="toast">
          <span>{text}</span>
          <button type="button" aria-label="Dismiss" onClick={onClose}>
            ×
          </button>
        </div>
      )}
    </div>
  )
}
