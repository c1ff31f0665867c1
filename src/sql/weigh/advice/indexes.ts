import type { Part } from '../../rules/forecast.ts'
import type { Advice } from './advice.ts'
import { fileName } from './names.ts'

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
