import { type ReactNode, useMemo, useRef, useState } from 'react'
import type { Click } from '../protocol.ts'
import { act } from './api.ts'
import { type Json, textAt } from './json.ts'
import { SurfaceContext } from './surface.ts'
import { collectValues, type Entries, entryKey } from './values.ts'
import { useViewer } from './viewer.ts'

type Props = {
  readonly container: Click['container']
  readonly blocks: readonly Json[]
  readonly errors?: Readonly<Record<string, string>>
  readonly isModal?: boolean
  /** A modal reads what was entered when it is submitted. */
  readonly onEntries?: (entries: Entries) => void
  readonly children: ReactNode
}

const NO_ERRORS = {}

/** Makes a message or a view answer to clicks, in the name of the pane's person. */
export function Interactive({ container, blocks, errors = NO_ERRORS, isModal = false, onEntries, children }: Props): ReactNode {
  const { person, tell } = useViewer()
  const [entries, setEntries] = useState<Entries>(new Map())
  // A menu enters its choice and acts in the same tick: the click must carry the entry that is not drawn yet.
  const latest = useRef(entries)
  const current = useRef({ container, blocks, onEntries, tell, person })
  current.current = { container, blocks, onEntries, tell, person }

  const surface = useMemo(
    () => ({
      entries,
      errors,
      isModal,
      enter: (blockId: string, actionId: string, entry: string | readonly string[] | null): void => {
        latest.current = new Map(latest.current).set(entryKey(blockId, actionId), entry)
        current.current.onEntries?.(latest.current)
        setEntries(latest.current)
      },
      act: async (blockId: string, element: Json, selected?: string): Promise<void> => {
        const now = current.current
        const answer = await act('click', {
          person: now.person.id,
          container: now.container,
          blockId,
          actionId: textAt(element, 'action_id') ?? '',
          ...(selected !== undefined && { selected }),
          state: collectValues(now.blocks, latest.current),
        })
        if (!answer.ok) now.tell(answer.error)
      },
    }),
    [entries, errors, isModal],
  )
  return <SurfaceContext value={surface}>{children}</SurfaceContext>
}
