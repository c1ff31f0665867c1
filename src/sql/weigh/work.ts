import type { Forecast, LockMode, Part, Relation, Rule } from '../rules/forecast.ts'
import { adviceFor } from './advice/choose.ts'
import type { Draft, Weighed } from './draft.ts'
import type { FindingCode } from './finding.ts'
import { holdsOff, stronger, type Held } from './held.ts'
import { gradeOf, heaviest, inCode, keyOf, nameOf, rowsText, waitsText } from './size.ts'

/** Work on all rows of a table while a lock holds others off: what it is, for how many, and who waits. */
export function workFindings(part: Part, forecast: Forecast, held: Held, weighed: Weighed): readonly Draft[] {
  const work = workOf(part)
  if (work === null) return []
  const tables = distinct(work.on)
  const modes = tables.map((table) => modeOn(table, forecast, held))
  const mode = modes.reduce(stronger, null)
  const isWrite = work.kind === 'write'
  if (!isWrite && (mode === null || !holdsOff(mode))) return []
  const sizes = tables.map(weighed.sizeOf)
  const [table, size] = [tables[0], sizes[0]]
  if (table === undefined || size === undefined) return []
  const name = nameOf(table, weighed.schema)
  const others =
    tables.length === 1
      ? ''
      : ` and ${tables.length === 2 ? nameOf(tables[1] ?? table, weighed.schema) : `of ${tables.length - 1} more tables`}`
  const waits = isWrite
    ? `each of those rows is locked until the file has ended${size.bytes === null ? '; its size is not known here, so it is taken for large' : ''}`
    : waitsText(mode ?? 'Share', size, tables.length === 1 ? 'it' : 'them')
  return [
    {
      code: codeOf(part, work.kind),
      weight: heaviest(sizes.map((one) => gradeOf(one, weighed.thresholds))),
      line: forecast.line,
      table: table.name,
      text: `${work.says(`${rowsText(size, name)}${others}`)}; ${waits}`,
      advice: adviceFor(part, forecast, weighed),
    },
  ]
}

type Work = {
  readonly kind: 'rewrite' | 'build' | 'rebuild' | 'scan' | 'write'
  readonly on: readonly Relation[]
  readonly says: (rows: string) => string
}

function workOf(part: Part): Work | null {
  const { rule, rewrites, scans, builds } = part
  if (rule === 'truncate' || rule === 'drop table' || rule === 'create table') return null // a moment, however many rows there are
  if (WRITES.has(rule))
    return scans.length === 0
      ? null
      : {
          kind: 'write',
          on: scans,
          says: (rows) => `${rule === 'delete' ? 'deletes' : 'writes'} ${rule === 'insert' ? 'what it finds in' : 'up to'} ${rows}`,
        }
  if (rewrites.length > 0) return { kind: 'rewrite', on: rewrites, says: (rows) => `writes ${rows} anew` }
  if (builds.length > 0) {
    const on = builds.map((index) => index.on)
    return MAKES_INDEX.has(rule)
      ? { kind: 'build', on, says: (rows) => `builds ${indexText(part)} from ${rows}` }
      : { kind: 'rebuild', on, says: (rows) => `builds ${builds.length === 1 ? 'an index' : `${builds.length} indexes`} anew from ${rows}` }
  }
  return scans.length === 0
    ? null
    : { kind: 'scan', on: scans, says: (rows) => `reads ${rows} to check ${rule === 'set not null' ? 'that no value is missing' : 'them'}` }
}

const WRITES: ReadonlySet<Rule> = new Set(['insert', 'update', 'delete'])
const MAKES_INDEX: ReadonlySet<Rule> = new Set(['create index', 'add unique', 'add primary key', 'add exclusion', 'add column'])

function indexText({ rule, name }: Part): string {
  const named = name === undefined ? '' : ` ${inCode(name)}`
  switch (rule) {
    case 'add primary key':
      return `the index of the primary key${named}`
    case 'add unique':
    case 'add exclusion':
      return `the index of the rule${named}`
    default:
      return named === '' ? 'an index' : `the index${named}`
  }
}

function codeOf({ rule }: Part, kind: Work['kind']): FindingCode {
  if (rule === 'add foreign key') return 'foreign-key'
  const codes = {
    rewrite: 'rewrite',
    build: 'index-build',
    rebuild: 'index-rebuild',
    scan: 'scan-under-lock',
    write: 'large-write',
  } as const
  return codes[kind]
}

/** What the statement takes, or an earlier one of the file has already. */
export function modeOn(table: Relation, { locks }: Forecast, held: Held): LockMode | null {
  const key = keyOf(table)
  return stronger(held.on(table), locks.find(({ on, isNew }) => !isNew && keyOf(on) === key)?.mode ?? null)
}

const distinct = (tables: readonly Relation[]): readonly Relation[] => [...new Map(tables.map((table) => [keyOf(table), table])).values()]
