import { escapeText } from '../../lib/text/escape.ts'
import { writeAudit } from '../../audit/write.ts'
import type { Config, Target } from '../../config/config.ts'
import type { Tx } from '../../store/pool.ts'
import { isRefusal, type Refusal } from '../../lib/refusal.ts'
import { section } from '../../slack/blocks/blocks.ts'
import type { Message } from '../../slack/port.ts'
import { codeText } from '../../lib/text/text.ts'
import { addChannelPost } from '../notices/channel-posts.ts'
import { occurrences } from '../../calendar/cron.ts'
import type { WindowRow } from '../window.ts'
import type { Job } from './cron-jobs.ts'
import type { NewWindow } from '../store.ts'
import { saySpan } from '../../calendar/say.ts'

/** A refusal when something is in its way; undefined when this occurrence was written down before. */
export type WriteDown = (
  tx: Tx,
  window: Omit<NewWindow, 'targets' | 'channels' | 'timezone'>,
  target: Target,
) => Promise<WindowRow | Refusal | undefined>

/** `windows.recurring`: what opens within `ahead` is written down as a window of its own, which people may move or cancel like any other. */
export const recurringJob = (config: Pick<Config, 'targets'>, writeDown: WriteDown): Job => ({
  name: 'recurring',
  cron: '0 * * * *',
  timezone: 'UTC',
  isDoneAtStart: true,
  async act(tx, { now }) {
    for (const target of config.targets.values())
      for (const rule of target.windows.recurring)
        for (const startsAt of occurrences(rule.cron, target.timezone, now + 1, now + rule.ahead + HOUR_MS))
          await writeOne(tx, target, rule, startsAt, writeDown)
  },
})

/** It looks once an hour. */
const HOUR_MS = 3_600_000

async function writeOne(
  tx: Tx,
  target: Target,
  rule: Target['windows']['recurring'][number],
  startsAt: number,
  writeDown: WriteDown,
): Promise<void> {
  const occurrence = `${target.name}:${rule.name}:${new Date(startsAt).toISOString()}`
  if (await isWritten(tx, occurrence)) return
  const owner = ownerOf(target)
  const written = await writeDown(
    tx,
    { name: rule.name, startsAt, endsAt: startsAt + rule.length, reason: rule.reason, work: null, owner, ownerHuman: owner, occurrence },
    target,
  )
  if (written === undefined) return
  if (isRefusal(written)) return refuseOnce(tx, target, { occurrence, name: rule.name, startsAt, endsAt: startsAt + rule.length }, written)
  const data = { window: written.id, occurrence }
  await writeAudit(tx, { actor: 'lockkeeper', act: 'schedule', target: target.name, result: 'scheduled', data })
}

async function isWritten(tx: Tx, occurrence: string): Promise<boolean> {
  return (await tx.query('select from lockkeeper.maintenance where occurrence = $1', [occurrence])).length > 0
}

/** What is in its way may go; so it is tried each hour, and told once. */
async function refuseOnce(tx: Tx, target: Target, refused: Refused, refusal: Refusal): Promise<void> {
  const { occurrence, name, startsAt, endsAt } = refused
  const inserted = await tx.query(
    'insert into lockkeeper.occurrence_refused (occurrence) values ($1) on conflict do nothing returning occurrence',
    [occurrence],
  )
  if (inserted.length === 0) return
  const news: OccurrenceNews = { title: target.title, name, startsAt, endsAt, timezone: target.timezone, why: refusal.text }
  await addChannelPost(tx, { channel: target.channel, kind: 'occurrence', data: news })
  const data = { occurrence, text: refusal.text }
  await writeAudit(tx, { actor: 'lockkeeper', act: 'schedule', target: target.name, result: refusal.code, data })
}

type Refused = { readonly occurrence: string; readonly name: string; readonly startsAt: number; readonly endsAt: number }

/** Times in ms since 1970; `why` is a sentence of ours. */
export type OccurrenceNews = Omit<Refused, 'occurrence'> & { readonly title: string; readonly timezone: string; readonly why: string }

/** People who count on a window that repeats hear that one of them does not come. */
export function occurrenceMessage({ title, name, startsAt, endsAt, timezone, why }: OccurrenceNews): Message {
  const text = `*The recurring window ${codeText(name)} of ${escapeText(title)} is not planned* for ${saySpan({ from: startsAt, to: endsAt }, timezone)}. ${why} It is tried again each hour.`
  return { text: text.replaceAll('*', ''), blocks: [section(text)] }
}

/** Whoever is named first among those who are there for windows; the bot itself when only groups are. */
function ownerOf({ windows }: Target): string {
  const named = [...(windows.manage ?? []), ...windows.people].find((one) => one.startsWith('user:'))
  return named === undefined ? 'lockkeeper' : named.slice('user:'.length)
}
