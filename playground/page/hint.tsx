import type { ReactNode } from 'react'

type Props = { readonly example: string; readonly isNarrow: boolean; readonly onFill: () => void; readonly onDismiss: () => void }

export function Hint({ example, isNarrow, onFill, onDismiss }: Props): ReactNode {
  return (
    <section className="hint" aria-label="What to try" data-testid="hint">
      <ol>
        <li>
          As Alice, type <code>{example}</code>.{' '}
          <button type="button" className="button default small" data-testid="hint-fill" onClick={onFill}>
            Fill it in
          </button>
        </li>
        <li>
          {isNarrow ? 'Change to Bob at the top and press' : 'As Bob, press'} <b>Approve</b>.
        </li>
        <li>Watch the thread.</li>
        <li>
          Plan the next one: <code>/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"</code>
        </li>
      </ol>
      <button type="button" className="close" aria-label="Dismiss" onClick={onDismiss}>
        ×
      </button>
    </section>
  )
}
