import type { AlterTableCmd } from 'libpg-query'
import { constraintsIn } from '../../effects/alter-table.ts'
import { walk } from '../../effects/walk.ts'
import { ownedSequences } from '../changes/dropping.ts'
import { indexesOf, mayBreak, rowsOf, said, type Run } from '../run/run.ts'
import { useRoutines } from '../changes/put.ts'
import { sequenceNamed } from '../rows/calls.ts'
import { refuseNewValue } from '../rows/new-values.ts'
import type { Dependent, Id, Table } from '../schema/model.ts'
import { family, relationOf } from '../schema/resolve.ts'
import { addSequence, changeColumn, findColumn } from './columns.ts'
import { hasCheckOn } from './proof.ts'

export function changeDefault(run: Run, table: Table, { name = '', def }: AlterTableCmd): void {
  const column = findColumn(run, table, name)
  if (column === null) return
  const what = said(run, table.id, name)
  if (column?.generated != null) run.fail('42601', `${what} is computed, so it has no default`)
  if (column?.identity != null) run.fail('42601', `${what} is an identity column, so it has no default`)
  for (const id of family(run.schema, table.id)) forgetDefault(run, id, name)
  if (def === undefined) {
    const isNeeded = column?.notNull === 'yes' && column.default !== null
    run.part('drop default', table.id, {
      column: name,
      ...(isNeeded ? { old: mayBreak(`its inserts may give no value for ${what}`) } : {}),
    })
  } else {
    refuseNewValue(run, column?.type, def)
    useRoutines(run, table.id, def, name)
    run.part('set default', table.id, {
      column: name,
      ...(column?.default === null && column.notNull === 'yes' ? { new: mayBreak(`its inserts may give no value for ${what}`) } : {}),
    })
  }
  changeColumn(run, table.id, name, (one) => ({ ...one, default: def === undefined ? null : '' }))
}

/** The sequence that gave its numbers is free to go. */
function forgetDefault({ schema }: Run, table: Id, column: string): void {
  const of = (one: Dependent) => one.kind === 'default' && one.relation === table && one.name === column
  for (const sequence of [...schema.owned(table), ...numbersOf(schema, table, column)]) {
    for (const one of schema.dependents(sequence)) if (of(one)) schema.change.dropDependent(one)
  }
}

/** The sequence that its default names. */
function numbersOf(schema: Run['schema'], table: Id, column: string): readonly Id[] {
  const value = schema.table(table)?.columns.find(({ name }) => name === column)?.default
  const name = /nextval\('((?:[^']|'')+)'/.exec(value ?? '')?.[1]
  const found = name === undefined ? undefined : sequenceNamed(schema, name)
  return found === undefined ? [] : [found.id]
}

/** Stored values are computed anew, those of 18 that are not stored are only checked. */
export function changeExpression(run: Run, table: Table, { name = '' }: AlterTableCmd): void {
  const column = findColumn(run, table, name)
  if (column === null) return
  if (run.schema.version < 170000) run.fail('42601', 'SET EXPRESSION came with PostgreSQL 17')
  const isStored = column?.generated !== 'v'
  run.part('set expression', table.id, {
    column: name,
    rewrites: isStored ? rowsOf(run, table.id) : [],
    scans: isStored || column.notNull === 'yes' || hasCheckOn(run, table.id, name) ? rowsOf(run, table.id) : [],
    builds: isStored ? indexesOf(run, table.id) : [],
    old: mayBreak(`it takes ${said(run, table.id, name)} for what was computed before`),
  })
}

export function dropExpression(run: Run, table: Table, { name = '', missing_ok: isOptional }: AlterTableCmd): void {
  const column = findColumn(run, table, name)
  if (column === null) return
  if (column?.generated === null && isOptional !== true) run.fail('55000', `${said(run, table.id, name)} is not computed`)
  run.part('change settings', table.id, {
    column: name,
    old: mayBreak(`its inserts give no value for ${said(run, table.id, name)}, which was computed`),
  })
  changeColumn(run, table.id, name, (one) => ({ ...one, generated: null }))
}

export function changeIdentity(run: Run, table: Table, { subtype, name = '', def, missing_ok: isOptional }: AlterTableCmd): void {
  const column = findColumn(run, table, name)
  if (column === null) return
  const what = said(run, table.id, name)
  if (subtype === 'AT_AddIdentity') {
    if (column !== undefined && column.notNull !== 'yes') run.fail('55000', `${what} must be required before it becomes an identity column`)
    else if (column?.default != null) run.fail('55000', `${what} has a default already`)
    addSequence(run, table, name)
    const isAlways = constraintsIn(def === undefined ? [] : [def]).some(({ generated_when: when }) => when === 'a')
    changeColumn(run, table.id, name, (one) => ({ ...one, identity: isAlways ? 'a' : 'd' }))
    return run.part('set default', table.id, {
      column: name,
      ...(isAlways ? { old: mayBreak(`its inserts may give a value for ${what}`) } : {}),
    })
  }
  const mode = subtype === 'AT_DropIdentity' ? 'AccessExclusive' : 'ShareRowExclusive'
  for (const sequence of ownedSequences(run, table.id, name)) run.lock(sequence, mode)
  if (subtype === 'AT_DropIdentity') {
    if (column?.identity === null && isOptional !== true) run.fail('55000', `${what} is not an identity column`)
    for (const sequence of ownedSequences(run, table.id, name)) run.schema.change.dropTable(sequence)
    changeColumn(run, table.id, name, (one) => ({ ...one, identity: null }))
    return run.part('drop default', table.id, { column: name, old: mayBreak(`its inserts may give no value for ${what}`) })
  }
  const isOfNumbers = walk(def).some(({ defname }) => typeof defname === 'string' && defname !== 'generated')
  const rewrites = !isOfNumbers ? [] : ownedSequences(run, table.id, name).map((id) => relationOf(run.schema, id))
  run.part('alter sequence', table.id, { column: name, rewrites, old: mayBreak(`the next values of ${what} may exist already`) })
}
