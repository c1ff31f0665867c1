import type { AlterTableCmd, ColumnDef, Constraint, Node, ObjectType, RangeVar } from 'libpg-query'
import { callsIn, type Call } from './calls.ts'
import { plain, type Effect, type Room } from './effect.ts'
import { inVerb, relationName, tableName, tableOf, typeName, type Table } from './names.ts'
import { setsSequence } from './unknown-calls.ts'
import { walk } from './walk.ts'

export function alterTable(relation: RangeVar | undefined, cmds: readonly Node[], kind: ObjectType | undefined): readonly Effect[] {
  const table = relationName(relation)
  if (kind === 'OBJECT_TYPE') return commands(cmds).map((command) => attribute(table, command))
  if (kind !== undefined && kind !== 'OBJECT_TABLE' && kind !== 'OBJECT_FOREIGN_TABLE') return [plain('unclear', 'alters %', table)]
  const altered = tableOf(relation)
  return commands(cmds).map((command) => alteredBy(altered, command))
}

/** Of a composite type, whose values stand in columns. */
function attribute(type: string, { subtype, name = '', behavior }: AlterTableCmd): Effect {
  if (subtype === 'AT_AddColumn') return plain('additive', 'adds an attribute to type %', type)
  if (subtype !== 'AT_DropColumn') return plain('unclear', 'alters type %', type)
  const typed = behavior === 'DROP_CASCADE' ? ' and of every table of that type' : ''
  return {
    ...plain('breaking', `drops attribute ${inVerb(name)} of type %`, type),
    finding: `attribute ${name} goes from every value of type ${type}${typed}, with what it holds`,
  }
}

const alteredBy = (altered: Table, command: AlterTableCmd): Effect => ({
  tables: [altered],
  onTable: true,
  ...tiesOf(altered, command),
  ...roomFor(altered, command),
  ...alteration(altered, command),
})

/** Null values and what is the same for all rows are not written. */
function roomFor(table: Table, { subtype, def }: AlterTableCmd): Pick<Effect, 'room'> {
  const room = (of: Room['of'], isSure: boolean) => ({ room: { of, table, isSure } })
  if (subtype === 'AT_AlterColumnType') return room('table', false)
  if (/^AT_Set(Logged|UnLogged|AccessMethod|Expression)$/.test(subtype ?? '')) return room('table', true)
  const constraints = def === undefined ? [] : constraintsIn([def])
  if (subtype === 'AT_AddColumn' && def !== undefined && 'ColumnDef' in def) {
    const how = writesAnew(def.ColumnDef)
    if (how !== null) return room('table', how === 'surely')
  }
  const builds = constraints.some(({ contype = '', indexname }) => indexname === undefined && BUILDS_INDEX.has(contype))
  return (subtype === 'AT_AddColumn' || subtype === 'AT_AddConstraint') && builds ? room('index', true) : {}
}

const BUILDS_INDEX: ReadonlySet<string> = new Set(['CONSTR_UNIQUE', 'CONSTR_PRIMARY', 'CONSTR_EXCLUSION'])

/** Whether each row is written for the new column. */
function writesAnew({ typeName: type, constraints: items = [] }: ColumnDef): 'surely' | 'perhaps' | null {
  const constraints = constraintsIn(items)
  const isSerial = /^(small|big)?serial\d?$/.test(typeName(type))
  if (isSerial || constraints.some((one) => one.contype === 'CONSTR_IDENTITY' || rewrites(VOLATILE)(one))) return 'surely'
  return constraints.some(rewrites(UNKNOWN)) ? 'perhaps' : null
}

/** Which tables reach further than their own rows from now on. */
function tiesOf(altered: Table, { subtype, def }: AlterTableCmd): Pick<Effect, 'ties'> {
  if (def === undefined) return {}
  if (subtype === 'AT_AttachPartition' && 'PartitionCmd' in def)
    return { ties: [{ table: altered, through: tableOf(def.PartitionCmd.name) }] }
  if (subtype === 'AT_AddInherit' && 'RangeVar' in def) return { ties: [{ table: tableOf(def.RangeVar), through: altered }] }
  return { ties: cascadesOf(constraintsIn([def])).map((table) => ({ table, through: altered })) }
}

/** Referenced tables whose changes reach the rows that refer to them. */
export const cascadesOf = (constraints: readonly Constraint[]): readonly Table[] =>
  constraints.flatMap(({ pktable, fk_del_action = 'a', fk_upd_action = 'a' }) =>
    pktable !== undefined && /[cnd]/.test(fk_del_action + fk_upd_action) ? [tableOf(pktable)] : [],
  )

