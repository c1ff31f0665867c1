/** Maps whose changes can be taken back to a mark, at a cost of what was changed since. */
export type Journal = {
  readonly map: <Key, Value>() => Kept<Key, Value>
  readonly mark: () => number
  readonly takeBack: (mark: number) => void
}

export type Kept<Key, Value> = {
  readonly get: (key: Key) => Value | undefined
  readonly set: (key: Key, value: Value) => void
  readonly delete: (key: Key) => void
  readonly values: () => Iterable<Value>
}

export function createJournal(): Journal {
  const undo: (() => void)[] = []
  return {
    map: () => keptMap(undo),
    mark: () => undo.length,
    takeBack: (mark) => {
      while (undo.length > mark) undo.pop()?.()
    },
  }
}

function keptMap<Key, Value>(undo: (() => void)[]): Kept<Key, Value> {
  const inner = new Map<Key, Value>()
  const remember = (key: Key) => {
    const was = inner.get(key)
    undo.push(() => {
      if (was === undefined) inner.delete(key)
      else inner.set(key, was)
    })
  }
  return {
    get: (key) => inner.get(key),
    set: (key, value) => {
      remember(key)
      inner.set(key, value)
    },
    delete: (key) => {
      remember(key)
      inner.delete(key)
    },
    values: () => inner.values(),
  }
}
