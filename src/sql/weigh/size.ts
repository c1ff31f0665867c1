import type { ReviewSettings } from '../../config/keys/review.ts'
import type { Live } from '../../database/live/live.ts'
import { plainText } from '../../lib/text/quoted.ts'
import { sizeText } from '../../lib/text/units.ts'
import type { LockMode, Relation } from '../rules/forecast.ts'
import { weights, type Weight } from './finding.ts'

export type Sized = {
  readonly rows: number | null
  /** With indexes; null where nothing is known. */
  readonly bytes: number | null
  readonly writesPerSecond: number
  readonly readsPerSecond: number
}

const nothingKnown: Sized = { rows: null, bytes: null, writesPerSecond: 0, readsPerSecond: 0 }

/** How large and how busy a table is, by name. Without a database nothing is known of any. */
export function sizesOf(live: Live | null): (relation: Relation) => Sized {
  const known = new Map((live?.tables ?? []).map((table) => [keyOf(table), table]))
  return (relation) => {
    const found = known.get(keyOf(relation))
    if (found === undefined) return nothingKnown
    const { rows, bytes, indexBytes, writesPerSecond, readsPerSecond } = found
    return { rows, bytes: bytes + indexBytes, writesPerSecond: writesPerSecond ?? 0, readsPerSecond: readsPerSecond ?? 0 }
  }
}

/** What work on all rows of a table weighs while it holds others off. Of what nothing is known is taken for large. */
export function gradeOf({ rows, bytes, writesPerSecond }: Sized, limits: ReviewSettings): Weight {
  if (bytes === null) return 'blocker'
  const bySize = heaviest([levelOf(rows ?? 0, limits.rows), levelOf(bytes, limits.bytes)])
  return bySize === 'warning' && writesPerSecond >= limits.writesPerSecond ? 'blocker' : bySize
}

const levelOf = (value: number, { warn, block }: { readonly warn: number; readonly block: number }): Weight =>
  value >= block ? 'blocker' : value >= warn ? 'warning' : 'note'

export const heaviest = (all: readonly Weight[]): Weight => weights.findLast((weight) => all.includes(weight)) ?? 'note'

export const keyOf = ({ schema, name }: Relation): string => JSON.stringify([schema, name])

/** `` `orders` ``; its schema where that is not the one of the target. */
export const nameOf = ({ schema, name }: Relation, own: string): string => inCode(schema === own ? name : `${schema}.${name}`)

export const inCode = (text: string, limit = 120): string => `\`${plainText(text, limit).replaceAll('`', "'")}\``

/** `all 41,000,000 rows of `orders` (12 GB)`. */
export function rowsText({ rows, bytes }: Sized, name: string): string {
  if (bytes === null) return `all rows of ${name}`
  if (rows === null) return `all rows of ${name} (${sizeText(bytes)}, never counted)`
  return `${rows === 1 ? 'the only row' : `all ${rows.toLocaleString('en-US')} rows`} of ${name} (${sizeText(bytes)})`
}

/** `the rows of `orders` that its condition finds, of 41,000,000 (12 GB)`. */
export function someText({ rows, bytes }: Sized, name: string): string {
  const of = [
    ...(rows === null ? [] : [`, of ${rows.toLocaleString('en-US')}`]),
    ...(bytes === null ? [] : [` (${sizeText(bytes)})`]),
  ].join('')
  return `the rows of ${name} that its condition finds${of}`
}

/** Who waits while it lasts, and how many that are: a part of a sentence. */
export function waitsText(mode: LockMode, sized: Sized, it = 'it'): string {
  const reads = mode === 'AccessExclusive'
  const traffic = [
    ...(sized.writesPerSecond >= 1 ? [`${rate(sized.writesPerSecond)} writes`] : []),
    ...(reads && sized.readsPerSecond >= 1 ? [`${rate(sized.readsPerSecond)} reads`] : []),
  ]
  const busy = traffic.length === 0 ? '' : `, and ${it} has ${traffic.join(' and ')} a second`
  const unknown = sized.bytes === null ? '; its size is not known here, so it is taken for large' : ''
  return `nobody can ${reads ? 'read or write' : 'write to'} ${it} meanwhile${busy}${unknown}`
}

const rate = (perSecond: number): string => Math.round(perSecond).toLocaleString('en-US')
