import type { RangeVar } from 'libpg-query'
import { tableOf } from '../../effects/names.ts'
import type { LockMode, Part } from '../model/forecast.ts'
import { rowsOf, type Run } from '../run/run.ts'
import type { Id, Table } from '../schema/model.ts'
import { family, isSystem, sourcesOf, tableNamed } from '../schema/resolve.ts'

/** Relations that a query names, but for those that it makes itself (WITH). */
export function namedIn(query: unknown): readonly RangeVar[] {
  const found: RangeVar[] = []
  collect(query, new Set(), found)
  return found
}

function collect(value: unknown, own: ReadonlySet<string>, found: RangeVar[]): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) collect(item, own, found)
    return
  }
  if (isKeyed(value, 'RangeVar')) {
    const range = value.RangeVar as RangeVar
    if (range.schemaname !== undefined || !own.has(range.relname ?? '')) found.push(range)
    return
  }
  const within = new Set([...own, ...tablesOfWith(value)])
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'relation' || key === 'into' || key === 'intoClause' || key === 'pktable') continue // what is written to is judged by itself
    collect(inner, within, found)
  }
}

const isKeyed = <Key extends string>(value: object, key: Key): value is Record<Key, unknown> => key in value

function tablesOfWith(value: object): readonly string[] {
  const clause = 'withClause' in value ? value.withClause : undefined
  const list =
    typeof clause === 'object' && clause !== null && 'ctes' in clause && Array.isArray(clause.ctes)
      ? (clause.ctes as readonly unknown[])
      : []
  return list.flatMap((item) => {
    const inner = typeof item === 'object' && item !== null && 'CommonTableExpr' in item ? item.CommonTableExpr : undefined
    return typeof inner === 'object' && inner !== null && 'ctename' in inner && typeof inner.ctename === 'string' ? [inner.ctename] : []
  })
}

/** Locks what is read, and what views read for it; gives the tables whose rows are. */
export function readFrom(run: Run, query: unknown, mode: LockMode = 'AccessShare'): Part['scans'] {
  return distinct(namedIn(query).flatMap((range) => scansOf(run, range, mode)))
}

function scansOf(run: Run, range: RangeVar, mode: LockMode): Part['scans'] {
  const named = tableOf(range)
  const table = tableNamed(run.schema, named)
  if (table !== undefined) return reach(run, table, mode, range.inh === true).flatMap((id) => rowsOf(run, id))
  if (!isSystem(named)) run.fail('42P01', `there is no table ${named.name}`)
  return []
}

/** A table with its partitions and heirs; behind a view what it reads, and so on. */
export function reach(run: Run, table: Table, mode: LockMode, withHeirs = true): readonly Id[] {
  const seen = new Set<Id>()
  const open: Id[] = [table.id]
  while (open.length > 0) {
    const id = open.pop()
    if (id === undefined || seen.has(id)) continue
    seen.add(id)
    run.lock(id, mode)
    if (run.schema.table(id)?.kind === 'v') open.push(...sourcesOf(run.schema, id))
    else if (withHeirs) open.push(...family(run.schema, id).filter((one) => one !== id))
  }
  return [...seen]
}

export const distinct = (relations: Part['scans']): Part['scans'] => [
  ...new Map(relations.map((one) => [`${one.schema}\0${one.name}`, one])).values(),
]