function alteration(
  altered: Table,
  { subtype, name = '', def }: AlterTableCmd,
): Pick<Effect, 'class' | 'verb' | 'subject'> & Partial<Effect> {
  const table = tableName(altered)
  const column = `${table}.${name}`
  switch (subtype) {
    case 'AT_AddColumn':
      return def !== undefined && 'ColumnDef' in def ? addColumn(table, def.ColumnDef) : unclear(table)
    case 'AT_DropColumn':
      return { class: 'breaking', verb: 'drops %', subject: column, finding: `${column} is dropped with what it holds` }
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
      return def !== undefined && 'Constraint' in def ? addConstraint(altered, def.Constraint) : unclear(table)
    case 'AT_ValidateConstraint':
      return { class: 'additive', verb: `validates constraint ${inVerb(name)} of %`, subject: table }
    case 'AT_DropConstraint':
      return { class: 'transformative', verb: `drops constraint ${inVerb(name)} of %`, subject: table }
    case 'AT_AttachPartition':
      return { class: 'transformative', verb: 'attaches a partition to %', subject: table }
    case 'AT_DetachPartition': {
      const partition = def !== undefined && 'PartitionCmd' in def ? relationName(def.PartitionCmd.name) : 'a partition'
      const finding = `the rows of ${partition} are no longer found through ${table}`
      return { class: 'breaking', verb: `detaches partition ${inVerb(partition)} of %`, subject: table, finding }
    }
    case 'AT_DropInherit': {
      const parent = def !== undefined && 'RangeVar' in def ? relationName(def.RangeVar) : 'its parent'
      const finding = `the rows of ${table} are no longer found through ${parent}`
      return { class: 'breaking', verb: `takes % out of ${inVerb(parent)}`, subject: table, finding }
    }
    case 'AT_EnableRowSecurity':
    case 'AT_ForceRowSecurity': {
      const who = subtype === 'AT_ForceRowSecurity' ? 'its owner too' : 'a role that does not own it'
      const finding = `under row-level security on ${table}, ${who} sees and changes only the rows that a policy allows, and none without one`
      return { class: 'breaking', verb: 'restricts who sees rows of %', subject: table, finding }
    }
    case 'AT_SetIdentity':
      return walk(def).some((part) => part['defname'] === 'restart') ? setsSequence(column) : unclear(table)
    case 'AT_SetUnLogged':
      return {
        class: 'breaking',
        verb: 'makes % unlogged',
        subject: table,
        finding: `${table} is empty after a crash of the server from then on, and a standby does not have its rows`,
      }
    case 'AT_SetLogged':
      return {
        class: 'transformative',
        verb: 'makes % logged',
        subject: table,
        finding: `making ${table} logged writes all of it anew, which blocks reads and writes meanwhile`,
      }
    case 'AT_SetExpression':
      return {
        class: 'transformative',
        verb: 'changes how % is computed',
        subject: column,
        finding: `${column} is computed anew: in a stored column the values that are there are replaced, and the whole table is written`,
      }
    case 'AT_SetRelOptions':
    case 'AT_SetStatistics':
    case 'AT_ReplicaIdentity':
      return { class: 'additive', verb: 'changes settings of %', subject: table }
    default:
      return switches(table, subtype, name) ?? unclear(table)
  }
}

/** Triggers and rules; what they do when they run is said where they run. */
function switches(table: string, subtype = '', name: string): ReturnType<typeof alteration> | null {
  const [, word = '', which = ''] = /^AT_(Enable|Disable|EnableAlways|EnableReplica)(Trig|TrigAll|TrigUser|Rule)$/.exec(subtype) ?? []
  if (which === '') return null
  const isOff = word === 'Disable'
  const one =
    which === 'Trig'
      ? `trigger ${name}`
      : which === 'Rule'
        ? `rule ${name}`
        : which === 'TrigAll'
          ? 'triggers and foreign keys'
          : 'triggers'
  const when = word === 'EnableReplica' ? ' on for replicas only' : word === 'EnableAlways' ? ' on, for replicas too' : ''
  const verb = `switches ${inVerb(one)} of %${isOff ? ' off' : when === '' ? ' on' : when}`
  const many = which === 'TrigAll' || which === 'TrigUser'
  const finding = `${one} of ${table} ${many ? 'do' : 'does'} nothing from then on, until something switches ${many ? 'them' : 'it'} on again`
  return { class: 'transformative', verb, subject: table, ...(isOff ? { finding } : {}) }
}

const unclear = (table: string) => ({ class: 'unclear', verb: 'alters %', subject: table }) as const

