import type { AlterEnumStmt, AlterTableStmt, CompositeTypeStmt, CreateDomainStmt, CreateEnumStmt, DropStmt, Node } from 'libpg-query'
import { constraintsIn } from '../../effects/alter-table.ts'
import { dotted, partsOf, tableOf } from '../../effects/names.ts'
import { breaks, mayBreak, said, WORKS, type Run } from '../run/run.ts'
import type { UserType } from '../schema/model.ts'
import { placeOf } from '../schema/resolve.ts'
import { typeNamed, userTypeNamed } from '../schema/types.ts'
import { typeKey } from '../types/type.ts'
import { dropColumn, dropping } from '../changes/dropping.ts'

const place = (run: Run, names: readonly Node[] | undefined) => {
  const [name = '', schema = null] = partsOf(names).toReversed()
  return placeOf(run.schema, { schema, name })
}

function put(run: Run, at: { readonly schema: string; readonly name: string }, about: Partial<UserType> & Pick<UserType, 'kind'>): void {
  if (run.schema.type(typeKey(at)) !== undefined) run.fail('42710', `the type ${at.name} is there already`)
  else
    run.schema.change.putType({
      base: null,
      notNull: false,
      default: null,
      checks: [],
      values: [],
      newValues: [],
      ...about,
      ...at,
      isNew: true,
    })
  run.part('create type', null, { name: at.name, isNew: true, new: breaks(`it uses the type ${at.name}, which is not there before`) })
}

export const createEnum = (run: Run, { typeName, vals }: CreateEnumStmt): void =>
  put(run, place(run, typeName), { kind: 'e', values: partsOf(vals) })

export const createRange = (run: Run, names: readonly Node[] | undefined): void => put(run, place(run, names), { kind: 'r' })

export const createComposite = (run: Run, { typevar }: CompositeTypeStmt): void =>
  put(run, placeOf(run.schema, tableOf(typevar)), { kind: 'c' })

/** What nobody has a closer look at. */
export const createBase = (run: Run, names: readonly Node[] | undefined): void => put(run, place(run, names), { kind: 'b' })

export function createDomain(run: Run, { domainname, typeName, constraints = [] }: CreateDomainStmt): void {
  const all = constraintsIn(constraints)
  const value = all.find(({ contype }) => contype === 'CONSTR_DEFAULT')
  put(run, place(run, domainname), {
    kind: 'd',
    base: typeNamed(run.schema, typeName),
    notNull: all.some(({ contype }) => contype === 'CONSTR_NOTNULL'),
    default: value === undefined ? null : '',
    checks: all.flatMap(({ contype, conname }) =>
      contype === 'CONSTR_CHECK' ? [{ name: conname ?? '', isValid: true, definition: '' }] : [],
    ),
  })
}

export function alterEnum(run: Run, { typeName, newVal = '', oldVal, skipIfNewValExists: isOptional }: AlterEnumStmt): void {
  const type = userTypeNamed(run.schema, typeName)
  const name = dotted(typeName)
  if (type === undefined && run.schema.knows === 'everything') run.fail('42704', `there is no type ${name}`)
  const isThere = type?.values.includes(newVal) === true
  if (isThere && isOptional !== true) run.fail('42710', `${name} has the value ${newVal} already`)
  if (oldVal !== undefined) {
    if (type !== undefined && !type.values.includes(oldVal)) run.fail('22023', `${name} has no value ${oldVal}`)
    run.part('rename enum value', null, {
      name,
      from: oldVal,
      to: newVal,
      isNew: type?.isNew === true,
      old: breaks(`it still writes ${oldVal}`),
      new: breaks(`it writes ${newVal}, which is not there before`),
    })
    if (type !== undefined) run.schema.change.putType({ ...type, values: type.values.map((one) => (one === oldVal ? newVal : one)) })
    return
  }
  const isNew = type?.isNew === true
  run.part('add enum value', null, {
    name,
    to: newVal,
    isNew,
    old: isThere || isNew ? WORKS : mayBreak(`it may meet ${newVal}, which it does not know`),
    new: isThere ? WORKS : breaks(`it writes ${newVal}, which is not there before`),
  })
  // what the transaction itself made may be used at once
  if (type !== undefined && !isThere)
    run.schema.change.putType({
      ...type,
      values: [...type.values, newVal],
      newValues: isNew ? type.newValues : [...type.newValues, newVal],
    })
}

