import type { Node } from 'libpg-query'
import { partsOf } from '../../effects/names.ts'
import { baseOf, typeNamed } from '../schema/types.ts'
import type { Schema } from '../schema/schema.ts'
import { BUILT_IN, COMPARED, MODIFIERS, OPERATORS, STRINGS, UTC_ZONES, ZONED } from '../types/casts.ts'
import { sameType, typeKey, type SqlType } from '../types/type.ts'

export type TypeChange =
  /** No cast leads there. */
  | { readonly kind: 'impossible' }
  | {
      readonly kind: 'possible'
      /** Every row is written anew. */
      readonly rewrites: boolean
      /** An index on the column stays as it is, if nothing is rewritten. */
      readonly keepsIndexes: boolean
    }

/** A value on its way: of what type, and whether its bytes are still those of the column. */
type Value = { readonly type: SqlType | null; readonly isSame: boolean }

type About = { readonly schema: Schema; readonly column: string; readonly from: SqlType; readonly to: SqlType; readonly using: Node | null }

/** What ALTER COLUMN TYPE makes of the values. */
export function typeChange({ schema, column, from, to, using }: About): TypeChange {
  const given: Value | null = using === null ? { type: from, isSame: true } : valueOf(schema, using, { column, from })
  const value = given === null ? null : coerced(schema, given, to, using === null ? 'assignment' : 'assignment')
  if (value === null) return { kind: 'impossible' }
  return { kind: 'possible', rewrites: !value.isSame, keepsIndexes: operatorsOf(schema, from) === operatorsOf(schema, to) }
}

/** What an index compares by; of an array it goes with the whole type. */
export function operatorsOf(schema: Schema, type: SqlType): string {
  const { base } = baseOf(schema, type)
  return base.isArray ? `${typeKey(base)}[]` : (OPERATORS[typeKey(base)] ?? typeKey(base))
}

/** Whether a value of this type can be stored in the other one; undefined type: nobody knows. */
export const isStorable = (schema: Schema, from: SqlType, to: SqlType): boolean =>
  coerced(schema, { type: from, isSame: true }, to, 'assignment') !== null

/** False only where it is certain: a number and a text, say. */
export function isComparable(one: SqlType, other: SqlType): boolean {
  if (one.schema !== null || other.schema !== null || one.isArray || other.isArray) return true
  const [group, another] = [COMPARED[one.name], COMPARED[other.name]]
  return group === undefined || another === undefined || group === another
}

function valueOf(schema: Schema, node: Node, about: { readonly column: string; readonly from: SqlType }): Value | null {
  if ('ColumnRef' in node && partsOf(node.ColumnRef.fields).at(-1) === about.column) return { type: about.from, isSame: true }
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) {
    const inner = valueOf(schema, node.TypeCast.arg, about)
    return inner === null ? null : coerced(schema, inner, typeNamed(schema, node.TypeCast.typeName), 'explicit')
  }
  return { type: null, isSame: false }
}

function coerced(schema: Schema, value: Value, to: SqlType, context: 'assignment' | 'explicit'): Value | null {
  if (value.type === null) return { type: to, isSame: false }
  if (sameType(value.type, to)) return { type: to, isSame: value.isSame && isFree(value.type, to) }
  const [source, target] = [baseOf(schema, value.type), baseOf(schema, to)]
  // the length of a domain is not seen through it
  const from = source.isDomain ? { ...source.base, modifiers: [] } : value.type
  const based = cast(schema, { type: from, isSame: value.isSame }, target.base, context)
  return based === null ? null : { type: to, isSame: based.isSame && !target.isChecked }
}

function cast(
  schema: Schema,
  { type: from, isSame }: { readonly type: SqlType; readonly isSame: boolean },
  to: SqlType,
  context: string,
): Value | null {
  if (sameType(from, to)) return { type: to, isSame: isSame && isFree(from, to) }
  if (from.isArray !== to.isArray)
    return to.isArray || !(STRINGS.has(to.name) || context === 'explicit') ? viaText(from, to, context) : { type: to, isSame: false }
  if (from.isArray) {
    const element = cast(schema, { type: { ...from, isArray: false }, isSame: true }, { ...to, isArray: false }, context)
    return element === null ? null : { type: to, isSame: false } // each element is handled, even where nothing becomes of it
  }
  const pair = `${from.name}>${to.name}`
  const found = from.schema === null && to.schema === null ? BUILT_IN.get(pair) : schema.cast(from.name, to.name)
  if (found === undefined || (context !== 'explicit' && found.context === 'e')) return viaText(from, to, context)
  const staysAsIs = found.method === 'b' || (ZONED.has(pair) && UTC_ZONES.test(schema.zone.now))
  return { type: to, isSame: isSame && staysAsIs && isFree({ ...to, modifiers: [] }, to) }
}

/** Everything can be stored as text; from text only where it is written. */
const viaText = (from: SqlType, to: SqlType, context: string): Value | null =>
  (!to.isArray && STRINGS.has(to.name)) || (context === 'explicit' && !from.isArray && STRINGS.has(from.name))
    ? { type: to, isSame: false }
    : null

/** Whether lengths and precisions leave every value as it is, between two of the same type. */
export function isFree({ modifiers: from, isArray }: SqlType, { name, modifiers: to }: SqlType): boolean {
  if (to.length === 0 || (from.length === to.length && from.every((one, at) => one === to[at]))) return true
  if (isArray) return false
  const how = MODIFIERS[name]
  const [old, oldSecond] = from
  const [now = 0, second = 0] = to
  switch (how?.kind) {
    case 'length':
      return old !== undefined && now >= old
    case 'precision and scale':
      return old !== undefined && now >= old && second === oldSecond
    case 'fraction':
      return now >= how.most || (old !== undefined && now >= old)
    case 'fields and fraction':
      return isFreeInterval(from, to, how.most)
    default:
      return false
  }
}

const ALL_FIELDS = 0x7fff

/** Fewer fields are not judged one by one. */
function isFreeInterval(
  [oldFields = ALL_FIELDS, old = 0xffff]: readonly number[],
  [fields = ALL_FIELDS, now = 0xffff]: readonly number[],
  most: number,
) {
  return (fields === ALL_FIELDS || fields === oldFields) && (now >= most || now >= old)
}
