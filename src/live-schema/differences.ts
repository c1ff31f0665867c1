import type { SchemaLine } from './lines.ts'

export type Difference = {
  /** `the column`, `the index` */
  readonly kind: string
  /** `orders.note`; the schema `public` is left out. */
  readonly name: string
  readonly on: string | null
  readonly change: { readonly kind: 'new' | 'gone' } | { readonly kind: 'other'; readonly from: string; readonly to: string }
}

/** What is another now. The columns, indexes and the like of a table that is new or gone go without saying. */
export function differences(before: readonly SchemaLine[], now: readonly SchemaLine[]): readonly Difference[] {
  const [old, live] = [new Map(before.map(({ key, text }) => [key, text])), new Map(now.map(({ key, text }) => [key, text]))]
  const changed = [...new Set([...old.keys(), ...live.keys()])]
    .toSorted()
    .flatMap((key): readonly (Difference & { readonly of: string })[] => {
      const [from, to] = [old.get(key), live.get(key)]
      if (from === to) return []
      return [
        { ...read(key), change: from === undefined ? { kind: 'new' } : to === undefined ? { kind: 'gone' } : { kind: 'other', from, to } },
      ]
    })
  const whole = new Set(changed.flatMap(({ kind, of, change }) => (isTable(kind) && change.kind !== 'other' ? [of] : [])))
  return changed.filter(({ kind, of }) => isTable(kind) || !whole.has(of)).map(({ of: _of, ...difference }) => difference)
}

const isTable = (kind: string) => kind === 'table' || kind === 'foreign table'

/** `of`: the table that it belongs to, itself for a table. */
function read(key: string): Pick<Difference, 'kind' | 'name' | 'on'> & { readonly of: string } {
  const [, kind = '', rest = ''] = /^(materialized view|foreign table|\w+) (.*)$/s.exec(key) ?? []
  const at = ['constraint', 'index', 'trigger', 'policy'].includes(kind) ? rest.lastIndexOf(' on ') : -1
  if (at >= 0) return { kind, name: rest.slice(0, at), on: short(rest.slice(at + 4)), of: rest.slice(at + 4) }
  const of = kind === 'column' ? rest.slice(0, rest.lastIndexOf('.')) : rest
  return { kind, name: short(rest), on: null, of }
}

const short = (name: string): string => name.replace(/^public\./, '')
