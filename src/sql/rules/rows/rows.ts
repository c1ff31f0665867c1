import type { CopyStmt, DeleteStmt, InsertStmt, MergeStmt, Node, SelectStmt, UpdateStmt } from 'libpg-query'
import { walk } from '../../effects/walk.ts'
import type { Part } from '../model/forecast.ts'
import { relationOf } from '../schema/resolve.ts'
import { rowsOf, type Run } from '../run/run.ts'
import type { Table } from '../schema/model.ts'
import { refuseNewValue } from './new-values.ts'
import { callsOf } from './calls.ts'
import { distinct, readFrom } from './relations.ts'
import { targetsOf, writeTo } from './writing.ts'

/** Statements that read and write rows; false for others. */
export function forecastRows(run: Run, node: Node): boolean {
  if ('SelectStmt' in node && node.SelectStmt.intoClause === undefined) select(run, node.SelectStmt)
  else if ('InsertStmt' in node) insert(run, node.InsertStmt)
  else if ('UpdateStmt' in node) update(run, node.UpdateStmt)
  else if ('DeleteStmt' in node) remove(run, node.DeleteStmt)
  else if ('MergeStmt' in node) merge(run, node.MergeStmt)
  else if ('CopyStmt' in node) copy(run, node.CopyStmt)
  else return false
  return true
}

function select(run: Run, node: SelectStmt): void {
  const scans = readFrom(run, node, walk(node).some((part) => part['LockingClause'] !== undefined) ? 'RowShare' : 'AccessShare')
  writesInside(run, node)
  callsOf(run, node)
  if (scans.length > 0) run.part('read', null, { scans })
}

/** `WITH gone AS (DELETE …)`. */
function writesInside(run: Run, node: unknown): void {
  const clauses = walk(node).flatMap((part) => (part['CommonTableExpr'] === undefined ? [] : [part['CommonTableExpr']]))
  for (const clause of clauses) {
    const query = typeof clause === 'object' && clause !== null && 'ctequery' in clause ? (clause.ctequery as Node) : undefined
    if (query !== undefined && !('SelectStmt' in query)) forecastRows(run, query)
  }
}

function insert(run: Run, node: InsertStmt): void {
  const columns = targetsOf(node.cols)
  const { table, scans } = writeTo(run, node.relation, 'INSERT', columns)
  const read = readFrom(run, node)
  writesInside(run, { withClause: node.withClause })
  callsOf(run, node)
  if (table === null) return
  const overwrites = node.onConflictClause?.action === 'ONCONFLICT_UPDATE'
  const changed = overwrites ? targetsOf(node.onConflictClause?.targetList) : []
  if (overwrites) writeTo(run, node.relation, 'UPDATE', changed)
  useValues(run, table, node)
  run.part('insert', table.id, {
    scans: distinct([...read, ...scans]),
    loses: table.isNew ? [] : changed.map((column) => `what ${dotted(run, table)}.${column} holds where the rows are there already`),
  })
  fill(run, table, true)
}

const dotted = (run: Run, table: Table): string => {
  const { schema, name } = relationOf(run.schema, table.id)
  return `${schema}.${name}`
}

function fill({ schema }: Pick<Run, 'schema'>, table: Table, mayHaveRows: boolean): void {
  const now = schema.table(table.id)
  if (now !== undefined && now.mayHaveRows !== mayHaveRows) schema.change.putTable({ ...now, mayHaveRows })
  for (const child of schema.children(table.id)) {
    const one = schema.table(child)
    if (one !== undefined) fill({ schema }, one, mayHaveRows)
  }
}

/** Enum values that are new in this transaction. */
function useValues(run: Run, table: Table, node: unknown): void {
  for (const { type } of table.columns) refuseNewValue(run, type, node)
}

function update(run: Run, node: UpdateStmt): void {
  const columns = targetsOf(node.targetList)
  const { table, rows, scans } = writeTo(run, node.relation, 'UPDATE', columns)
  const read = readFrom(run, node)
  writesInside(run, { withClause: node.withClause })
  callsOf(run, node)
  if (table === null) return
  useValues(run, table, node)
  run.part('update', table.id, {
    ...(columns.length === 1 && columns[0] !== undefined ? { column: columns[0] } : {}),
    scans: distinct([...rows, ...read, ...scans]),
    loses: table.isNew
      ? []
      : columns.map((column) => `what ${dotted(run, table)}.${column} holds${node.whereClause === undefined ? '' : ' in some rows'}`),
  })
}

function remove(run: Run, node: DeleteStmt): void {
  const { table, rows, scans } = writeTo(run, node.relation, 'DELETE', null)
  const read = readFrom(run, node)
  writesInside(run, { withClause: node.withClause })
  callsOf(run, node)
  if (table === null) return
  run.part('delete', table.id, {
    scans: distinct([...rows, ...read, ...scans]),
    loses: table.isNew ? [] : [`${node.whereClause === undefined ? 'all' : 'some'} rows of ${dotted(run, table)}`],
  })
  if (node.whereClause === undefined && node.usingClause === undefined) fill(run, table, false)
}

function merge(run: Run, node: MergeStmt): void {
  const kinds = new Set(
    (node.mergeWhenClauses ?? []).flatMap((item) => ('MergeWhenClause' in item ? [item.MergeWhenClause.commandType] : [])),
  )
  const scans: Part['scans'][number][] = []
  let table: Table | null = null
  for (const [kind, how] of [
    ['CMD_INSERT', 'INSERT'],
    ['CMD_UPDATE', 'UPDATE'],
    ['CMD_DELETE', 'DELETE'],
  ] as const) {
    if (!kinds.has(kind) && how !== 'UPDATE') continue
    const written = writeTo(run, node.relation, how, null)
    table = written.table
    scans.push(...written.scans)
  }
  const read = readFrom(run, node)
  callsOf(run, node)
  if (table === null) return
  const lost = kinds.has('CMD_DELETE') ? [`some rows of ${dotted(run, table)}`] : [`what some rows of ${dotted(run, table)} hold`]
  run.part('update', table.id, { scans: distinct([...rowsOf(run, table.id), ...read, ...scans]), loses: table.isNew ? [] : lost })
  fill(run, table, true)
}

function copy(run: Run, node: CopyStmt): void {
  if (node.is_from !== true) {
    const scans = readFrom(run, node.relation === undefined ? node.query : [{ RangeVar: node.relation }])
    callsOf(run, node.query)
    return run.part('read', null, { scans })
  }
  const { table } = writeTo(run, node.relation, 'INSERT', null)
  if (table === null) return
  run.part('insert', table.id)
  fill(run, table, true)
}
