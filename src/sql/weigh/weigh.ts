import type { Forecast } from '../rules/forecast.ts'
import { circumstanceFindings } from './circumstances.ts'
import { behindLock, constraintKey, countedLocks, validatedAtOnce } from './file.ts'
import type { Draft, Weighed, Weighing } from './draft.ts'
import { weights, type Finding } from './finding.ts'
import { createHeld, type Held } from './held.ts'
import { lossFindings, newCodeFindings } from './losses.ts'
import { sizesOf } from './size.ts'
import { statementFindings } from './statement.ts'
import { waive, type Span } from './waivers.ts'
import { workFindings } from './work.ts'

export type { Weighing } from './draft.ts'

/** What the rules say of a migration's file. */
export type ForecastFile = {
  readonly name: string
  readonly content: Buffer
  readonly forecasts: readonly Forecast[]
  /** Whether all of it is one transaction unless it says otherwise, as Prisma sends it; otherwise each statement commits by itself. */
  readonly isOneTransaction: boolean
}

/** What to know of each statement, by how large and how busy its tables are here: the gravest first, then in the order of the files. Pure. */
export function weigh(files: readonly ForecastFile[], weighing: Weighing): readonly Finding[] {
  const weighed: Weighed = { ...weighing, sizeOf: sizesOf(weighing.live) }
  const found = files.flatMap((file) =>
    waive(
      findingsOf(file, weighed, weighing.further?.get(file.name) ?? []),
      { ...file, statements: file.forecasts.map(spanOf) },
      weighing.parser,
    ),
  )
  return [...found, ...notSeen(files, weighing)].toSorted((a, b) => rankOf(b) - rankOf(a))
}

/** The heaviest that nobody waived. */
const rankOf = ({ weight, waived }: Finding): number => (waived === null ? weights.indexOf(weight) : -1)

function findingsOf(file: ForecastFile, weighed: Weighed, further: readonly Draft[]): readonly Finding[] {
  const held = createHeld()
  const added = new Map<string, number>()
  const drafts: Draft[] = [...further]
  for (const forecast of file.forecasts) {
    drafts.push(...forecastFindings(forecast, { held, added, weighed }))
    if (forecast.parts.some(({ rule }) => rule === 'transaction') && ENDS.test(forecast.sql)) {
      held.clear()
      added.clear()
    }
    if (!file.isOneTransaction) continue
    held.add(forecast)
    for (const part of forecast.parts)
      if ((part.rule === 'add check' || part.rule === 'add foreign key') && part.scans.length === 0)
        added.set(constraintKey(part), forecast.line)
  }
  drafts.push(...countedLocks(held, file.forecasts.at(-1)?.line ?? 1, weighed), ...circumstanceFindings(file.forecasts, weighed))
  return distinct(drafts).map((draft) => ({ ...draft, migration: file.name, waived: null }))
}

const ENDS = /^\s*(commit|end|rollback|abort)\b/i

type InFile = { readonly held: Held; readonly added: ReadonlyMap<string, number>; readonly weighed: Weighed }

function forecastFindings(forecast: Forecast, { held, added, weighed }: InFile): readonly Draft[] {
  const own = statementFindings(forecast, weighed)
  const atOnce = validatedAtOnce(forecast, added, weighed)
  // a table that this plan makes has no rows and no users
  const parts = forecast.parts.filter(({ isNew }) => !isNew)
  return [
    ...own,
    ...atOnce,
    ...(atOnce.length > 0 ? [] : parts.flatMap((part) => workFindings(part, forecast, held, weighed))),
    ...(atOnce.length > 0 ? [] : behindLock(forecast, held, weighed)),
    ...parts.flatMap((part) => lossFindings(part, forecast, weighed)),
    ...newCodeFindings(forecast, weighed),
  ]
}

const spanOf = ({ line, sql }: Forecast): Span => ({ from: line, to: line + sql.trim().split('\n').length - 1 })

/** Several parts of a statement may say the same. */
const distinct = (drafts: readonly Draft[]): readonly Draft[] => [
  ...new Map(drafts.map((draft) => [JSON.stringify([draft.code, draft.line, draft.text]), draft])).values(),
]

/** What the role of the plan may not see is told once, at the first migration. */
function notSeen(files: readonly ForecastFile[], { live }: Weighing): readonly Finding[] {
  const [first] = files
  if (first === undefined || live === null) return []
  return live.notSeen.map((text) => ({
    code: 'not-seen',
    weight: 'note',
    migration: first.name,
    line: null,
    table: null,
    text,
    advice: null,
    waived: null,
  }))
}
