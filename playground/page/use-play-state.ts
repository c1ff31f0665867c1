import { useCallback, useEffect, useRef, useState } from 'react'
import type { PlayState } from '../protocol.ts'
import { fetchState } from './api.ts'
import { numberAt } from './json.ts'
import { createRefresher, type Refresher } from './refresher.ts'

const RETRY_MS = 1_500

/** The workspace, drawn anew whenever the server says that its revision changed; `isReachable` is false while the server is silent. */
export function usePlayState(): { readonly state: PlayState | null; readonly isReachable: boolean; readonly refresh: () => void } {
  const [state, setState] = useState<PlayState | null>(null)
  const [isReachable, setReachable] = useState(true)
  const refresher = useRef<Refresher | null>(null)

  useEffect(() => {
    let revision = -1
    const current = createRefresher(async () => {
      try {
        const fresh = await fetchState()
        revision = fresh.revision
        setState(fresh)
        setReachable(true)
      } catch (error) {
        setReachable(false)
        throw error
      }
    }, RETRY_MS)
    refresher.current = current
    current.request()
    const stopEvents = listen((seen) => {
      if (seen === null || seen !== revision) current.request()
    })
    return () => {
      stopEvents()
      current.stop()
    }
  }, [])

  return { state, isReachable, refresh: useCallback(() => refresher.current?.request(), []) }
}

/** `null` on each (re)connection: something may have been missed. The browser gives up on an HTTP error, so a closed source is opened again. */
function listen(changed: (revision: number | null) => void): () => void {
  let source: EventSource | null = null
  let retry: ReturnType<typeof setTimeout> | undefined
  const open = (): void => {
    source = new EventSource('play/events')
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
