import type { Forecast, LockMode, Part, Relation, Rule } from '../rules/forecast.ts'
import { adviceFor } from './advice/choose.ts'
import type { Advice } from './advice/advice.ts'
import { readOne } from './advice/subcommands.ts'
import type { Draft, Weighed } from './draft.ts'
import type { FindingCode } from './finding.ts'
import { holdsOff, stronger, type Held } from './held.ts'
import { gradeOf, heaviest, inCode, keyOf, nameOf, rowsText, someText, waitsText } from './size.ts'

/** What earlier statements of the file have left. */
export type InFile = {
  readonly held: Held
  /** Types that it makes, in small letters. */
  readonly made: ReadonlySet<string>
  /** Constraints that it adds without reading the rows, and the lines where. */
  readonly added: ReadonlyMap<string, number>
  readonly weighed: Weighed
}

/** Work on all rows of a table while a lock holds others off: what it is, for how many, and who waits. */
export function workFindings(part: Part, forecast: Forecast, { held, made, weighed }: InFile): readonly Draft[] {
  const work = workOf(part)
  if (work === null) return []
  const tables = distinct(work.on).toSorted((a, b) => (weighed.sizeOf(b).bytes ?? Infinity) - (weighed.sizeOf(a).bytes ?? Infinity))
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
  const isSome = isWrite && hasCondition(forecast, weighed)
  const waits = isWrite
    ? `each of ${isSome ? 'them' : 'those rows'} is locked until the file has ended${size.bytes === null ? '; its size is not known here, so it is taken for large' : ''}`
    : waitsText(mode ?? 'Share', size, tables.length === 1 ? 'it' : 'them')
  const weight = heaviest(sizes.map((one) => gradeOf(one, weighed.thresholds)))
  const code = codeOf(part, work.kind, made)
  return [
    {
      code,
      // nobody knows how many rows a condition finds
      weight: isSome && weight === 'blocker' ? 'warning' : isSome ? 'note' : weight,
      line: forecast.line,
      table: table.name,
      text: `${code === 'enum-recreated' ? 'makes the list of values anew, for which it ' : ''}${work.says(`${isSome ? someText(size, name) : rowsText(size, name)}${others}`)}; ${waits}`,
      advice: code === 'enum-recreated' ? keepValues : adviceFor(part, forecast, weighed),
    },
  ]
}

/** Prisma takes a value out of an enum by making another type, and PostgreSQL knows no other way. */
const keepValues: Advice = {
  text: 'Leave values that are no longer used in the type and take them out of the code alone: new ones are added in a moment, by ALTER TYPE … ADD VALUE in a migration of its own. Where they have to be refused, a CHECK that is NOT VALID at first does it',
  files: [],
}

/** `"Status_new"` and `shop."Status_new"` by its own name. */
export const bare = (type: string): string => (/"([^"]+)"$/.exec(type)?.[1] ?? type.split('.').at(-1) ?? type).toLowerCase()

function hasCondition({ sql }: Forecast, { parser }: Weighed): boolean {
  const node = readOne(sql, parser)
  return (
    node !== undefined &&
    (('UpdateStmt' in node && node.UpdateStmt.whereClause !== undefined) ||
      ('DeleteStmt' in node && node.DeleteStmt.whereClause !== undefined))
  )
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
          says: (rows) => `${rule === 'delete' ? 'deletes' : 'writes'} ${rule === 'insert' ? 'what it finds in ' : ''}${rows}`,
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
const MAKES_INDEX: ReadonlySet<Rule> = new Set([
  'create index',
  'add unique',
  'add primary key',
  'add exclusion',
  'add column',
  'create index concurrently',
])

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

function codeOf({ rule, to }: Part, kind: Work['kind'], made: ReadonlySet<string>): FindingCode {
  if (rule === 'add foreign key') return 'foreign-key'
  if (rule === 'change type' && kind === 'rewrite' && to !== undefined && made.has(bare(to))) return 'enum-recreated'
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
