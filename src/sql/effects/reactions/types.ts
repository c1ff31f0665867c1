import type { A_Expr, Node, TypeName } from 'libpg-query'
import type { Effect } from '../effect.ts'
import { partsOf, tableOf, type Table } from '../names.ts'
import { walk } from '../walk.ts'
import { by, type How } from './how.ts'
import type { Indexed } from './indexed.ts'

/** What the types and operators call that a statement uses by name: casts, checks of domains, and their defaults where a column comes to be. */
export function effectsOfTypes(value: unknown, existing: Indexed, how: Pick<How, 'known'>): readonly Effect[] {
  const { operators, domains, casts } = existing
  if (operators.length + domains.length + casts.length === 0) return []
  const parts = walk(value)
  const operatorsUsed = new Set(parts.flatMap(({ A_Expr: one }) => partsOf((one as A_Expr | undefined)?.name)))
  // a cast has its type without the name of the node
  const types = new Set(parts.flatMap((part) => partsOf((part['typeName'] as TypeName | undefined)?.names).slice(-1)))
  const isColumnAdded = parts.some((part) => part['subtype'] === 'AT_AddColumn')
  const does = (routine: string) => how.known(routine) ?? []
  return [
    ...operators
      .filter(({ name }) => operatorsUsed.has(name))
      .flatMap(({ name, routine }) => does(routine).map((effect) => by(`operator ${name}`, effect))),
    ...domains
      .filter((one) => types.has(one.name) && (one.by === 'check' || isColumnAdded))
      .flatMap((one) => does(one.routine).map((effect) => by(`the ${one.by} of type ${one.name}`, effect))),
    ...casts
      .filter(({ name }) => types.has(name))
      .flatMap(({ name, from, routine }) =>
        does(routine).map((effect) => by(`the cast from ${from} to ${name}`, effect, undefined, 'may run')),
      ),
  ]
}

/** Tables whose rows a statement reads to check them or to write them anew. */
export const rowsCheckedBy = (node: Node): readonly Table[] =>
  'AlterTableStmt' in node &&
  (node.AlterTableStmt.cmds ?? []).some((item) => 'AlterTableCmd' in item && CHECKING.has(item.AlterTableCmd.subtype ?? ''))
    ? [tableOf(node.AlterTableStmt.relation)]
    : []

const CHECKING: ReadonlySet<string> = new Set(['AT_ValidateConstraint', 'AT_AlterColumnType', 'AT_AttachPartition', 'AT_SetExpression'])
