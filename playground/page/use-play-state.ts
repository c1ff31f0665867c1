import { useEffect, useState } from 'react'
import type { PlayState } from '../protocol.ts'
import { fetchState } from './api.ts'
import { numberAt } from './json.ts'
import { createRefresher } from './refresher.ts'

const RETRY_MS = 1_500
/** A run changes the workspace many times a second; the eye does not follow more. */
const GAP_MS = 60

/** The workspace, drawn anew whenever the server says that its revision changed; `isReachable` is false while the server is silent. */
export function usePlayState(): { readonly state: PlayState | null; readonly isReachable: boolean } {
  const [state, setState] = useState<PlayState | null>(null)
  const [isReachable, setReachable] = useState(true)

  useEffect(() => {
    let revision = -1
    const current = createRefresher(
      async () => {
        try {
          const fresh = await fetchState()
          revision = fresh.revision
          setState(fresh)
          setReachable(true)
        } catch (error) {
          setReachable(false)
          throw error
        }
      },
      { retryMs: RETRY_MS, gapMs: GAP_MS },
    )
    current.request()
    const stopEvents = listen((seen) => {
      if (seen === null || seen !== revision) current.request()
    })
    return () => {
      stopEvents()
      current.stop()
    }
  }, [])

  return { state, isReachable }
}

/** `null` on each (re)connection: something may have been missed. The browser gives up on an HTTP error, so a closed source is opened again. */
function listen(changed: (revision: number | null) => void): () => void {
  let source: EventSource | null = null
  let retry: ReturnType<typeof setTimeout> | undefined
  const open = (): void => {
    source = new EventSource('/play/events')
    source.addEventListener('open', () => changed(null))
    source.addEventListener('message', (event: MessageEvent<string>) => changed(revisionOf(event.data)))
    source.addEventListener('error', () => {
      changed(null)
      if (source?.readyState !== EventSource.CLOSED) return
      clearTimeout(retry)
      retry = setTimeout(open, RETRY_MS)
    })
  }
  open()
  return () => {
    clearTimeout(retry)
    source?.close()
  }
}

function revisionOf(data: string): number | null {
  try {
    return numberAt(JSON.parse(data), 'revision')
  } catch {
    return null
  }
}
