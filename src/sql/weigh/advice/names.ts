import { identifier } from '../../../database/session-facts.ts'
import type { Relation } from '../../rules/forecast.ts'

/** A table as it is written in a statement; its schema where that is not the one of the target. */
export const relationSql = ({ schema, name }: Relation, own: string): string =>
  schema === own ? identifier(name) : `${identifier(schema)}.${identifier(name)}`

/** A name made of others, in the 63 bytes that PostgreSQL keeps; the end, which says what it is for, stays. */
export function madeName(start: string, end = ''): string {
  let kept = start
  while (Buffer.byteLength(kept + end) > 63) kept = kept.slice(0, -1)
  return kept.toWellFormed().replace(/\ufffd$/, '') + end
}

/** Beginning first: the other way round for what begins with a mark. */
export const deprecatedName = (name: string): string => madeName(`_deprecated_${name}`)

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Of a file of the advice, as the migration's name. */
export const fileName = (...words: readonly string[]): string =>
  words
    .join('_')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 60)
