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

/** As many windows of `prod`, each with one notice, due spread over the `forMs` milliseconds that begin after `inMs` milliseconds. */
export async function planNotices({ store }: Pick<Flow, 'store'>, count: number, { inMs, forMs }: Spread): Promise<void> {
  await store.query(
    `with planned as (
       insert into lockkeeper.maintenance
         (token, targets, starts_at, ends_at, timezone, reason, owner, owner_human, channels, drawn_revision, draw_after)
       select 'w_bench' || n, '{prod}', lockkeeper.now() + interval '1 hour' + n * interval '1 millisecond', lockkeeper.now() + interval '3 hours',
         'UTC', 'Window ' || n, 'U0ALICE', 'U0ALICE', array[($2::text[])[1 + n % cardinality($2::text[])]], 1, 'infinity'
       from generate_series(1, $1::int) as n returning id, starts_at)
     insert into lockkeeper.notice (maintenance_id, plan_no, stage, due_at, useful_until)
     select id, 1, 'before:3600000',
       lockkeeper.now() + $3 * interval '1 millisecond' + (row_number() over (order by id) - 1) * $4 * interval '1 millisecond' / $1, starts_at
     from planned`,
    [count, CHANNELS, inMs, forMs],
  )
}

type Spread = { readonly inMs: number; readonly forMs: number }

export type ToldNotices = {
  /** Notices that nobody decided, or that do not stand in their channel in Slack. */
  readonly lost: number
  readonly twice: number
  /** Posts of lists and of single notices in all channels. */
  readonly posts: number
}

/** Waits until every notice stands in Slack, and counts them there, channel by channel, and in the store. */
export async function toldNotices({ store, slack }: Pick<Flow, 'store' | 'slack'>, count: number, withinMs: number): Promise<ToldNotices> {
  const inChannels = () => CHANNELS.map((channel) => countedIn(slack.messages(channel).map(readAloud)))
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
  await until(
    'every notice is decided and stands in Slack',
    async () => {
      const [row] = await store.query<{ open: number }>(
        `select (select count(*) from lockkeeper.notice where state = 'pending')
           + (select count(*) from lockkeeper.bulletin b left join lockkeeper.message m on m.bulletin_id = b.id where m.state is distinct from 'sent') as open`,
      )
      return Number(row?.open) === 0 && sum(inChannels().map(({ notices }) => notices)) >= count
    },
    withinMs,
  )
  // each decision writes one event, in the transaction that also writes the list: two of one notice were two decisions
  const [decided] = await store.query<{ windows: number; events: number }>(
    `select count(distinct maintenance_id)::int as windows, count(*)::int as events from lockkeeper.maintenance_event where kind = 'notice'`,
  )
  const expected = (n: number) => Math.floor((count - ((n + CHANNELS.length - 1) % CHANNELS.length) - 1) / CHANNELS.length) + 1
  const found = inChannels()
  return {
    lost: Math.max(count - (decided?.windows ?? 0), sum(found.map(({ notices }, n) => Math.max(0, expected(n) - notices)))),
    twice: Math.max(
      (decided?.events ?? 0) - (decided?.windows ?? 0),
      sum(found.map(({ notices }, n) => Math.max(0, notices - expected(n)))),
    ),
    posts: sum(found.map(({ posts }) => posts)),
  }
}

/** How many notices stand in a channel, and in how many posts. */
function countedIn(texts: readonly string[]): { readonly notices: number; readonly posts: number } {
  const told = texts.flatMap((text) => {
    const listed = /^([\d,]+) notices? of maintenance windows/.exec(text)?.[1]
    if (listed !== undefined) return [Number(listed.replaceAll(',', ''))]
    return /^\*?Maintenance of .* starts (in|soon)/.test(text) ? [1] : []
  })
  return { notices: told.reduce((sum, one) => sum + one, 0), posts: told.length }
}
