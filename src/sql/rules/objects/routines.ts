import type { CreateFunctionStmt, CreateTrigStmt, DropStmt, RangeVar, RuleStmt } from 'libpg-query'
import { dotted, partsOf, tableOf } from '../../effects/names.ts'
import { walk } from '../../effects/walk.ts'
import { columnNamesIn } from '../rows/expressions.ts'
import { readFrom } from '../rows/relations.ts'
import { breaks, mayBreak, said, WORKS, type Run } from '../run/run.ts'
import type { Routine, Trigger } from '../schema/model.ts'
import { placeOf, tableNamed } from '../schema/resolve.ts'

export function createRoutine(run: Run, node: CreateFunctionStmt): void {
  const { schema } = run
  const [name = '', given = null] = partsOf(node.funcname).toReversed()
  const at = placeOf(schema, { schema: given, name })
  const args = argumentsOf(node)
  const isSame = (one: Routine) => one.schema === at.schema && one.args.join() === args.join()
  const known = schema.routines(name).find(isSame)
  if (known !== undefined && node.replace !== true) run.fail('42723', `the function ${name} is there already`)
  const option = (wanted: string) => {
    const found = (node.options ?? []).find((item) => 'DefElem' in item && item.DefElem.defname === wanted)
    const arg = found !== undefined && 'DefElem' in found ? found.DefElem.arg : undefined
    return arg !== undefined && 'String' in arg ? (arg.String.sval ?? '') : ''
  }
  const volatility = option('volatility')
  schema.change.setRoutines(name, [
    ...schema.routines(name).filter((one) => !isSame(one)),
    {
      ...at,
      args,
      kind: node.is_procedure === true ? 'p' : 'f',
      volatility: volatility === 'immutable' ? 'i' : volatility === 'stable' ? 's' : 'v',
      language: option('language').toLowerCase() || 'sql',
      returnsTrigger: dotted(node.returnType?.names) === 'trigger',
      text: run.text === '' ? null : run.text,
      isNew: true,
    },
  ])
  run.part('create function', null, {
    name,
    isNew: known === undefined,
    old: known === undefined ? WORKS : mayBreak(`${name} does something else than before`),
    new: known === undefined ? breaks(`it calls ${name}, which is not there before`) : WORKS,
  })
}

/** The types of what goes in, as the catalogue names them. */
const argumentsOf = ({ parameters = [], is_procedure: isProcedure }: CreateFunctionStmt): readonly string[] =>
  parameters.flatMap((item) => {
    if (!('FunctionParameter' in item)) return []
    const { argType, mode } = item.FunctionParameter
    const isIn = mode !== 'FUNC_PARAM_TABLE' && (mode !== 'FUNC_PARAM_OUT' || isProcedure === true)
    return isIn ? [`${argType?.arrayBounds === undefined ? '' : '_'}${partsOf(argType?.names).at(-1) ?? ''}`] : []
  })

export function dropRoutines(run: Run, { objects = [], behavior, missing_ok: isOptional }: DropStmt): void {
  const { schema } = run
  for (const item of objects) {
    const [name = '', given] = 'ObjectWithArgs' in item ? partsOf(item.ObjectWithArgs.objname).toReversed() : []
    const found = schema.routines(name).filter((one) => given === undefined || one.schema === given)
    if (found.length === 0) {
      if (isOptional !== true && schema.knows === 'everything') run.fail('42883', `there is no function ${name}`)
      continue
    }
    for (const table of schema.tables())
      for (const trigger of schema.triggers(table.id))
        if (trigger.function.name === name && found.some((one) => one.schema === trigger.function.schema)) {
          if (behavior !== 'DROP_CASCADE') run.fail('2BP01', `the trigger ${trigger.name} of ${said(run, table.id)} calls ${name}`)
          run.lockFamily(table.id, 'AccessExclusive')
          schema.change.dropTrigger(table.id, trigger.name)
        }
    for (const use of schema.uses(name)) {
      const what = use.column === null ? said(run, use.table) : said(run, use.table, use.column)
      if (behavior !== 'DROP_CASCADE' && found.length === 1) run.fail('2BP01', `${what} needs the function ${name}`)
      if (behavior === 'DROP_CASCADE') run.lockFamily(use.table, 'AccessExclusive')
    }
    run.part('drop function', null, { name, isNew: found.every(({ isNew }) => isNew), old: mayBreak(`it may still call ${name}`) })
    schema.change.setRoutines(
      name,
      schema.routines(name).filter((one) => !found.includes(one)),
    )
  }
}

const EVENTS = [
  [4, 'INSERT'],
  [8, 'DELETE'],
  [16, 'UPDATE'],
  [32, 'TRUNCATE'],
] as const

