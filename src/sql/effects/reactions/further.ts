import type { Reactions, WriteEvent } from '../../../database/reactions.ts'
import { plain, type Effect } from '../effect.ts'
import { inVerb, tableName, tableOf, type Table } from '../names.ts'
import type { Parser } from '../parser.ts'
import type { How } from './how.ts'
import { itsOf, otherOf, type Indexed } from './indexed.ts'
import type { Write } from './writes.ts'

type Next = Write & { readonly effect?: Effect }

/** Where the write goes on: behind a view, to partitions and heirs, along foreign keys. */
export function further(write: Write, existing: Indexed, { parser, switches }: How): readonly Next[] {
  const { table, event } = write
  const isIts = itsOf(table)
  const isInstead =
    existing.triggers(table.name).some((one) => isIts(one) && one.isInstead && one.events.includes(event)) ||
    existing
      .rules(table.name)
      .some((one) => isIts(one) && one.event === event && / DO INSTEAD /.test(one.text) && switches.fires('rule', one, table))
  const views = isInstead ? [] : existing.views(table.name).filter((one) => isIts(one) && one.isUpdatable)
  return [
    ...views
      .flatMap(({ text }) => baseOf(text, parser))
      .map((base) => ({ ...write, table: base, columns: null, effect: behind(table, base, event) })),
    ...(write.withHeirs
      ? existing
          .heirs(table.name)
          .filter(isIts)
          .flatMap((one) => inHeir(write, one))
      : []),
    ...existing
      .references(table.name)
      .filter(isIts)
      .filter((one) => event === 'TRUNCATE' || isWatched(one, table, switches))
      .flatMap((one) => referring(write, one)),
  ]
}

const isWatched = (key: Reactions['references'][number], table: Table, { fires }: How['switches']): boolean =>
  fires('foreign key', key, table) && fires('constraint', { name: key.name, fires: 'always' }, otherOf(key))

/** A row that no longer belongs where it is leaves one partition and comes to another. */
function inHeir(write: Write, one: Reactions['heirs'][number]): readonly Next[] {
  const { event, columns, table } = write
  const next = { ...write, table: otherOf(one), isNamed: event === 'TRUNCATE' && write.isNamed }
  if (!one.isPartition) return event === 'INSERT' ? [] : [{ ...next, effect: inherited(table, next.table, event) }]
  const mayMove = event === 'UPDATE' && (columns === null || one.keys === null || one.keys.some((column) => columns.includes(column)))
  const moved = { ...next, withDefaults: false, isMoved: true } as const
  return [next, ...(mayMove ? [{ ...moved, event: 'DELETE' } as const, { ...moved, event: 'INSERT' } as const] : [])]
}

/** The one table of a view that passes on what is written to it. */
function baseOf(query: string, parser: Parser): readonly Table[] {
  try {
    return parser.sql(query).flatMap((node) => {
      const [from] = 'SelectStmt' in node ? (node.SelectStmt.fromClause ?? []) : []
      return from !== undefined && 'RangeVar' in from ? [tableOf(from.RangeVar)] : []
    })
  } catch {
    return [] // a newer server's syntax
  }
}

const DOES: Readonly<Record<WriteEvent, string>> = {
  INSERT: 'adds rows to %',
  UPDATE: 'backfills %',
  DELETE: 'deletes rows of %',
  TRUNCATE: 'empties %',
}

const onOther = (kind: Effect['class'], verb: string, other: Table, finding?: string): Effect => ({
  ...plain(kind, verb, tableName(other)),
  tables: [other],
  ...(finding === undefined ? {} : { finding }),
})

const behind = (view: Table, base: Table, event: WriteEvent): Effect =>
  event === 'DELETE'
    ? onOther('breaking', DOES[event], base, `rows of ${tableName(base)} go with those of its view ${tableName(view)}`)
    : onOther('transformative', `by view ${inVerb(tableName(view))} ${DOES[event]}`, base)

const inherited = (parent: Table, heir: Table, event: WriteEvent): Effect =>
  event === 'DELETE' || event === 'TRUNCATE'
    ? onOther('breaking', DOES[event], heir, `rows of ${tableName(heir)} go with those of ${tableName(parent)}, from which it inherits`)
    : onOther('transformative', DOES[event], heir)

function referring({ table, event, columns, withReferring, isMoved }: Write, key: Reactions['references'][number]): readonly Next[] {
  const other = otherOf(key)
  const [from, name] = [tableName(table), tableName(other)]
  if (isMoved) return []
  const next = { table: other, columns: key.otherColumns, withDefaults: false, withHeirs: true, withReferring, isNamed: true, isMoved }
  if (event === 'TRUNCATE')
    return withReferring
      ? [
          {
            ...next,
            event,
            effect: onOther('breaking', DOES[event], other, `${name} is emptied with ${from}, to which it refers (CASCADE)`),
          },
        ]
      : []
  if (event === 'DELETE' && key.onDelete === 'delete')
    return [
      { ...next, event, effect: onOther('breaking', DOES[event], other, `rows of ${name} go with those of ${from} (ON DELETE CASCADE)`) },
    ]
  const isUnset = event === 'DELETE' ? key.onDelete === 'unset' : event === 'UPDATE' && key.onUpdate === 'unset'
  const isOfKey = event === 'DELETE' || columns === null || key.columns.some((column) => columns.includes(column))
  if (!isOfKey) return []
  if (isUnset) {
    const what = event === 'DELETE' ? `what goes from ${from}` : `what changes in ${from}`
    const finding = `rows of ${name} that refer to ${what} lose that reference (ON ${event} SET NULL or DEFAULT)`
    return [{ ...next, event: 'UPDATE', effect: onOther('transformative', `unsets references to ${inVerb(from)} in %`, other, finding) }]
  }
  if (event !== 'UPDATE' || key.onUpdate !== 'update') return []
  return [{ ...next, event, effect: onOther('transformative', `updates references to ${inVerb(from)} in %`, other) }]
}
