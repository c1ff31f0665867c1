import type { AlterTableCmd, ColumnDef, Constraint, DropStmt, Node, ObjectType, RangeVar, RenameStmt, TypeName } from 'libpg-query'

/** How much a change asks of those who approve it. `unclear`: nobody could read it. */
export type MigrationClass = 'additive' | 'transformative' | 'breaking' | 'unclear'

/** What one statement does, in words. Effects with equal `verb` are joined: `creates tables a and b`. */
export type Effect = {
  readonly class: MigrationClass
  /** `creates table %`, with `%` where the subject goes. */
  readonly verb: string
  readonly subject: string
  /** Existing or new tables it locks or writes, as `schema.name` or `name`. */
  readonly tables: readonly string[]
  readonly createsTable?: true
  /** Harmless for a table that the same plan creates, whatever `class` says about one with rows. */
  readonly onTable?: true
  readonly finding?: string
}

/** The effects of one parsed statement; an empty list is a statement without any (SET, a plain SELECT). */
export function effectsOf(node: Node): readonly Effect[] {
  if ('CreateStmt' in node) return createTable(node.CreateStmt.relation, node.CreateStmt.tableElts ?? [])
  if ('CreateTableAsStmt' in node) return createTable(node.CreateTableAsStmt.into?.rel, [])
  if ('AlterTableStmt' in node) return alterTable(node.AlterTableStmt.relation, node.AlterTableStmt.cmds ?? [], node.AlterTableStmt.objtype)
  if ('IndexStmt' in node) {
    const { relation, unique, concurrent } = node.IndexStmt
    const table = relationName(relation)
    const finding = concurrent === true ? {} : { finding: `building an index on ${table} blocks writes to it until it is built` }
    const verb = `builds ${unique === true ? 'a unique index' : 'an index'} on %${concurrent === true ? ', concurrently' : ''}`
    return [{ class: unique === true ? 'transformative' : 'additive', verb, subject: table, tables: [table], onTable: true, ...finding }]
  }
  if ('DropStmt' in node) return dropObjects(node.DropStmt)
  if ('RenameStmt' in node) return [rename(node.RenameStmt)]
  if ('UpdateStmt' in node) return [onRows('transformative', 'backfills %', node.UpdateStmt.relation)]
  if ('InsertStmt' in node) return [onRows('transformative', 'adds rows to %', node.InsertStmt.relation)]
  if ('DeleteStmt' in node) return [onRows('breaking', 'deletes rows of %', node.DeleteStmt.relation)]
  if ('MergeStmt' in node) return [onRows('transformative', 'merges rows into %', node.MergeStmt.relation)]
  if ('TruncateStmt' in node)
    return (node.TruncateStmt.relations ?? []).flatMap((item) =>
      'RangeVar' in item ? [onRows('breaking', 'empties %', item.RangeVar)] : [],
    )
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
        'creates function %',
        dotted(node.CreateFunctionStmt.funcname),
      ),
    ]
  if ('CreateTrigStmt' in node) return [{ ...onRows('transformative', 'adds a trigger to %', node.CreateTrigStmt.relation), onTable: true }]
  if ('CreateSchemaStmt' in node) return [plain('additive', 'creates schema %', node.CreateSchemaStmt.schemaname ?? '')]
  if ('CreateExtensionStmt' in node) return [plain('additive', 'adds extension %', node.CreateExtensionStmt.extname ?? '')]
  if ('CreateSeqStmt' in node) return [plain('additive', 'creates sequence %', relationName(node.CreateSeqStmt.sequence))]
  if ('CreateDomainStmt' in node) return [plain('additive', 'creates type %', dotted(node.CreateDomainStmt.domainname))]
  if ('CompositeTypeStmt' in node) return [plain('additive', 'creates type %', relationName(node.CompositeTypeStmt.typevar))]
  if ('ReindexStmt' in node) return [plain('additive', 'rebuilds index %', relationName(node.ReindexStmt.relation))]
  if ('RefreshMatViewStmt' in node) return [plain('transformative', 'refreshes %', relationName(node.RefreshMatViewStmt.relation))]
  if ('CommentStmt' in node || 'VariableSetStmt' in node || 'TransactionStmt' in node || 'VacuumStmt' in node) return []
  if ('GrantStmt' in node) return [plain(node.GrantStmt.is_grant === true ? 'additive' : 'transformative', 'changes %', 'privileges')]
  if ('DoStmt' in node) return [plain('unclear', 'runs %', 'a code block')]
  if ('CallStmt' in node) return [plain('unclear', 'calls %', 'a procedure')]
  if ('DropdbStmt' in node)
    return [{ ...plain('breaking', 'drops database %', node.DropdbStmt.dbname ?? ''), finding: 'it drops a whole database' }]
  if ('DropRoleStmt' in node || 'DropOwnedStmt' in node)
    return [{ ...plain('breaking', 'drops %', 'roles or what they own'), finding: 'it drops roles or what they own' }]
  if ('AlterSystemStmt' in node)
    return [
      { ...plain('breaking', 'changes %', 'the configuration of the server'), finding: 'it changes the configuration of the whole server' },
    ]
  if ('LockStmt' in node) return [plain('unclear', 'locks %', 'tables')]
  if ('SelectStmt' in node) return hasEffects(node) ? [plain('unclear', 'runs %', 'a query that may change data')] : []
  return [plain('unclear', 'runs %', Object.keys(node)[0]?.replace(/Stmt$/, '') ?? 'a statement')]
}