export function createTrigger(run: Run, node: CreateTrigStmt): void {
  const { schema } = run
  const { relation, trigname = '', replace, constrrel, events = 0, columns, funcname, whenClause } = node
  const table = tableNamed(schema, tableOf(relation))
  if (table === undefined) return run.fail('42P01', `there is no table ${relation?.relname ?? ''}`)
  run.lockFamily(table.id, 'ShareRowExclusive')
  const other = constrrel === undefined ? undefined : tableNamed(schema, tableOf(constrrel))
  if (other !== undefined) run.lock(other.id, 'AccessShare')
  if (replace !== true && schema.triggers(table.id).some((one) => one.name === trigname))
    run.fail('42710', `${said(run, table.id)} has a trigger ${trigname} already`)
  const [name = '', given] = partsOf(funcname).toReversed()
  const made: Trigger = {
    name: trigname,
    table: table.id,
    isEnabled: true,
    uses: [...partsOf(columns), ...columnNamesIn(whenClause)],
    events: EVENTS.flatMap(([bit, event]) => ((events & bit) === 0 ? [] : [event])),
    function: { schema: given ?? schema.routines(name)[0]?.schema ?? '', name },
  }
  run.part('create trigger', table.id, {
    name: trigname,
    old: mayBreak(`its writes to ${said(run, table.id)} run the trigger ${trigname} as well`),
  })
  schema.change.putTrigger(made)
}

/** DROP TRIGGER, POLICY and RULE, which name their table. */
export function dropOfTable(run: Run, { objects = [], removeType = 'OBJECT_TRIGGER', missing_ok: isOptional }: DropStmt): void {
  const { schema } = run
  for (const item of objects) {
    const [name = '', relation = '', given = null] = 'List' in item ? partsOf(item.List.items).toReversed() : []
    const table = tableNamed(schema, { schema: given, name: relation })
    if (table === undefined) {
      if (isOptional !== true) run.fail('42P01', `there is no table ${relation}`)
      continue
    }
    const what = removeType.replace('OBJECT_', '').toLowerCase()
    const rule = schema.dependents(table.id).filter((one) => one.kind === 'rule')
    const known =
      removeType === 'OBJECT_TRIGGER' ? schema.triggers(table.id) : removeType === 'OBJECT_POLICY' ? schema.policies(table.id) : rule
    const isThere = table.isAssumed || removeType === 'OBJECT_RULE' || known.some((one) => one.name === name)
    if (!isThere && isOptional === true) continue
    if (!isThere) run.fail('42704', `${said(run, table.id)} has no ${what} ${name}`)
    run.lockFamily(table.id, 'AccessExclusive')
    if (removeType === 'OBJECT_TRIGGER') {
      run.part('drop trigger', table.id, { name, old: mayBreak(`what the trigger ${name} did for it is no longer done`) })
      schema.change.dropTrigger(table.id, name)
    } else if (removeType === 'OBJECT_POLICY') {
      run.part('row security', table.id, {
        name,
        old: mayBreak(`without the policy ${name} it sees and changes other rows of ${said(run, table.id)}`),
      })
      schema.change.dropPolicy(table.id, name)
    } else {
      run.part('drop trigger', table.id, { name, old: mayBreak(`what the rule ${name} did is no longer done`) })
      for (const one of schema.dependents(table.id)) if (one.kind === 'rule' && one.name === name) schema.change.dropDependent(one)
    }
  }
}

export function createRule(run: Run, { relation, rulename = '', event, actions = [], whereClause }: RuleStmt): void {
  const table = tableNamed(run.schema, tableOf(relation))
  if (table === undefined) return run.fail('42P01', `there is no table ${relation?.relname ?? ''}`)
  run.lock(table.id, 'AccessExclusive')
  run.part('create trigger', table.id, {
    name: rulename,
    old: mayBreak(`its ${(event ?? '').replace('CMD_', '')} on ${said(run, table.id)} does something else`),
  })
  readFrom(run, [actions, whereClause])
  for (const part of walk(actions))
    for (const written of [part['InsertStmt'], part['UpdateStmt'], part['DeleteStmt']])
      if (typeof written === 'object' && written !== null && 'relation' in written) lockNamed(run, written.relation as RangeVar)
  run.schema.change.putDependent({ on: table.id, column: null, kind: 'rule', schema: table.schema, name: rulename, relation: table.id })
}

function lockNamed(run: Run, relation: RangeVar): void {
  const table = tableNamed(run.schema, tableOf(relation))
  if (table !== undefined) run.lockFamily(table.id, 'RowExclusive')
}
