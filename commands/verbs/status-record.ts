import { code } from '../../approvals/wording.ts'
import { dateTime } from '../../src/calendar/say.ts'
import type { Target } from '../../src/config/config.ts'
import { durationText } from '../../src/lib/text/text.ts'
import { SQL_RECORD } from '../../src/plan/record.ts'
import { lastDeploy } from '../../src/request/live-commit.ts'
import type { RecordRow, VerbDeps } from './reply.ts'

/** How many rows of `_prisma_migrations` are shown. */
const MOST_ROWS = 10

/** The newest rows of the record, newest first, in the target's zone; of a tool with a record of its own, whose times are not known, none. */
export function recordLines(record: readonly RecordRow[], { timezone: zone, tool }: Pick<Target, 'timezone' | 'tool'>): readonly string[] {
  if (record.length === 0 || 'command' in tool) return []
  const newest = record.toSorted((a, b) => +b.startedAt - +a.startedAt).slice(0, MOST_ROWS)
  const which =
    record.length === 1
      ? 'the only row'
      : record.length > MOST_ROWS
        ? `the last ${MOST_ROWS} of ${record.length} rows`
        : `all ${record.length} rows`
  return [
    `• ${code('sql' in tool ? SQL_RECORD : '_prisma_migrations')}, ${which}, times in ${zone}`,
    ...newest.map((row) => `    ◦ ${code(row.name)} ${stateOf(row, zone)}`),
  ]
}

function stateOf({ startedAt, finishedAt, rolledBackAt }: RecordRow, zone: string): string {
  const time = (at: Date) => dateTime(Math.floor(+at / 1000) * 1000, zone)
  if (rolledBackAt !== null) return `started ${time(startedAt)}, rolled back ${time(rolledBackAt)}`
  if (finishedAt === null) return `started ${time(startedAt)}, not finished`
  return `applied ${time(finishedAt)}, took ${durationText(Math.max(0, +finishedAt - +startedAt))}`
}

/** `• Live: abc1234, by …`: what the configured command says, else what was deployed from here last. Null when neither knows. */
export async function liveLine(deps: Pick<VerbDeps, 'askLiveCommit' | 'db'>, target: Target): Promise<string | null> {
  const asked = await deps.askLiveCommit(target)
  if (asked !== null) return 'why' in asked ? `• Live: not known. ${asked.why}` : `• Live: commit ${code(asked.commit.slice(0, 7))}`
  const deployed = await lastDeploy(deps.db, target.name)
  return deployed === null ? null : `• Live: commit ${code(deployed.commit.slice(0, 7))}, deployed last from here by #${deployed.id}`
}
