import type { Catalogue } from '../../../database/catalogue/catalogue.ts'
import { identifier } from '../../../database/session-facts.ts'
import type { Part, Relation } from '../../rules/forecast.ts'
import type { Advice } from './advice.ts'
import { fileName, madeName, relationSql } from './names.ts'

/** The same statement without a lock that anybody notices. PostgreSQL refuses it beside others, so it stands alone. */
export function concurrently(part: Part, sql: string): Advice | null {
  const statement = sql.trim().replace(/;\s*$/, '')
  const changed = statement.replace(HEAD, (head) => `${head} CONCURRENTLY`)
  if (changed === statement) return null
  return {
    text:
      part.rule === 'drop index'
        ? 'Drop it CONCURRENTLY, alone in a migration of its own: nobody has to wait for that'
        : 'Build it CONCURRENTLY, alone in a migration of its own: that takes longer, and everybody goes on reading and writing',
    files: [
      {
        name: fileName(part.rule === 'drop index' ? 'drop' : 'build', part.name ?? `${part.table?.name ?? ''}_index`),
        sql: `${changed};\n`,
      },
    ],
  }
}

const HEAD =
  /^(?:create\s+(?:unique\s+)?index|drop\s+index|refresh\s+materialized\s+view|reindex\s+(?:\([^)]*\)\s*)?(?:index|table|schema))(?!\s+concurrently)\b/i

/** Whose partitions hold the rows: CONCURRENTLY is refused for the table itself. */
export const isPartitioned = (catalogue: Catalogue | null, table: Relation | null): boolean => partitioned(catalogue, table) !== undefined

const partitioned = (catalogue: Catalogue | null, table: Relation | null) =>
  catalogue?.relations.find((one) => one.schema === table?.schema && one.name === table.name && one.kind === 'p')

/** Longer than that nobody copies it. */
const MOST_PARTITIONS = 20

/** An index of a partitioned table: an empty one for the table, one for each partition without locking, and those joined to it in a moment. */
export function indexByPartition(
  part: Part,
  sql: string,
  { catalogue, schema }: { readonly catalogue: Catalogue | null; readonly schema: string },
): Advice | null {
  const table = partitioned(catalogue, part.table)
  const name = part.name
  const head = HEAD_OF_INDEX.exec(sql.trim())
  if (catalogue === null || table === undefined || name === undefined || head === null) return null
  const [whole, create = '', , tail = ''] = head
  const children = catalogue.relations.filter(({ parents }) => parents.includes(table.id))
  if (children.some(({ kind }) => kind !== 'r') || children.length > MOST_PARTITIONS) return null
  const rest = `${tail}${sql.trim().slice(whole.length)}`.replace(/;\s*$/, '')
  const ofPartition = (child: Relation) => madeName(`${child.name}_${name}`)
  return {
    text: 'Make an empty index for the table, build one for each partition CONCURRENTLY, each alone in a migration of its own, and join them to it, which takes a moment',
    files: [
      { name: fileName('index', name), sql: `${create} ${identifier(name)} ON ONLY ${relationSql(table, schema)} ${rest};\n` },
      ...children.map((child) => ({
        name: fileName('build', ofPartition(child)),
        sql: `${create} CONCURRENTLY ${identifier(ofPartition(child))} ON ${relationSql(child, schema)} ${rest};\n`,
      })),
      {
        name: fileName('attach', name),
        sql: children
          .map(
            (child) =>
              `ALTER INDEX ${relationSql({ schema: table.schema, name }, schema)} ATTACH PARTITION ${relationSql({ schema: child.schema, name: ofPartition(child) }, schema)};\n`,
          )
          .join(''),
      },
    ],
  }
}

/** `CREATE UNIQUE INDEX`, the name, and how and of what it is. */
const HEAD_OF_INDEX =
  /^(create\s+(?:unique\s+)?index)\s+(?:if\s+not\s+exists\s+)?("(?:[^"]|"")+"|[\w$]+)\s+on\s+(?:only\s+)?(?:(?:"(?:[^"]|"")+"|[\w$]+)\s*\.\s*)?(?:"(?:[^"]|"")+"|[\w$]+)\s*(using\s+\w+\s*)?/i