/** Whether a string constant stands anywhere in the statement. */
export function mentions(node: unknown, text: string): boolean {
  return walk(node).some((part) => 'sval' in part && part['sval'] === text)
}

function createTable(relation: RangeVar | undefined, elements: readonly Node[]): readonly Effect[] {
  const table = relationName(relation)
  const references = constraintsIn(elements).flatMap(({ pktable }) => (pktable === undefined ? [] : [relationName(pktable)]))
  return [{ class: 'additive', verb: 'creates table %', subject: table, tables: [table, ...references], createsTable: true }]
}

function alterTable(relation: RangeVar | undefined, cmds: readonly Node[], kind: ObjectType | undefined): readonly Effect[] {
  const table = relationName(relation)
  if (kind !== undefined && kind !== 'OBJECT_TABLE') return [plain('unclear', 'alters %', table)]
  return commands(cmds).map((command) => ({ tables: [table], onTable: true, ...alteration(table, command) }))
}

function alteration(
  table: string,
  { subtype, name = '', def }: AlterTableCmd,
): Pick<Effect, 'class' | 'verb' | 'subject'> & Partial<Effect> {
  const column = `${table}.${name}`
  switch (subtype) {
    case 'AT_AddColumn':
      return def !== undefined && 'ColumnDef' in def ? addColumn(table, def.ColumnDef) : unclear(table)
    case 'AT_DropColumn':
      return { class: 'breaking', verb: 'drops %', subject: column }
    case 'AT_AlterColumnType': {
      const type = def !== undefined && 'ColumnDef' in def ? typeName(def.ColumnDef.typeName) : 'another type'
      const finding = `changing the type of ${column} may rewrite the whole table, which blocks reads and writes meanwhile`
      return { class: 'transformative', verb: `changes the type of % to ${inVerb(type)}`, subject: column, finding }
    }
    case 'AT_SetNotNull':
      return {
        class: 'transformative',
        verb: 'makes % required',
        subject: column,
        finding: `making ${column} required reads the whole table under a lock and fails if a row has no value`,
      }
    case 'AT_DropNotNull':
      return { class: 'additive', verb: 'makes % nullable', subject: column }
    case 'AT_ColumnDefault':
      if (def === undefined) return { class: 'transformative', verb: 'removes the default of %', subject: column }
      return { class: 'additive', verb: 'changes the default of %', subject: column }
    case 'AT_AddConstraint':
      return def !== undefined && 'Constraint' in def ? addConstraint(table, def.Constraint) : unclear(table)
    case 'AT_ValidateConstraint':
      return { class: 'additive', verb: `validates constraint ${inVerb(name)} of %`, subject: table }
    case 'AT_DropConstraint':
      return { class: 'transformative', verb: `drops constraint ${inVerb(name)} of %`, subject: table }
    case 'AT_AttachPartition':
      return { class: 'transformative', verb: 'attaches a partition to %', subject: table }
    case 'AT_DetachPartition':
      return { class: 'breaking', verb: 'detaches a partition of %', subject: table }
    case 'AT_EnableRowSecurity':
    case 'AT_ForceRowSecurity':
      return { class: 'breaking', verb: 'restricts who sees rows of %', subject: table }
    case 'AT_SetRelOptions':
    case 'AT_SetStatistics':
    case 'AT_ReplicaIdentity':
      return { class: 'additive', verb: 'changes settings of %', subject: table }
    default:
      return unclear(table)
  }
}

