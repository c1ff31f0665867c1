import { escapeText } from '../../lib/text/escape.ts'
import { actions, button, context, header, linkButton, plan, section, type Task } from '../../slack/blocks/blocks.ts'
import type { Desired } from '../../slack/outbox/desired.ts'
import type { Block, Message } from '../../slack/port.ts'
import { codeText, durationText, personText, quoteText } from '../../lib/text/text.ts'
import type { ChannelPostMessage, ChannelPost } from '../notices/channel-posts.ts'
import type { NoticeDigest } from '../notices/notice-digest.ts'
import type { NoticeRow, WindowRow } from '../window.ts'
import type { Hours, NoticeData, WindowEventRow } from '../store.ts'
import { sayTime, saySpan, zoneSpan } from '../../calendar/say.ts'
import type { WindowView } from './view.ts'
import { clockOf, notesText, openText, splitStage, stageTitle, titlesOf, UNATTENDED } from './words.ts'

/** What Slack shows of windows. Pure functions of rows. */

export type WindowContext = {
  readonly titleOf: (target: string) => string
  /** `/maintenance` */
  readonly command: string
  /** Whether somebody must stand by for a window of these targets. */
  readonly needsStandby: (targets: readonly string[]) => boolean
}

/** Names the announcement of a window in a channel. */
export const announcementKey = (windowId: number, channel: string): string => `window:${windowId}:${channel}`

/** The announcement in each channel, the thread below it, and the direct messages. */
export function drawWindow(view: WindowView, context: WindowContext): readonly Desired[] {
  const { window, events } = view
  const [first = ''] = window.channels
  return [
    ...window.channels.map((channel): Desired => ({
      key: announcementKey(window.id, channel),
      destination: { kind: 'channel', channel },
      content: { kind: 'current', message: announcement(view, context) },
      isUrgent: window.state !== 'scheduled',
    })),
    ...events.flatMap((event) =>
      isStale(window, event)
        ? []
        : [
            ...channelsOf(window, event).map((channel) => post(view, event, channel, context)),
            ...peopleIn(event).map((user) => direct(view, event, user, announcementKey(window.id, first), context)),
          ],
    ),
  ]
}

/** Slack was away: what was overtaken meanwhile, by other hours or by the next stage, helps nobody. What was sent stands. */
function isStale(window: WindowRow, { kind, data }: WindowEventRow): boolean {
  if (kind !== 'notice') return false
  const [stage] = splitStage(data.stage)
  if (stage === 'before') return data.planNo < window.planNo || window.state !== 'scheduled'
  return (stage === 'start' || stage === 'during') && window.state === 'completed'
}

const channelsOf = (window: WindowRow, event: WindowEventRow): readonly string[] =>
  event.kind === 'notice' ? event.data.channels : window.channels

const peopleIn = (event: WindowEventRow): readonly string[] => (event.kind === 'standby' ? [] : event.data.people)

function post(view: WindowView, event: WindowEventRow, channel: string, context: WindowContext): Desired {
  const text = eventText(view, event, context)
  const isBroadcast = event.kind === 'cancelled' || event.kind === 'rescheduled' || (event.kind === 'notice' && event.data.isLast === true)
  return {
    key: `window-event:${event.id}:${channel}`,
    destination: { kind: 'thread', parent: announcementKey(view.window.id, channel), ...(isBroadcast ? { broadcast: true } : {}) },
    isPassing: event.kind === 'notice',
    content: { kind: 'once', message: { text: text.replaceAll('*', ''), blocks: [section(text)] } },
  }
}

function direct(view: WindowView, event: WindowEventRow, user: string, to: string, context: WindowContext): Desired {
  const text = eventText(view, event, context)
  return {
    key: `window-event:${event.id}:${user}`,
    isPassing: event.kind === 'notice',
    destination: { kind: 'direct', user },
    content: {
      kind: 'linked',
      to,
      message: (url) => ({
        text: text.replaceAll('*', ''),
        blocks: [section(text), actions(linkButton('Open the announcement', 'open', url))],
      }),
    },
  }
}

