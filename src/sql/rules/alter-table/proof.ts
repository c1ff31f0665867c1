import type { Node } from 'libpg-query'
import { checkExpression, columnNamesIn } from '../rows/expressions.ts'
import type { Run } from '../run/run.ts'
import type { Constraint, Id } from '../schema/model.ts'
import { family } from '../schema/resolve.ts'

/** What a CHECK asks; null where nobody can read it. */
export const expressionOf = ({ parser }: Run, { expression, definition }: Constraint): Node | null =>
  expression ?? (definition === '' ? null : checkExpression(parser, definition))

/** Every column that a constraint needs. */
export const usedColumns = (run: Run, constraint: Constraint): ReadonlySet<string> =>
  new Set([...constraint.columns, ...columnNamesIn(expressionOf(run, constraint))])

/** A CHECK that is asked again when the column is another. */
export const hasCheckOn = (run: Run, table: Id, column: string): boolean =>
  family(run.schema, table).some((id) =>
    run.schema.constraints(id).some((one) => one.kind === 'c' && one.isEnforced && usedColumns(run, one).has(column)),
  )
