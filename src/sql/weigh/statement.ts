import { plainText } from '../../lib/text/quoted.ts'
import type { Forecast, Part } from '../rules/forecast.ts'
import { adviceFor } from './advice/choose.ts'
import type { Draft, Weighed } from './draft.ts'
import { fileName, relationSql } from './advice/names.ts'
import { readOne } from './advice/subcommands.ts'
import { inCode, nameOf } from './size.ts'

/** What is to be known of a statement whatever the size of its tables. */
export function statementFindings(forecast: Forecast, weighed: Weighed): readonly Draft[] {
  const { line, unknown, parts } = forecast
  return [
    ...refused(forecast, weighed),
    ...(unknown === null
      ? []
      : [
          draft(
            'unknown',
            'warning',
            line,
            `nobody knows what it does before it runs: ${unknown}; read it yourself, and count it as breaking`,
          ),
        ]),
    ...parts.flatMap((part) => [
      ...withoutTimeout(part, forecast, weighed),
      ...elsewhere(part, forecast, weighed),
      ...leftInvalid(part, forecast, weighed),
    ]),
  ]
}

function refused(forecast: Forecast, weighed: Weighed): readonly Draft[] {
  const { fails, line, parts } = forecast
  if (fails === null) return []
  const required = parts.find(({ rule }) => rule === 'add required column')
  const about = required ?? parts[0]
  return [
    {
      code: required === undefined ? 'fails' : 'required-column',
      weight: 'blocker',
      line,
      table: about?.table?.name ?? null,
      text: `PostgreSQL refuses it as things stand (${fails.sqlstate}): ${fails.why}`,
      advice: about === undefined ? null : adviceFor(about, forecast, weighed),
    },
  ]
}

/** A file that takes away the time limit of the run would wait for a lock for ever, and everybody behind it. */
function withoutTimeout(part: Part, { sql, line }: Forecast, { parser }: Weighed): readonly Draft[] {
  if (part.rule !== 'session setting') return []
  const node = readOne(sql, parser)
  if (node === undefined || !('VariableSetStmt' in node)) return []
  const { name = '', kind, args } = node.VariableSetStmt
  // RESET and DEFAULT lead back to the limits of the run
  if (kind !== 'VAR_SET_VALUE' || (name !== 'lock_timeout' && name !== 'statement_timeout')) return []
  const value =
    (args ?? []).map((arg) => ('A_Const' in arg ? (arg.A_Const.sval?.sval ?? String(arg.A_Const.ival?.ival ?? 0)) : ''))[0] ?? ''
  if (!/^0+\s*(us|ms|s|min|h|d)?$/.test(value.trim())) return []
  const says =
    name === 'lock_timeout'
      ? 'takes away the limit of waiting for a lock, so it would wait for ever, and everybody who needs the table would wait behind it'
      : 'takes away the limit of how long a statement may run, so a lock may be held for ever'
  return [
    {
      ...draft('no-timeout', name === 'lock_timeout' ? 'blocker' : 'warning', line, `${inCode(sql.trim().replace(/;$/, ''), 80)} ${says}`),
      advice: { text: 'Take the statement out: the run sets both limits by itself', files: [] },
    },
  ]
}

/** What an interrupted CONCURRENTLY leaves: it slows writes, serves no query, and IF NOT EXISTS takes it for the one that is wanted. */
function leftInvalid({ rule, name, table }: Part, { line }: Forecast, { catalogue, schema }: Weighed): readonly Draft[] {
  if (catalogue === null || table === null || name === undefined || !rule.startsWith('create index')) return []
  const found = catalogue.indexes.find((one) => one.schema === table.schema && one.name === name)
  // that of a partitioned table is invalid until each partition has one
  if (found === undefined || found.isValid || catalogue.relations.some(({ id, kind }) => id === found.table && kind === 'p')) return []
  const index = relationSql({ schema: table.schema, name }, schema)
  return [
    {
      code: 'invalid-index',
      weight: 'warning',
      line,
      table: table.name,
      text: `an index ${inCode(name)} is there already and is not valid, as an interrupted CONCURRENTLY leaves it: no query uses it, and IF NOT EXISTS would leave it so`,
      advice: {
        text: 'Drop it first, in a migration of its own',
        files: [{ name: fileName('drop', name), sql: `DROP INDEX CONCURRENTLY ${index};\n` }],
      },
    },
  ]
}

function elsewhere(part: Part, { line, sql }: Forecast, { schema }: Weighed): readonly Draft[] {
  const { rule, table } = part
  if (rule === 'database')
    return [
      draft(
        'database-wide',
        'blocker',
        line,
        `${inCode(sql.trim().replace(/;$/, ''), 80)} is about more than the tables of this application: others on the server feel it too`,
      ),
    ]
  if (rule === 'row security' && table !== null && !part.isNew)
    return [
      draft(
        'row-security',
        'warning',
        line,
        `changes which rows of ${nameOf(table, schema)} each user sees; the application may find none, without an error`,
      ),
    ]
  if (rule === 'publication')
    return [
      draft('publication', 'warning', line, `changes what subscribers of ${inCode(plainText(part.name ?? 'the publication'))} are sent`),
    ]
  return table !== null && !part.isNew && table.schema !== schema
    ? [draft('other-schema', 'note', line, `is about ${nameOf(table, schema)}, which is not in the schema of this target`)]
    : []
}

const draft = (code: Draft['code'], weight: Draft['weight'], line: number, text: string): Draft => ({
  code,
  weight,
  line,
  table: null,
  text,
  advice: null,
})