function announcement(view: WindowView, { titleOf, command, needsStandby }: WindowContext): Message {
  const { window, items } = view
  const title = `Maintenance · ${titlesOf(window.targets, titleOf)}${titleWords[window.state]}`
  const span = spanOf(window)
  const length = durationText(window.endsAt.getTime() - window.startsAt.getTime())
  const isAhead = window.state === 'scheduled'
  const isOver = window.state === 'completed' || window.state === 'cancelled'
  return {
    text: `${title}: ${zoneSpan(span, window.timezone)}`,
    blocks: [
      header(title),
      section(
        [
          `*${saySpan(span, window.timezone)}*${isAhead ? `, for at most ${length}` : ''}`,
          escapeText(window.reason),
          ...(window.work === null ? [] : [`What runs: ${escapeText(window.work)}`]),
        ].join('\n'),
      ),
      ...endOf(view),
      ...(window.state === 'cancelled' ? [] : [plan('Announcements', tasksOf(view))]),
      ...(isOver ? [] : preparations(view, needsStandby(window.targets))),
      ...(isOver
        ? []
        : [
            actions(
              ...(needsStandby(window.targets) && window.standbyConfirmedAt === null
                ? [button('I stand by', 'window_standby', window.token, 'primary')]
                : []),
              ...(isAhead
                ? [button('Reschedule…', 'window_reschedule', window.token), button('Cancel…', 'window_cancel', window.token, 'danger')]
                : [button('Extend by 30 min', 'window_extend', window.token), button('Complete now', 'window_complete', window.token)]),
              ...(items.length === 0 ? [] : [button('Checklist', 'window_checklist', window.token)]),
            ),
          ]),
      ...(window.state === 'completed' && items.length > 0 ? [actions(button('Checklist', 'window_checklist', window.token))] : []),
      context(`Owner ${personText(window.owner)} · ${codeText(`${command} show ${window.id}`)}`),
    ],
  }
}

const titleWords = { scheduled: '', open: ' · under way', completed: ' · done', cancelled: ' · cancelled' } as const

/** One that was ended by hand before its time shows when that was. */
function spanOf({ state, startsAt, endsAt, closedAt }: WindowRow) {
  const [from, to] = [startsAt.getTime(), endsAt.getTime()]
  const closed = state === 'completed' && closedAt !== null ? Math.ceil(closedAt.getTime() / MINUTE_MS) * MINUTE_MS : to
  return { from, to: closed > from ? Math.min(to, closed) : to }
}

const MINUTE_MS = 60_000

function endOf({ window, events }: WindowView): readonly Block[] {
  if (window.state === 'completed') return window.outcome === null ? [] : [section(notesText(window.outcome))]
  const end = events.findLast((event) => event.kind === 'cancelled')
  if (window.state !== 'cancelled' || end?.kind !== 'cancelled') return []
  return [section(`*Cancelled by ${personText(end.data.by)}.*${end.data.reason === null ? '' : `\n${quoteText(end.data.reason)}`}`)]
}

function preparations({ window, items }: WindowView, isStandby: boolean): readonly Block[] {
  const open = items.filter(({ doneBy }) => doneBy === null)
  const checklist =
    items.length === 0
      ? []
      : [
          `*Checklist* · ${items.length - open.length} of ${items.length} done.${
            open.length === 0
              ? ''
              : ` Open: ${open
                  .slice(0, MOST_OPEN)
                  .map(({ text, owner }) => `${escapeText(text)}${owner === null ? '' : `, ${personText(owner)}`}`)
                  .join('; ')}${open.length > MOST_OPEN ? ` and ${open.length - MOST_OPEN} more` : ''}.`
          }`,
        ]
  const standby = !isStandby
    ? []
    : [
        window.standby === null || window.standbyConfirmedAt === null
          ? '*Standing by* · nobody yet.'
          : `*Standing by* · ${personText(window.standby)}.`,
      ]
  const lines = [...checklist, ...standby]
  return lines.length === 0 ? [] : [section(lines.join('\n'))]
}

const MOST_OPEN = 5

/** One a stage; those while it lasts are one together. */
function tasksOf({ notices }: WindowView): readonly Task[] {
  const kinds = notices.filter(({ stage }) => !stage.startsWith('check:'))
  const during = kinds.filter(({ stage }) => stage.startsWith('during:'))
  const others = kinds.filter(({ stage }) => !stage.startsWith('during:'))
  const duringTask = (): readonly Task[] => {
    const sent = during.filter(({ state }) => state === 'sent').length
    const isOver = during.every(({ state }) => state !== 'pending')
    return during.length === 0
      ? []
      : [
          {
            id: 'during',
            status: isOver ? 'complete' : sent > 0 ? 'in_progress' : 'pending',
            title: 'While it lasts',
            output: `${sent} of ${during.length} sent${isOver && sent < during.length ? ', the rest was not needed' : ''}`,
          },
        ]
  }
  return others.flatMap((notice) => [...(notice.stage === 'end' ? duringTask() : []), taskOf(notice)])
}

const taskOf = (notice: NoticeRow): Task => ({
  id: notice.stage.replace(':', '-'),
  status: notice.state === 'sent' ? 'complete' : notice.state === 'missed' ? 'error' : 'pending',
  title: stageTitle(notice.stage),
  output: outputs[notice.state],
})

