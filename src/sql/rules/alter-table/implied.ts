import type { Node, PartitionBoundSpec } from 'libpg-query'
import { partsOf } from '../../effects/names.ts'
import { neverNull } from '../rows/expressions.ts'
import type { Run } from '../run/run.ts'
import type { Table } from '../schema/model.ts'
import { typeNamed } from '../schema/types.ts'
import { typeKey, type SqlType } from '../types/type.ts'
import { expressionOf } from './proof.ts'

/** Whether valid CHECKs of `table` say that all its rows are `inside` (or `outside`) of a partition's bound. In doubt not. */
export function isImplied(run: Run, parent: Table, table: Table, bound: PartitionBoundSpec, where: 'inside' | 'outside'): boolean {
  const [key, ...more] = parent.partitioning?.columns ?? []
  const column = run.schema.table(table.id)?.columns.find(({ name }) => name === key)
  if (key === undefined || column === undefined || more.length > 0 || bound.is_default === true) return false
  const known = run.schema
    .constraints(table.id)
    .filter((one) => one.kind === 'c' && one.isValid && one.isEnforced && one.madeBy !== run.statement)
    .flatMap((one) => conjuncts(expressionOf(run, one)))
  const about: About = { run, key, type: column.type }
  const range = rangeOf(about, bound)
  if (where === 'outside') return range !== null && known.some((one) => isOutside(about, one, range))
  // what the parent itself is a partition of asks for more
  if (parent.isPartition || (column.notNull !== 'yes' && !known.some((one) => neverNull(one).has(key)))) return false
  if (range === null) return isListed(about, known, bound)
  const said = known.flatMap((one) => comparison(about, one) ?? [])
  return (
    (range.from === null || said.some(({ operator, value }) => operator === '>=' && isAtLeast(about, value, range.from))) &&
    (range.to === null || said.some(({ operator, value }) => operator === '<' && isAtLeast(about, range.to, value)))
  )
}

type About = { readonly run: Run; readonly key: string; readonly type: SqlType }
/** Null: without a bound. */
type Range = { readonly from: string | null; readonly to: string | null }

/** `from <= key < to`; null where it is of another kind. */
function rangeOf(about: About, { lowerdatums: lower = [], upperdatums: upper = [] }: PartitionBoundSpec): Range | null {
  const end = ([datum]: readonly Node[]): string | null | undefined => {
    if (datum === undefined) return undefined
    return /^(minvalue|maxvalue)$/.test(columnOf(datum) ?? '') ? null : (literal(about, datum) ?? undefined)
  }
  const [from, to] = [end(lower), end(upper)]
  return from === undefined || to === undefined ? null : { from, to }
}

function isListed(about: About, known: readonly Node[], { listdatums = [] }: PartitionBoundSpec): boolean {
  const values = new Set(listdatums.map((item) => literal(about, item)))
  return (
    values.size > 0 &&
    !values.has(null) &&
    known.some((one) => {
      const said = comparison(about, one)
      return said?.operator === '=' ? values.has(said.value) : valuesOfAny(about, one)?.every((value) => values.has(value)) === true
    })
  )
}

/** Each way in which the row may be there leads out of the range. */
function isOutside(about: About, node: Node, range: Range): boolean {
  if ('BoolExpr' in node) {
    const { boolop, args = [] } = node.BoolExpr
    if (boolop === 'OR_EXPR') return args.every((one) => isNull(about, one) || isOutside(about, one, range))
    return boolop === 'NOT_EXPR' && args.flatMap(conjuncts).every((one) => isPartOf(about, one, range))
  }
  const said = comparison(about, node)
  if (said === null) return false
  return (
    (said.operator === '<' && range.from !== null && isAtLeast(about, range.from, said.value)) ||
    (said.operator === '>=' && range.to !== null && isAtLeast(about, said.value, range.to))
  )
}

/** One of the things that are true of every row inside. */
function isPartOf(about: About, node: Node, range: Range): boolean {
  if (neverNull(node).has(about.key)) return true
  const said = comparison(about, node)
  return said !== null && ((said.operator === '>=' && said.value === range.from) || (said.operator === '<' && said.value === range.to))
}

const isNull = ({ key }: About, node: Node): boolean =>
  'NullTest' in node && node.NullTest.nulltesttype === 'IS_NULL' && columnOf(node.NullTest.arg) === key

function conjuncts(node: Node | null): readonly Node[] {
  if (node === null) return []
  return 'BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR' ? (node.BoolExpr.args ?? []).flatMap(conjuncts) : [node]
}

/** `key < 'value'`. */
function comparison(about: About, node: Node): { readonly operator: string; readonly value: string } | null {
  if (!('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP' || columnOf(node.A_Expr.lexpr) !== about.key) return null
  const value = literal(about, node.A_Expr.rexpr)
  return value === null ? null : { operator: partsOf(node.A_Expr.name).at(-1) ?? '', value }
}

/** `key = ANY (ARRAY[…])`, `key IN (…)`. */
function valuesOfAny(about: About, node: Node): readonly (string | null)[] | null {
  if (!('A_Expr' in node) || partsOf(node.A_Expr.name).at(-1) !== '=' || columnOf(node.A_Expr.lexpr) !== about.key) return null
  const { kind, rexpr } = node.A_Expr
  const list = rexpr === undefined ? undefined : bare(rexpr)
  if (kind === 'AEXPR_OP_ANY' && list !== undefined && 'A_ArrayExpr' in list)
    return (list.A_ArrayExpr.elements ?? []).map((one) => literal(about, one))
  return kind === 'AEXPR_IN' && list !== undefined && 'List' in list ? (list.List.items ?? []).map((one) => literal(about, one)) : null
}

const bare = (node: Node): Node => ('TypeCast' in node && node.TypeCast.arg !== undefined ? bare(node.TypeCast.arg) : node)

function columnOf(node: Node | undefined): string | undefined {
  const inner = node === undefined ? undefined : bare(node)
  return inner !== undefined && 'ColumnRef' in inner ? partsOf(inner.ColumnRef.fields).at(-1) : undefined
}

/** A constant of the key's own type, as text; null for anything else. */
function literal({ run, type }: About, node: Node | undefined): string | null {
  if (node === undefined) return null
  if ('TypeCast' in node) {
    const as = typeNamed(run.schema, node.TypeCast.typeName)
    const isText = TEXTS.has(type.name) && TEXTS.has(as.name)
    return isText || typeKey(as) === typeKey(type) ? literal({ run, type, key: '' }, node.TypeCast.arg) : null
  }
  if (!('A_Const' in node)) return null
  const { sval, ival, fval } = node.A_Const
  const text = sval?.sval ?? fval?.fval ?? (ival === undefined ? null : String(ival.ival ?? 0))
  return text === null || !/^timestamp(tz)?$/.test(type.name) || run.schema.zone.now !== run.schema.zone.first ? text : moment(text)
}

const TEXTS: ReadonlySet<string> = new Set(['text', 'varchar'])

/** `2026-01-01` is midnight. With an offset it stays as it is, so that it is the same only where it is written alike. */
const moment = (text: string): string => text.replace(/^(\d{4}-\d\d-\d\d)$/, '$1 00:00:00').replace('T', ' ')

/** Numbers are compared, other values must be the same. */
function isAtLeast({ type }: About, one: string | null, other: string | null): boolean {
  if (one === null || other === null) return false
  return one === other || (/^int[248]$/.test(type.name) && Number(one) >= Number(other))
}
