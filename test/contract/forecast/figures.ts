import { loadParser } from '../../../src/sql/effects/parser.ts'
import { MAJORS, type Major } from '../../helpers/postgres-versions/installed.ts'
import { casesOf } from './cases.ts'
import { catalogueOf } from './catalogues.ts'
import { compare, type Comparison } from './compare.ts'
import { recordedOf } from './recorded.ts'

export type Compared = { readonly major: Major; readonly key: string; readonly comparison: Comparison }

/** Each statement on each major that has it. */
export async function compareAll(): Promise<readonly Compared[]> {
  const parser = await loadParser()
  const all: Compared[] = []
  for (const major of MAJORS) {
    const truths = recordedOf(major)
    for (const one of casesOf(major)) {
      const truth = truths[one.key]
      if (truth === undefined) throw new Error(`What PostgreSQL ${major} does at this is not kept: ${one.key}`)
      all.push({ major, key: one.key, comparison: await compare(one, truth, catalogueOf(major), parser) })
    }
  }
  return all
}

/** A row for each major: statements, and how many forecasts of each kind. */
export function figures(all: readonly Compared[]): string {
  const kinds = ['right', 'stronger', 'unknown', 'weaker'] as const
  const row = (cells: readonly (string | number)[]) => cells.map((cell) => String(cell).padStart(11)).join('')
  return [
    row(['PostgreSQL', 'statements', ...kinds]),
    ...MAJORS.map((major) => {
      const its = all.filter((one) => one.major === major)
      return row([major, its.length, ...kinds.map((kind) => its.filter(({ comparison }) => comparison.kind === kind).length)])
    }),
  ].join('\n')
}

/** What differs, told once for all majors at which it does. */
export function differing(all: readonly Compared[], kind: 'weaker' | 'stronger' | 'unknown'): ReadonlyMap<string, string> {
  const lines = all.flatMap(({ major, key, comparison }) => {
    if (comparison.kind !== kind) return []
    return [{ major, line: `${key}${'differs' in comparison ? ` => ${comparison.differs.join('; ')}` : ''}` }]
  })
  return new Map([...Map.groupBy(lines, ({ line }) => line)].map(([line, those]) => [line, those.map(({ major }) => major).join(' ')]))
}
