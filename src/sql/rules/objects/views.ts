import type { CreateTableAsStmt, IntoClause, Node, RefreshMatViewStmt, ViewStmt } from 'libpg-query'
import { partsOf, tableOf } from '../../effects/names.ts'
import { columnNamesIn } from '../rows/expressions.ts'
import { callsOf } from '../rows/calls.ts'
import { namedIn, readFrom } from '../rows/relations.ts'
import type { Part } from '../model/forecast.ts'
import { breaks, indexesOf, mayBreak, said, type Run } from '../run/run.ts'
import type { Column, Dependent, Id, Table } from '../schema/model.ts'
import { family, placeOf, relationOf, sourcesOf, tableNamed } from '../schema/resolve.ts'
import { ownType } from '../types/type.ts'
import { lockIndexes } from '../changes/dropping.ts'

export function createView(run: Run, { view, query, replace, aliases }: ViewStmt): void {
  const { schema } = run
  const at = placeOf(schema, tableOf(view), view?.relpersistence === 't')
  const known = schema.byName(at.schema, at.name)
  readFrom(run, query)
  const was = known === undefined ? undefined : schema.table(known)
  if (known !== undefined && replace !== true) run.fail('42P07', `${at.name} is there already`)
  const columns = columnsOf(query, aliases)
  if (was !== undefined) {
    run.lock(was.id, 'AccessExclusive')
    if (columns !== null && was.columns.some((column, index) => columns[index]?.name !== column.name))
      run.fail('42P16', `${said(run, was.id)} would lose or rename a column, which only DROP VIEW and CREATE VIEW can do`)
    run.part('create view', was.id, { old: mayBreak(`${said(run, was.id)} shows it other rows than before`) })
    forget(run, was.id)
    dependOn(run, was.id, query)
    return
  }
  const id = put(run, at, 'v', columns ?? [])
  dependOn(run, id, query)
  run.part('create view', id, { new: breaks(`it uses ${said(run, id)}, which is not there before`) })
}

/** Null where a star or a set of queries keeps them from being told. */
function columnsOf(query: Node | undefined, aliases: readonly Node[] = []): readonly Column[] | null {
  if (query === undefined || !('SelectStmt' in query) || query.SelectStmt.targetList === undefined) return null
  const names = query.SelectStmt.targetList.flatMap((item) => {
    if (!('ResTarget' in item)) return [null]
    const { name, val } = item.ResTarget
    if (name !== undefined) return [name]
    if (val !== undefined && 'ColumnRef' in val)
      return [
        partsOf(val.ColumnRef.fields).length === (val.ColumnRef.fields ?? []).length
          ? (partsOf(val.ColumnRef.fields).at(-1) ?? null)
          : null,
      ]
    return [null]
  })
  if (names.includes(null)) return aliases.length === 0 ? null : partsOf(aliases).map(column)
  return names.map((name, at) => column(partsOf(aliases)[at] ?? name ?? ''))
}

const column = (name: string): Column => ({
  name,
  type: ownType('text'),
  notNull: 'no',
  collation: null,
  default: null,
  identity: null,
  generated: null,
  isInherited: false,
  isNew: true,
})

function put(run: Run, at: { readonly schema: string; readonly name: string }, kind: Table['kind'], columns: readonly Column[]): Id {
  const id = run.schema.newId()
  run.schema.change.putTable({
    id,
    ...at,
    kind,
    persistence: 'p',
    owner: run.schema.role,
    mayHaveRows: true,
    parents: [],
    isPartition: false,
    bound: null,
    partitioning: null,
    rowSecurity: false,
    replicaIdentity: 'd',
    ownedBy: null,
    ofType: null,
    columns,
    isNew: true,
    isAssumed: false,
  })
  return id
}

/** Every column of the name in every table that is read, since nobody says which is meant. */
function dependOn(run: Run, view: Id, query: Node | undefined): void {
  const { schema } = run
  const names = columnNamesIn(query)
  const at = relationOf(schema, view)
  for (const range of namedIn(query)) {
    const table = tableNamed(schema, tableOf(range))
    if (table === undefined) continue
    const used = table.columns.filter((one) => names.has('*') || names.has(one.name))
    const entry = (name: string | null): Dependent => ({
      on: table.id,
      column: name,
      kind: 'view',
      schema: at.schema,
      name: at.name,
      relation: view,
    })
    for (const name of [null, ...used.map(({ name }) => name)]) schema.change.putDependent(entry(name))
  }
}

function forget({ schema }: Run, view: Id): void {
  for (const one of schema.reads(view)) schema.change.dropDependent(one)
}

/** CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW. */
export function createFromQuery(run: Run, { query, into, objtype, if_not_exists: isOptional }: CreateTableAsStmt): void {
  create(run, into, query, { isView: objtype === 'OBJECT_MATVIEW', isOptional: isOptional === true })
}

export function create(
  run: Run,
  into: IntoClause | undefined,
  query: Node | undefined,
  how: { readonly isView: boolean; readonly isOptional: boolean },
): void {
  const at = placeOf(run.schema, tableOf(into?.rel), into?.rel?.relpersistence === 't')
  const known = run.schema.byName(at.schema, at.name)
  if (known !== undefined) {
    if (!how.isOptional) run.fail('42P07', `${at.name} is there already`)
    return
  }
  const scans = readFrom(run, query)
  callsOf(run, query)
  const id = put(run, at, how.isView ? 'm' : 'r', columnsOf(query, into?.colNames) ?? [])
  if (how.isView) dependOn(run, id, query)
  run.part(how.isView ? 'create view' : 'create table', id, {
    scans: into?.skipData === true ? [] : scans,
    new: breaks(`it uses ${said(run, id)}, which is not there before`),
  })
}

export function refreshView(run: Run, { relation, concurrent: isConcurrent, skipData }: RefreshMatViewStmt): void {
  const { schema } = run
  const view = tableNamed(schema, tableOf(relation))
  if (view === undefined) return run.fail('42P01', `there is no materialized view ${relation?.relname ?? ''}`)
  run.lock(view.id, isConcurrent === true ? 'Exclusive' : 'AccessExclusive')
  const own = [relationOf(schema, view.id)]
  if (skipData === true) {
    lockIndexes(run, view.id, 'AccessExclusive')
    return run.part('refresh view', view.id, {
      rewrites: own,
      builds: indexesOf(run, view.id),
      loses: [`all rows of ${own[0]?.schema ?? ''}.${own[0]?.name ?? ''} until it is refreshed`],
      old: breaks(`${said(run, view.id)} cannot be read until it is refreshed`),
    })
  }
  const scans: Part['scans'][number][] = [...own]
  const open = [...sourcesOf(schema, view.id)]
  for (const source of open) {
    for (const id of family(schema, source)) {
      run.lock(id, 'AccessShare')
      if (schema.table(id)?.kind === 'v') open.push(...sourcesOf(schema, id).filter((one) => !open.includes(one)))
      else scans.push(relationOf(schema, id))
    }
  }
  if (isConcurrent === true) return run.part('refresh view', view.id, { scans })
  lockIndexes(run, view.id, 'AccessExclusive')
  run.part('refresh view', view.id, { rewrites: own, scans, builds: indexesOf(run, view.id) })
}
