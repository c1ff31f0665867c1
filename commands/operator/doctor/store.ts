import type { Db } from '../../../src/store/pool.ts'
import { hasSqlState, sqlState } from '../../../src/lib/sqlstate.ts'
import { newestMigration } from '../../../src/store/schema.ts'
import { ageText, bytesText, count, ok, requests, warning, wrong, type Finding } from './finding.ts'

/** What the store is, and what waits in it. */
export async function lookAtStore(db: Db): Promise<readonly Finding[]> {
  const [server] = await db.query<{ version: string; bytes: number; name: string }>(
    `select current_setting('server_version') as version, pg_database_size(current_database())::float8 as bytes, current_database() as name`,
  )
  const about = `PostgreSQL ${server?.version.split(' ')[0]}, ${bytesText(server?.bytes ?? 0)} in "${server?.name}"`
  const schema = await schemaOf(db)
  if (schema === null)
    return [
      warning(
        'store',
        `${about}, without Lockkeeper's tables`,
        'The first start makes them. If there should be some, STORE_URL names another database.',
      ),
    ]
  const newest = newestMigration()
  if (schema > newest)
    return [
      wrong(
        'store',
        `${about}, used by a newer Lockkeeper (schema ${schema}, this one knows ${newest})`,
        'Run doctor of that version; this one cannot start with this store.',
      ),
    ]
  const found =
    schema < newest
      ? warning(
          'store',
          `${about}, schema ${schema} of ${newest}`,
          'A start of this version brings it up to date; older versions cannot start afterwards.',
        )
      : ok('store', `${about}, schema ${schema}`)
  return [found, ...(await lookAtRequests(db)), ...(await lookAtReviews(db)), await lookAtMessages(db)]
}

export const hasTables = async (db: Db): Promise<boolean> => (await schemaOf(db).catch(() => null)) !== null

async function schemaOf(db: Db): Promise<number | null> {
  try {
    const [row] = await db.query<{ id: number | null }>('select max(id) as id from lockkeeper.schema_version')
    return row?.id ?? null
  } catch (error) {
    if (hasSqlState(error, sqlState.undefinedTable)) return null
    throw error
  }
}

type Open = { readonly id: number; readonly state: string; readonly seconds: number }

async function lookAtRequests(db: Db): Promise<readonly Finding[]> {
  const open = await db.query<Open>(
    `select id, state, extract(epoch from clock_timestamp() - created_at)::float8 as seconds from lockkeeper.request
     where state in ('planning','waiting','granted','running','needs_human') order by id`,
  )
  const stopped = open.filter(({ state }) => state === 'needs_human')
  const oldest = open.find(({ state }) => state === 'waiting')
  const under = open.length - stopped.length
  return [
    ok('requests', `${under} under way${oldest === undefined ? '' : `; #${oldest.id} has waited longest, ${ageText(oldest.seconds)}`}`),
    ...(stopped.length === 0
      ? []
      : [
          wrong(
            'requests',
            `${requests(stopped.map(({ id }) => id))} ${stopped.length === 1 ? 'needs' : 'need'} a person, and ${stopped.length === 1 ? 'its target is' : 'their targets are'} taken until then`,
            `docs/operations.md, "When a run needs a person"; close with lockkeeper cancel ${stopped[0]?.id}.`,
          ),
        ]),
  ]
}

/** Broken glass that nobody else has looked at yet. */
async function lookAtReviews(db: Db): Promise<readonly Finding[]> {
  const open = await db
    .query<{ id: number; seconds: number }>(
      `select request_id as id, extract(epoch from clock_timestamp() - broken_at)::float8 as seconds from lockkeeper.break_glass
       where broken_at is not null and reviewed_at is null order by broken_at`,
    )
    .catch((error: unknown) => {
      if (hasSqlState(error, sqlState.undefinedTable)) return [] // a store of before there was break-glass
      throw error
    })
  if (open.length === 0) return []
  const it = open.length === 1 ? 'it' : 'them'
  return [
    warning(
      'break-glass',
      `${requests(open.map(({ id }) => id))} ran without the usual votes, and nobody has reviewed ${it} for ${ageText(open[0]?.seconds ?? 0)}`,
      'A reviewer who was not involved presses the button on the card.',
    ),
  ]
}

/** Longer than any rate limit of Slack's. */
const LATE_SECONDS = 120

async function lookAtMessages(db: Db): Promise<Finding> {
  const [unsent] = await db.query<{ count: number; seconds: number | null; error: string | null }>(
    `select count(*)::int as count, extract(epoch from clock_timestamp() - min(created_at))::float8 as seconds, max(last_error) as error
     from lockkeeper.message where state in ('intended', 'unsure')`,
  )
  const [lost] = await db.query<{ count: number }>(
    `select count(*)::int as count from lockkeeper.message where state = 'given_up' and created_at > clock_timestamp() - interval '1 day'`,
  )
  const waiting = unsent?.count ?? 0
  const why = unsent?.error === null || unsent?.error === undefined ? '' : ` (${unsent.error})`
  if (waiting > 0 && (unsent?.seconds ?? 0) > LATE_SECONDS)
    return wrong(
      'messages',
      `${count(waiting, 'message has', 'messages have')} not reached Slack for ${ageText(unsent?.seconds ?? 0)}${why}`,
      'Mend what stands under Slack; they are sent by themselves then.',
    )
  if ((lost?.count ?? 0) > 0)
    return warning(
      'messages',
      `${count(lost?.count ?? 0, 'message was', 'messages were')} given up within a day, because Slack refused ${lost?.count === 1 ? 'it' : 'them'}`,
      'lockkeeper status names them; mostly the bot is missing in a channel.',
    )
  return ok('messages', waiting === 0 ? 'everything stands in Slack' : `${count(waiting, 'message')} on the way`)
}
