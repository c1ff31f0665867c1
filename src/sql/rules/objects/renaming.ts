import type { RenameStmt } from 'libpg-query'
import { partsOf, tableOf } from '../../effects/names.ts'
import { changeColumn, findColumn } from '../alter-table/columns.ts'
import { breaks, said, type Run } from '../run/run.ts'
import type { Table } from '../schema/model.ts'
import { indexNamed, isSystem, tableNamed } from '../schema/resolve.ts'
import { renameIndex } from './indexes.ts'
import { renameSchema } from './schemas.ts'
import { renameTable } from './tables.ts'
import { renameType as renameUserType } from './types.ts'

export function rename(run: Run, node: RenameStmt): void {
  const { renameType = '', relation, subname = '', newname = '', missing_ok: isOptional } = node
  if (relation === undefined) return renameObject(run, node)
  const named = tableOf(relation)
  const index = indexNamed(run.schema, named)
  if (index !== undefined) return renameIndex(run, index, node)
  const table = tableNamed(run.schema, named)
  if (table === undefined) {
    if (isOptional !== true && !isSystem(named)) run.fail('42P01', `there is no table ${named.name}`)
    return
  }
  if (renameType === 'OBJECT_TRIGGER' || renameType === 'OBJECT_POLICY' || renameType === 'OBJECT_RULE')
    return renameOfTable(run, table, node)
  if (renameType === 'OBJECT_COLUMN' || renameType === 'OBJECT_ATTRIBUTE') return renameColumn(run, table, subname, newname)
  if (renameType === 'OBJECT_TABCONSTRAINT') return renameConstraint(run, table, subname, newname)
  renameTable(run, table, node)
}

function renameObject(run: Run, node: RenameStmt): void {
  const { renameType = '', object, newname = '', subname = '' } = node
  const names = object !== undefined && 'List' in object ? object.List.items : undefined
  if (renameType === 'OBJECT_SCHEMA') return renameSchema(run, node)
  if (renameType === 'OBJECT_TYPE' || renameType === 'OBJECT_DOMAIN') return renameUserType(run, names, { name: newname })
  if (renameType === 'OBJECT_DOMCONSTRAINT') return run.part('alter domain', null, { name: subname, to: newname })
  const isRoutine = /FUNCTION|PROCEDURE|ROUTINE|AGGREGATE/.test(renameType)
  const name =
    object !== undefined && 'ObjectWithArgs' in object ? (partsOf(object.ObjectWithArgs.objname).at(-1) ?? '') : partsOf(names).join('.')
  run.part(isRoutine ? 'drop function' : 'other', null, { name, to: newname, old: breaks(`it still uses ${name === '' ? subname : name}`) })
  if (isRoutine) {
    const found = run.schema.routines(name)
    run.schema.change.setRoutines(name, [])
    run.schema.change.setRoutines(newname, [...run.schema.routines(newname), ...found.map((one) => ({ ...one, name: newname }))])
  }
}

function renameOfTable(run: Run, table: Table, { renameType = 'OBJECT_TRIGGER', subname = '', newname = '' }: RenameStmt): void {
  const { schema } = run
  run.lockFamily(table.id, 'AccessExclusive')
  run.part(renameType === 'OBJECT_POLICY' ? 'row security' : 'switch trigger', table.id, { name: subname, to: newname })
  const trigger = schema.triggers(table.id).find(({ name }) => name === subname)
  const policy = schema.policies(table.id).find(({ name }) => name === subname)
  if (renameType === 'OBJECT_TRIGGER' && trigger !== undefined) {
    schema.change.dropTrigger(table.id, subname)
    schema.change.putTrigger({ ...trigger, name: newname })
  } else if (renameType === 'OBJECT_POLICY' && policy !== undefined) {
    schema.change.dropPolicy(table.id, subname)
    schema.change.putPolicy({ ...policy, name: newname })
  }
}

function renameColumn(run: Run, table: Table, from: string, to: string): void {
  const { schema } = run
  run.lockFamily(table.id, 'AccessExclusive')
  const column = findColumn(run, table, from)
  if (column === null) return
  if (column?.isInherited === true)
    run.fail('42P16', `${said(run, table.id, from)} is inherited and is renamed only with that of the parent`)
  if (schema.table(table.id)?.columns.some(({ name }) => name === to) === true)
    run.fail('42701', `${said(run, table.id, to)} is there already`)
  run.part('rename column', table.id, {
    column: from,
    name: to,
    ...(table.isNew
      ? {}
      : {
          old: breaks(`it still uses ${said(run, table.id, from)}`),
          new: breaks(`it uses ${said(run, table.id, to)}, which is not there before`),
        }),
  })
  const swap = (names: readonly string[]) => names.map((name) => (name === from ? to : name))
  changeColumn(run, table.id, from, (one) => ({ ...one, name: to }))
  for (const index of schema.indexes(table.id))
    if (index.uses.includes(from))
      schema.change.putIndex({ ...index, uses: swap(index.uses), keys: index.keys.map((key) => (key === from ? to : key)) })
  for (const one of schema.constraints(table.id))
    if (one.columns.includes(from)) schema.change.putConstraint({ ...one, columns: swap(one.columns) })
  for (const one of schema.referencing(table.id))
    if (one.otherColumns.includes(from)) schema.change.putConstraint({ ...one, otherColumns: swap(one.otherColumns) })
  for (const one of schema.triggers(table.id)) if (one.uses.includes(from)) schema.change.putTrigger({ ...one, uses: swap(one.uses) })
  for (const one of schema.policies(table.id)) if (one.uses.includes(from)) schema.change.putPolicy({ ...one, uses: swap(one.uses) })
  for (const one of schema.dependents(table.id)) {
    if (one.column !== from) continue
    schema.change.dropDependent(one)
    schema.change.putDependent({ ...one, column: to })
  }
  for (const id of schema.owned(table.id)) {
    const sequence = schema.table(id)
    if (sequence?.ownedBy?.column === from) schema.change.putTable({ ...sequence, ownedBy: { table: table.id, column: to } })
  }
}

function renameConstraint(run: Run, table: Table, from: string, to: string): void {
  const { schema } = run
  run.lockFamily(table.id, 'AccessExclusive')
  const found = schema.constraints(table.id).find(({ name }) => name === from)
  if (found === undefined && !table.isAssumed) run.fail('42704', `${said(run, table.id)} has no constraint ${from}`)
  run.part('rename constraint', table.id, { name: from, to })
  if (found === undefined) return
  schema.change.putConstraint({ ...found, name: to })
  const index = found.index === null || !/[pux]/.test(found.kind) ? undefined : schema.index(found.index)
  if (index !== undefined) {
    run.lock(index.id, 'AccessExclusive')
    schema.change.putIndex({ ...index, name: to })
  }
}
