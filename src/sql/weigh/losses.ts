import type { Compatibility, Forecast, Part, Rule } from '../rules/forecast.ts'
import { adviceFor } from './advice/choose.ts'
import type { Draft, Weighed } from './draft.ts'
import type { FindingCode, Weight } from './finding.ts'
import { gradeOf, heaviest, inCode, nameOf } from './size.ts'
import { dependentFindings } from './dependents.ts'
import { usesOf } from './uses.ts'

/** What is gone for good, what the running application no longer finds, and who uses it still. `isHeavy`: its work is told already. */
export function lossFindings(part: Part, forecast: Forecast, weighed: Weighed, isHeavy: boolean): readonly Draft[] {
  const { line } = forecast
  const table = part.table?.name ?? null
  const old = weighed.order === 'migrate-first' ? part.old : works
  const main = mainOf({ ...part, old }, weighed, isHeavy)
  const withAdvice = main !== null && main.weight !== 'note' && !isHeavy && !OF_ROWS.has(part.rule)
  return [
    ...(main === null ? [] : [{ ...main, line, table, advice: withAdvice ? adviceFor(part, forecast, weighed) : null }]),
    ...(main === null && old.kind !== 'works'
      ? [{ code: 'old-code-breaks' as const, weight: breakWeight(old, part, weighed), line, table, text: oldText(old), advice: null }]
      : []),
    ...usesOf(part, weighed).map((use) => ({ ...use, line, table, advice: null })),
    ...dependentFindings(part, weighed).map((found) => ({ ...found, line, table, advice: null })),
  ]
}

const works: Compatibility = { kind: 'works' }
/** How rows are written is told with the work. */
const OF_ROWS: ReadonlySet<Rule> = new Set(['insert', 'update', 'delete', 'truncate'])

/** Only where the new application starts on the old schema; what the plan makes counts too, since it is not there yet. */
export function newCodeFindings({ parts, line }: Forecast, { order }: Weighed): readonly Draft[] {
  if (order === 'migrate-first') return []
  return parts.flatMap(({ new: of, table }) =>
    of.kind === 'works'
      ? []
      : [
          {
            code: 'new-code-breaks' as const,
            weight: 'warning' as const,
            line,
            table: table?.name ?? null,
            text: `the new application starts before this has run, and ${of.kind === 'fails' ? 'fails' : 'may fail'} until then: ${of.why}`,
            advice: null,
          },
        ],
  )
}

type Main = { readonly code: FindingCode; readonly weight: Weight; readonly text: string }

function mainOf(part: Part, weighed: Weighed, isHeavy: boolean): Main | null {
  const code = CODES[part.rule]
  const breaks = part.old.kind === 'works' ? '' : `; ${oldText(part.old)}`
  // values that are replaced: that is what an UPDATE is for
  if (part.rule === 'update' || part.rule === 'insert') return null
  if (part.loses.length > 0) {
    const what =
      part.loses.length === 1
        ? part.loses[0]
        : `${part.loses.slice(0, 3).join(', ')}${part.loses.length > 3 ? ` and ${part.loses.length - 3} more` : ''}`
    return {
      code: 'data-loss',
      weight: heaviest([lossWeight(part, weighed), ...(breaks === '' ? [] : [breakWeight(part.old, part, weighed)])]),
      text: `takes away for good: ${withoutSchema(what ?? '', weighed.schema)}${rowsOf(part, weighed)}${breaks}`,
    }
  }
  if (code === undefined || part.old.kind === 'works' || (isHeavy && part.old.kind === 'may fail')) return null
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
      return `renames ${column} to ${inCode(part.name ?? '')}`
    case 'rename table':
      return `renames ${table} to ${inCode(part.name ?? '')}`
    case 'change type':
      return `changes ${column} from ${part.from ?? 'its type'} to ${part.to ?? 'another'}`
    default:
      return `requires a value in ${column}`
  }
}

const oldText = (old: Compatibility): string =>
  old.kind === 'works'
    ? ''
    : `the application that runs now ${old.kind === 'fails' ? 'fails' : 'may fail'} until the new one is live: ${old.why}`

/** An empty table has nothing to lose, and what was put aside has been missed by nobody. */
function lossWeight(part: Part, weighed: Weighed): Weight {
  if (part.table === null) return 'warning'
  if ((part.rule === 'drop column' ? (part.column ?? '') : part.table.name).startsWith('_deprecated_')) return 'note'
  const size = weighed.sizeOf(part.table)
  return size.rows === 0 ? 'note' : heaviest(['warning', gradeOf(size, weighed.thresholds)])
}

/** By traffic: what nobody uses breaks nobody. A statement a second is enough for somebody to notice. */
function breakWeight(old: Compatibility, { table, rule }: Part, weighed: Weighed): Weight {
  if (old.kind === 'works') return 'note'
  if (table === null) return old.kind === 'fails' ? 'warning' : 'note'
  const size = weighed.sizeOf(table)
  if (old.kind === 'may fail') return rule !== 'change type' || size.bytes === null || size.rows === 0 ? 'note' : 'warning'
  return size.bytes === null || size.writesPerSecond + size.readsPerSecond >= 1 ? 'blocker' : 'warning'
}

function rowsOf({ table }: Part, weighed: Weighed): string {
  const rows = table === null ? null : weighed.sizeOf(table).rows
  return rows === null ? '' : rows === 0 ? ' (no rows)' : ` (about ${rows.toLocaleString('en-US')} ${rows === 1 ? 'row' : 'rows'})`
}

/** Of the target, as people leave it out. */
const withoutSchema = (text: string, schema: string): string =>
  text.replaceAll(new RegExp(`(?<![\\w.])${schema.replaceAll(/[^\w]/g, '\\$&')}\\.(?=\\S)`, 'g'), '')
