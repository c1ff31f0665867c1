import type { Node } from 'libpg-query'
import type { CountedQuery } from '../../database/live/live.ts'
import { durationText } from '../../lib/text/text.ts'
import { readOne } from './advice/subcommands.ts'
import type { Part, Rule } from '../rules/forecast.ts'
import type { Parser } from '../effects/parser.ts'
import type { Draft, Weighed } from './draft.ts'
import { inCode, nameOf } from './size.ts'

const GOES: ReadonlySet<Rule> = new Set(['drop column', 'drop table', 'rename column', 'rename table'])

/** More often than that it is not somebody at a prompt. */
const PER_HOUR = 10

/** Statements that the server has counted and that name what goes: by reading them, since a word alone may be anything. */
export function usesOf(part: Part, { live, parser, schema }: Weighed): readonly Pick<Draft, 'code' | 'weight' | 'text'>[] {
  const { table, column } = part
  if (live === null || table === null || !GOES.has(part.rule)) return []
  const wanted = column ?? table.name
  const using = live.queries.filter((query) => query.text.includes(wanted) && names(readOnce(query, parser), table.name, column))
  const [first] = using
  if (first === undefined) return []
  const calls = using.reduce((sum, query) => sum + query.calls, 0)
  const forMs = first.forMs
  const isOften = forMs === null || calls / Math.max(forMs / 3_600_000, 1) >= PER_HOUR
  const what = column === undefined ? nameOf(table, schema) : inCode(`${table.name}.${column}`)
  const since = forMs === null ? 'since the server began to count' : `in the last ${durationText(forMs)}`
  return [
    {
      code: 'in-use',
      weight: isOften ? 'blocker' : 'warning',
      text: `${calls.toLocaleString('en-US')} ${calls === 1 ? 'statement has' : 'statements have'} used ${what} ${since}, most of them ${inCode(first.shown, 160)}`,
    },
  ]
}

/** A plan that drops many columns asks for each of the same statements. */
function readOnce(query: CountedQuery, parser: Parser): Node | undefined {
  if (!read.has(query)) read.set(query, readOne(query.text, parser))
  return read.get(query)
}

const read = new WeakMap<CountedQuery, Node | undefined>()

/** Whether a statement names the table and, of it or of one that is not said, the column (or all of them). */
function names(node: Node | undefined, table: string, column: string | undefined): boolean {
  if (node === undefined || !QUERIES.has(Object.keys(node)[0] ?? '')) return false
  let [hasTable, hasColumn] = [false, column === undefined]
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk)
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'relname' && inner === table) hasTable = true
      if (column !== undefined && (key === 'sval' || key === 'colname') && inner === column) hasColumn = true
      if (column !== undefined && key === 'ResTarget' && isNamed(inner, column)) hasColumn = true
      if (key === 'A_Star') hasColumn = true
      walk(inner)
    }
  }
  walk(node)
  return hasTable && hasColumn
}

/** A migration of before names the column as well. */
const QUERIES: ReadonlySet<string> = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'CopyStmt'])

/** Of `INSERT INTO t (column)` and `SET column = …`. */
const isNamed = (value: unknown, column: string): boolean =>
  typeof value === 'object' && value !== null && 'name' in value && value.name === column
