import type { Target } from '../../config/config.ts'
import type { Queries } from '../../store/pool.ts'
import { durationText, listText, pluralText } from '../../lib/text/text.ts'
import type { ReleaseNotes, WindowRow } from '../window.ts'
import { storeId } from '../../audit/health.ts'
import { deliverLater, withdrawDeliveries, type Delivery } from '../../notifications/deliveries.ts'
import type { MailPayload } from '../../notifications/mail.ts'
import { spanIn } from './plain-time.ts'
import type { EventPayload } from '../../notifications/send.ts'

export type Announcement = {
  readonly window: WindowRow
  /** Those of its targets that are configured. */
  readonly targets: readonly Target[]
  /** `scheduled`, `before:<ms>`, `start`, `end`, `rescheduled` or `cancelled`. */
  readonly stage: string
  /** The owner as people who are not in Slack know him; left out, his account. */
  readonly who?: string
  /** Why the plan was changed or cancelled. */
  readonly note?: string | null
}

/** Mails for one address that are due at once are written within this time, whatever replica writes them, and go as one. */
const TOGETHER_MS = 3_000

/**
 * Tells of stages of windows by e-mail and webhook, in the transaction of the notice, so that both happen or none. A new plan, a
 * cancellation, the start and the end withdraw what has not gone out yet, since they say it better.
 */
export async function queueNotifications(tx: Queries, announcements: readonly Announcement[]): Promise<void> {
  const deliveries: Delivery[] = []
  for (const announcement of announcements) {
    const { window } = announcement
    const overtaken = overtakenBy(announcement)
    if (overtaken !== null) await withdrawDeliveries(tx, `window:${window.id}:${overtaken}`)
    deliveries.push(...(await deliveriesOf(tx, announcement)))
  }
  await deliverLater(tx, deliveries)
}

/** A receiver that was away hears what is so now, and not what was to come before it. */
function overtakenBy({ window, targets, stage }: Announcement): string | null {
  if (stage === 'rescheduled' || stage === 'cancelled') return ''
  const isTold = targets.some(({ windows }) => windows.mail.length + windows.webhooks.length > 0)
  if (!isTold || (stage !== 'start' && stage !== 'end')) return null
  return stage === 'start' ? `${window.planNo}:before:` : `${window.planNo}:`
}

async function deliveriesOf(tx: Queries, announcement: Announcement): Promise<readonly Delivery[]> {
  const { window, targets, stage } = announcement
  const key = `window:${window.id}:${window.planNo}:${stage}`
  const addresses = [...new Set(targets.flatMap(({ windows }) => windows.mail))].sort()
  const mail = addresses.length === 0 ? undefined : await mailOf(tx, announcement)
  const urls = [...new Set(targets.flatMap(({ windows }) => windows.webhooks.map(({ url }) => url)))].sort()
  return [
    ...addresses.map((destination) => ({
      key: `${key}:mail:${destination}`,
      kind: 'mail' as const,
      destination,
      payload: mail,
      inMs: TOGETHER_MS,
    })),
    ...urls.map((destination) => ({
      key: `${key}:webhook:${destination}`,
      kind: 'webhook' as const,
      destination,
      payload: eventOf(announcement),
    })),
  ]
}

async function mailOf(tx: Queries, announcement: Announcement): Promise<MailPayload> {
  const { window, stage } = announcement
  const mail = { subject: subjectOf(announcement), text: textOf(announcement) }
  if (!['scheduled', 'rescheduled', 'cancelled'].includes(stage)) return mail
  const { icsOf } = await import('../feed/calendar.ts')
  const [now] = await tx.query<{ now: Date }>('select lockkeeper.now() as now')
  const state = stage === 'cancelled' ? ('cancelled' as const) : window.state
  const event = { ...window, state, changedAt: now?.now ?? window.createdAt }
  const titles = new Map(announcement.targets.map(({ name, title }) => [name, title]))
  const titleOf = (target: string) => titles.get(target) ?? target
  return { ...mail, ics: icsOf([event], { name: subjectOf(announcement), store: await storeId(tx), titleOf }) }
}