/** ALTER TYPE of a composite one, whose values stand in columns. */
export function alterComposite(run: Run, { relation, cmds = [] }: AlterTableStmt): void {
  const type = userTypeNamed(run.schema, relationParts(relation))
  const name = relation?.relname ?? ''
  if (type === undefined && run.schema.knows === 'everything') return run.fail('42704', `there is no type ${name}`)
  const users = type === undefined ? [] : run.schema.users(typeKey(type))
  for (const item of cmds) {
    const { subtype = '', name: attribute = '' } = 'AlterTableCmd' in item ? item.AlterTableCmd : {}
    const [user] = users
    if (subtype === 'AT_AlterColumnType' && user !== undefined)
      run.fail('0A000', `${said(run, user.table, user.column)} holds values of ${name}`)
    run.part('alter type', null, {
      name,
      ...(subtype === 'AT_DropColumn'
        ? {
            loses: [`attribute ${attribute} of every value of ${name}`],
            old: breaks(`it still uses the attribute ${attribute} of ${name}`),
          }
        : {}),
      ...(subtype === 'AT_AddColumn' ? { new: mayBreak(`it uses an attribute of ${name} that is not there before`) } : {}),
    })
  }
}

const relationParts = (relation: AlterTableStmt['relation']): readonly Node[] => [
  ...(relation?.schemaname === undefined ? [] : [{ String: { sval: relation.schemaname } }]),
  { String: { sval: relation?.relname ?? '' } },
]

/** DROP TYPE and DROP DOMAIN. */
export function dropTypes(run: Run, { objects = [], behavior, missing_ok: isOptional }: DropStmt): void {
  const { schema } = run
  const isCascade = behavior === 'DROP_CASCADE'
  for (const item of objects) {
    const names = 'TypeName' in item ? item.TypeName.names : undefined
    const type = userTypeNamed(schema, names)
    const name = dotted(names)
    if (type === undefined) {
      if (isOptional !== true && schema.knows === 'everything') run.fail('42704', `there is no type ${name}`)
      if (schema.knows === 'nothing') run.part('drop type', null, { name, old: mayBreak(`it may still use the type ${name}`) })
      continue
    }
    const how = dropping(isCascade)
    for (const user of schema.users(typeKey(type))) {
      if (!isCascade) run.fail('2BP01', `${said(run, user.table, user.column)} is of the type ${name}`)
      run.lockFamily(user.table, 'AccessExclusive')
      how.lost.push(`${said(run, user.table, user.column)} with what it holds`)
      dropColumn(run, user.table, user.column, how)
    }
    run.part('drop type', null, {
      name,
      isNew: type.isNew,
      loses: how.lost,
      old: type.isNew ? WORKS : mayBreak(`it may still use the type ${name}`),
    })
    schema.change.dropType(typeKey(type))
  }
}

/** The columns of it get its new name along. */
export function renameType(
  run: Run,
  names: readonly Node[] | undefined,
  change: { readonly name?: string; readonly schema?: string },
): void {
  const { schema } = run
  const type = userTypeNamed(schema, names)
  if (type === undefined) return schema.knows === 'everything' ? run.fail('42704', `there is no type ${dotted(names)}`) : undefined
  const users = schema.users(typeKey(type))
  const renamed = { ...type, ...change }
  run.part('alter type', null, {
    name: type.name,
    to: renamed.name,
    isNew: type.isNew,
    ...(type.isNew
      ? {}
      : { old: breaks(`it still uses the type ${type.name}`), new: breaks(`it uses the type ${renamed.name}, which is not there before`) }),
  })
  if (schema.type(typeKey(renamed)) !== undefined) run.fail('42710', `the type ${renamed.name} is there already`)
  schema.change.dropType(typeKey(type))
  schema.change.putType(renamed)
  for (const user of users) {
    const table = schema.table(user.table)
    if (table === undefined) continue
    const columns = table.columns.map((column) =>
      column.name === user.column ? { ...column, type: { ...column.type, schema: renamed.schema, name: renamed.name } } : column,
    )
    schema.change.putTable({ ...table, columns })
  }
}
