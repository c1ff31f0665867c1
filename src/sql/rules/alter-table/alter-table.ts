import type { AlterTableCmd, AlterTableStmt, Node } from 'libpg-query'
import { tableOf } from '../../effects/names.ts'
import { said, type Run } from '../run/run.ts'
import type { Table } from '../schema/model.ts'
import { indexNamed, isSystem, tableNamed } from '../schema/resolve.ts'
import { addColumn, dropNotNull, removeColumn, setNotNull } from './columns.ts'
import { addConstraint, alterConstraint, removeConstraint, validateConstraint } from './constraints.ts'
import { alterOther } from './others.ts'
import { lockOf, stepsOf, type Step } from './order.ts'
import { alterPartition } from './partitions.ts'
import { changeDefault, changeExpression, changeIdentity, dropExpression } from './values.ts'
import { changeTypes } from './types.ts'

/** ALTER TABLE with all of its subcommands, in the order in which PostgreSQL runs them. */
export function alterTable(run: Run, { relation, cmds = [], missing_ok: isOptional, objtype }: AlterTableStmt): void {
  const named = tableOf(relation)
  const index = indexNamed(run.schema, named)
  if (index !== undefined) {
    run.lock(index.id, lockOf(cmds))
    return run.part('change settings', index.table, { name: index.name })
  }
  const table = tableNamed(run.schema, named)
  if (table === undefined) {
    if (isOptional !== true && !isSystem(named))
      run.fail('42P01', `there is no ${objtype === 'OBJECT_VIEW' ? 'view' : 'table'} ${named.name}`)
    return
  }
  refuseKind(run, table, { cmds, isOnly: relation?.inh !== true })
  const lock = lockOf(cmds)
  const isAlone = cmds.every((item) => 'AlterTableCmd' in item && ALONE.test(item.AlterTableCmd.subtype ?? ''))
  const isOnly =
    relation?.inh !== true &&
    !cmds.some((item) => 'AlterTableCmd' in item && /^AT_Drop(Column|Constraint)$/.test(item.AlterTableCmd.subtype ?? ''))
  if (isAlone || isOnly) run.lock(table.id, lock)
  else run.lockFamily(table.id, lock)
  const steps = stepsOf(cmds, run.schema.version)
  const types = steps.flatMap((step) => (isOfType(step) ? [step.command] : []))
  for (const step of steps) {
    if (!isOfType(step)) take(run, table, step)
    else if (step.command === types[0]) changeTypes(run, table, types)
  }
}

const isOfType = (step: Step): step is Extract<Step, { readonly kind: 'command' }> =>
  step.kind === 'command' && step.command.subtype === 'AT_AlterColumnType'

/** What views, partitioned tables and those with heirs do not take. */
function refuseKind(run: Run, table: Table, { cmds, isOnly }: { readonly cmds: readonly Node[]; readonly isOnly: boolean }): void {
  const what = said(run, table.id)
  const hasHeirs = run.schema.children(table.id).length > 0
  for (const item of cmds) {
    const { subtype = '', def } = 'AlterTableCmd' in item ? item.AlterTableCmd : {}
    if ((table.kind === 'v' || table.kind === 'm') && OF_TABLES.test(subtype)) run.fail('42809', `${what} is no table`)
    if (isOnly && hasHeirs && /^AT_(AddColumn|SetNotNull)$/.test(subtype))
      run.fail('42P16', `${what} has partitions or heirs, which must be changed along with it`)
    if (table.kind !== 'p') continue
    if (subtype === 'AT_ClusterOn') run.fail('0A000', `${what} is partitioned and keeps no rows in an order`)
    if (subtype === 'AT_SetRelOptions')
      run.fail(run.schema.version < 160000 ? '22023' : '42809', `${what} is partitioned and has no settings of its own`)
    if (/^AT_Set(Un)?Logged$/.test(subtype) && run.schema.version >= 180000) run.fail('42809', `${what} is partitioned and keeps no rows`)
    if (def !== undefined && 'Constraint' in def && def.Constraint.is_no_inherit === true)
      run.fail('42P16', `${what} is partitioned, so its partitions inherit every constraint`)
  }
}

const OF_TABLES =
  /^AT_(AddColumn|DropColumn|AlterColumnType|SetNotNull|DropNotNull|AddConstraint|DropConstraint|ValidateConstraint|SetExpression|AttachPartition)$/

/** What does not reach partitions and heirs. */
const ALONE =
  /^AT_(ClusterOn|DropCluster|Set(Un)?Logged|SetTableSpace|SetAccessMethod|(Set|Reset|Replace)RelOptions|ReplicaIdentity|\w*RowSecurity|AddInherit|DropInherit|AttachPartition|DetachPartition\w*|ChangeOwner|(Enable|Disable)\w*Rule)$/

function take(run: Run, table: Table, step: Step): void {
  if (step.kind === 'constraint') return addConstraint(run, table, step.constraint, step.column)
  const { command } = step
  const { subtype = 'AT_SetOptions', name = '', def, behavior, missing_ok: isOptional = false } = command
  const options = { isCascade: behavior === 'DROP_CASCADE', isOptional }
  switch (subtype) {
    case 'AT_AddColumn':
      return def !== undefined && 'ColumnDef' in def ? addColumn(run, table, def.ColumnDef, isOptional) : other(run, table, command)
    case 'AT_DropColumn':
      return removeColumn(run, table, name, options)
    case 'AT_SetNotNull':
      return setNotNull(run, table, name)
    case 'AT_DropNotNull':
      return dropNotNull(run, table, name)
    case 'AT_ColumnDefault':
      return changeDefault(run, table, command)
    case 'AT_SetExpression':
      return changeExpression(run, table, command)
    case 'AT_DropExpression':
      return dropExpression(run, table, command)
    case 'AT_AddIdentity':
    case 'AT_SetIdentity':
    case 'AT_DropIdentity':
      return changeIdentity(run, table, command)
    case 'AT_ValidateConstraint':
      return validateConstraint(run, table, name)
    case 'AT_AlterConstraint':
      return alterConstraint(run, table, command)
    case 'AT_DropConstraint':
      return removeConstraint(run, table, name, options)
    case 'AT_AttachPartition':
    case 'AT_DetachPartition':
    case 'AT_DetachPartitionFinalize':
    case 'AT_AddInherit':
    case 'AT_DropInherit':
      return alterPartition(run, table, command)
    default:
      return other(run, table, command)
  }
}

const other = (run: Run, table: Table, command: AlterTableCmd): void => {
  if (!alterOther(run, table, command)) run.dontKnow(`it alters ${said(run, table.id)} in a way that nobody here knows`)
}
