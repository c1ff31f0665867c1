import { reviewDefaults, type ReviewSettings } from '../../../src/config/keys/review.ts'
import type { Live, LiveTable } from '../../../src/database/live/live.ts'
import { loadParser } from '../../../src/sql/effects/parser.ts'
import type { Forecast, LockMode, Part, Relation, Rule } from '../../../src/sql/rules/forecast.ts'
import type { Finding } from '../../../src/sql/weigh/finding.ts'
import { weigh, type Weighing } from '../../../src/sql/weigh/weigh.ts'

export const orders: Relation = { schema: 'public', name: 'orders' }
export const customer: Relation = { schema: 'public', name: 'customer' }
const works = { kind: 'works' } as const

export const part = (rule: Rule, more: Partial<Part> = {}): Part => ({
  rule,
  table: orders,
  isNew: false,
  rewrites: [],
  scans: [],
  builds: [],
  loses: [],
  old: works,
  new: works,
  ...more,
})

export function statement(sql: string, mode: LockMode | null, parts: readonly Part[], more: Partial<Forecast> = {}): Forecast {
  const on = new Map(
    parts.flatMap(({ table, other }) => [table, other ?? null]).flatMap((table) => (table === null ? [] : [[table.name, table]])),
  )
  return {
    line: 1,
    sql,
    locks: mode === null ? [] : [...on.values()].map((table) => ({ on: table, mode, isNew: false })),
    parts,
    fails: null,
    unknown: null,
    ...more,
  }
}

export const table = (on: Relation, rows: number | null, more: Partial<LiveTable> = {}): LiveTable => ({
  ...on,
  rows,
  bytes: (rows ?? 0) * 200,
  indexBytes: (rows ?? 0) * 93,
  writesPerSecond: 0,
  readsPerSecond: 0,
  isPartitioned: false,
  ...more,
})

export const live = (tables: readonly LiveTable[], more: Partial<Live> = {}): Live => ({
  tables,
  open: [],
  replicas: [],
  queries: [],
  freeBytes: null,
  notSeen: [],
  ...more,
})

export const thresholds: ReviewSettings = reviewDefaults
export const parser = await loadParser()

export const weighing = (now: Live | null): Weighing => ({
  live: now,
  thresholds,
  catalogue: null,
  order: 'migrate-first',
  schema: 'public',
  today: '2026-11-30',
  parser,
})

/** One file of these statements; the lines follow from their text. */
export function weighFile(now: Live | null, statements: readonly Forecast[], isOneTransaction = true): readonly Finding[] {
  let content = ''
  const forecasts = statements.map((one) => {
    const line = content.split('\n').length + (one.line - 1)
    content += `${one.sql};\n`
    return { ...one, line }
  })
  return weigh([{ name: 'm1', content: Buffer.from(content), forecasts, isOneTransaction }], weighing(now))
}
