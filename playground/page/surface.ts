import { createContext, useContext } from 'react'
import type { Json } from './json.ts'
import type { Entries, Entry } from './values.ts'

/** The message or view that blocks stand on: where clicks go and what stands in its inputs. */
export type Surface = {
  readonly act: (blockId: string, element: Json, selected?: string) => Promise<void>
  readonly entries: Entries
  readonly enter: (blockId: string, actionId: string, entry: Entry) => void
  readonly errors: Readonly<Record<string, string>>
  readonly isModal: boolean
}

export const SurfaceContext = createContext<Surface | null>(null)

export function useSurface(): Surface {
  const surface = useContext(SurfaceContext)
  if (surface === null) throw new Error('useSurface stands outside a message or view.')
  return surface
}
