import type { AlterTableCmd, Constraint as ConstraintNode, Node } from 'libpg-query'
import { constraintsIn } from '../../effects/alter-table.ts'
import type { LockMode } from '../model/forecast.ts'
import { strongest } from '../run/run.ts'

/** A subcommand, or what PostgreSQL makes of one: a constraint of a new column is added by itself, in a later pass. */
export type Step =
  | { readonly kind: 'command'; readonly command: AlterTableCmd }
  /** `column`: the one that is added along with it, with a DEFAULT or without. */
  | {
      readonly kind: 'constraint'
      readonly constraint: ConstraintNode
      readonly column?: { readonly name: string; readonly hasDefault: boolean }
    }

/** In the order in which PostgreSQL runs them, which is not that in which they are written. */
export function stepsOf(commands: readonly Node[], version: number): readonly Step[] {
  const passes = PASSES(version)
  const steps = commands.flatMap((item) => ('AlterTableCmd' in item ? expanded(item.AlterTableCmd) : []))
  return steps.toSorted((a, b) => passes.indexOf(passOf(a)) - passes.indexOf(passOf(b)))
}

/** Of the whole statement, taken before anything is done. */
export const lockOf = (commands: readonly Node[]): LockMode =>
  strongest(commands.flatMap((item) => ('AlterTableCmd' in item ? [lockOfOne(item.AlterTableCmd)] : [])))

type Pass = 'drop' | 'type' | 'expression' | 'add column' | 'column attributes' | 'use index' | 'index' | 'constraint' | 'other'

const PASSES = (version: number): readonly Pass[] =>
  version >= 170000
    ? ['drop', 'type', 'add column', 'expression', 'column attributes', 'use index', 'index', 'constraint', 'other']
    : ['drop', 'type', 'add column', 'column attributes', 'use index', 'index', 'constraint', 'other']

function expanded(command: AlterTableCmd): readonly Step[] {
  const { subtype, def } = command
  if (subtype === 'AT_AddConstraint' && def !== undefined && 'Constraint' in def)
    return [{ kind: 'constraint', constraint: def.Constraint }]
  if (subtype !== 'AT_AddColumn' || def === undefined || !('ColumnDef' in def)) return [{ kind: 'command', command }]
  const { colname: name = '', constraints = [] } = def.ColumnDef
  const all = constraintsIn(constraints)
  const hasDefault = all.some(({ contype }) => contype === 'CONSTR_DEFAULT')
  const own = all.filter(({ contype }) => contype !== undefined && BY_THEMSELVES.has(contype))
  return [
    { kind: 'command', command },
    ...own.map((constraint): Step => ({ kind: 'constraint', constraint, column: { name, hasDefault } })),
  ]
}

const BY_THEMSELVES: ReadonlySet<string> = new Set([
  'CONSTR_PRIMARY',
  'CONSTR_UNIQUE',
  'CONSTR_EXCLUSION',
  'CONSTR_CHECK',
  'CONSTR_FOREIGN',
])

function passOf(step: Step): Pass {
  if (step.kind === 'constraint') {
    const { contype, indexname } = step.constraint
    if (indexname !== undefined) return 'use index'
    if (contype === 'CONSTR_PRIMARY' || contype === 'CONSTR_UNIQUE' || contype === 'CONSTR_EXCLUSION') return 'index'
    return contype === 'CONSTR_NOTNULL' ? 'column attributes' : 'constraint'
  }
  const { subtype = 'AT_SetOptions', def } = step.command
  if (subtype === 'AT_ColumnDefault') return def === undefined ? 'drop' : 'constraint'
  return PASS_OF[subtype] ?? 'other'
}

const PASS_OF: Readonly<Record<string, Pass>> = {
  AT_DropColumn: 'drop',
  AT_DropConstraint: 'drop',
  AT_DropNotNull: 'drop',
  AT_DropIdentity: 'drop',
  AT_DropExpression: 'drop',
  AT_AlterColumnType: 'type',
  AT_SetExpression: 'expression',
  AT_AddColumn: 'add column',
  AT_SetNotNull: 'column attributes',
  AT_SetIdentity: 'column attributes',
  AT_AddIdentity: 'constraint',
}

function lockOfOne({ subtype = 'AT_SetOptions', def }: AlterTableCmd): LockMode {
  if (subtype === 'AT_AddConstraint')
    return def !== undefined && 'Constraint' in def && def.Constraint.contype === 'CONSTR_FOREIGN' ? 'ShareRowExclusive' : 'AccessExclusive'
  if (/^AT_(Enable|Disable)\w*Trig/.test(subtype)) return 'ShareRowExclusive'
  if (subtype === 'AT_DetachPartition' && def !== undefined && 'PartitionCmd' in def && def.PartitionCmd.concurrent === true)
    return 'ShareUpdateExclusive'
  if (/^AT_(Set|Reset|Replace)RelOptions$/.test(subtype)) return lockOfOptions(def)
  return LIGHT.has(subtype) ? 'ShareUpdateExclusive' : 'AccessExclusive'
}

const LIGHT: ReadonlySet<string> = new Set([
  'AT_SetStatistics',
  'AT_SetOptions',
  'AT_ResetOptions',
  'AT_ClusterOn',
  'AT_DropCluster',
  'AT_ValidateConstraint',
  'AT_AttachPartition',
  'AT_DetachPartitionFinalize',
])

function lockOfOptions(def: Node | undefined): LockMode {
  const names =
    def !== undefined && 'List' in def
      ? (def.List.items ?? []).flatMap((item) => ('DefElem' in item ? [item.DefElem.defname ?? ''] : []))
      : []
  return names.every((name) => LIGHT_OPTIONS.test(name)) ? 'ShareUpdateExclusive' : 'AccessExclusive'
}

const LIGHT_OPTIONS =
  /^(fillfactor|autovacuum_\w+|log_autovacuum_\w+|toast_tuple_target|parallel_workers|vacuum_\w+|deduplicate_items|n_distinct\w*)$/
