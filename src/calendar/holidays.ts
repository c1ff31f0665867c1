import type { Span } from './span.ts'
import { createRequire } from 'node:module'
import type DateHolidays from 'date-holidays'
import type { HolidaysTypes } from 'date-holidays'
import { closest, distance } from 'fastest-levenshtein'
import { addDays, firstInstant, readWall, wallAt } from './zone.ts'

/** Public holidays by country and region (`US`, `US-NY`, `DE-BY-A`), from the rules of date-holidays. */

export type Holiday = Span & { readonly name: string }

/**
 * The rules of all countries are 18 MB in memory, so they are read by the first target that keeps holidays, and by no other bot. What
 * `require` answers has no type of its own.
 */
const rulesOf = (...of: [] | [HolidaysTypes.Country, HolidaysTypes.Options]) => {
  Rules ??= createRequire(import.meta.url)('date-holidays') as typeof DateHolidays
  return of.length === 0 ? new Rules() : new Rules(...of)
}
let Rules: typeof DateHolidays | undefined

/** A sentence that helps when a place is not known; undefined when it is. */
export function placeProblem(place: string): { readonly problem: string; readonly fix: string } | undefined {
  const all = rulesOf()
  const [country = '', state, region, ...more] = place.split('-')
  const countries: Readonly<Record<string, string>> = all.getCountries('en')
  if (countries[country] === undefined) return unknown(place, nearestCountry(place, countries))
  const states: Readonly<Record<string, string>> = all.getStates(country, 'en') ?? {}
  if (state !== undefined && states[state] === undefined) return unknown(place, nearestPart(country, state, states))
  const regions: Readonly<Record<string, string>> = state === undefined ? {} : (all.getRegions(country, state, 'en') ?? {})
  if (region !== undefined && (regions[region] === undefined || more.length > 0))
    return unknown(place, nearestPart(`${country}-${state}`, region, regions))
  return undefined
}

/** Those that touch [from, to). A holiday lasts from midnight to midnight in `zone`, where the target's people live. */
export function holidaysOf(place: string, zone: string, { from, to }: Span): Holiday[] {
  const years = range(wallAt(from, zone).year - 1, wallAt(to, zone).year + 1)
  return years.flatMap((year) => inYear(place, zone, year)).filter((holiday) => holiday.from < to && holiday.to > from)
}

const known = new Map<string, readonly Holiday[]>()

/** The rules of a year take tens of milliseconds, so each year is asked for once. */
function inYear(place: string, zone: string, year: number): readonly Holiday[] {
  const key = `${place} ${zone} ${year}`
  const found = known.get(key) ?? readYear(place, zone, year)
  known.set(key, found)
  return found
}

function readYear(place: string, zone: string, year: number): readonly Holiday[] {
  const [country = '', state, region] = place.split('-')
  const rules = rulesOf(
    { country, ...(state === undefined ? {} : { state }), ...(region === undefined ? {} : { region }) },
    { types: ['public'] },
  )
  return rules.getHolidays(year, 'en').flatMap(({ date, start, end, name }) => {
    const first = readWall(date.slice(0, 10))
    if (first === undefined) return []
    // some begin at sunset and some last for days; each day that they touch counts as a whole
    const days = Math.max(1, Math.ceil((end.getTime() - start.getTime()) / DAY_MS - 0.1))
    return [{ name, from: firstInstant(first, zone), to: firstInstant({ ...first, ...addDays(first, days) }, zone) }]
  })
}

const DAY_MS = 86_400_000

const range = (first: number, last: number): number[] => Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)

const unknown = (place: string, fix: string) => ({ problem: `no holidays are known for "${place}"`, fix })

function nearestCountry(place: string, countries: Readonly<Record<string, string>>): string {
  const byName = closest(place, Object.values(countries))
  const [code] = Object.entries(countries).find(([, name]) => name === byName) ?? []
  if (place.length > 3 && code !== undefined && distance(place.toLowerCase(), byName.toLowerCase()) <= Math.max(1, place.length / 3))
    return `Did you mean ${code} (${byName})?`
  // what people write most often instead of GB
  const upper = place.toUpperCase().replace(/^UK\b/, 'GB')
  const near = closest(upper.split('-')[0] ?? upper, Object.keys(countries))
  return `Did you mean ${near} (${countries[near]})? Write a country, or country and region, for example US or US-NY.`
}

function nearestPart(whole: string, part: string, parts: Readonly<Record<string, string>>): string {
  if (Object.keys(parts).length === 0) return `${whole} has no regions here. Write ${whole}.`
  const byName = Object.entries(parts).find(([, name]) => name.toLowerCase() === part.toLowerCase())?.[0]
  const near = byName ?? closest(part.toUpperCase(), Object.keys(parts))
  return `Did you mean ${whole}-${near} (${parts[near]})?`
}
