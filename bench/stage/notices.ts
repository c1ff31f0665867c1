import { defaultSeed, type Seed } from '../../playground/server/seed.ts'
import { readAloud, type Flow } from '../../test/helpers/flow.ts'
import { until } from '../../test/helpers/until.ts'

/** As many channels are told of them. */
const CHANNELS = Array.from({ length: 20 }, (_, n) => `C0NOTICE${n}`)

/** A workspace in which the bot is in the channels of the windows. */
export const seedForNotices: Seed = {
  ...defaultSeed,
  channels: [
    ...defaultSeed.channels,
    ...CHANNELS.map((id) => ({ id, name: id.toLowerCase(), topic: '', isPrivate: false, members: ['U0ALICE', 'U0LOCKBOT'] })),
  ],
}

/** As many windows of `prod`, each with one notice, due spread over the minute that begins after `inMs` milliseconds. */
export async function planNotices({ store }: Pick<Flow, 'store'>, count: number, inMs: number): Promise<void> {
  await store.query(
    `with planned as (
       insert into lockkeeper.maintenance
         (token, targets, starts_at, ends_at, timezone, reason, owner, owner_human, channels, drawn_revision, draw_after)
       select 'w_bench' || n, '{prod}', lockkeeper.now() + interval '1 hour' + n * interval '1 millisecond', lockkeeper.now() + interval '3 hours',
         'UTC', 'Window ' || n, 'U0ALICE', 'U0ALICE', array[($2::text[])[1 + n % cardinality($2::text[])]], 1, 'infinity'
       from generate_series(1, $1::int) as n returning id, starts_at)
     insert into lockkeeper.notice (maintenance_id, plan_no, stage, due_at, useful_until)
     select id, 1, 'before:3600000',
       lockkeeper.now() + $3 * interval '1 millisecond' + (row_number() over (order by id) - 1) * interval '1 minute' / $1, starts_at
     from planned`,
    [count, CHANNELS, inMs],
  )
}

export type ToldNotices = {
  /** Notices that nobody decided, or that were not told although they were of use. */
  readonly lost: number
  readonly twice: number
  /** Posts of lists and of single notices in all channels. */
  readonly posts: number
}

/** Waits until everything about them stands in Slack, and counts it there and in the store. */
export async function toldNotices({ store, slack }: Pick<Flow, 'store' | 'slack'>, count: number, withinMs: number): Promise<ToldNotices> {
  await until(
    'every notice is decided and every list is posted',
    async () => {
      const [row] = await store.query<{ open: number }>(
        `select (select count(*) from lockkeeper.notice where state = 'pending')
           + (select count(*) from lockkeeper.bulletin b left join lockkeeper.message m on m.bulletin_id = b.id where m.state is distinct from 'sent') as open`,
      )
      return Number(row?.open) === 0
    },
    withinMs,
  )
  const events = await store.query<{ window: number; channels: number; count: number }>(
    `select maintenance_id as window, max(jsonb_array_length(data->'channels'))::int as channels, count(*)::int as count
     from lockkeeper.maintenance_event where kind = 'notice' group by maintenance_id`,
  )
  const texts = CHANNELS.flatMap((channel) => slack.messages(channel).map(readAloud))
  const listed = texts.map((text) => Number(/^(\d+) notices of maintenance windows/.exec(text)?.[1] ?? 0)).filter((found) => found > 0)
  const single = events.filter(({ channels }) => channels > 0).length
  const told = listed.reduce((sum, found) => sum + found, 0) + single
  const twice = events.reduce((sum, one) => sum + one.count - 1, 0) + Math.max(0, told - count)
  return { lost: count - events.length + Math.max(0, count - told), twice, posts: listed.length + single }
}
