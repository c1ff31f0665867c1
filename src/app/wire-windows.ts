import type { Config, Target } from '../config/config.ts'
import type { Db } from '../store/pool.ts'
import type { Due } from '../store/due.ts'
import type { Log } from '../lib/log.ts'
import { windowsOfRunsDue } from '../request/window-sync.ts'
import type { MessageSource } from '../slack/outbox/message-source.ts'
import { channelPostSource } from '../windows/notices/channel-posts.ts'
import { knownItemsDue } from '../windows/checklist.ts'
import { holdSchedule, whyNotThen } from '../windows/schedule/conflict.ts'
import { freezeMessage, type FreezeNews } from '../windows/freezes/draw.ts'
import { weekMessage, type WeekNews } from '../windows/render/week.ts'
import { drawNotices, drawWindow, type WindowContext } from '../windows/render/window.ts'
import { freezesDue, freezesInForce } from '../windows/freezes/freezes.ts'
import { noticesDue } from '../windows/jobs/notify.ts'
import { overtakenIn, type NoticeDigest } from '../windows/notices/notice-digest.ts'
import { occurrenceMessage, recurringJob, type OccurrenceNews } from '../windows/jobs/recurring.ts'
import { createCronJobs, type CronJobs } from '../windows/jobs/cron-jobs.ts'
import { scheduleWindow } from '../windows/schedule/schedule.ts'
import { windowSource } from '../windows/render/view.ts'
import { morningJob } from '../windows/jobs/morning.ts'
import { morningMessage, type MorningNews } from '../windows/render/morning.ts'
import { weekJob } from '../windows/jobs/week.ts'

/** Everything about maintenance windows and freezes that happens by itself: what is drawn, what is due, what repeats. */
export type WindowParts = {
  readonly sources: readonly MessageSource[]
  readonly dues: readonly Due[]
  readonly cronJobs: CronJobs
}

export function windowParts(
  { db, log, config }: { readonly db: Db; readonly log: Log; readonly config: Config },
  commands: { readonly migrate: string; readonly maintenance: string },
  morningOf: (target: Target) => Promise<readonly string[]>,
): WindowParts {
  const { targets, file } = config
  const context: WindowContext = {
    titleOf: (name) => targets.get(name)?.title ?? name,
    command: commands.maintenance,
    needsStandby: (names) => names.some((name) => targets.get(name)?.windows.standby === true),
  }
  const cronJobs = createCronJobs({ db, log }, [
    recurringJob(config, async (tx, window, target) => {
      await holdSchedule(tx)
      const { startsAt, endsAt } = window
      const wish = { targets: [target], hours: { startsAt, endsAt }, zone: target.timezone, exceptId: null }
      const conflict = await whyNotThen(tx, wish, { freezes: file.freezes, command: commands.maintenance })
      return conflict ?? scheduleWindow(tx, window, [target])
    }),
    ...(file.digest === undefined ? [] : [weekJob(file.digest, config, (queries) => freezesInForce(queries, null))]),
    ...(file.morning === undefined ? [] : [morningJob(file.morning, targets, morningOf)]),
  ])
  return {
    // lists of very many notices before the announcements that they tick off
    sources: [
      channelPostSource(db, {
        notices: async (post) => drawNotices(post, context, await overtakenIn(db, post.data as NoticeDigest)), // as `digestCrowded` wrote it
        occurrence: ({ data }) => ({ message: occurrenceMessage(data as OccurrenceNews) }), // as `refuseOnce` wrote it
        freeze: ({ data }) => ({ message: freezeMessage(data as FreezeNews) }), // as `postFreezeNews` wrote it
        morning: ({ data }) => ({ message: morningMessage(data as MorningNews) }), // as `morningJob` wrote it
        week: ({ data }) => ({ message: weekMessage(data as WeekNews, commands.maintenance) }), // as `weekJob` wrote it
      }),
      windowSource(db, (view) => drawWindow(view, context)),
    ],
    dues: [noticesDue({ db, targets }), knownItemsDue(db), windowsOfRunsDue(db), freezesDue(db, targets, commands.migrate), cronJobs.due],
    cronJobs,
  }
}