function addColumn(table: string, column: ColumnDef): ReturnType<typeof alteration> {
  const constraints = constraintsIn([{ ColumnDef: column }])
  const kinds = constraints.map(({ contype }) => contype)
  const has = (...wanted: readonly string[]) => kinds.some((kind) => kind !== undefined && wanted.includes(kind))
  const serial = /^(small|big)?serial\d?$/.test(typeName(column.typeName))
  const required = has('CONSTR_NOTNULL', 'CONSTR_PRIMARY', 'CONSTR_IDENTITY') || serial
  const filled = has('CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED') || serial
  const subject = `${table}.${column.colname ?? ''}`
  if (required && !filled) {
    const finding = `${subject} is required and has no default: this fails if ${table} has rows, and the running application's inserts fail afterwards`
    return { class: 'breaking', verb: 'adds %, required, without a default', subject, finding }
  }
  const verb = required ? 'adds %, required, with a default' : 'adds %, nullable'
  const anew = writesAnew(column)
  if (anew !== null) {
    const finding = `adding ${subject} ${anew === 'surely' ? 'writes' : 'may write'} every row of ${table} anew, which blocks reads and writes meanwhile`
    return { class: 'transformative', verb, subject, finding }
  }
  if (has('CONSTR_UNIQUE', 'CONSTR_PRIMARY')) return { class: 'transformative', verb, subject, finding: buildsIndex(subject, table) }
  return { class: 'additive', verb, subject }
}

/** A value that differs from row to row is written into each; one that is the same for all is kept once. */
const rewrites =
  (isCalled: (call: Call) => boolean) =>
  ({ contype, raw_expr: value, generated_kind: kind }: Constraint): boolean =>
    (contype === 'CONSTR_GENERATED' && kind !== 'v') || (contype === 'CONSTR_DEFAULT' && callsIn(value).some(isCalled))

const VOLATILE = ({ name, isHarmless }: Call): boolean =>
  isHarmless &&
  /^(gen_random_\w+|gen_salt|uuid_generate_v\d\w*|uuidv\d|random\w*|clock_timestamp|timeofday|nextval|currval|lastval)$/.test(name)

/** One that is declared to be the same for all rows, or is no more than a constant, writes none. */
const UNKNOWN = ({ isHarmless }: Call): boolean => !isHarmless

const buildsIndex = (what: string, table: string): string =>
  `the index for ${what} is built under a lock that blocks reads and writes of ${table}`

function addConstraint(altered: Table, constraint: Constraint): ReturnType<typeof alteration> {
  const table = tableName(altered)
  const later = constraint.skip_validation === true ? ', not yet validated' : ''
  const referenced = relationName(constraint.pktable)
  // one that is built already is only taken over
  const building = (what: string) => (constraint.indexname === undefined ? { finding: buildsIndex(what, table) } : {})
  switch (constraint.contype) {
    case 'CONSTR_FOREIGN': {
      const finding =
        later === '' ? { finding: `the foreign key blocks writes to ${table} and ${referenced} while every row is checked` } : {}
      return {
        class: 'transformative',
        verb: `adds a foreign key from % to ${referenced}${later}`,
        subject: table,
        tables: [altered, tableOf(constraint.pktable)],
        ...finding,
      }
    }
    case 'CONSTR_UNIQUE':
      return { class: 'transformative', verb: 'adds a unique constraint to %', subject: table, ...building('the unique constraint') }
    case 'CONSTR_PRIMARY':
      return { class: 'transformative', verb: 'adds a primary key to %', subject: table, ...building('the primary key') }
    case 'CONSTR_EXCLUSION':
      return { class: 'transformative', verb: 'adds an exclusion constraint to %', subject: table, ...building('the exclusion constraint') }
    case 'CONSTR_CHECK':
      return {
        class: 'transformative',
        verb: `adds a check to %${later}`,
        subject: table,
        ...(later === '' ? { finding: `the check reads every row of ${table} under a lock that blocks reads and writes` } : {}),
      }
    default:
      return { class: 'transformative', verb: 'adds a constraint to %', subject: table }
  }
}

const commands = (cmds: readonly Node[]): readonly AlterTableCmd[] =>
  cmds.flatMap((item) => ('AlterTableCmd' in item ? [item.AlterTableCmd] : []))

export function constraintsIn(elements: readonly Node[]): readonly Constraint[] {
  return elements.flatMap((element) => {
    if ('Constraint' in element) return [element.Constraint]
    return 'ColumnDef' in element ? constraintsIn(element.ColumnDef.constraints ?? []) : []
  })
}
