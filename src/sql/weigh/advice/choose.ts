import type { Catalogue } from '../../../database/catalogue/catalogue.ts'
import type { Parser } from '../../effects/parser.ts'
import type { Forecast, Part, Relation } from '../../rules/forecast.ts'
import type { Advice } from './advice.ts'
import { filledLater, requiredLater } from './added-columns.ts'
import { dropColumnLater, dropTableLater, expandForRename, expandForType, renameTableWithView } from './columns.ts'
import { provenNotNull, usingIndex, validateLater } from './constraints.ts'
import { concurrently, indexByPartition, isPartitioned } from './indexes.ts'

export type Advising = { readonly schema: string; readonly today: string; readonly parser: Parser; readonly catalogue: Catalogue | null }

/** The safe way to the same end; null where none is known, or where it cannot be written without knowing more. */
export function adviceFor(part: Part, { sql }: Forecast, place: Advising): Advice | null {
  const { table, column, name, from, to } = part
  const inParts = isPartitioned(place.catalogue, table)
  switch (part.rule) {
    case 'create index':
      return inParts ? indexByPartition(part, sql, place) : concurrently(part, sql)
    case 'drop index':
      return inParts ? null : concurrently(part, sql)
    case 'reindex':
    case 'refresh view':
      return concurrently(part, sql)
    case 'add foreign key':
      // NOT VALID from a partitioned table is known since 18
      return inParts && (place.catalogue?.version ?? 0) < 180_000 ? null : validateLater(part, sql, place)
    case 'add check':
      return validateLater(part, sql, place)
    case 'add unique':
    case 'add primary key':
      return inParts ? null : usingIndex(part, sql, place)
    case 'set not null':
      return table === null || column === undefined ? null : provenNotNull(table, column, place.schema)
    case 'add required column':
      return requiredLater(part, sql, place)
    case 'add column that is filled row by row':
      return filledLater(part, sql, place)
    case 'drop column':
      return table === null || column === undefined ? null : dropColumnLater(table, column, place)
    case 'drop table':
      return table === null ? null : dropTableLater(table, place)
    case 'rename table':
      return table === null || name === undefined ? null : renameTableWithView(table, name, place)
    case 'rename column':
      return table === null || column === undefined || name === undefined ? null : renamed({ table, column, name, type: from }, place)
    case 'change type':
      return table === null || column === undefined || to === undefined ? null : expandForType(table, column, to, place)
    case 'update':
    case 'delete':
      return inBatchesOnly
    default:
      return null
  }
}

/** Only with the type of the column, which the new one has to have. */
function renamed(
  { table, column, name, type }: { table: Relation; column: string; name: string; type: string | undefined },
  place: Advising,
): Advice | null {
  const known = place.catalogue?.relations
    .find((one) => one.schema === table.schema && one.name === table.name)
    ?.columns.find((one) => one.name === column)
  const shown = type ?? known?.shown
  return shown === undefined ? null : expandForRename(table, column, name, shown, place)
}

const inBatchesOnly: Advice = {
  text: 'Change the rows in batches of some thousand, each in a transaction of its own, outside of a file that also changes the schema: what a batch locks is free again in a moment',
  files: [],
}
