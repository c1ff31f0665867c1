import type { AlterTableStmt, DropStmt, Node } from 'libpg-query'
import { blockParts } from '../effects/routines.ts'
import { statementName } from '../effects/statement-names.ts'
import { alterTable } from './alter-table/alter-table.ts'
import { alterDomain } from './objects/domains.ts'
import { createIndex, dropIndexes, reindex } from './objects/indexes.ts'
import { quietly } from './objects/quiet.ts'
import { alterPublication, createPublication, dropPublications } from './objects/publications.ts'
import { rename } from './objects/renaming.ts'
import { createRoutine, createRule, createTrigger, dropOfTable, dropRoutines } from './objects/routines.ts'
import { changeOwner, createSchema, dropSchemas, moveObject } from './objects/schemas.ts'
import { alterSequence, createSequence } from './objects/sequences.ts'
import { createTable, dropRelations, truncate } from './objects/tables.ts'
import {
  alterComposite,
  alterEnum,
  createBase,
  createComposite,
  createDomain,
  createEnum,
  createRange,
  dropTypes,
} from './objects/types.ts'
import { alterPolicy, cluster, comment, createPolicy, createStatistics, grant, lockTable, vacuum } from './objects/upkeep.ts'
import { create, createFromQuery, createView, refreshView } from './objects/views.ts'
import { callsOf, followPart } from './rows/calls.ts'
import { forecastRows } from './rows/rows.ts'
import type { Run } from './run/run.ts'
import { execute, explain, prepare, setVariable, transaction } from './session.ts'

/** What a statement does, and the schema as it leaves it. `text` is empty where nobody has it. */
export function forecastStatement(run: Run, node: Node, text: string): void {
  if (forecastRows(run, node) || onTables(run, node) || onObjects(run, node) || onSession(run, node, text) || quietly(run, node)) return
  run.dontKnow(`nobody here knows what ${statementName(Object.keys(node)[0] ?? '')} does`)
}

function onTables(run: Run, node: Node): boolean {
  if ('AlterTableStmt' in node) alter(run, node.AlterTableStmt)
  else if ('CreateStmt' in node) createTable(run, node.CreateStmt)
  else if ('CreateForeignTableStmt' in node) createTable(run, node.CreateForeignTableStmt.base ?? {})
  else if ('CreateTableAsStmt' in node) createFromQuery(run, node.CreateTableAsStmt)
  else if ('SelectStmt' in node) create(run, node.SelectStmt.intoClause, node, { isView: false, isOptional: false })
  else if ('IndexStmt' in node) createIndex(run, node.IndexStmt)
  else if ('DropStmt' in node) return drop(run, node.DropStmt)
  else if ('RenameStmt' in node) rename(run, node.RenameStmt)
  else if ('TruncateStmt' in node) truncate(run, node.TruncateStmt)
  else if ('ReindexStmt' in node) reindex(run, node.ReindexStmt)
  else if ('ClusterStmt' in node) cluster(run, node.ClusterStmt)
  else if ('VacuumStmt' in node) vacuum(run, node.VacuumStmt)
  else if ('LockStmt' in node) lockTable(run, node.LockStmt)
  else if ('CreateStatsStmt' in node) createStatistics(run, node.CreateStatsStmt)
  else if ('CreatePolicyStmt' in node) createPolicy(run, node.CreatePolicyStmt)
  else if ('AlterPolicyStmt' in node) alterPolicy(run, node.AlterPolicyStmt)
  else if ('CreateTrigStmt' in node) createTrigger(run, node.CreateTrigStmt)
  else if ('RuleStmt' in node) createRule(run, node.RuleStmt)
  else return false
  return true
}

const alter = (run: Run, node: AlterTableStmt): void => (node.objtype === 'OBJECT_TYPE' ? alterComposite(run, node) : alterTable(run, node))

