import { countText, escapeLine, truncateMrkdwn } from '../../src/lib/text/text.ts'
import type { Evidence, Plan } from '../../src/plan/plan.ts'
import { context, section, table } from '../../src/slack/blocks/blocks.ts'
import type { Block } from '../../src/slack/port.ts'
import type { MigrationEvidence } from '../../src/sql/review.ts'

/** Migration, class, what it does, rows; a row for each pending migration. */
export function migrationsTable(plan: Plan | null, evidence: Evidence | null): readonly Block[] {
  if (plan === null || plan.list.length === 0) return []
  const known = new Map((evidence?.migrations ?? []).map((migration) => [migration.name, migration]))
  if (known.size === 0)
    return [
      table(
        [{ title: 'Migration', wrapped: true }],
        plan.list.map((migration) => [migration.name]),
      ),
    ]
  return [
    table(
      [
        { title: 'Migration', wrapped: true },
        { title: 'Class' },
        { title: 'What it does', wrapped: true },
        { title: 'Rows', align: 'right' },
      ],
      plan.list.map(({ name }) => {
        const migration = known.get(name)
        return [name, migration?.class ?? 'unclear', migration?.summary ?? '', migration === undefined ? '' : rowsText(migration)]
      }),
    ),
  ]
}

/** The same as lines of text, for modals, which take no tables. Only whole lines are shown, and all others are counted. */
export function migrationLines(plan: Plan | null, evidence: Evidence | null, most = 30): readonly Block[] {
  if (plan === null || plan.list.length === 0) return []
  const known = new Map((evidence?.migrations ?? []).map((migration) => [migration.name, migration]))
  const lines: string[] = []
  let room = LINES
  for (const { name } of plan.list.slice(0, most)) {
    const line = migrationLine(name, known.get(name))
    room -= line.length + 1
    if (room < 0) break
    lines.push(line)
  }
  const rest = plan.list.length - lines.length
  return [section(lines.join('\n')), ...(rest > 0 ? [context(`and ${rest} more, in the thread`)] : [])]
}

/** Of the 3,000 characters of a section; the name of a migration and what it does have a few hundred at most. */
const LINES = 2_900

function migrationLine(name: string, migration: MigrationEvidence | undefined): string {
  const facts =
    migration === undefined
      ? []
      : [migration.class, escapeLine(migration.summary), ...(rowsText(migration) === 'new' ? [] : [`${rowsText(migration)} rows`])]
  return truncateMrkdwn(`• ${[`*${escapeLine(name)}*`, ...facts.filter((fact) => fact !== '')].join(' · ')}`, 700)
}

/** A table that was never analysed may be large; what could not be read may touch any. */
function rowsText({ rows, tables, class: kind }: MigrationEvidence): string {
  if (rows !== null) return countText(rows)
  return tables.length === 0 && kind !== 'unclear' ? 'new' : 'unknown'
}
