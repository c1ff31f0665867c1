import type { ReviewSettings } from '../../config/keys/review.ts'
import type { Forecast, Part } from '../rules/forecast.ts'
import type { Draft } from '../weigh/draft.ts'
import { inCode } from '../weigh/size.ts'

type File = { readonly name: string; readonly forecasts: readonly Forecast[] }

/**
 * A plan that adds what new code needs and takes away what old code uses: in whatever order it and the application come, one version meets a
 * schema that it cannot use. Told once, at the first statement that takes away, with which files go first and which wait. A rename or another
 * type is both by itself and is told as that.
 */
export function mixedDraft(files: readonly File[], settings: ReviewSettings): { readonly file: string; readonly draft: Draft } | null {
  const told = files.map((file) => ({ file, adds: linesOf(file, isExpand), takes: linesOf(file, isContract) }))
  const first = told.find(({ takes }) => takes.length > 0)
  const adding = told.find(({ adds }) => adds.length > 0)
  const [statement] = first?.takes ?? []
  if (first === undefined || adding === undefined || statement === undefined) return null
  const wait = told.filter(({ takes }) => takes.length > 0)
  const halves = wait.filter(({ adds }) => adds.length > 0)
  return {
    file: first.file.name,
    draft: {
      code: 'mixed',
      weight: settings.weights?.mixed ?? 'blocker',
      line: statement.line,
      table: null,
      text: `this plan adds what new code needs (${places(told.filter(({ adds }) => adds.length > 0).map(({ file, adds }) => [file, adds]))}) and takes away what old code uses (${places(wait.map(({ file, takes }) => [file, takes]))}); whichever of application and migrations comes first, one version of it fails in between`,
      advice: {
        text: splitText(files, wait, halves),
        files: halves.flatMap(({ file, takes }) => halvesOf(file, takes)),
      },
    },
  }
}

const linesOf = ({ forecasts }: File, is: (part: Part) => boolean): readonly Forecast[] =>
  forecasts.filter(({ parts, fails }) => fails === null && parts.some(is))

/** New code fails without it, and old code does not mind it. */
const isExpand = ({ old, new: of }: Part): boolean => of.kind === 'fails' && old.kind === 'works'

/** Old code fails without what is gone, and new code does not mind. */
const isContract = ({ old, new: of, isNew }: Part): boolean => !isNew && old.kind === 'fails' && of.kind === 'works'

/** `20261120_orders, lines 3 and 5` of at most three files. */
function places(all: readonly (readonly [File, readonly Forecast[]])[]): string {
  const shown = all.slice(0, 3).map(([{ name }, its]) => {
    const lines = its.slice(0, 3).map(({ line }) => String(line))
    const more = its.length - lines.length
    return `${inCode(name, 80)}, line${its.length === 1 ? '' : 's'} ${joined(more > 0 ? [...lines, `${more} more`] : lines)}`
  })
  return joined(all.length > 3 ? [...shown, `${all.length - 3} more files`] : shown)
}

function splitText(files: readonly File[], wait: readonly { readonly file: File }[], halves: readonly { readonly file: File }[]): string {
  const waiting = new Set(wait.map(({ file }) => file.name))
  const halved = new Set(halves.map(({ file }) => file.name))
  const first = files.filter(({ name }) => !waiting.has(name) || halved.has(name)).map(({ name }) => nameIn(name, halved, EXPAND))
  const later = wait.map(({ file }) => nameIn(file.name, halved, CONTRACT))
  const split = halves.length === 0 ? '' : `Split ${joined(halves.map(({ file }) => inCode(file.name, 80)))} in two. `
  return `${split}First goes ${joined(first)}, then the application that needs it; when nothing uses the old any more, ${joined(later)} goes in a release of its own`
}

const [EXPAND, CONTRACT] = ['_add', '_remove']

const nameIn = (name: string, halved: ReadonlySet<string>, ending: string): string =>
  inCode(halved.has(name) ? `${name}${ending}` : name, 90)

/** What stands in one file, as two: all that takes nothing away, in its order, and the rest. */
function halvesOf({ name, forecasts }: File, takes: readonly Forecast[]) {
  const rest = forecasts.filter((one) => !takes.includes(one))
  const sql = (all: readonly Forecast[]) => all.map((one) => `${one.sql.trim().replace(/;?$/, ';')}\n`).join('\n')
  return [
    { name: `${name}${EXPAND}`, sql: sql(rest) },
    { name: `${name}${CONTRACT}`, sql: sql(takes) },
  ]
}

const joined = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`