function drop(run: Run, node: DropStmt): boolean {
  switch (node.removeType) {
    case 'OBJECT_INDEX':
      dropIndexes(run, node)
      return true
    case 'OBJECT_TABLE':
    case 'OBJECT_VIEW':
    case 'OBJECT_MATVIEW':
    case 'OBJECT_SEQUENCE':
    case 'OBJECT_FOREIGN_TABLE':
      dropRelations(run, node)
      return true
    case 'OBJECT_TYPE':
    case 'OBJECT_DOMAIN':
      dropTypes(run, node)
      return true
    case 'OBJECT_SCHEMA':
      dropSchemas(run, node)
      return true
    case 'OBJECT_FUNCTION':
    case 'OBJECT_PROCEDURE':
    case 'OBJECT_ROUTINE':
    case 'OBJECT_AGGREGATE':
      dropRoutines(run, node)
      return true
    case 'OBJECT_TRIGGER':
    case 'OBJECT_POLICY':
    case 'OBJECT_RULE':
      dropOfTable(run, node)
      return true
    case 'OBJECT_PUBLICATION':
      dropPublications(run, node)
      return true
    default:
      return false
  }
}

function onObjects(run: Run, node: Node): boolean {
  if ('ViewStmt' in node) createView(run, node.ViewStmt)
  else if ('RefreshMatViewStmt' in node) refreshView(run, node.RefreshMatViewStmt)
  else if ('CreateEnumStmt' in node) createEnum(run, node.CreateEnumStmt)
  else if ('CompositeTypeStmt' in node) createComposite(run, node.CompositeTypeStmt)
  else if ('CreateRangeStmt' in node) createRange(run, node.CreateRangeStmt.typeName)
  else if ('DefineStmt' in node && node.DefineStmt.kind === 'OBJECT_TYPE') createBase(run, node.DefineStmt.defnames)
  else if ('CreateDomainStmt' in node) createDomain(run, node.CreateDomainStmt)
  else if ('AlterDomainStmt' in node) alterDomain(run, node.AlterDomainStmt)
  else if ('AlterEnumStmt' in node) alterEnum(run, node.AlterEnumStmt)
  else if ('CreateSeqStmt' in node) createSequence(run, node.CreateSeqStmt)
  else if ('AlterSeqStmt' in node) alterSequence(run, node.AlterSeqStmt)
  else if ('CreateFunctionStmt' in node) createRoutine(run, node.CreateFunctionStmt)
  else if ('CreatePublicationStmt' in node) createPublication(run, node.CreatePublicationStmt)
  else if ('AlterPublicationStmt' in node) alterPublication(run, node.AlterPublicationStmt)
  else if ('CreateSchemaStmt' in node) createSchema(run, node.CreateSchemaStmt)
  else if ('AlterObjectSchemaStmt' in node) moveObject(run, node.AlterObjectSchemaStmt)
  else if ('AlterOwnerStmt' in node) changeOwner(run, node.AlterOwnerStmt)
  else if ('CommentStmt' in node) comment(run, node.CommentStmt)
  else if ('GrantStmt' in node) grant(run, node.GrantStmt)
  else return false
  return true
}

function onSession(run: Run, node: Node, text: string): boolean {
  if ('TransactionStmt' in node) transaction(run, node.TransactionStmt)
  else if ('VariableSetStmt' in node) setVariable(run, node.VariableSetStmt)
  else if ('ExplainStmt' in node) explain(run, node.ExplainStmt.query, node.ExplainStmt.options ?? [])
  else if ('PrepareStmt' in node) prepare(run, node.PrepareStmt.name ?? '', node.PrepareStmt.query)
  else if ('ExecuteStmt' in node) execute(run, node.ExecuteStmt.name ?? '')
  else if ('DeclareCursorStmt' in node) explain(run, node.DeclareCursorStmt.query, [])
  else if ('CallStmt' in node) callsOf(run, { FuncCall: node.CallStmt.funccall })
  else if ('DoStmt' in node) for (const part of blockParts(run.parser, node.DoStmt, text)) followPart(run, part)
  else return false
  return true
}
