import { readCatalogue } from '../../database/catalogue/read.ts'
import { unknownCatalogue, type Catalogue } from '../../database/catalogue/catalogue.ts'
import type { Queryable } from '../../database/connect.ts'
import type { Asked, Live } from '../../database/live/live.ts'
import { readLive } from '../../database/live/read.ts'
import { plainText } from '../../lib/text/quoted.ts'
import type { Redactor } from '../../redact/redact.ts'
import { loadParser, type Parser } from '../../sql/effects/parser.ts'
import { readScript, type Script } from '../../sql/parse.ts'
import type { SqlFile } from '../../sql/review.ts'
import { forecasts } from '../../sql/rules/forecasts.ts'
import type { Forecast, Rule } from '../../sql/rules/forecast.ts'
import type { Finding } from '../../sql/weigh/finding.ts'
import { furtherDrafts } from '../../sql/conventions/further.ts'
import { otherFindings } from './opinion.ts'
import { weigh, type ForecastFile, type Weighing } from '../../sql/weigh/weigh.ts'

export type Asking = Pick<Weighing, 'thresholds' | 'schema' | 'today' | 'order'> & {
  /** Of a plan that takes something away from whoever uses it, or that nobody can read. */
  readonly orderOfBreaking?: Weighing['order']
  readonly host: string
  readonly redactor: Redactor
  /** Whether each file is one transaction, unless it says otherwise. */
  readonly isOneTransaction: boolean
}

export type WeighedFiles = {
  readonly findings: readonly Finding[]
  /** Whether the rules know all that the statement in this line of a file does, so that nothing else need be said of it. */
  readonly isKnown: (file: string, line: number) => boolean
}

/** The same without a database to ask: each table is taken to be there, large and in use. */
export async function weighUnseen(files: readonly SqlFile[], asking: Omit<Asking, 'host' | 'redactor'>): Promise<readonly Finding[]> {
  const parser = await loadParser()
  const scripts = await Promise.all(files.map(async (file) => ({ file, script: await scriptOf(file) })))
  const readable = scripts.flatMap(({ file, script }) =>
    script.kind === 'sql' ? [{ ...script, name: file.name, content: file.content }] : [],
  )
  const catalogue = unknownCatalogue(NEWEST, asking.schema)
  const forecast = forecastsOf(readable, catalogue, parser)
  if (typeof forecast === 'string') return notSeen(files, `what the statements would do could not be worked out: ${forecast}`).findings
  const findings = weigh(
    forecast.map((one) => ({ ...one, isOneTransaction: asking.isOneTransaction })),
    { ...asking, live: null, catalogue: null, parser },
  )
  return [...findings, ...(await otherFindings(forecast, findings, catalogue))]
}

/** Of the server that the parser knows. */
const NEWEST = 180_000

/** What the files would do to this database, as it is now. Reads only. What cannot be read of it is a finding; only a lost connection is a fault. */
export async function weighFiles(client: Queryable, files: readonly SqlFile[], asking: Asking): Promise<WeighedFiles> {
  if (files.length === 0) return { findings: [], isKnown: () => false }
  const parser = await loadParser()
  const scripts = await Promise.all(files.map(async (file) => ({ file, script: await scriptOf(file) })))
  const readable = scripts.flatMap(({ file, script }) =>
    script.kind === 'sql' ? [{ ...script, name: file.name, content: file.content }] : [],
  )
  const catalogue = await readOrWhy(() => readCatalogue(client, { schema: asking.schema }))
  if (typeof catalogue === 'string') return notSeen(files, `what is in the database could not be read: ${catalogue}`)
  const forecast = forecastsOf(readable, catalogue, parser)
  if (typeof forecast === 'string') return notSeen(files, `what the statements would do here could not be worked out: ${forecast}`)
  const all = forecast.flatMap(({ forecasts: one }) => one)
  const live = await readOrWhy(() => readLive(client, { ...asking, ...namedIn(all) }))
  if (typeof live === 'string') return notSeen(files, `how large and how busy the tables are could not be read: ${live}`)
  const findings = weigh(
    forecast.map((one) => ({ ...one, isOneTransaction: asking.isOneTransaction })),
    {
      ...asking,
      order: isBreaking(all) ? (asking.orderOfBreaking ?? asking.order) : asking.order,
      live,
      catalogue,
      parser,
      further: furtherDrafts(forecast, asking.thresholds),
    },
  )
  return {
    findings: [...findings, ...(await otherFindings(forecast, findings, catalogue))],
    isKnown: knownIn(forecast),
  }
}

/** As the class of the plan will say. */
const isBreaking = (all: readonly Forecast[]): boolean =>
  all.some(({ unknown, parts }) => unknown !== null || parts.some(({ old, loses }) => old.kind !== 'works' || loses.length > 0))

const scriptOf = async ({ content, program }: SqlFile): Promise<Script> =>
  program === undefined ? readScript(content) : { kind: 'unreadable', why: 'it is a program' }

type Readable = Extract<Script, { readonly kind: 'sql' }> & { readonly name: string; readonly content: Buffer }
type Forecasts = readonly Omit<ForecastFile, 'isOneTransaction'>[]

/** What trips over a statement must not keep a plan from being shown; why it did. */
function forecastsOf(files: readonly Readable[], catalogue: Catalogue, parser: Parser): Forecasts | string {
  try {
    const found = forecasts(files, catalogue, parser)
    return files.map(({ name, content }, at) => ({ name, content, forecasts: found[at] ?? [] }))
  } catch (error) {
    return plainText(error instanceof Error ? error.message : String(error), 200)
  }
}

/** An error of the server with a code is an answer; without one the connection is gone. */
async function readOrWhy<T extends Catalogue | Live>(read: () => Promise<T>): Promise<T | string> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(0A|22|42|55|57014|XX)/.test(error.code))
      return plainText(error.message, 200)
    throw error
  }
}

function notSeen([first]: readonly SqlFile[], text: string): WeighedFiles {
  const findings: readonly Finding[] = [
    { code: 'not-seen', weight: 'warning', migration: first?.name ?? '', line: null, table: null, text, advice: null, waived: null },
  ]
  return { findings, isKnown: () => false }
}

const GOES: ReadonlySet<Rule> = new Set(['drop column', 'drop table', 'rename column', 'rename table'])

/** Tables that were there before, and what of them goes. */
function namedIn(all: readonly Forecast[]): Pick<Asked, 'tables' | 'going'> {
  const parts = all.flatMap((one) => one.parts).filter(({ isNew }) => !isNew)
  const tables = [
    ...all.flatMap(({ locks }) => locks.flatMap(({ on, isNew }) => (isNew ? [] : [on]))),
    ...parts.flatMap(({ table, rewrites, scans, builds }) => [
      ...(table === null ? [] : [table]),
      ...rewrites,
      ...scans,
      ...builds.map(({ on }) => on),
    ]),
  ]
  const going = parts.filter(({ rule }) => GOES.has(rule)).flatMap(({ column, table }) => column ?? table?.name ?? [])
  return {
    tables: [...new Map(tables.map((table) => [JSON.stringify([table.schema, table.name]), table])).values()],
    going: [...new Set(going)],
  }
}

function knownIn(files: Forecasts): WeighedFiles['isKnown'] {
  const known = new Map(
    files.map(({ name, forecasts: all }) => [name, new Set(all.filter(({ unknown }) => unknown === null).map(({ line }) => line))]),
  )
  return (file, line) => known.get(file)?.has(line) === true
}
