import type { Reactions } from '../../../database/reactions.ts'
import type { Table } from '../names.ts'

/** By the name of the table, since every statement of a plan asks. */
export type Indexed = { readonly [Kind in Tied]: (table: string) => Reactions[Kind] } & Pick<
  Reactions,
  'eventTriggers' | 'operators' | 'domains' | 'casts'
>
type Tied = 'triggers' | 'rules' | 'uses' | 'references' | 'heirs' | 'views' | 'reads'

export function indexed(existing: Reactions): Indexed {
  const by = <Row extends { readonly table: string }>(rows: readonly Row[]) => {
    const groups = Map.groupBy(rows, ({ table }) => table)
    return (table: string): readonly Row[] => groups.get(table) ?? []
  }
  return {
    ...existing,
    triggers: by(existing.triggers),
    rules: by(existing.rules),
    uses: by(existing.uses),
    references: by(existing.references),
    heirs: by(existing.heirs),
    views: by(existing.views),
    reads: by(existing.reads),
  }
}

/** A name without a schema may be of each. */
export const itsOf =
  (table: Table) =>
  (one: { readonly schema: string; readonly table: string }): boolean =>
    one.table === table.name && (table.schema === null || table.schema === one.schema)

export const otherOf = ({ otherSchema: schema, other: name }: { readonly otherSchema: string; readonly other: string }): Table => ({
  schema,
  name,
})
