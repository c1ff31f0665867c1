import { isObject, textAt } from './json.ts'
import type { MessageAddress } from './permalink.ts'
import type { Place } from './sidebar.tsx'

/** What a pane shows; outlives a change of person and a reload. */
export type PaneMemory = {
  readonly person: string
  readonly place: Place | null
  readonly thread: { readonly channel: string; readonly ts: string } | null
  /** The message that a link led to, shown and marked; a new object each time, so that the same link works twice. */
  readonly found: { readonly ts: string } | null
  /** Unsent texts by person, channel and thread. */
  readonly drafts: Readonly<Record<string, string>>
}

/** Last `ts` that somebody has seen, by person and channel. */
export type ReadMarks = Readonly<Record<string, string>>

export function placeOfMessage({ channel, ts, threadTs }: MessageAddress): Pick<PaneMemory, 'place' | 'thread' | 'found'> {
  return { place: { kind: 'channel', id: channel }, thread: threadTs === null ? null : { channel, ts: threadTs }, found: { ts } }
}

/** Private windows may refuse storage: the page then forgets at a reload and works otherwise. */
export function recall(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null')
  } catch {
    return null
  }
}

export function keep(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value))
  } catch {
    // Nothing is lost but convenience.
  }
}

export function recallMarks(key: string): ReadMarks {
  const found = recall(key)
  return isObject(found)
    ? Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
    : {}
}

export function recallPerson(key: string): string | null {
  return textAt(recall(key), 'person')
}
