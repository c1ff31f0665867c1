import type { AlterSeqStmt, CreatePolicyStmt, CreateStmt, CreateTableAsStmt, IndexStmt, Node, RangeVar, VacuumStmt } from 'libpg-query'
import { alterTable, cascadesOf, constraintsIn } from './alter-table.ts'
import { onRows, plain, type Effect } from './effect.ts'
import { dotted, inVerb, relationName, tableOf, type Table } from './names.ts'
import { dropObjects, rename } from './objects.ts'
import { createdBySelect, rowEffects } from './rows.ts'
import { sessionChanges, type SessionChange } from './session.ts'
import { statementName } from './statement-names.ts'
import { setsSequence } from './unknown-calls.ts'
import { isOn } from './walk.ts'

/** What a statement does by itself, whatever stands inside of it. */
export function ownEffects(node: Node): readonly Effect[] {
  const onItsRows = rowEffects(node)
  if (onItsRows !== undefined) return onItsRows
  if ('CreateStmt' in node) return [createTable(node.CreateStmt)]
  if ('CreateTableAsStmt' in node) return createTableAs(node.CreateTableAsStmt)
  if ('AlterTableStmt' in node) return alterTable(node.AlterTableStmt.relation, node.AlterTableStmt.cmds ?? [], node.AlterTableStmt.objtype)
  if ('IndexStmt' in node) return [buildIndex(node.IndexStmt)]
  if ('DropStmt' in node) return dropObjects(node.DropStmt)
  if ('RenameStmt' in node) return [rename(node.RenameStmt)]
  if ('CreateEnumStmt' in node) return [plain('additive', 'creates type %', dotted(node.CreateEnumStmt.typeName))]
  if ('AlterEnumStmt' in node) {
    const { typeName, newVal = '', oldVal } = node.AlterEnumStmt
    if (oldVal !== undefined) return [plain('breaking', 'renames a value of type %', dotted(typeName))]
    return [plain('additive', `adds value ${inVerb(newVal)} to type %`, dotted(typeName))]
  }
  if ('AlterObjectSchemaStmt' in node)
    return [plain('breaking', 'moves % to another schema', relationName(node.AlterObjectSchemaStmt.relation))]
  if ('ViewStmt' in node)
    return [plain(node.ViewStmt.replace === true ? 'transformative' : 'additive', 'creates view %', relationName(node.ViewStmt.view))]
  if ('CreateFunctionStmt' in node)
    return [
      plain(
        node.CreateFunctionStmt.replace === true ? 'transformative' : 'additive',
        `creates ${node.CreateFunctionStmt.is_procedure === true ? 'procedure' : 'function'} %`,
        dotted(node.CreateFunctionStmt.funcname),
      ),
    ]
  if ('CreateSchemaStmt' in node) return [plain('additive', 'creates schema %', node.CreateSchemaStmt.schemaname ?? '')]
  if ('CreateExtensionStmt' in node) return [plain('additive', 'adds extension %', node.CreateExtensionStmt.extname ?? '')]
  if ('CreateSeqStmt' in node) return [plain('additive', 'creates sequence %', relationName(node.CreateSeqStmt.sequence))]
  if ('CreateDomainStmt' in node) return [plain('additive', 'creates type %', dotted(node.CreateDomainStmt.domainname))]
  if ('CompositeTypeStmt' in node) return [plain('additive', 'creates type %', relationName(node.CompositeTypeStmt.typevar))]
  if ('ReindexStmt' in node) {
    const { name = '', relation, params } = node.ReindexStmt
    const subject = relation === undefined ? name : relationName(relation)
    if (isOn(params, 'concurrently')) return [plain('additive', 'rebuilds index %, concurrently', subject)]
    return [{ ...plain('transformative', 'rebuilds index %', subject), finding: `rebuilding ${subject} blocks writes until it is rebuilt` }]
  }
  if ('RefreshMatViewStmt' in node) {
    const { relation } = node.RefreshMatViewStmt
    return [{ ...plain('transformative', 'refreshes %', relationName(relation)), ...anew(tableOf(relation)) }]
  }
  if ('VacuumStmt' in node) return vacuum(node.VacuumStmt)
  if ('ClusterStmt' in node)
    return [node.ClusterStmt.relation === undefined ? rewrite('every clustered table', null) : rewriteOf(node.ClusterStmt.relation)]
  if (HARMLESS_STATEMENTS.some((kind) => kind in node)) return []
  if ('GrantStmt' in node) return [plain(node.GrantStmt.is_grant === true ? 'additive' : 'transformative', 'changes %', 'privileges')]
  if ('DropdbStmt' in node)
    return [{ ...plain('breaking', 'drops database %', node.DropdbStmt.dbname ?? ''), finding: 'it drops a whole database' }]
  if ('DropRoleStmt' in node || 'DropOwnedStmt' in node)
    return [{ ...plain('breaking', 'drops %', 'roles or what they own'), finding: 'it drops roles or what they own' }]
  if ('AlterSystemStmt' in node)
    return [
      { ...plain('breaking', 'changes %', 'the configuration of the server'), finding: 'it changes the configuration of the whole server' },
    ]
  if ('AlterDatabaseSetStmt' in node || 'AlterRoleSetStmt' in node) return sessionChanges(node).flatMap(forLaterSessions)
  if ('CreatePolicyStmt' in node) return [policy(node.CreatePolicyStmt)]
  if ('AlterPolicyStmt' in node)
    return [onRows('unclear', `changes policy ${inVerb(node.AlterPolicyStmt.policy_name ?? '')} of %`, node.AlterPolicyStmt.table)]
  if ('AlterSeqStmt' in node) return [alterSequence(node.AlterSeqStmt)]
  if ('LockStmt' in node) return [plain('unclear', 'locks %', 'tables')]
  if ('SelectStmt' in node) return createdBySelect(node.SelectStmt.intoClause)
  return [plain('unclear', 'runs %', statementName(Object.keys(node)[0] ?? 'a statement'))]
}

