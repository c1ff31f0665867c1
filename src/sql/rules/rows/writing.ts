import type { Node, RangeVar } from 'libpg-query'
import { tableOf } from '../../effects/names.ts'
import type { Part } from '../model/forecast.ts'
import { rowsOf, said, type Run } from '../run/run.ts'
import type { Constraint, Id, Table } from '../schema/model.ts'
import { family, tableNamed } from '../schema/resolve.ts'
import { followRoutine, sequenceNamed } from './calls.ts'
import { distinct, reach } from './relations.ts'

export type Written = {
  readonly table: Table | null
  /** Those that hold its rows: the table, its partitions, what stands behind a view. */
  readonly rows: Part['scans']
  /** Others that are read for it. */
  readonly scans: Part['scans']
}

export type Write = 'INSERT' | 'UPDATE' | 'DELETE'

/** Locks what is written, with what foreign keys, defaults and triggers reach from there; gives the other tables whose rows are read for it. */
export function writeTo(run: Run, relation: RangeVar | undefined, how: Write, columns: readonly string[] | null): Written {
  const named = tableOf(relation)
  const table = tableNamed(run.schema, named)
  if (table === undefined) {
    run.fail('42P01', `there is no table ${named.name}`)
    return { table: null, rows: [], scans: [] }
  }
  for (const name of columns ?? [])
    if (!table.isAssumed && !table.columns.some((column) => column.name === name))
      run.fail('42703', `${said(run, table.id)} has no column ${name}`)
  const scans: Part['scans'][number][] = []
  const reached = reach(run, table, 'RowExclusive')
  for (const id of reached) scans.push(...react(run, id, how, columns, new Set()))
  return { table, rows: distinct(reached.flatMap((id) => rowsOf(run, id))), scans }
}

/** What follows from a change of rows of one table. */
function react(run: Run, id: Id, how: Write, columns: readonly string[] | null, seen: Set<string>): Part['scans'] {
  const { schema } = run
  if (seen.has(`${id} ${how}`)) return []
  seen.add(`${id} ${how}`)
  const concerns = (names: readonly string[]) => how !== 'UPDATE' || columns === null || names.some((name) => columns.includes(name))
  const scans: Part['scans'][number][] = []
  if (how !== 'DELETE')
    for (const one of schema.constraints(id))
      if (one.kind === 'f' && one.other !== null && one.isEnforced && concerns(one.columns)) run.lockFamily(one.other, 'RowShare')
  if (how !== 'INSERT')
    for (const one of schema.referencing(id)) if (one.isEnforced && concerns(one.otherColumns)) scans.push(...cascade(run, one, how, seen))
  if (how === 'INSERT') takeNumbers(run, id)
  for (const trigger of schema.triggers(id)) if (trigger.isEnabled && trigger.events.includes(how)) fire(run, trigger.function)
  for (const one of schema.dependents(id))
    if (one.kind === 'rule') run.dontKnow(`the rule ${one.name} of ${said(run, id)} changes what is done`)
  return scans
}

/** Rows that refer to those that go or change. */
function cascade(run: Run, one: Constraint, how: Write, seen: Set<string>): Part['scans'] {
  const isPassedOn = new RegExp(`ON ${how} (CASCADE|SET)`).test(one.definition) || one.definition === ''
  run.lockFamily(one.table, isPassedOn ? 'RowExclusive' : 'RowShare')
  const own = rowsOf(run, one.table)
  if (!isPassedOn) return own
  return [
    ...own,
    ...family(run.schema, one.table).flatMap((id) => react(run, id, how, null, seen)),
    ...react(run, one.table, 'UPDATE', null, seen),
  ]
}

function takeNumbers(run: Run, id: Id): void {
  for (const sequence of run.schema.owned(id)) run.lock(sequence, 'RowExclusive')
  for (const { default: value } of run.schema.table(id)?.columns ?? []) {
    const name = /nextval\('((?:[^']|'')+)'/.exec(value ?? '')?.[1]
    const sequence = name === undefined ? undefined : sequenceNamed(run.schema, name)
    if (sequence !== undefined) run.lock(sequence.id, 'RowExclusive')
  }
}

function fire(run: Run, { schema, name }: { readonly schema: string; readonly name: string }): void {
  const found = run.schema.routines(name).filter((one) => one.schema === schema)
  if (found.length === 0) run.dontKnow(`the trigger function ${name} cannot be read`)
  for (const routine of found) followRoutine(run, routine)
}

/** Names of `SET a = …` and of `INSERT INTO t (a)`. */
export const targetsOf = (list: readonly Node[] | undefined): readonly string[] =>
  (list ?? []).flatMap((item) => ('ResTarget' in item && item.ResTarget.name !== undefined ? [item.ResTarget.name] : []))
