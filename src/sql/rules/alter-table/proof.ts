import type { Node } from 'libpg-query'
import { checkExpression } from '../rows/expressions.ts'
import type { Run } from '../run.ts'
import type { Constraint } from '../schema/model.ts'

/** What a CHECK asks; null where nobody can read it. */
export const expressionOf = ({ parser }: Run, { expression, definition }: Constraint): Node | null =>
  expression ?? (definition === '' ? null : checkExpression(parser, definition))
