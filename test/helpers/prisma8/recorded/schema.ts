import { readFileSync } from 'node:fs'
import type pg from 'pg'
import type { Column, Contract } from './config.ts'

export const readContract = (path: string): Contract => JSON.parse(readFileSync(path, 'utf8')) as Contract

type Node = Column & { readonly nodeKind: 'sql-column'; readonly name: string; readonly resolvedNativeType: string }
export type Issue = { readonly path: readonly string[]; readonly expected?: Node; readonly actual?: Node }

/** Columns that the contract has and the database has not, or of another type; what is more there is no issue. */
export async function issuesOf(client: pg.Client, contract: Contract): Promise<readonly Issue[]> {
  const issues: Issue[] = []
  for (const [schema, { entries }] of Object.entries(contract.storage.namespaces))
    for (const [table, { columns }] of Object.entries(entries.table ?? {})) {
      const { rows } = await client.query<{ name: string; type: string; nullable: boolean }>(
        `SELECT column_name AS name, udt_name AS type, is_nullable = 'YES' AS nullable FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2`,
        [schema, table],
      )
      const there = new Map(rows.map((row) => [row.name, row]))
      for (const [name, column] of Object.entries(columns)) {
        const found = there.get(name)
        if (found?.type === column.nativeType && found.nullable === column.nullable) continue
        issues.push({
          path: ['database', schema, table, `column:${name}`],
          expected: nodeOf(name, column.nativeType, column.nullable),
          ...(found === undefined ? {} : { actual: nodeOf(name, found.type, found.nullable) }),
        })
      }
    }
  return issues
}

const nodeOf = (name: string, nativeType: string, nullable: boolean): Node => ({
  nodeKind: 'sql-column',
  name,
  nativeType,
  nullable,
  resolvedNativeType: nativeType,
})

export const failures = (issues: readonly Issue[]): string =>
  `Database schema does not satisfy contract (${issues.length} failure${issues.length === 1 ? '' : 's'})`
