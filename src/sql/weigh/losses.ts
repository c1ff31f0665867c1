import type { Compatibility, Forecast, Part, Rule } from '../rules/forecast.ts'
import { adviceFor } from './advice/choose.ts'
import type { Draft, Weighed } from './draft.ts'
import type { FindingCode, Weight } from './finding.ts'
import { gradeOf, heaviest, inCode, nameOf } from './size.ts'
import { usesOf } from './uses.ts'

/** What is gone for good, what the running application no longer finds, and who uses it still. */
export function lossFindings(part: Part, forecast: Forecast, weighed: Weighed): readonly Draft[] {
  const { line } = forecast
  const table = part.table?.name ?? null
  const main = mainOf(part, weighed)
  const advice = main === null ? null : adviceFor(part, forecast, weighed)
  const uses = usesOf(part, weighed)
  return [
    ...(main === null ? [] : [{ ...main, line, table, advice }]),
    ...(main === null && part.old.kind !== 'works'
      ? [
          {
            code: 'old-code-breaks' as const,
            weight: breakWeight(part.old, part, weighed),
            line,
            table,
            text: oldText(part.old),
            advice: null,
          },
        ]
      : []),
    ...(part.new.kind === 'fails' || part.new.kind === 'may fail'
      ? [
          {
            code: 'new-code-breaks' as const,
            weight: 'note' as const,
            line,
            table,
            text: `has to run before the new application starts, which ${part.new.kind === 'fails' ? 'fails' : 'may fail'} without it: ${part.new.why}`,
            advice: null,
          },
        ]
      : []),
    ...uses.map((use) => ({ ...use, line, table, advice: null })),
    ...dependentFindings(part, weighed).map((found) => ({ ...found, line, table, advice: null })),
  ]
}

type Main = { readonly code: FindingCode; readonly weight: Weight; readonly text: string }

function mainOf(part: Part, weighed: Weighed): Main | null {
  const code = CODES[part.rule]
  const breaks = part.old.kind === 'works' ? '' : `; ${oldText(part.old)}`
  if (part.loses.length > 0) {
    const what =
      part.loses.length === 1
        ? part.loses[0]
        : `${part.loses.slice(0, 3).join(', ')}${part.loses.length > 3 ? ` and ${part.loses.length - 3} more` : ''}`
    return {
      code: 'data-loss',
      weight: heaviest([lossWeight(part, weighed), ...(breaks === '' ? [] : [breakWeight(part.old, part, weighed)])]),
      text: `takes away for good: ${what}${rowsOf(part, weighed)}${breaks}`,
    }
  }
  if (code === undefined || part.old.kind === 'works') return null
  return { code, weight: breakWeight(part.old, part, weighed), text: `${doesText(part, weighed)}${breaks}` }
}

const CODES: Readonly<Partial<Record<Rule, FindingCode>>> = {
  'rename column': 'rename',
  'rename table': 'rename',
  'change type': 'type-change',
  'add required column': 'required-column',
  'set not null': 'required-column',
}

function doesText(part: Part, { schema }: Weighed): string {
  const table = part.table === null ? 'it' : nameOf(part.table, schema)
  const column = part.column === undefined ? table : `${part.table === null ? '' : `${table}.`}${inCode(part.column)}`.replace('`.`', '.')
  switch (part.rule) {
    case 'rename column':
      return `renames ${column} to ${inCode(part.name ?? part.to ?? '')}`
    case 'rename table':
      return `renames ${table} to ${inCode(part.to ?? part.name ?? '')}`
    case 'change type':
      return `changes ${column} from ${part.from ?? 'its type'} to ${part.to ?? 'another'}`
    default:
      return `requires a value in ${column}`
  }
}

const oldText = (old: Compatibility): string =>
  old.kind === 'works'
    ? ''
    : `the application that runs now ${old.kind === 'fails' ? 'fails' : 'may fail'} from that moment until the new one is live: ${old.why}`

/** An empty table has nothing to lose, and what was put aside has been missed by nobody. */
function lossWeight(part: Part, weighed: Weighed): Weight {
  if (part.table === null) return 'warning'
  if ((part.rule === 'drop column' ? (part.column ?? '') : part.table.name).startsWith('_deprecated_')) return 'note'
  const size = weighed.sizeOf(part.table)
  return size.rows === 0 ? 'note' : heaviest(['warning', gradeOf(size, weighed.thresholds)])
}

/** By traffic: what nobody uses breaks nobody. A statement a second is enough for somebody to notice. */
function breakWeight(old: Compatibility, { table }: Part, weighed: Weighed): Weight {
  if (old.kind === 'works') return 'note'
  if (table === null) return old.kind === 'fails' ? 'warning' : 'note'
  const size = weighed.sizeOf(table)
  if (old.kind === 'may fail') return size.bytes === null || size.rows === 0 ? 'note' : 'warning'
  return size.bytes === null || size.writesPerSecond + size.readsPerSecond >= 1 ? 'blocker' : 'warning'
}

function rowsOf({ table }: Part, weighed: Weighed): string {
  const rows = table === null ? null : weighed.sizeOf(table).rows
  return rows === null ? '' : rows === 0 ? ', of no rows' : `, of about ${rows.toLocaleString('en-US')} ${rows === 1 ? 'row' : 'rows'}`
}

const TAKES: ReadonlySet<Rule> = new Set(['drop column', 'drop table', 'rename column', 'rename table', 'change type'])

/** Views, functions and the like that are built on what goes or changes. */
function dependentFindings(part: Part, { live, schema }: Weighed): readonly Pick<Draft, 'code' | 'weight' | 'text'>[] {
  const { table, column } = part
  if (live === null || table === null || !TAKES.has(part.rule)) return []
  const all = live.dependents.filter(
    (one) =>
      one.schema === table.schema && one.table === table.name && (column === undefined || one.column === null || one.column === column),
  )
  if (all.length === 0) return []
  const shown = all.slice(0, 4).map(({ kind, name }) => `the ${kind} ${inCode(name)}`)
  const rest = all.length - shown.length
  const list =
    rest > 0
      ? `${shown.join(', ')} and ${rest} more`
      : shown.length === 1
        ? shown[0]
        : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
  const what =
    column === undefined ? nameOf(table, schema) : inCode(`${table.schema === schema ? '' : `${table.schema}.`}${table.name}.${column}`)
  return [
    {
      code: 'dependents',
      weight: 'warning',
      text: `${list} ${all.length === 1 ? 'is' : 'are'} built on ${what}, which this takes away or changes`,
    },
  ]
}
