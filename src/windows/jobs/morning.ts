import { writeAudit } from '../../audit/write.ts'
import type { Config, Target } from '../../config/config.ts'
import { addChannelPost } from '../notices/channel-posts.ts'
import type { MorningNews } from '../render/morning.ts'
import type { Job } from './cron-jobs.ts'

/**
 * `morning`: what is merged and not live, what differs from what the last run left, and what was set aside long enough, in the channel of each
 * target. A channel of which there is nothing to say gets no post.
 */
export const morningJob = (
  morning: NonNullable<Config['file']['morning']>,
  targets: ReadonlyMap<string, Target>,
  /** Lines of mrkdwn; none where all is as it should be. Never throws. */
  linesOf: (target: Target) => Promise<readonly string[]>,
): Job => ({
  name: 'morning',
  cron: morning.cron,
  timezone: morning.timezone,
  async gather() {
    const told = await Promise.all([...targets.values()].map(async (target) => ({ target, lines: await linesOf(target) })))
    return async (tx, { at, now }) => {
      // the news of a morning is none at noon
      if (now - at > STALE_MS) return audit('missed', 0)
      const worth = told.filter(({ lines }) => lines.length > 0)
      for (const [channel, here] of Map.groupBy(worth, ({ target }) => target.channel)) {
        const data: MorningNews = { targets: here.map(({ target, lines }) => ({ title: target.title, lines })) }
        await addChannelPost(tx, { channel, kind: 'morning', data })
      }
      await audit('posted', worth.length)

      async function audit(result: 'posted' | 'missed', count: number): Promise<void> {
        await writeAudit(tx, { actor: 'lockkeeper', act: 'morning', result, data: { at: new Date(at).toISOString(), targets: count } })
      }
    }
  },
})

const STALE_MS = 4 * 3_600_000
