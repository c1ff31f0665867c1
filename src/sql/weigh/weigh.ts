import type { Forecast } from '../rules/forecast.ts'
import { circumstanceFindings } from './circumstances.ts'
import { behindLock, constraintKey, countedLocks, notAlone, validatedAtOnce } from './file.ts'
import type { Draft, Weighed, Weighing } from './draft.ts'
import { weights, type Finding, type FindingCode } from './finding.ts'
import { createHeld } from './held.ts'
import { lossFindings, newCodeFindings } from './losses.ts'
import { sizesOf } from './size.ts'
import { statementFindings } from './statement.ts'
import { waive, type Span } from './waivers.ts'
import { bare, workFindings, type InFile } from './work.ts'

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
  return [...once(found), ...notSeen(files, weighing)].toSorted((a, b) => rankOf(b) - rankOf(a))
}

/** What the server is busy with is the same for all files: it is told where it weighs the most. */
function once(found: readonly Finding[]): readonly Finding[] {
  const told = new Map<string, Finding>()
  for (const finding of found) {
    const before = told.get(finding.code)
    if (OF_THE_SERVER.has(finding.code) && (before === undefined || rankOf(finding) > rankOf(before))) told.set(finding.code, finding)
  }
  return found.filter((finding) => !OF_THE_SERVER.has(finding.code) || told.get(finding.code) === finding)
}

const OF_THE_SERVER: ReadonlySet<FindingCode> = new Set(['long-transaction', 'replica-lag'])

/** The heaviest that nobody waived. */
const rankOf = ({ weight, waived }: Finding): number => (waived === null ? weights.indexOf(weight) : -1)

function findingsOf(file: ForecastFile, weighed: Weighed, further: readonly Draft[]): readonly Finding[] {
  const held = createHeld()
  const added = new Map<string, number>()
  const made = new Set<string>()
  const drafts: Draft[] = [...further]
  for (const forecast of file.forecasts) {
    drafts.push(
      ...forecastFindings(forecast, { held, made, added, weighed }, file.isOneTransaction ? notAlone(forecast, file.forecasts.length) : []),
    )
    if (forecast.parts.some(({ rule }) => rule === 'transaction') && ENDS.test(forecast.sql)) {
      held.clear()
      added.clear()
    }
    for (const { rule, name } of forecast.parts) if (rule === 'create type' && name !== undefined) made.add(bare(name))
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

function forecastFindings(forecast: Forecast, file: InFile, alone: readonly Draft[]): readonly Draft[] {
  const { held, added, weighed } = file
  const own = [...statementFindings(forecast, weighed), ...alone, ...newCodeFindings(forecast, weighed)]
  // what is refused has no effect
  if (forecast.fails !== null || alone.length > 0) return own
  const atOnce = validatedAtOnce(forecast, added, weighed)
  // a table that this plan makes has no rows and no users
  const parts = forecast.parts.filter(({ isNew }) => !isNew)
  const worked = parts.map((part) => ({ part, work: atOnce.length > 0 ? [] : workFindings(part, forecast, file) }))
  return [
    ...own,
    ...atOnce,
    ...worked.flatMap(({ work }) => work),
    ...(atOnce.length > 0 ? [] : behindLock(forecast, held, weighed)),
    ...worked.flatMap(({ part, work }) => lossFindings(part, forecast, weighed, work.length > 0)),
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
