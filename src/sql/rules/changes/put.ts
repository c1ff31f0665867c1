import { callsIn } from '../../effects/calls.ts'
import { said, type Run } from '../run/run.ts'
import type { Constraint, Id, Index, Table } from '../schema/model.ts'
import { family } from '../schema/resolve.ts'

/** Its id. */
export function putConstraint(run: Run, table: Id, about: Pick<Constraint, 'name' | 'kind' | 'columns'> & Partial<Constraint>): number {
  const id = run.schema.newId()
  run.schema.change.putConstraint({
    other: null,
    otherColumns: [],
    isValid: true,
    isEnforced: true,
    definition: '',
    index: null,
    parent: null,
    isInherited: false,
    expression: null,
    ...about,
    id,
    table,
    madeBy: run.statement,
  })
  return id
}

export function putIndex(run: Run, table: Table, about: Pick<Index, 'name' | 'keys'> & Partial<Index>): Id {
  const id = run.schema.newId()
  run.schema.change.putIndex({
    schema: table.schema,
    method: 'btree',
    uses: about.keys.flatMap((key) => key ?? []),
    predicate: null,
    isUnique: false,
    isPrimary: false,
    isExclusion: false,
    isValid: true,
    isSpecial: false,
    parent: null,
    ...about,
    id,
    table: table.id,
    isNew: true,
  })
  return id
}

/** As PostgreSQL chooses one: with a number behind it where it is taken. */
export function freeName({ schema }: Run, place: string, base: string): string {
  let name = base
  for (let at = 1; schema.byName(place, name) !== undefined; at++) name = `${base}${at}`
  return name
}

/** What is unique over all partitions must have the columns that say which partition has a row. */
export function refuseWithoutKey(run: Run, table: Table, columns: readonly (string | null)[]): void {
  for (const id of family(run.schema, table.id)) {
    const keys = run.schema.table(id)?.partitioning?.columns
    const missing = keys?.find((key) => !columns.includes(key))
    if (missing !== undefined) run.fail('0A000', `${said(run, table.id)} is partitioned by ${missing}, which must be among the columns`)
  }
}

/** That something of a table calls functions of people: `column` of a default or a generated column. */
export function useRoutines({ schema }: Run, table: Id, expression: unknown, column: string | null = null): void {
  for (const { name } of callsIn(expression)) if (schema.routines(name).length > 0) schema.change.putUse({ routine: name, table, column })
}
