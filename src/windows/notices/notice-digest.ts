import type { Queries, Tx } from '../../store/pool.ts'
import { addChannelPost } from './channel-posts.ts'
import type { WindowRow } from '../window.ts'
import type { NoticeData } from '../store.ts'

export type WindowNotice = { readonly window: WindowRow; readonly data: NoticeData }

/** Of a digest, what its message shows; the rest is counted. */
export type NoticeDigest = {
  readonly count: number
  readonly shown: readonly {
    readonly id: number
    readonly stage: string
    readonly planNo: number
    readonly targets: readonly string[]
    readonly startsAt: number
    readonly endsAt: number
    readonly timezone: string
    readonly isLate: boolean
  }[]
  readonly people: readonly string[]
}

/** More posts at once in one channel become one digest. */
const MOST_POSTS = 3
/** As many within one minute, too. */
const MOST_A_MINUTE = 6
/** Where people were told a moment ago, a digest first gathers what becomes due, in milliseconds. */
const GATHER_MS = 15_000

/**
 * A few notices are posts in the threads of their windows; many at once in one channel are one digest there, and what becomes due while
 * a digest waits for its turn joins it. Answers which channels have a digest now: nothing else is posted there.
 */
export async function digestCrowded(tx: Tx, notices: readonly WindowNotice[]): Promise<ReadonlySet<string>> {
  const byChannel = Map.groupBy(
    notices.flatMap((one) => one.data.channels.map((channel) => ({ channel, one }))),
    ({ channel }) => channel,
  )
  const channels = [...byChannel.keys()]
  const waiting = await waitingDigests(tx, channels)
  const recent = await postedLastMinute(tx, channels)
  const isCrowded = (channel: string, posts: number) =>
    posts > MOST_POSTS || posts + (recent.get(channel) ?? 0) > MOST_A_MINUTE || waiting.has(channel)
  const crowded = new Set([...byChannel].filter(([channel, posts]) => isCrowded(channel, posts.length)).map(([channel]) => channel))
  for (const channel of crowded) {
    const digest = digestOf(
      channel,
      (byChannel.get(channel) ?? []).map(({ one }) => one),
      crowded,
    )
    const before = waiting.get(channel)
    if (before === undefined) await beginDigest(tx, channel, digest, (recent.get(channel) ?? 0) < MOST_POSTS ? 0 : GATHER_MS)
    else
      await tx.query(`update lockkeeper.bulletin set data = $2, revision = revision + 1 where id = $1`, [
        before.id,
        JSON.stringify(joined(before.data, digest)),
      ])
  }
  return crowded
}

/** Of which nothing is on its way to Slack yet; held, so that nobody begins to send them meanwhile. The order keeps two bots from waiting for each other. */
async function waitingDigests(tx: Tx, channels: readonly string[]) {
  const rows = await tx.query<{ id: number; channel: string; data: NoticeDigest }>(
    `select id, channel, data from lockkeeper.bulletin b
     where kind = 'notices' and channel = any($1) and draw_lease is null and draw_after < 'infinity'
       and not exists (select from lockkeeper.message where bulletin_id = b.id and state <> 'intended')
     order by channel, id for update`,
    [channels],
  )
  return new Map(rows.map((row) => [row.channel, row]))
}

/** Notices by channel, those of digests too. */
async function postedLastMinute(tx: Tx, channels: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.query<{ channel: string; count: number }>(
    `select channel, count(*)::int as count
     from lockkeeper.notice n join lockkeeper.maintenance m on m.id = n.maintenance_id cross join unnest(m.channels) as channel
     where n.state = 'sent' and n.decided_at > lockkeeper.now() - interval '1 minute' and channel = any($1)
     group by channel`,
    [channels],
  )
  return new Map(rows.map(({ channel, count }) => [channel, count]))
}

async function beginDigest(tx: Tx, channel: string, digest: NoticeDigest, inMs: number): Promise<void> {
  const { id } = await addChannelPost(tx, { channel, kind: 'notices', data: digest })
  if (inMs > 0)
    await tx.query(`update lockkeeper.bulletin set draw_after = clock_timestamp() + $2 * interval '1 millisecond' where id = $1`, [
      id,
      inMs,
    ])
}

const MOST_SHOWN = 20

/** Somebody who is told of a window by name hears it once: in the first of its digests, when it has no post of its own. */
const digestOf = (channel: string, notices: readonly WindowNotice[], crowded: ReadonlySet<string>): NoticeDigest => ({
  count: notices.length,
  shown: notices.slice(0, MOST_SHOWN).map(({ window, data }) => ({
    id: window.id,
    stage: data.stage,
    planNo: data.planNo,
    targets: window.targets,
    ...data.at,
    timezone: window.timezone,
    isLate: data.isLate === true,
  })),
  people: [
    ...new Set(
      notices
        .filter(({ data }) => data.channels[0] === channel && data.channels.every((one) => crowded.has(one)))
        .flatMap(({ data }) => data.people),
    ),
  ],
})

/** Windows of a digest whose entries ahead of the start hold no more. */
export async function overtakenIn(db: Queries, { shown }: Pick<NoticeDigest, 'shown'>): Promise<ReadonlySet<number>> {
  const ahead = shown.filter(({ stage }) => stage.startsWith('before:'))
  const rows = await db.query<{ id: number }>(
    `select m.id from unnest($1::bigint[], $2::int[]) as told (id, plan_no) join lockkeeper.maintenance m on m.id = told.id
     where m.plan_no <> told.plan_no or m.state <> 'scheduled'`,
    [ahead.map(({ id }) => id), ahead.map(({ planNo }) => planNo)],
  )
  return new Set(rows.map(({ id }) => id))
}

/** Pure. */
export const joined = (one: NoticeDigest, other: NoticeDigest): NoticeDigest => ({
  count: one.count + other.count,
  shown: [...one.shown, ...other.shown].slice(0, MOST_SHOWN),
  people: [...new Set([...one.people, ...other.people])],
})
