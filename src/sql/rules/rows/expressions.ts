import type { Node } from 'libpg-query'
import { callsIn } from '../../effects/calls.ts'
import { partsOf } from '../../effects/names.ts'
import { walk } from '../../effects/walk.ts'
import type { Parser } from '../../effects/parser.ts'
import type { Schema } from '../schema/schema.ts'

/** Whatever stands where a column may stand; `*` is all of them. */
export function columnNamesIn(value: unknown): ReadonlySet<string> {
  const names = new Set<string>()
  for (const part of walk(value)) {
    const ref = part['ColumnRef']
    if (typeof ref !== 'object' || ref === null || !('fields' in ref) || !Array.isArray(ref.fields)) continue
    for (const field of walk(ref.fields)) {
      if (typeof field['sval'] === 'string') names.add(field['sval'])
      if (field['A_Star'] !== undefined) names.add('*')
    }
  }
  return names
}

/** Whether two calls may give two values, so that each row has its own. What nobody knows may. */
export const isVolatile = (schema: Schema, expression: Node | undefined): boolean =>
  callsIn(expression).some(({ name, isHarmless }) => {
    const own = schema.routines(name)
    if (own.length > 0) return own.some(({ volatility }) => volatility === 'v')
    return !isHarmless || VOLATILE.test(name)
  })

const VOLATILE =
  /^(gen_random_\w+|gen_salt|uuid_generate_v\d\w*|uuidv\d|random\w*|clock_timestamp|timeofday|nextval|currval|lastval|setval|set_config|pg_sleep\w*|crypt)$/

/** What a CHECK asks, of its definition as the catalogue writes it; null where it cannot be read. */
export function checkExpression(parser: Parser, definition: string): Node | null {
  const known = READ.get(definition)
  if (known !== undefined) return known
  const read = readCheck(parser, definition)
  if (READ.size > MOST_KEPT) READ.clear()
  READ.set(definition, read)
  return read
}

const READ = new Map<string, Node | null>()
const MOST_KEPT = 10_000

function readCheck(parser: Parser, definition: string): Node | null {
  try {
    const [node] = parser.sql(`alter table t add ${definition}`)
    const command = node !== undefined && 'AlterTableStmt' in node ? node.AlterTableStmt.cmds?.[0] : undefined
    const def = command !== undefined && 'AlterTableCmd' in command ? command.AlterTableCmd.def : undefined
    return def !== undefined && 'Constraint' in def ? (def.Constraint.raw_expr ?? null) : null
  } catch {
    return null // a newer server's syntax
  }
}

/** The columns that an expression cannot let be null: those of `c IS NOT NULL`, alone or joined by AND. */
export function neverNull(expression: Node | null): ReadonlySet<string> {
  if (expression === null) return new Set()
  if ('BoolExpr' in expression && expression.BoolExpr.boolop === 'AND_EXPR')
    return new Set((expression.BoolExpr.args ?? []).flatMap((one) => [...neverNull(one)]))
  if (!('NullTest' in expression) || expression.NullTest.nulltesttype !== 'IS_NOT_NULL') return new Set()
  const { arg } = expression.NullTest
  const name = arg !== undefined && 'ColumnRef' in arg ? partsOf(arg.ColumnRef.fields).at(-1) : undefined
  return new Set(name === undefined ? [] : [name])
}
