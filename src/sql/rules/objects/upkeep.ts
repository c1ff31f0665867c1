import type {
  AlterPolicyStmt,
  ClusterStmt,
  CommentStmt,
  CreatePolicyStmt,
  CreateStatsStmt,
  GrantStmt,
  LockStmt,
  RangeVar,
  VacuumStmt,
} from 'libpg-query'
import { objectName, partsOf, tableOf } from '../../effects/names.ts'
import { isOn } from '../../effects/walk.ts'
import { lockModes, type LockMode } from '../model/forecast.ts'
import { columnNamesIn } from '../rows/expressions.ts'
import { reach, readFrom } from '../rows/relations.ts'
import { indexesOf, mayBreak, rowsOf, said, WORKS, type Run } from '../run/run.ts'
import type { Table } from '../schema/model.ts'
import { family, indexNamed, isSystem, tableNamed } from '../schema/resolve.ts'
import { lockIndexes } from '../changes/dropping.ts'

function named(run: Run, relation: RangeVar | undefined): Table | undefined {
  const at = tableOf(relation)
  const found = tableNamed(run.schema, at)
  if (found === undefined && !isSystem(at)) run.fail('42P01', `there is no table ${at.name}`)
  return found
}

export function lockTable(run: Run, { relations = [], mode = 8 }: LockStmt): void {
  const strength: LockMode = lockModes[mode - 1] ?? 'AccessExclusive'
  for (const item of relations) {
    if (!('RangeVar' in item)) continue
    const table = named(run, item.RangeVar)
    if (table === undefined) continue
    reach(run, table, strength, item.RangeVar.inh === true)
    run.part('lock table', table.id, { to: strength })
  }
}

export function comment(run: Run, { objtype = 'OBJECT_TABLE', object }: CommentStmt): void {
  const parts = object !== undefined && 'List' in object ? partsOf(object.List.items) : []
  const isOfTable = /^OBJECT_(TABCONSTRAINT|TRIGGER|POLICY|RULE|COLUMN)$/.test(objtype)
  const path = isOfTable ? parts.slice(0, -1) : parts
  if (isOfTable || /^OBJECT_(TABLE|VIEW|MATVIEW|SEQUENCE|FOREIGN_TABLE|INDEX)$/.test(objtype)) {
    const [name = '', schema = null] = path.toReversed()
    const mode: LockMode = /TABCONSTRAINT|TRIGGER|POLICY|RULE/.test(objtype) ? 'AccessShare' : 'ShareUpdateExclusive'
    const id = indexNamed(run.schema, { schema, name })?.id ?? tableNamed(run.schema, { schema, name })?.id
    if (id === undefined) run.fail('42P01', `there is no ${objtype.replace('OBJECT_', '').toLowerCase()} ${name}`)
    else run.lock(id, mode)
  }
  run.part('comment', null, { name: object === undefined ? '' : objectName(object) })
}

export function grant(run: Run, { is_grant: isGrant, objtype, targtype, objects = [] }: GrantStmt): void {
  const { schema } = run
  const old = isGrant === true ? WORKS : mayBreak('it may need a right that is taken away')
  run.part('grant', null, { old })
  if (objtype !== 'OBJECT_TABLE' && objtype !== 'OBJECT_COLUMN' && objtype !== 'OBJECT_SEQUENCE') return
  if (targtype === 'ACL_TARGET_ALL_IN_SCHEMA') return
  for (const item of objects) {
    const table = 'RangeVar' in item ? named(run, item.RangeVar) : undefined
    if (table !== undefined && schema.version >= 180000) run.lock(table.id, 'AccessShare')
  }
}

export function createStatistics(run: Run, { relations = [], defnames }: CreateStatsStmt): void {
  for (const item of relations) {
    const table = 'RangeVar' in item ? named(run, item.RangeVar) : undefined
    if (table === undefined) continue
    run.lock(table.id, 'ShareUpdateExclusive')
    const name = partsOf(defnames).at(-1) ?? ''
    run.part('change settings', table.id, { name })
    run.schema.change.putDependent({ on: table.id, column: null, kind: 'statistics', schema: table.schema, name, relation: null })
  }
}

export function createPolicy(
  run: Run,
  { policy_name: name = '', table: relation, permissive, qual, with_check: check }: CreatePolicyStmt,
): void {
  const table = named(run, relation)
  if (table === undefined) return
  run.lock(table.id, 'AccessExclusive')
  readFrom(run, [qual, check])
  if (run.schema.policies(table.id).some((one) => one.name === name))
    run.fail('42710', `${said(run, table.id)} has a policy ${name} already`)
  const hides =
    permissive === true
      ? WORKS
      : mayBreak(`where row-level security is on, the policy ${name} hides rows of ${said(run, table.id)} that others allow`)
  run.part('row security', table.id, { name, old: hides })
  const uses = [...columnNamesIn([qual, check])]
  run.schema.change.putPolicy({ name, table: table.id, uses })
}

export function alterPolicy(run: Run, { policy_name: name = '', table: relation, qual, with_check: check }: AlterPolicyStmt): void {
  const table = named(run, relation)
  if (table === undefined) return
  run.lock(table.id, 'AccessExclusive')
  readFrom(run, [qual, check])
  run.part('row security', table.id, { name, old: mayBreak(`it may see and change other rows of ${said(run, table.id)} than before`) })
}

export function cluster(run: Run, { relation }: ClusterStmt): void {
  if (relation === undefined) return run.dontKnow('it writes every clustered table anew, one after another')
  const table = named(run, relation)
  if (table !== undefined) writeAnew(run, table, 'change storage')
}

function writeAnew(run: Run, table: Table, rule: 'change storage' | 'vacuum'): void {
  run.lockFamily(table.id, 'AccessExclusive')
  lockIndexes(run, table.id, 'AccessExclusive')
  const rows = rowsOf(run, table.id)
  run.part(rule, table.id, { rewrites: rows, scans: rows, builds: indexesOf(run, table.id) })
}

export function vacuum(run: Run, { options = [], rels = [], is_vacuumcmd: isVacuum }: VacuumStmt): void {
  const isFull = isVacuum === true && isOn(options, 'full')
  const tables = rels.flatMap((item) => ('VacuumRelation' in item ? (named(run, item.VacuumRelation.relation) ?? []) : []))
  if (rels.length === 0 && isFull) return run.dontKnow('it writes every table of the database anew, one after another')
  for (const table of rels.length === 0 ? [...run.schema.tables()].filter(({ kind }) => kind === 'r' || kind === 'm') : tables) {
    if (isFull) writeAnew(run, table, 'vacuum')
    else {
      for (const id of family(run.schema, table.id)) run.lock(id, 'ShareUpdateExclusive')
      run.part('vacuum', table.id, { scans: isVacuum === true ? rowsOf(run, table.id) : [] }) // ANALYZE reads a sample
    }
  }
}
