import { lockModes, type Forecast, type LockMode, type Relation } from '../rules/forecast.ts'
import { keyOf } from './size.ts'

/** Locks that the transaction of a file has by now on tables that were there before it; they are kept until it ends. */
export type Held = {
  readonly on: (relation: Relation) => LockMode | null
  /** The first table that others cannot write to, with the line from which on. */
  readonly first: () => { readonly on: Relation; readonly mode: LockMode; readonly line: number } | null
  /** Tables that nobody can read. */
  readonly shut: () => readonly Relation[]
  readonly count: () => number
  readonly add: (forecast: Forecast) => void
  /** At a COMMIT. */
  readonly clear: () => void
}

export function createHeld(): Held {
  const modes = new Map<string, LockMode>()
  const shut = new Map<string, Relation>()
  let first: ReturnType<Held['first']> = null
  return {
    on: (relation) => modes.get(keyOf(relation)) ?? null,
    first: () => first,
    shut: () => [...shut.values()],
    count: () => modes.size,
    add({ locks, line }) {
      for (const { on, mode, isNew } of locks) {
        if (isNew) continue
        const key = keyOf(on)
        const had = modes.get(key)
        if (had === undefined || rankOf(mode) > rankOf(had)) modes.set(key, mode)
        if (mode === 'AccessExclusive') shut.set(key, on)
        if (first === null && holdsOff(mode)) first = { on, mode, line }
      }
    },
    clear() {
      modes.clear()
      shut.clear()
      first = null
    },
  }
}

const rankOf = (mode: LockMode): number => lockModes.indexOf(mode)

/** Whether others have to wait who write rows. */
export const holdsOff = (mode: LockMode): boolean => rankOf(mode) >= rankOf('Share')

export const stronger = (one: LockMode | null, other: LockMode | null): LockMode | null =>
  one === null ? other : other === null || rankOf(one) >= rankOf(other) ? one : other
