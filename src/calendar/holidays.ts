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
  if (countries[country] === undefined) return unknown(place, nearestCountry(place, { countries, own: all.getCountries() }))
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

function nearestCountry(
  place: string,
  { countries, own }: { readonly [names in 'countries' | 'own']: Readonly<Record<string, string>> },
): string {
  // as people there write it, too: `Deutschland`
  const names = [...Object.values(countries), ...Object.values(own)]
  const begins = Object.values(countries).filter((name) => name.toLowerCase().startsWith(place.toLowerCase()))
  const byName = begins.length === 1 && begins[0] !== undefined ? begins[0] : closest(place, names)
  const [code] = [...Object.entries(countries), ...Object.entries(own)].find(([, name]) => name === byName) ?? []
  const isNear = byName === begins[0] || distance(place.toLowerCase(), byName.toLowerCase()) <= Math.max(1, place.length / 3)
  if (place.length > 3 && code !== undefined && isNear) return `Did you mean ${code} (${countries[code]})?`
  const [first = ''] = place.toUpperCase().split(/[-_\s]/)
  const near = alphaTwo(first, countries) ?? closest(first, Object.keys(countries))
  return `Did you mean ${near} (${countries[near]})? Write a country, or country and region, for example US or US-NY.`
}

/** People write `UK`, and the three letters of passports: most begin with the two of ISO 3166, and these do not. */
function alphaTwo(code: string, countries: Readonly<Record<string, string>>): string | undefined {
  const found = OTHER_CODES[code] ?? (code.length === 3 ? code.slice(0, 2) : code)
  return countries[found] === undefined ? undefined : found
}

const OTHER_CODES: Readonly<Record<string, string>> = Object.fromEntries(
  `UK GB,EN GB,ENG GB,AGO AO,AIA AI,ALA AX,AND AD,ANT AN,ARE AE,ARM AM,ATG AG,AUT AT,BDI BI,BEN BJ,BGD BD,BHS BS,BIH BA,BLR BY,BLZ BZ,BRB BB,BRN BN,CAF CF,CHL CL,CHN CN,COD CD,COG CG,COM KM,CPV CV,CUW CW,CYM KY,DNK DK,EST EE,FLK FK,FRO FO,FSM FM,GIN GN,GLP GP,GNB GW,GNQ GQ,GRD GD,GRL GL,GUF GF,GUY GY,IRL IE,IRQ IQ,ISR IL,JAM JM,KAZ KZ,KOR KR,LBR LR,LBY LY,LKA LK,LTU LT,LVA LV,MAC MO,MAR MA,MDG MG,MDV MV,MEX MX,MHL MH,MKD MK,MLI ML,MLT MT,MNE ME,MNP MP,MOZ MZ,MSR MS,MTQ MQ,MUS MU,MWI MW,MYT YT,NER NE,NGA NG,PAK PK,PHL PH,PLW PW,PNG PG,POL PL,PRK KP,PRT PT,PRY PY,REU RE,RKS XK,SEN SN,SGP SG,SLB SB,SLV SV,SPM PM,SRB RS,SUR SR,SVK SK,SVN SI,SWE SE,SYC SC,TCD TD,TKM TM,TUN TN,TUR TR,TUV TV,UKR UA,URY UY,VAT VA,WSM WS,XKX XK,ZAF ZA`
    .split(',')
    .map((pair) => pair.split(' ') as [string, string]),
)

function nearestPart(whole: string, part: string, parts: Readonly<Record<string, string>>): string {
  if (Object.keys(parts).length === 0) return `${whole} has no regions here. Write ${whole}.`
  const byName = Object.entries(parts).find(([, name]) => name.toLowerCase() === part.toLowerCase())?.[0]
  const near = byName ?? closest(part.toUpperCase(), Object.keys(parts))
  return `Did you mean ${whole}-${near} (${parts[near]})?`
}