function alterSequence({ sequence, options = [] }: AlterSeqStmt): Effect {
  const name = relationName(sequence)
  const isSet = options.some((item) => 'DefElem' in item && item.DefElem.defname === 'restart')
  return isSet ? setsSequence(name) : plain('unclear', 'changes sequence %', name)
}

/** They leave no trace in what is there, or do nothing by themselves. */
const HARMLESS_STATEMENTS = [
  'CommentStmt',
  'VariableSetStmt',
  'VariableShowStmt',
  'TransactionStmt',
  'DeclareCursorStmt',
  'FetchStmt',
  'ClosePortalStmt',
  'DeallocateStmt',
  'DiscardStmt',
  'CheckPointStmt',
]

function createTable({ relation, tableElts = [], inhRelations = [], if_not_exists: isOptional }: CreateStmt): Effect {
  const table = tableOf(relation)
  const references = constraintsIn(tableElts)
  const parents = inhRelations.flatMap((item) => ('RangeVar' in item ? [tableOf(item.RangeVar)] : []))
  return {
    class: 'additive',
    verb: 'creates table %',
    subject: relationName(relation),
    tables: [table, ...references.flatMap(({ pktable }) => (pktable === undefined ? [] : [tableOf(pktable)])), ...parents],
    createsTable: isOptional === true ? 'unless there' : 'surely',
    ties: cascadesOf(references).map((other) => ({ table: other, through: table })),
  }
}

function createTableAs({ into, objtype, if_not_exists: isOptional }: CreateTableAsStmt): readonly Effect[] {
  if (objtype === 'OBJECT_MATVIEW') return [plain('additive', 'creates materialized view %', relationName(into?.rel))]
  return createdBySelect(into, isOptional === true ? 'unless there' : 'surely')
}

function buildIndex({ relation, unique, concurrent }: IndexStmt): Effect {
  const table = relationName(relation)
  const isOnline = concurrent === true
  return {
    class: unique === true || !isOnline ? 'transformative' : 'additive',
    verb: `builds ${unique === true ? 'a unique index' : 'an index'} on %${isOnline ? ', concurrently' : ''}`,
    subject: table,
    tables: [tableOf(relation)],
    onTable: true,
    room: { of: 'index', table: tableOf(relation), isSure: true },
    ...(isOnline ? {} : { finding: `building an index on ${table} blocks writes to it until it is built` }),
  }
}

function vacuum({ options = [], rels = [] }: VacuumStmt): readonly Effect[] {
  if (!isOn(options, 'full')) return []
  const tables = rels.flatMap((item) => ('VacuumRelation' in item ? [item.VacuumRelation.relation] : []))
  return tables.length === 0 ? [rewrite('every table', null)] : tables.map(rewriteOf)
}

const rewriteOf = (relation: RangeVar | undefined): Effect => rewrite(relationName(relation), tableOf(relation))

const rewrite = (name: string, table: Table | null): Effect => ({
  ...plain('transformative', 'rewrites %', name),
  finding: `rewriting ${name} blocks reads and writes meanwhile`,
  ...anew(table),
})

const anew = (table: Table | null): Pick<Effect, 'room'> => ({ room: { of: 'table', table, isSure: true } })

/** Permissive ones add to what is seen, restrictive ones take from it. */
function policy({ policy_name: name = '', table, permissive }: CreatePolicyStmt): Effect {
  if (permissive === true) return onRows('transformative', `adds policy ${inVerb(name)} to %`, table)
  const finding = `where row-level security is on, policy ${name} hides rows of ${relationName(table)} that others allow`
  return { ...onRows('breaking', `adds restrictive policy ${inVerb(name)} to %`, table), finding }
}

function forLaterSessions(change: SessionChange): readonly Effect[] {
  if (change.kind !== 'stored') return []
  const name = change.name ?? 'settings'
  return [
    {
      ...plain('unclear', `changes ${inVerb(name)} of % for later sessions`, change.whose),
      finding: `it changes ${name} of ${change.whose} for every session that begins later: those of the application, and those of Prisma from its next start on`,
    },
  ]
}
