import type { CatalogueTypeRef } from '../../../database/catalogue/catalogue.ts'

/** `schema` null: PostgreSQL's own, by its `typname`. Of an array it is the type of the elements. `modifiers` as they are written: [10, 2]. */
export type SqlType = {
  readonly schema: string | null
  readonly name: string
  readonly isArray: boolean
  readonly modifiers: readonly number[]
}

export const typeKey = ({ schema, name }: Pick<SqlType, 'schema' | 'name'>): string => (schema === null ? name : `${schema}.${name}`)

export const sameType = (one: SqlType, other: SqlType): boolean => typeKey(one) === typeKey(other) && one.isArray === other.isArray

export const ownType = (name: string, modifiers: readonly number[] = []): SqlType => ({ schema: null, name, isArray: false, modifiers })

export const typeOfRef = ({ schema, name, isArray, typmod }: CatalogueTypeRef): SqlType => ({
  schema,
  name,
  isArray,
  modifiers: typmod < 0 ? [] : schema === null ? decoded(name, typmod) : [typmod],
})

/** What a number in the catalogue stands for. */
function decoded(name: string, typmod: number): readonly number[] {
  if (name === 'varchar' || name === 'bpchar') return [typmod - 4]
  if (name === 'numeric') return [((typmod - 4) >> 16) & 0xffff, (((typmod - 4) & 0x7ff) ^ 1024) - 1024]
  if (name === 'interval') return [(typmod >> 16) & 0x7fff, typmod & 0xffff]
  return [typmod]
}

/** Of interval: every field, no precision said. */
const INTERVAL_ALL = 0x7fff
const INTERVAL_FULL = 0xffff

/** As `format_type` writes it. */
export function shownType(type: SqlType): string {
  const array = type.isArray ? '[]' : ''
  const { name, modifiers, schema } = type
  if (schema !== null) return `${name}${modifiers.length === 0 ? '' : `(${modifiers.join(',')})`}${array}`
  if (name === 'bpchar') return `${modifiers.length === 0 ? 'bpchar' : `character(${modifiers[0]})`}${array}`
  if (name === 'interval') {
    const [range = INTERVAL_ALL, precision = INTERVAL_FULL] = modifiers
    return `interval${range === INTERVAL_ALL ? '' : ' fields'}${precision === INTERVAL_FULL ? '' : `(${precision})`}${array}`
  }
  const [word, tail = ''] = WORDS[name] ?? [name]
  return `${word}${modifiers.length === 0 ? '' : `(${modifiers.join(',')})`}${tail}${array}`
}

const WORDS: Readonly<Record<string, readonly [string, string?]>> = {
  bool: ['boolean'],
  int2: ['smallint'],
  int4: ['integer'],
  int8: ['bigint'],
  float4: ['real'],
  float8: ['double precision'],
  varchar: ['character varying'],
  varbit: ['bit varying'],
  timestamp: ['timestamp', ' without time zone'],
  timestamptz: ['timestamp', ' with time zone'],
  time: ['time', ' without time zone'],
  timetz: ['time', ' with time zone'],
}
