import type { Relation } from '../model/forecast.ts'
import type { Id, Index, Table } from './model.ts'
import type { Schema } from './schema.ts'

export type Named = { readonly schema: string | null; readonly name: string }

/** Temporary relations stand before all others. */
export const TEMPORARY = 'pg_temp'

/** The relation or index of a name as it is written; undefined where there is none. */
export function resolve(schema: Schema, { schema: given, name }: Named): Id | undefined {
  for (const one of given === null ? [TEMPORARY, ...schema.path.now] : [given]) {
    const id = schema.byName(one, name)
    if (id !== undefined) return id
  }
  return undefined
}

/** Where a thing of this name comes into being: schemas of the search path that are not there are passed over. */
export const placeOf = (schema: Schema, { schema: given, name }: Named, isTemporary = false): Relation => ({
  schema: isTemporary ? TEMPORARY : (given ?? schema.path.now.find((one) => schema.hasSchema(one)) ?? schema.path.now[0] ?? 'public'),
  name,
})

/** The table, view or sequence of a name; where nobody asked the database, one is taken to be there. */
export function tableNamed(schema: Schema, named: Named): Table | undefined {
  const id = resolve(schema, named)
  if (id !== undefined) return schema.table(id)
  if (schema.knows === 'everything' || isSystem(named)) return undefined
  const assumed = assumedTable(schema, placeOf(schema, named))
  schema.change.putTable(assumed)
  return assumed
}

export function indexNamed(schema: Schema, named: Named): Index | undefined {
  const id = resolve(schema, named)
  return id === undefined ? undefined : schema.index(id)
}

/** PostgreSQL's own catalogue, which nobody migrates. */
export const isSystem = ({ schema, name }: Named): boolean =>
  schema === 'pg_catalog' || schema === 'information_schema' || (schema === null && name.startsWith('pg_'))

/** Itself, its partitions and heirs, theirs, and so on. */
export function family(schema: Schema, id: Id): readonly Id[] {
  const found = new Set([id])
  for (const one of found) for (const child of schema.children(one)) found.add(child)
  return [...found]
}

/** Those of the family that hold rows. */
export const holders = (schema: Schema, id: Id): readonly Id[] =>
  family(schema, id).filter((one) => /^[rm]$/.test(schema.table(one)?.kind ?? ''))

export const relationOf = (schema: Schema, id: Id): Relation => {
  const found = schema.table(id) ?? schema.index(id)
  return { schema: found?.schema ?? '', name: found?.name ?? '' }
}

function assumedTable(schema: Schema, { schema: place, name }: Relation): Table {
  return {
    id: schema.newId(),
    schema: place,
    name,
    kind: 'r',
    persistence: 'p',
    owner: schema.role,
    mayHaveRows: true,
    parents: [],
    isPartition: false,
    bound: null,
    partitioning: null,
    rowSecurity: false,
    replicaIdentity: 'd',
    ownedBy: null,
    ofType: null,
    columns: [],
    isNew: false,
    isAssumed: true,
  }
}

/** What a view reads, each once. */
export const sourcesOf = (schema: Schema, view: Id): readonly Id[] => [...new Set(schema.reads(view).map(({ on }) => on))]
