import type { Catalogue } from '../../database/catalogue/catalogue.ts'
import type { Part, Relation, Rule } from '../rules/forecast.ts'
import type { Draft, Weighed } from './draft.ts'
import { inCode, nameOf } from './size.ts'

const TAKES: ReadonlySet<Rule> = new Set(['drop column', 'drop table', 'rename column', 'rename table', 'change type'])

/** Views, functions, publications and foreign keys that are built on what goes or changes. */
export function dependentFindings(part: Part, { catalogue, schema }: Weighed): readonly Pick<Draft, 'code' | 'weight' | 'text'>[] {
  const { table, column } = part
  if (catalogue === null || table === null || !TAKES.has(part.rule)) return []
  const certain = dependentsOf(catalogue, table, column)
  const maybe = functionsNaming(catalogue, table, column)
  const what =
    column === undefined ? nameOf(table, schema) : inCode(`${table.schema === schema ? '' : `${table.schema}.`}${table.name}.${column}`)
  return [
    ...(certain.length === 0
      ? []
      : [
          {
            code: 'dependents' as const,
            weight: 'warning' as const,
            text: `${listed(certain)} ${certain.length === 1 ? 'is' : 'are'} built on ${what}, which this takes away or changes`,
          },
        ]),
    ...(maybe.length === 0
      ? []
      : [
          {
            code: 'dependents' as const,
            weight: 'warning' as const,
            text: `${listed(maybe)} ${maybe.length === 1 ? 'names' : 'name'} ${what} in its text and may fail afterwards, when it is called`,
          },
        ]),
  ]
}

function dependentsOf(
  { relations, dependents, constraints, publications }: Catalogue,
  table: Relation,
  column?: string,
): readonly string[] {
  const own = relations.find(({ schema, name }) => schema === table.schema && name === table.name)
  if (own === undefined) return []
  const named = (id: number) => relations.find((one) => one.id === id)?.name ?? ''
  return [
    ...dependents
      .filter((one) => one.on === own.id && SHOWN.has(one.kind) && (column === undefined || one.column === null || one.column === column))
      .map(({ kind, name }) => `the ${kind} ${inCode(name)}`),
    ...constraints
      .filter(
        (one) =>
          one.kind === 'f' && one.other === own.id && one.table !== own.id && (column === undefined || one.otherColumns.includes(column)),
      )
      .map((one) => `the foreign key ${inCode(one.name)} of ${inCode(named(one.table))}`),
    ...publications
      .filter((one) =>
        one.tables.some(({ table: id, columns }) => id === own.id && (column === undefined || columns?.includes(column) === true)),
      )
      .map(({ name }) => `the publication ${inCode(name)}`),
  ]
}

const SHOWN: ReadonlySet<string> = new Set(['view', 'rule', 'function', 'generated column'])

/** PostgreSQL does not know what a body of PL/pgSQL uses before it runs. */
function functionsNaming({ functions }: Catalogue, table: Relation, column?: string): readonly string[] {
  const words = [table.name, ...(column === undefined ? [] : [column])].map(
    (word) => new RegExp(`(?<![\\w$])${word.replaceAll(/[^\w$]/g, '\\$&')}(?![\\w$])`),
  )
  return functions
    .filter(({ text }) => text !== null && words.every((word) => word.test(text)))
    .map(({ name }) => `the function ${inCode(name)}`)
}

function listed(all: readonly string[]): string {
  const distinct = [...new Set(all)]
  const shown = distinct.slice(0, 4)
  const rest = distinct.length - shown.length
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`
  return shown.length === 1 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`
}