const unclear = (table: string) => ({ class: 'unclear', verb: 'alters %', subject: table }) as const

function addColumn(table: string, column: ColumnDef): ReturnType<typeof alteration> {
  const kinds = constraintsIn([{ ColumnDef: column }]).map(({ contype }) => contype)
  const has = (...wanted: readonly string[]) => kinds.some((kind) => kind !== undefined && wanted.includes(kind))
  const serial = /^(small|big)?serial\d?$/.test(typeName(column.typeName))
  const required = has('CONSTR_NOTNULL', 'CONSTR_PRIMARY', 'CONSTR_IDENTITY') || serial
  const filled = has('CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED') || serial
  const subject = `${table}.${column.colname ?? ''}`
  if (!required) return { class: 'additive', verb: 'adds %, nullable', subject }
  if (filled) return { class: 'additive', verb: 'adds %, required, with a default', subject }
  const finding = `${subject} is required and has no default: this fails if ${table} has rows, and the running application's inserts fail afterwards`
  return { class: 'breaking', verb: 'adds %, required, without a default', subject, finding }
}

function addConstraint(table: string, constraint: Constraint): ReturnType<typeof alteration> {
  const later = constraint.skip_validation === true ? ', not yet validated' : ''
  const referenced = relationName(constraint.pktable)
  switch (constraint.contype) {
    case 'CONSTR_FOREIGN': {
      const finding =
        later === '' ? { finding: `the foreign key blocks writes to ${table} and ${referenced} while every row is checked` } : {}
      return {
        class: 'transformative',
        verb: `adds a foreign key from % to ${referenced}${later}`,
        subject: table,
        tables: [table, referenced],
        ...finding,
      }
    }
    case 'CONSTR_UNIQUE':
      return { class: 'transformative', verb: 'adds a unique constraint to %', subject: table }
    case 'CONSTR_PRIMARY':
      return { class: 'transformative', verb: 'adds a primary key to %', subject: table }
    case 'CONSTR_CHECK':
      return { class: 'transformative', verb: `adds a check to %${later}`, subject: table }
    default:
      return { class: 'transformative', verb: 'adds a constraint to %', subject: table }
  }
}

function dropObjects({ objects = [], removeType, concurrent }: DropStmt): readonly Effect[] {
  const kind = removeType?.replace('OBJECT_', '').toLowerCase() ?? 'object'
  return objects.map((item) => {
    const name = objectName(item)
    if (kind === 'table') return { class: 'breaking', verb: 'drops table %', subject: name, tables: [name] }
    if (kind === 'index') return plain('transformative', `drops index %${concurrent === true ? ', concurrently' : ''}`, name)
    const words = { matview: 'materialized view', foreign_table: 'foreign table', tabconstraint: 'constraint' }[kind] ?? kind
    return plain(kind === 'trigger' || kind === 'policy' || kind === 'rule' ? 'transformative' : 'breaking', `drops ${words} %`, name)
  })
}

