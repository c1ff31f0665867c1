import { code } from '../../../approvals/wording.ts'
import { dateTime } from '../../../src/calendar/say.ts'
import type { Target } from '../../../src/config/config.ts'
import { durationText } from '../../../src/lib/text/text.ts'
import { SQL_RECORD } from '../../../src/plan/record.ts'
import { lastDeploy } from '../../../src/request/live-commit.ts'
import type { RecordRow, VerbDeps } from '../reply.ts'
import { isoDay, wallAt } from '../../../src/calendar/zone.ts'
import { dropSql, isDue, type SetAside } from '../../../src/live-schema/set-aside.ts'
import { liveSchemaText } from '../../../src/live-schema/words.ts'
import { storeNow } from '../../../src/store/now.ts'

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

const MOST_SET_ASIDE = 5

/** Whether the schema is as the last run left it, and what was set aside to be dropped. A target that cannot be read says so elsewhere. */
export async function schemaLines(deps: Pick<VerbDeps, 'lookLive' | 'onFault' | 'db'>, target: Target): Promise<readonly string[]> {
  return (await looked(deps, target, 'all')) ?? []
}

async function looked(
  deps: Pick<VerbDeps, 'lookLive' | 'onFault' | 'db'>,
  target: Target,
  what: 'all' | 'due',
): Promise<readonly string[] | null> {
  try {
    const look = await deps.lookLive(target)
    if (look === null) return null
    const today = isoDay(wallAt(await storeNow(deps.db), target.timezone))
    const isTold = what === 'all' || look.schema.kind === 'differs'
    const text = isTold ? liveSchemaText(look.schema, (at) => dateTime(Math.floor(+at / 1000) * 1000, target.timezone)) : null
    const setAside = what === 'all' ? look.setAside : look.setAside.filter((one) => isDue(one, today))
    return [...(text === null ? [] : [`• ${text}.`]), ...setAsideLines(setAside, today)]
  } catch (error) {
    deps.onFault(error)
    return null
  }
}

/** What somebody has to do about the schema: it was changed by others, or the time of what was set aside has passed. */
export async function dueLines(deps: Pick<VerbDeps, 'lookLive' | 'onFault' | 'db'>, target: Target): Promise<readonly string[]> {
  return (await looked(deps, target, 'due')) ?? []
}

/** `today` in the zone of the target. */
export function setAsideLines(all: readonly SetAside[], today: string): readonly string[] {
  const due = all.toSorted((a, b) => Number(isDue(b, today)) - Number(isDue(a, today)))
  const rest = due.length - MOST_SET_ASIDE
  return [
    ...due.slice(0, MOST_SET_ASIDE).map((one) => `• ${setAsideText(one, today)}`),
    ...(rest > 0 ? [`• … and ${rest} more that were set aside`] : []),
  ]
}

function setAsideText(one: SetAside, today: string): string {
  const what = `Set aside: the ${one.kind} ${code(one.name)}`
  if (one.until === null)
    return `${what}, and its comment does not say until when. Give it one with a day, as in ${code(commentSql(one), 300)}.`
  if (!isDue(one, today)) return `${what}, until ${one.until}. Nothing is to be done before that.`
  return `*${what}, and its time has passed* (${one.until}). If nothing has missed it, drop it with a migration: ${code(dropSql(one), 300)}`
}

const commentSql = ({ kind, sql }: SetAside): string =>
  `COMMENT ON ${kind === 'table' ? `TABLE ${sql.table}` : `COLUMN ${sql.table}.${sql.column}`} IS 'Drop it after 2026-12-31.'`
