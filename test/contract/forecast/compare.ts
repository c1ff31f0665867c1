import type { Catalogue } from '../../../src/database/catalogue/catalogue.ts'
import type { Parser } from '../../../src/sql/effects/parser.ts'
import { readScript } from '../../../src/sql/parse.ts'
import { lockModes, type Forecast, type Relation } from '../../../src/sql/rules/forecast.ts'
import { forecasts } from '../../../src/sql/rules/forecasts.ts'
import type { Case } from './cases.ts'
import type { Truth } from './happened.ts'

/**
 * What the forecast says against what happened. `weaker`: something happened that it did not say, or it said that the statement is
 * refused, and it is not. `stronger`: it said more than what happened; `unknown`: it said that nobody knows.
 */
export type Comparison =
  { readonly kind: 'right' | 'unknown' } | { readonly kind: 'weaker' | 'stronger'; readonly differs: readonly string[] }

export async function compare(one: Case, truth: Truth, catalogue: Catalogue, parser: Parser): Promise<Comparison> {
  const content = Buffer.from(one.sql)
  const script = await (scripts.get(one.sql) ?? parsed(one.sql, content))
  if (script.kind === 'unreadable') return truth.error === '42601' ? { kind: 'right' } : { kind: 'unknown' }
  const said = forecasts([{ content, ...script }], { ...catalogue, timeZone: one.zone }, parser).flat()
  if (said.some(({ unknown }) => unknown !== null)) return { kind: 'unknown' }
  const fails = said.find((forecast) => forecast.fails !== null)?.fails ?? null
  if (truth.error !== undefined) {
    if (fails === null) return { kind: 'stronger', differs: [`error ${truth.error}`] }
    return fails.sqlstate === truth.error
      ? { kind: 'right' }
      : { kind: 'stronger', differs: [`error ${truth.error}, not ${fails.sqlstate}`] }
  }
  if (fails !== null) return { kind: 'weaker', differs: [`no error ${fails.sqlstate}`] }
  const indexes = new Set(catalogue.indexes.map(named))
  const names = new Set([...catalogue.relations.map(named), ...indexes])
  const [more, less] = differences(effectsOf(said, names), effectsOfTruth(truth), { indexes, isOutside: one.isOutside })
  if (less.length > 0) return { kind: 'weaker', differs: less }
  return more.length > 0 ? { kind: 'stronger', differs: more } : { kind: 'right' }
}

/** Each is compared on five majors. */
const scripts = new Map<string, ReturnType<typeof readScript>>()

function parsed(sql: string, content: Buffer): ReturnType<typeof readScript> {
  const script = readScript(content)
  scripts.set(sql, script)
  return script
}

type Effects = { readonly locks: ReadonlyMap<string, number> } & Readonly<Record<'rewrites' | 'scans' | 'builds', ReadonlySet<string>>>

/** Of what was there before; names of `public` without it. */
function effectsOf(said: readonly Forecast[], names: ReadonlySet<string>): Effects {
  const locks = new Map<string, number>()
  for (const { on, mode } of said.flatMap((forecast) => forecast.locks))
    if (names.has(named(on))) locks.set(named(on), Math.max(locks.get(named(on)) ?? -1, lockModes.indexOf(mode)))
  const parts = said.flatMap((forecast) => forecast.parts)
  const listed = (of: readonly Relation[]) => new Set(of.map(named).filter((name) => names.has(name)))
  return {
    locks,
    rewrites: listed(parts.flatMap(({ rewrites }) => rewrites)),
    scans: listed(parts.flatMap(({ scans }) => scans)),
    builds: new Set(
      parts.flatMap(({ builds }) =>
        builds.flatMap(({ name, on }) => {
          if (!names.has(named(on))) return []
          return `${name === null ? '?' : named({ schema: on.schema, name })} on ${named(on)}`
        }),
      ),
    ),
  }
}

const named = ({ schema, name }: Relation): string => (schema === 'public' ? name : `${schema}.${name}`)

function effectsOfTruth({ locks = {}, rewrites = [], scans = [], builds = [] }: Truth): Effects {
  return {
    locks: new Map(lockModes.flatMap((mode, at) => (locks[mode] ?? []).map((name) => [name, at] as const))),
    rewrites: new Set(rewrites),
    scans: new Set(scans),
    builds: new Set(builds),
  }
}

/** What the forecast has more and what it has less. */
function differences(
  said: Effects,
  truth: Effects,
  { indexes, isOutside }: { readonly indexes: ReadonlySet<string>; readonly isOutside: boolean },
): readonly [readonly string[], readonly string[]] {
  const [more, less]: [string[], string[]] = [[], []]
  for (const name of new Set([...said.locks.keys(), ...truth.locks.keys()])) {
    const [ours, theirs] = [said.locks.get(name) ?? -1, truth.locks.get(name) ?? -1]
    // the truth has locks of indexes only where they are stronger than their tables'
    if (ours > theirs && !(indexes.has(name) && !truth.locks.has(name)))
      more.push(`lock ${name} ${lockModes[ours] ?? 'none'}, not ${lockModes[theirs] ?? 'none'}`)
    if (ours < theirs) less.push(`lock ${name} ${lockModes[theirs] ?? 'none'}, not ${lockModes[ours] ?? 'none'}`)
  }
  const unnamed = new Set(said.builds) // PostgreSQL chooses the name of these
  for (const kind of ['rewrites', 'scans', 'builds'] as const) {
    for (const name of truth[kind]) {
      const any = `? on ${name.split(' on ')[1] ?? ''}`
      if (!said[kind].has(name) && !(kind === 'builds' && unnamed.has(any))) less.push(`${kind} ${name}`)
    }
    if (kind === 'scans' && isOutside) continue // not seen there
    for (const name of said[kind]) if (!truth[kind].has(name) && !name.startsWith('?')) more.push(`${kind} ${name}`)
  }
  return [more, less]
}