function rename({ renameType, relation, object, subname = '', newname = '' }: RenameStmt): Effect {
  const table = relationName(relation)
  switch (renameType) {
    case 'OBJECT_COLUMN':
      return { class: 'breaking', verb: `renames % to ${inVerb(newname)}`, subject: `${table}.${subname}`, tables: [table], onTable: true }
    case 'OBJECT_TABLE':
      return { class: 'breaking', verb: `renames table % to ${inVerb(newname)}`, subject: table, tables: [table], onTable: true }
    case 'OBJECT_INDEX':
      return plain('additive', `renames index % to ${inVerb(newname)}`, table)
    case 'OBJECT_TABCONSTRAINT':
      return { class: 'additive', verb: `renames constraint ${inVerb(subname)} of %`, subject: table, tables: [table] }
    default: {
      const kind = renameType?.replace('OBJECT_', '').toLowerCase() ?? 'object'
      return plain('breaking', `renames ${kind} % to ${inVerb(newname)}`, object === undefined ? table : objectName(object))
    }
  }
}

const plain = (kind: MigrationClass, verb: string, subject: string): Effect => ({ class: kind, verb, subject, tables: [] })

function onRows(kind: MigrationClass, verb: string, relation: RangeVar | undefined): Effect {
  const table = relationName(relation)
  return { class: kind, verb, subject: table, tables: [table], onTable: true }
}

const commands = (cmds: readonly Node[]): readonly AlterTableCmd[] =>
  cmds.flatMap((item) => ('AlterTableCmd' in item ? [item.AlterTableCmd] : []))

function constraintsIn(elements: readonly Node[]): readonly Constraint[] {
  return elements.flatMap((element) => {
    if ('Constraint' in element) return [element.Constraint]
    return 'ColumnDef' in element ? constraintsIn(element.ColumnDef.constraints ?? []) : []
  })
}

/** `%` stands for the subject, so it cannot stand in a name that is part of the verb. */
const inVerb = (name: string) => name.replaceAll('%', '\uff05')

/** The schema `public` is left out, as people do. */
function relationName(relation: RangeVar | undefined): string {
  const { schemaname, relname = '' } = relation ?? {}
  return schemaname === undefined || schemaname === 'public' ? relname : `${schemaname}.${relname}`
}

function objectName(item: Node): string {
  if ('List' in item) return dotted(item.List.items)
  if ('TypeName' in item) return typeName(item.TypeName)
  if ('ObjectWithArgs' in item) return dotted(item.ObjectWithArgs.objname)
  return 'String' in item ? (item.String.sval ?? '') : ''
}

const typeName = (type: TypeName | undefined): string => `${dotted(type?.names)}${type?.arrayBounds === undefined ? '' : '[]'}`

function dotted(names: readonly Node[] | undefined): string {
  const parts = (names ?? []).flatMap((item) => ('String' in item ? [item.String.sval ?? ''] : []))
  return (parts.length > 1 && (parts[0] === 'public' || parts[0] === 'pg_catalog') ? parts.slice(1) : parts).join('.')
}

/** A SELECT that writes: with INSERT, UPDATE or DELETE inside, or calling something that is not known to be harmless. */
function hasEffects(node: Node): boolean {
  return walk(node).some((part) => {
    if ('InsertStmt' in part || 'UpdateStmt' in part || 'DeleteStmt' in part || 'MergeStmt' in part || 'intoClause' in part) return true
    const call: unknown = part['FuncCall']
    if (typeof call !== 'object' || call === null || !('funcname' in call)) return false
    return !walk(call.funcname).some((name) => typeof name['sval'] === 'string' && HARMLESS.has(name['sval']))
  })
}

const HARMLESS = new Set(['count', 'min', 'max', 'sum', 'now', 'version', 'lower', 'upper', 'coalesce', 'set_config', 'current_setting'])

/** Every object below a value, itself included. */
function walk(value: unknown): readonly Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(walk)
  if (typeof value !== 'object' || value === null) return []
  const record = Object.fromEntries(Object.entries(value))
  return [record, ...Object.values(record).flatMap(walk)]
}
