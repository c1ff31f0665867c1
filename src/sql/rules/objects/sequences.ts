import type { AlterSeqStmt, CreateSeqStmt, Node } from 'libpg-query'
import { partsOf, tableOf } from '../../effects/names.ts'
import { breaks, mayBreak, said, WORKS, type Run } from '../run/run.ts'
import type { Table } from '../schema/model.ts'
import { placeOf, tableNamed } from '../schema/resolve.ts'

export function createSequence(run: Run, { sequence, options, if_not_exists: isOptional }: CreateSeqStmt): void {
  const { schema } = run
  const at = placeOf(schema, tableOf(sequence), sequence?.relpersistence === 't')
  if (schema.byName(at.schema, at.name) !== undefined) {
    if (isOptional !== true) run.fail('42P07', `${at.name} is there already`)
    return
  }
  const owner = ownerIn(run, options)
  schema.change.putTable({
    id: schema.newId(),
    ...at,
    kind: 'S',
    persistence: 'p',
    owner: schema.role,
    mayHaveRows: false,
    parents: [],
    isPartition: false,
    bound: null,
    partitioning: null,
    rowSecurity: false,
    replicaIdentity: 'd',
    ownedBy: owner ?? null,
    ofType: null,
    columns: [],
    isNew: true,
    isAssumed: false,
  })
  run.part('create sequence', null, { table: at, isNew: true, new: breaks(`it takes numbers from ${at.name}, which is not there before`) })
}

export function alterSequence(run: Run, { sequence, options = [], missing_ok: isOptional }: AlterSeqStmt): void {
  const found = tableNamed(run.schema, tableOf(sequence))
  if (found === undefined) return isOptional === true ? undefined : run.fail('42P01', `there is no sequence ${sequence?.relname ?? ''}`)
  const names = options.flatMap((item) => ('DefElem' in item ? [item.DefElem.defname ?? ''] : []))
  run.lock(found.id, 'ShareRowExclusive')
  const isSet = names.includes('restart')
  run.part('alter sequence', found.id, {
    rewrites: names.every((name) => name === 'owned_by') ? [] : [{ schema: found.schema, name: found.name }],
    old: isSet ? mayBreak(`the next numbers of ${said(run, found.id)} may exist already`) : WORKS,
  })
  const owner = ownerIn(run, options)
  if (owner !== undefined) run.schema.change.putTable({ ...found, ownedBy: owner })
}

/** Undefined: nothing is said of it. */
function ownerIn(run: Run, options: readonly Node[] = []): Table['ownedBy'] | undefined {
  for (const item of options) {
    if (!('DefElem' in item) || item.DefElem.defname !== 'owned_by') continue
    const { arg } = item.DefElem
    const [column = '', table, schema = null] = (arg !== undefined && 'List' in arg ? partsOf(arg.List.items) : []).toReversed()
    if (table === undefined) return null
    const found = tableNamed(run.schema, { schema, name: table })
    if (found === undefined) run.fail('42P01', `there is no table ${table}`)
    else run.lock(found.id, 'AccessShare')
    return found === undefined ? null : { table: found.id, column }
  }
  return undefined
}
