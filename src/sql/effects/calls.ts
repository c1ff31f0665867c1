import type { Node } from 'libpg-query'
import { isHarmless } from './harmless.ts'
import { walk } from './walk.ts'

export type Call = {
  /** Without its schema. */
  readonly name: string
  readonly shown: string
  readonly isHarmless: boolean
  readonly args: readonly Node[]
}

/** The functions that are called anywhere below, but not those of defaults, which are called when rows come. */
export function callsIn(value: unknown): readonly Call[] {
  return walk(isAlteration(value) ? withoutNewDefaults(value) : value).flatMap((part) => {
    const call = part['FuncCall']
    if (typeof call !== 'object' || call === null || !('funcname' in call)) return []
    const path = walk(call.funcname).flatMap(({ sval }) => (typeof sval === 'string' ? [sval] : []))
    return [
      {
        name: path.at(-1) ?? '',
        shown: path.filter((name) => name !== 'pg_catalog').join('.'),
        isHarmless: isHarmless(path),
        args: 'args' in call && Array.isArray(call.args) ? (call.args as readonly Node[]) : [],
      },
    ]
  })
}

const isAlteration = (value: unknown): boolean => typeof value === 'object' && value !== null && 'AlterTableStmt' in value

/** `ALTER COLUMN … SET DEFAULT f()` calls nothing now, while `ADD COLUMN … DEFAULT f()` fills the rows that are there. */
function withoutNewDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isNewDefault(item)).map(withoutNewDefaults)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutNewDefaults(inner)]))
}

const isNewDefault = (item: unknown): boolean =>
  walk(item)[0]?.['AlterTableCmd'] !== undefined && walk(item)[1]?.['subtype'] === 'AT_ColumnDefault'
