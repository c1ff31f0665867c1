/** Maps and lists whose changes can be taken back to a mark, at a cost of what was changed since. */
export type Journal = {
  readonly map: <Key, Value>() => Kept<Key, Value>
  readonly lists: <Key, Value>() => Lists<Key, Value>
  readonly mark: () => number
  readonly takeBack: (mark: number) => void
}

export type Kept<Key, Value> = {
  readonly get: (key: Key) => Value | undefined
  readonly set: (key: Key, value: Value) => void
  readonly delete: (key: Key) => void
  readonly values: () => Iterable<Value>
}

/** Lists by key, in which each entry has an id of its own: one is put or taken without a look at the others. */
export type Lists<Key, Value> = {
  readonly of: (key: Key) => readonly Value[]
  readonly put: (key: Key, id: string | number, value: Value) => void
  readonly take: (key: Key, id: string | number) => void
}

export function createJournal(): Journal {
  const undo: (() => void)[] = []
  return {
    map: () => keptMap(undo),
    lists: () => keptLists(undo),
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

function keptLists<Key, Value>(undo: (() => void)[]): Lists<Key, Value> {
  const lists = new Map<Key, Map<string | number, Value>>()
  /** As arrays, until they change. */
  const read = new Map<Key, readonly Value[]>()
  const change = (key: Key, id: string | number, value: Value | undefined) => {
    read.delete(key)
    let list = lists.get(key)
    if (list === undefined) lists.set(key, (list = new Map()))
    if (value === undefined) list.delete(id)
    else list.set(id, value)
  }
  const remembered = (key: Key, id: string | number, value: Value | undefined) => {
    const was = lists.get(key)?.get(id)
    undo.push(() => change(key, id, was))
    change(key, id, value)
  }
  return {
    of(key) {
      const known = read.get(key)
      if (known !== undefined) return known
      const list = lists.get(key)
      if (list === undefined) return []
      const array = [...list.values()]
      read.set(key, array)
      return array
    },
    put: remembered,
    take: (key, id) => {
      if (lists.get(key)?.has(id) === true) remembered(key, id, undefined)
    },
  }
}