const outputs = { pending: null, sent: 'sent', missed: 'missed, since Lockkeeper was down', withdrawn: 'not needed' } as const

function eventText(view: WindowView, event: WindowEventRow, context: WindowContext): string {
  const { window } = view
  const title = titlesOf(window.targets, context.titleOf)
  switch (event.kind) {
    case 'notice':
      return noticeText(window, event.data, escapeText(title))
    case 'rescheduled':
      return `*Maintenance of ${escapeText(title)} is moved* to ${said(event.data.to, window.timezone)}. ${personText(event.data.by)} changed it; it was ${said(event.data.from, window.timezone)}. What was announced for the old time no longer holds.`
    case 'extended':
      return `*Maintenance of ${escapeText(title)} lasts longer:* until ${sayTime(event.data.to.endsAt, window.timezone)} instead of ${clockOf(event.data.from.endsAt, window.timezone)}. ${personText(event.data.by)} extended it.`
    case 'cancelled':
      return `*Maintenance of ${escapeText(title)} is cancelled.* It was planned for ${said(event.data.at, window.timezone)}. ${personText(event.data.by)} cancelled it${event.data.reason === null ? '.' : `:\n${quoteText(event.data.reason)}`}`
    case 'standby':
      return `${personText(event.data.by)} stands by.`
  }
}

const said = ({ startsAt, endsAt }: Hours, zone: string): string => saySpan({ from: startsAt, to: endsAt }, zone)

function noticeText(window: WindowRow, notice: NoticeData, title: string): string {
  return [
    `${notice.isLate === true ? '_This comes late._ ' : ''}${stageText(window, notice, title)}`,
    ...(notice.open === undefined ? [] : [openText(notice.open)]),
    ...(notice.isUnattended === true ? [UNATTENDED] : []),
  ].join('\n')
}

function stageText({ timezone }: WindowRow, { stage, at, isLate, notes }: NoticeData, title: string): string {
  const [kind, rest] = splitStage(stage)
  switch (kind) {
    case 'before':
      return `*Maintenance of ${title} starts ${isLate === true ? 'soon' : `in ${durationText(Number(rest))}`}:* ${said(at, timezone)}.`
    case 'start':
      return `*Maintenance of ${title} has started.* It ends by ${sayTime(at.endsAt, timezone)}.`
    case 'during':
      return `Maintenance of ${title} goes on. It ends by ${sayTime(at.endsAt, timezone)}.`
    case 'end':
      return `*Maintenance of ${title} is over.* ${notes === undefined ? '' : notesText(notes)}`.trim()
    default:
      return `*Checklist ${rest}* of the maintenance ${said(at, timezone)}.`
  }
}

/** Many notices at once, in one message. */
export function drawNotices(
  { data }: Pick<ChannelPost, 'data'>,
  { titleOf, command }: Pick<WindowContext, 'titleOf' | 'command'>,
  /** Windows that have other hours or are over since the list was written; what is told of them ahead of their start holds no more. */
  overtaken: ReadonlySet<number>,
): ChannelPostMessage {
  const { count, shown, people } = data as NoticeDigest // written by notice-digest.ts
  const title = `${count.toLocaleString('en-US')} ${count === 1 ? 'notice' : 'notices'} of maintenance windows`
  const lines = shown.map((one) =>
    overtaken.has(one.id)
      ? `• ${escapeText(titlesOf(one.targets, titleOf))} · _changed since_ · ${codeText(`${command} show ${one.id}`)}`
      : `• ${stageWords(one.stage)} · ${escapeText(titlesOf(one.targets, titleOf))} · ${said(one, one.timezone)} · ${codeText(`${command} show ${one.id}`)}${one.isLate ? ' · late' : ''}`,
  )
  const parts = Array.from({ length: Math.ceil(lines.length / LINES) }, (_, part) =>
    lines.slice(part * LINES, (part + 1) * LINES).join('\n'),
  )
  const more = count - shown.length
  return {
    message: {
      text: title,
      blocks: [
        header(title),
        ...parts.map((part) => section(part)),
        ...(more > 0 ? [context(`and ${more.toLocaleString('en-US')} more: ${codeText(`${command} list`)}`)] : []),
      ],
    },
    people,
  }
}

const LINES = 5

const stageWords = (stage: string): string => {
  const [kind, rest] = splitStage(stage)
  if (kind === 'before') return `starts in ${durationText(Number(rest))}`
  return { start: '*started*', during: 'goes on', end: '*over*' }[kind] ?? `checklist ${rest}`
}
