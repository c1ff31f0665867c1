import { writeAudit } from '../../audit/write.ts'
import type { Config } from '../../config/config.ts'
import type { Queries } from '../../store/pool.ts'
import { addChannelPost } from '../notices/channel-posts.ts'
import { configuredFreezes, setFreezes } from '../../calendar/opening-hours.ts'
import type { WeekNews } from '../render/week.ts'
import type { FreezeRow } from '../window.ts'
import type { Job } from './cron-jobs.ts'
import { listWindows } from '../store.ts'
import { addDays, firstInstant, wallAt } from '../../calendar/zone.ts'

/** `digest`: the windows and freezes of the next seven days, in a channel. */
export const weekJob = (
  digest: NonNullable<Config['file']['digest']>,
  config: Pick<Config, 'file' | 'targets'>,
  freezesInForce: (db: Queries) => Promise<readonly FreezeRow[]>,
): Job => ({
  name: 'digest',
  cron: digest.cron,
  timezone: digest.timezone,
  async act(tx, { at, now }) {
    // a list of the week that comes on Wednesday helps nobody
    if (now - at > STALE_MS) {
      await writeAudit(tx, { actor: 'lockkeeper', act: 'digest', result: 'missed', data: { at: new Date(at).toISOString() } })
      return
    }
    const today = wallAt(now, digest.timezone)
    const week = { from: now, to: firstInstant({ ...addDays(today, 7), hour: today.hour, minute: today.minute }, digest.timezone) }
    const windows = await listWindows(tx, { states: ['scheduled', 'open'], ...week, limit: MOST_WINDOWS })
    const freezes = [...configuredFreezes(config.file.freezes), ...setFreezes(await freezesInForce(tx))]
    const titlesOf = (targets: readonly string[]) => targets.map((name) => config.targets.get(name)?.title ?? name)
    const data: WeekNews = {
      ...week,
      zone: digest.timezone,
      windows: windows.map(({ id, targets, startsAt, endsAt, timezone, reason, owner, state }) => ({
        id,
        titles: titlesOf(targets),
        span: { from: startsAt.getTime(), to: endsAt.getTime() },
        zone: timezone,
        reason,
        owner,
        isOpen: state === 'open',
      })),
      freezes: freezes
        .flatMap(({ kind, name, targets, spans }) =>
          spans(week.from, week.to).map(({ from, to }) => ({
            kind,
            name,
            titles: targets === null ? null : titlesOf(targets),
            from,
            to: Number.isFinite(to) ? to : null,
          })),
        )
        .toSorted((a, b) => a.from - b.from),
    }
    await addChannelPost(tx, { channel: digest.channel, kind: 'week', data })
    await writeAudit(tx, {
      actor: 'lockkeeper',
      act: 'digest',
      result: 'posted',
      data: { windows: data.windows.length, freezes: data.freezes.length },
    })
  },
})

const STALE_MS = 24 * 3_600_000
/** One more than are shown, and more than a week has room for. */
const MOST_WINDOWS = 200
