import type { AlterObjectSchemaStmt, AlterOwnerStmt, CreateSchemaStmt, DropStmt, RenameStmt } from 'libpg-query'
import { partsOf, tableOf } from '../../effects/names.ts'
import { breaks, mayBreak, said, type Run } from '../run/run.ts'
import { tableNamed } from '../schema/resolve.ts'
import { lockIndexes, dropping, dropRelation } from '../changes/dropping.ts'
import { renameType } from './types.ts'

export function createSchema(run: Run, { schemaname: name = '', if_not_exists: isOptional, schemaElts = [] }: CreateSchemaStmt): void {
  if (run.schema.hasSchema(name) && isOptional !== true) run.fail('42P06', `the schema ${name} is there already`)
  run.part('schema', null, { name, isNew: !run.schema.hasSchema(name) })
  run.schema.change.putSchema(name)
  for (const node of schemaElts) run.follow(run, node, '')
}

export function dropSchemas(run: Run, { objects = [], behavior, missing_ok: isOptional }: DropStmt): void {
  const { schema } = run
  for (const item of objects) {
    const name = 'String' in item ? (item.String.sval ?? '') : ''
    if (!schema.hasSchema(name) && schema.knows === 'everything') {
      if (isOptional !== true) run.fail('3F000', `there is no schema ${name}`)
      continue
    }
    const inside = [...schema.tables()].filter((one) => one.schema === name)
    if (inside.length > 0 && behavior !== 'DROP_CASCADE') run.fail('2BP01', `the schema ${name} is not empty`)
    const how = dropping(true)
    for (const table of inside) {
      if (table.kind === 'r' && !table.isNew) how.lost.push(`${name}.${table.name} with all its rows`)
      dropRelation(run, table, how)
    }
    run.part('schema', null, { name, loses: how.lost, old: breaks(`it still uses the schema ${name}`) })
    schema.change.dropSchema(name)
  }
}

export function renameSchema(run: Run, { subname: from = '', newname: to = '' }: RenameStmt): void {
  const { schema } = run
  if (!schema.hasSchema(from) && schema.knows === 'everything') run.fail('3F000', `there is no schema ${from}`)
  run.part('schema', null, {
    name: from,
    to,
    old: breaks(`it still uses the schema ${from}`),
    new: breaks(`it uses the schema ${to}, which is not there before`),
  })
  schema.change.dropSchema(from)
  schema.change.putSchema(to)
  for (const table of [...schema.tables()].filter((one) => one.schema === from)) {
    for (const index of schema.indexes(table.id)) schema.change.putIndex({ ...index, schema: to })
    schema.change.putTable({ ...table, schema: to })
  }
}

/** ALTER … SET SCHEMA. */
export function moveObject(
  run: Run,
  { objectType = 'OBJECT_TABLE', relation, object, newschema: to = '', missing_ok: isOptional }: AlterObjectSchemaStmt,
): void {
  const { schema } = run
  if (!schema.hasSchema(to) && schema.knows === 'everything') run.fail('3F000', `there is no schema ${to}`)
  if (relation === undefined) {
    const names = object !== undefined && 'List' in object ? object.List.items : undefined
    if (objectType === 'OBJECT_TYPE' || objectType === 'OBJECT_DOMAIN') return renameType(run, names, { schema: to })
    return run.part('other', null, {
      name: partsOf(names).join('.'),
      to,
      old: mayBreak('what was moved is found under its old name no more'),
    })
  }
  const table = tableNamed(schema, tableOf(relation))
  if (table === undefined) return isOptional === true ? undefined : run.fail('42P01', `there is no table ${relation.relname ?? ''}`)
  run.lock(table.id, 'AccessExclusive')
  lockIndexes(run, table.id, 'AccessExclusive')
  for (const sequence of schema.owned(table.id)) run.lock(sequence, 'AccessExclusive')
  run.part('move table', table.id, {
    to,
    ...(table.isNew
      ? {}
      : { old: breaks(`it still uses ${said(run, table.id)}`), new: breaks(`it uses ${to}.${table.name}, which is not there before`) }),
  })
  for (const index of schema.indexes(table.id)) schema.change.putIndex({ ...index, schema: to })
  for (const id of [table.id, ...schema.owned(table.id)]) {
    const one = schema.table(id)
    if (one !== undefined) schema.change.putTable({ ...one, schema: to })
  }
}

/** ALTER … OWNER TO of what is no table. */
export function changeOwner(run: Run, { objectType = 'OBJECT_TABLE', relation, object }: AlterOwnerStmt): void {
  const name = object !== undefined && 'List' in object ? partsOf(object.List.items).join('.') : (relation?.relname ?? '')
  run.part('change owner', null, { name: name === '' ? objectType.replace('OBJECT_', '').toLowerCase() : name })
}
