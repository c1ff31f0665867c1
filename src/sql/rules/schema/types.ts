import type { Node, TypeName } from 'libpg-query'
import { partsOf } from '../../effects/names.ts'
import { OWN_TYPES, SERIALS } from '../types/casts.ts'
import { typeKey, type SqlType } from '../types/type.ts'
import type { UserType } from './model.ts'
import { resolve } from './resolve.ts'
import type { Schema } from './schema.ts'

/** The type of a name as it is written; a type that nobody knows is taken for one of PostgreSQL's own. */
export function typeNamed(schema: Schema, type: TypeName | undefined): SqlType {
  const [written = '', given] = partsOf(type?.names).toReversed()
  const name = given === undefined ? (SERIALS[written] ?? written) : written
  const isArray = type?.arrayBounds !== undefined
  const found = given === 'pg_catalog' ? null : placeOfType(schema, given ?? null, name)
  return { schema: found, name, isArray, modifiers: found === null ? modifiersOf(name, type?.typmods ?? []) : numbers(type?.typmods ?? []) }
}

/** False only where it is certain. */
export const isKnownType = (schema: Schema, type: SqlType): boolean =>
  schema.knows === 'nothing' ||
  (type.schema === null
    ? OWN_TYPES.has(type.name)
    : userType(schema, type) !== undefined || resolve(schema, { schema: type.schema, name: type.name }) !== undefined)

export const isSerial = (type: TypeName | undefined): boolean => {
  const [name = '', given] = partsOf(type?.names).toReversed()
  return given === undefined && name in SERIALS
}

/** The schema of a type that is not PostgreSQL's own. */
function placeOfType(schema: Schema, given: string | null, name: string): string | null {
  for (const one of given === null ? schema.path.now : [given]) {
    if (schema.type(`${one}.${name}`) !== undefined) return one
    const row = resolve(schema, { schema: one, name })
    if (row !== undefined && schema.table(row) !== undefined) return one // that of a table's rows
  }
  return given !== null && given !== 'pg_catalog' ? given : null
}

export const userType = (schema: Schema, type: Pick<SqlType, 'schema' | 'name'>): UserType | undefined =>
  type.schema === null ? undefined : schema.type(typeKey(type))

/** A name of a type as DROP and ALTER write it. */
export function userTypeNamed(schema: Schema, names: readonly Node[] | undefined): UserType | undefined {
  const [name = '', given] = partsOf(names).toReversed()
  for (const one of given === undefined ? schema.path.now : [given]) {
    const found = schema.type(`${one}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** What a domain is made of in the end, and what it asks of a value on the way. */
export function baseOf(schema: Schema, type: SqlType): { readonly base: SqlType; readonly isDomain: boolean; readonly isChecked: boolean } {
  let [base, isDomain, isChecked] = [type, false, false]
  for (let found = userType(schema, base); !base.isArray && found?.kind === 'd' && found.base !== null; found = userType(schema, base)) {
    isChecked ||= found.notNull || found.checks.length > 0
    isDomain = true
    base = found.base
  }
  return { base, isDomain, isChecked }
}

function modifiersOf(name: string, given: readonly Node[]): readonly number[] {
  const found = numbers(given)
  if (found.length === 0) return []
  if (name === 'numeric') return [found[0] ?? 0, found[1] ?? 0]
  if (/^time(stamp)?(tz)?$/.test(name)) return [Math.min(found[0] ?? 6, 6)]
  if (name === 'interval') return [found[0] ?? 0x7fff, Math.min(found[1] ?? 0xffff, found[1] === undefined ? 0xffff : 6)]
  return found
}

const numbers = (given: readonly Node[]): readonly number[] =>
  given.flatMap((item) => ('A_Const' in item && item.A_Const.ival !== undefined ? [item.A_Const.ival.ival ?? 0] : []))
