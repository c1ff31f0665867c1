import type { DropStmt, Node } from 'libpg-query'
import { partsOf } from '../../effects/names.ts'
import { statementName } from '../../effects/statement-names.ts'
import type { Rule } from '../model/forecast.ts'
import { breaks, mayBreak, type Run } from '../run/run.ts'

/** Statements that touch no table; false for others. */
export function quietly(run: Run, node: Node): boolean {
  const kind = Object.keys(node)[0] ?? ''
  if ('DropStmt' in node) {
    const { removeType = '', behavior } = node.DropStmt
    if (removeType === 'OBJECT_STATISTIC_EXT') {
      dropStatistics(run, node.DropStmt)
      return true
    }
    if (removeType === 'OBJECT_EXTENSION' || behavior === 'DROP_CASCADE')
      run.dontKnow('nobody here knows what goes along with what it drops')
    run.part(removeType === 'OBJECT_EXTENSION' ? 'extension' : 'other', null, { old: mayBreak('it may still use what is dropped') })
    return true
  }
  if ('CreateExtensionStmt' in node) {
    run.part('extension', null, { name: node.CreateExtensionStmt.extname ?? '' })
    return true
  }
  if ('DropOwnedStmt' in node || 'ReassignOwnedStmt' in node) {
    run.part('other', null)
    run.dontKnow('nobody here knows what belongs to the role that it names')
    return true
  }
  if ('DropdbStmt' in node) {
    run.part('database', null, {
      name: node.DropdbStmt.dbname ?? '',
      loses: [`the database ${node.DropdbStmt.dbname ?? ''} with all that it holds`],
      old: breaks('it may still use that database'),
    })
    return true
  }
  const rule = QUIET[kind]
  if (rule === undefined) return false
  run.part(rule, null, { name: statementName(kind) })
  return true
}

function dropStatistics(run: Run, { objects = [] }: DropStmt): void {
  const { schema } = run
  const names = new Set(objects.map((item) => ('List' in item ? (partsOf(item.List.items).at(-1) ?? '') : '')))
  for (const table of schema.tables())
    for (const one of schema.dependents(table.id))
      if (one.kind === 'statistics' && names.has(one.name)) run.lock(table.id, 'ShareUpdateExclusive')
  run.part('change settings', null, { name: [...names].join(', ') })
}

const QUIET: Readonly<Record<string, Rule>> = {
  VariableShowStmt: 'session setting',
  DiscardStmt: 'session setting',
  DeallocateStmt: 'session setting',
  ConstraintsSetStmt: 'session setting',
  ClosePortalStmt: 'read',
  FetchStmt: 'read',
  CheckPointStmt: 'other',
  LoadStmt: 'other',
  NotifyStmt: 'other',
  ListenStmt: 'other',
  UnlistenStmt: 'other',
  SecLabelStmt: 'comment',
  AlterFunctionStmt: 'create function',
  AlterDefaultPrivilegesStmt: 'grant',
  GrantRoleStmt: 'grant',
  CreateRoleStmt: 'other',
  AlterRoleStmt: 'other',
  AlterRoleSetStmt: 'session setting',
  DropRoleStmt: 'other',
  CreatedbStmt: 'database',
  AlterDatabaseStmt: 'database',
  AlterDatabaseSetStmt: 'database',
  AlterDatabaseRefreshCollStmt: 'database',
  AlterSystemStmt: 'database',
  CreateTableSpaceStmt: 'database',
  DropTableSpaceStmt: 'database',
  AlterTableSpaceOptionsStmt: 'database',
  DefineStmt: 'other',
  CreateCastStmt: 'other',
  CreateConversionStmt: 'other',
  CreateOpClassStmt: 'other',
  CreateOpFamilyStmt: 'other',
  AlterOpFamilyStmt: 'other',
  AlterOperatorStmt: 'other',
  AlterTypeStmt: 'alter type',
  AlterCollationStmt: 'other',
  CreatePLangStmt: 'other',
  CreateAmStmt: 'other',
  CreateTransformStmt: 'other',
  CreateFdwStmt: 'other',
  AlterFdwStmt: 'other',
  CreateForeignServerStmt: 'other',
  AlterForeignServerStmt: 'other',
  CreateUserMappingStmt: 'other',
  AlterUserMappingStmt: 'other',
  DropUserMappingStmt: 'other',
  CreateEventTrigStmt: 'create trigger',
  AlterEventTrigStmt: 'switch trigger',
  AlterTSDictionaryStmt: 'other',
  AlterTSConfigurationStmt: 'other',
  AlterStatsStmt: 'change settings',
  AlterExtensionStmt: 'extension',
  AlterExtensionContentsStmt: 'extension',
  AlterObjectDependsStmt: 'other',
  CreateSubscriptionStmt: 'other',
  AlterSubscriptionStmt: 'other',
  DropSubscriptionStmt: 'other',
}