/** One line: `Maintenance of prod in 24 h`. */
export function subjectOf({ window, targets, stage }: Announcement): string {
  const what = `Maintenance of ${titlesOf(window, targets)}`
  const before = beforeOf(stage)
  if (before !== null) return `${what} in ${durationText(before)}`
  const words: Readonly<Record<string, string>> = {
    scheduled: 'is planned',
    start: 'begins',
    end: 'has ended',
    rescheduled: 'has another time',
    cancelled: 'is cancelled',
  }
  return `${what} ${words[stage] ?? `(${stage})`}`
}

/** What, when in the zone of the target and in UTC, how long, why, who; at the end also what happened. */
export function textOf(announcement: Announcement): string {
  const { window, stage, who, note } = announcement
  const span = { from: window.startsAt.getTime(), to: window.endsAt.getTime() }
  const lines: readonly (readonly [name: string, text: string])[] = [
    ['When', spanIn(span, window.timezone)],
    ...(window.timezone === 'UTC' ? [] : [['', spanIn(span, 'UTC')] as const]),
    ['Length', durationText(span.to - span.from)],
    ['Why', oneLine(window.reason)],
    ...(window.work === null ? [] : [['What', oneLine(window.work)] as const]),
    ['Who', oneLine(who ?? window.owner)],
    ...(note == null || note === '' ? [] : [['Note', oneLine(note)] as const]),
  ]
  const pairs = lines.map(([name, text]) => `${(name === '' ? '' : `${name}:`).padEnd(8)}${text}`)
  const notes = stage === 'end' ? notesOf(window.outcome) : []
  return [`${subjectOf(announcement)}.`, '', ...pairs, ...notes, '', `This is window ${window.id}, told by Lockkeeper.`].join('\n')
}

function notesOf(outcome: ReleaseNotes | null): readonly string[] {
  const runs = outcome?.runs ?? []
  if (runs.length === 0) return ['', 'Nothing ran in it.']
  return [
    '',
    ...runs.map(({ id, target, state, durationMs, commit, from, subject, migrations }) => {
      const took = durationMs === null ? '' : ` in ${durationText(durationMs)}`
      const before = from === null || from === commit ? '' : ` after ${from.slice(0, 7)}`
      const live = commit === null ? '' : `, commit ${commit.slice(0, 7)}${before}${subject === null ? '' : `, "${oneLine(subject)}"`}`
      const names = migrations.length === 0 ? '' : ` (${migrations.map(oneLine).join(', ')})`
      return `#${id} ${target}: ${state}${took}${live}, ${pluralText(migrations.length, 'migration')}${names}`
    }),
  ]
}

const types: Readonly<Record<string, string>> = {
  scheduled: 'maintenance.scheduled',
  start: 'maintenance.started',
  end: 'maintenance.ended',
  rescheduled: 'maintenance.rescheduled',
  cancelled: 'maintenance.cancelled',
}

/** Times as ISO 8601 in UTC. `plan` grows with each change of the hours, for receivers that get two of them the wrong way round. */
function eventOf({ window, targets, stage, note }: Announcement): EventPayload {
  return {
    type: types[stage] ?? 'maintenance.reminder',
    data: {
      window: window.id,
      plan: window.planNo,
      title: `Maintenance of ${titlesOf(window, targets)}`,
      targets: window.targets,
      startsAt: window.startsAt.toISOString(),
      endsAt: window.endsAt.toISOString(),
      timezone: window.timezone,
      reason: window.reason,
      work: window.work,
      note: note ?? null,
      startsInMs: beforeOf(stage),
      outcome: stage === 'end' ? window.outcome : null,
    },
  }
}

function titlesOf(window: WindowRow, targets: readonly Target[]): string {
  const titles = new Map(targets.map(({ name, title }) => [name, title]))
  return listText(window.targets.map((name) => oneLine(titles.get(name) ?? name)))
}

const beforeOf = (stage: string): number | null => (/^before:\d+$/.test(stage) ? Number(stage.slice('before:'.length)) : null)

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()
