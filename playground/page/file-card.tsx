import { type ReactNode, useState } from 'react'
import type { PlayMessage } from '../protocol.ts'
import { fetchFile } from './api.ts'

type Content =
  | { readonly kind: 'closed' | 'loading' }
  | { readonly kind: 'open'; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: string }

/** A file that unfolds where it stands. */
export function FileCard({ of }: { readonly of: PlayMessage['files'][number] }): ReactNode {
  const [content, setContent] = useState<Content>({ kind: 'closed' })
  const isOpen = content.kind !== 'closed'
  const toggle = async (): Promise<void> => {
    if (isOpen) return setContent({ kind: 'closed' })
    setContent({ kind: 'loading' })
    try {
      setContent({ kind: 'open', text: await fetchFile(of.url) })
    } catch (error) {
      setContent({ kind: 'failed', reason: error instanceof Error ? error.message : 'It could not be read.' })
    }
  }
  return (
    <div className="file" data-testid="file">
      <button type="button" className="file-head" aria-expanded={isOpen} onClick={() => void toggle()}>
        <FileIcon />
        <span className="file-words">
          <b>{of.title === '' ? of.name : of.title}</b>
          <span className="quiet">
            {of.title === '' || of.title === of.name ? '' : `${of.name} · `}
            {size(of.size)}
          </span>
        </span>
        <span className="file-toggle">{isOpen ? 'Fold' : 'Read'}</span>
      </button>
      {content.kind === 'loading' && <p className="quiet file-note">Loading…</p>}
      {content.kind === 'failed' && (
        <p className="file-note" role="alert">
          The file could not be read. {content.reason}
        </p>
      )}
      {content.kind === 'open' && (
        <pre tabIndex={0} aria-label={of.name}>
          {content.text === '' ? 'This file is empty.' : content.text}
        </pre>
      )}
    </div>
  )
}

function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

function FileIcon(): ReactNode {
  return (
    <svg viewBox="0 0 24 30" width="24" height="30" aria-hidden="true">
      <path d="M2 1h13l7 7v21H2z" fill="#eef1f4" stroke="#9aa5b1" strokeWidth="1.4" strokeLinejoin="round" />
      <path d="M15 1v7h7M6 14h12M6 18.5h12M6 23h7" fill="none" stroke="#9aa5b1" strokeWidth="1.4" />
    </svg>
  )
}
