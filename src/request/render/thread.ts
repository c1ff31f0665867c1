import { escapeText } from '../../lib/text/escape.ts'
import { context, preformatted, section } from '../../slack/blocks/blocks.ts'
import { preformattedPieces } from '../../slack/limits/pieces.ts'
import type { Desired } from '../../slack/outbox/desired.ts'
import type { Message } from '../../slack/port.ts'
import {
  approverText,
  bytesText,
  cleanMrkdwn,
  codeText,
  dateText,
  escapeLine,
  lastPart,
  listText,
  personText,
  pluralText,
  quoteText,
} from '../../lib/text/text.ts'
import { brokenText, reviewDueText, reviewedText } from './break-glass.ts'
import { endMessage, headlineMessage, whyMessage } from './end.ts'
import { acknowledgedText, pagedText } from './pages.ts'
import { movedText, needsNone, noStandbyText, overriddenText, overrunText, windowClosedText } from './queue.ts'
import type { EventRow, RequestView } from '../request.ts'
import { askOf, bold, commitOf, shortDigest } from './words.ts'

export type ThreadContext = {
  /** Ends of runs on protected targets are shown in the channel as well. */
  readonly isProtected: boolean
  /** Of the target; times are said in it and in that of whoever reads. */
  readonly timezone: string
}

/** Slack shows about this much output well; the whole is in the log file. */
const TAIL = 2_500
/** What a message can hold where files are not available: Slack's budget without the title and the note. */
const INSTEAD = 8_000

/** Everything below the card: one post for each change of state, the SQL, the tail of output, and at the end the log. */
export function threadOf(view: RequestView, parent: string, threadContext: ThreadContext): readonly Desired[] {
  return [
    ...view.events.flatMap((event) => eventPosts(view, event, parent, threadContext)),
    ...tailPost(view, parent),
    ...logPost(view, parent),
  ]
}

function eventPosts(view: RequestView, event: EventRow, parent: string, threadContext: ThreadContext): readonly Desired[] {
  const broadcast = event.kind === 'glass_broken' || event.kind === 'overridden' || (threadContext.isProtected && isEndOfRun(view, event))
  const post: Desired = {
    key: `event:${event.id}`,
    destination: { kind: 'thread', parent, ...(broadcast ? { broadcast } : {}) },
    content: { kind: 'once', message: eventMessage(view, event, threadContext.timezone) },
    ...(['approved', 'rejected', 'ended', 'glass_broken', 'overridden'].includes(event.kind) ? { isUrgent: true } : {}),
  }
  if (event.kind === 'ended' && wasSaid(view, event.data.state)) return []
  if (broadcast && event.kind === 'ended' && event.data.state !== 'succeeded')
    return [
      { ...post, content: { kind: 'once', message: headlineMessage(view, event) } },
      {
        ...post,
        key: `event:${event.id}:why`,
        destination: { kind: 'thread', parent },
        content: { kind: 'once', message: whyMessage(view, event) },
      },
    ]
  const asks = event.kind === 'requested' || event.kind === 'asked_anew'
  return asks && isNewest(view, event) ? [post, ...sqlPost(view, parent)] : [post]
}

/** A rejection and an expiry have a post of their own. */
const wasSaid = (view: RequestView, state: string): boolean => view.events.some((event) => event.kind === state)

/** Only the newest asking has the present plan, and so its SQL. */
const isNewest = (view: RequestView, event: EventRow): boolean =>
  view.events.findLast((other) => other.kind === 'requested' || other.kind === 'asked_anew')?.id === event.id

const isEndOfRun = (view: RequestView, event: EventRow): boolean =>
  event.kind === 'ended' && view.request.startedAt !== null && ['succeeded', 'failed', 'needs_human'].includes(event.data.state)

/** One change of state, in one line where one line says it. */
export function eventMessage(view: RequestView, event: EventRow, timezone: string): Message {
  if (event.kind === 'ended') return endMessage(view, event)
  const text = eventText(view, event, timezone)
  return { text, blocks: [section(text)] }
}

function eventText(view: RequestView, event: Exclude<EventRow, { readonly kind: 'ended' }>, timezone: string): string {
  switch (event.kind) {
    case 'requested':
      return `${personText(view.request.requester)} asks to ${askOf(view.request)} ${commitOf(view.request)}${view.request.digest === null ? '' : `, plan ${codeText(shortDigest(view.request.digest))}`}.`
    case 'approved':
      return event.data.count >= event.data.required
        ? `${personText(event.data.by)} approved, ${event.data.count} of ${event.data.required}. ${view.request.notBefore === null ? 'It may start.' : 'It starts by itself when its turn comes.'}`
        : `${personText(event.data.by)} approved, ${event.data.count} of ${event.data.required}.`
    case 'rejected':
      return `${personText(event.data.by)} rejected this. Nothing was changed.${event.data.reason.trim() === '' ? '' : `\n${quoteText(event.data.reason)}`}`
    case 'asked_anew':
      return event.data.samePlan === true
        ? `It waits for approval again. ${cleanMrkdwn(event.data.why)}`
        : `${needsNone(view.request) ? 'Its plan was made anew.' : 'It asks again, and votes for the earlier plan no longer count.'} ${cleanMrkdwn(event.data.why)}`
    case 'reminded':
      return `Still waiting: ${event.data.count} of ${event.data.required} approvals. ${listText(event.data.from.map(approverText))} can decide${view.request.expiresAt === null ? '' : `; it expires ${dateText(view.request.expiresAt, 'day')}`}.`
    case 'escalated':
      return `Nobody has answered: ${event.data.count} of ${event.data.required} approvals. ${listText(event.data.to.map(approverText))}, please see that somebody decides${view.request.expiresAt === null ? '' : `; it expires ${dateText(view.request.expiresAt, 'day')}`}.`
    case 'checked':
      return 'Compared again before its turn: the plan is still the one on the card, so nobody is asked.'
    case 'overridden':
      return overriddenText(view, event)
    case 'no_standby':
      return noStandbyText(view, event)
    case 'window_moved':
      return movedText(view, event, timezone)
    case 'overrun':
      return overrunText(view, event, timezone)
    case 'expired':
      if (event.data.what === 'window') return windowClosedText(view)
      return event.data.what === 'grant'
        ? 'The approval ended before the run could start. Nothing was changed.'
        : 'Nobody decided in time, so this has expired. Nothing was changed.'
    case 'glass_broken':
      return brokenText(view, event)
    case 'review_due':
      return reviewDueText(view, event)
    case 'waived':
      return `${personText(event.data.by)} let ${pluralText(event.data.findings.length, 'finding')} pass that ${event.data.findings.length === 1 ? 'blocks' : 'block'} this plan:\n${event.data.texts.map((text) => `• ${escapeLine(text)}`).join('\n')}\n${quoteText(event.data.reason)}`
    case 'reviewed':
      return reviewedText(view, event)
    case 'paged':
      return pagedText(view, event)
    case 'page_acknowledged':
      return acknowledgedText(event)
    case 'cancel_requested':
      return `${personText(event.data.by)} asked to cancel.${view.request.startedAt === null ? '' : ' It stops at the next safe point.'}`
    case 'started':
      return 'The run has started.'
    case 'ending':
      return `${bold(cleanMrkdwn(event.data.headline))} Maintenance mode is switched off now, then this run ends.`
    case 'finding':
    case 'tried':
    case 'blocker':
      return cleanMrkdwn(event.data.text)
    case 'step_done':
      return `*${escapeLine(event.data.title)}*${event.data.output.trim() === '' ? ', done' : ` · ${escapeLine(event.data.output)}`}`
    case 'migration_done':
      return `${codeText(event.data.name)} applied, ${event.data.at} of ${event.data.of}${event.data.output.trim() === '' ? '' : ` · ${escapeLine(event.data.output)}`}`
    case 'waits_on':
      return `${personText(event.data.by)} waits on for ${codeText(event.data.name)}: one more try.`
    case 'end_asked':
      return `${personText(event.data.by)} asked to end ${codeText(event.data.name)} (pid ${event.data.pid}), which is in the way.`
    case 'adopted':
      return event.data.step === null
        ? 'The process that ran this is gone. Another one took the run over and goes on.'
        : `The process that ran this is gone. Another one took the run over and looks at *${escapeLine(event.data.step)}* first.`
  }
}

/** Before the decision anybody can read what would run. */
function sqlPost(view: RequestView, parent: string): readonly Desired[] {
  const { plan, digest, id } = view.request
  if (plan === null || digest === null || plan.list.length === 0) return []
  const title = `SQL of ${pluralText(plan.list.length, 'migration')}`
  return [
    {
      key: `sql:${id}:${shortDigest(digest)}`,
      destination: { kind: 'thread', parent },
      content: {
        kind: 'file',
        source: 'sql',
        name: `request-${id}-${shortDigest(digest)}.sql`,
        title,
        comment: `The SQL that would run${plan.list.length === 1 ? '' : ', one migration after the other'}.`,
        instead: (sql) => sqlMessage(title, sql, view),
      },
    },
  ]
}

function sqlMessage(title: string, sql: string, { commands, request }: RequestView): Message {
  const { blocks, rest } = preformattedPieces(sql, { budget: INSTEAD })
  const more = bytesText(Buffer.byteLength(rest))
  return {
    text: title,
    blocks: [
      section(`*${title}*`),
      ...blocks,
      ...(rest === '' ? [] : [context(`and ${more} more; ${codeText(`${commands.migrate} plan ${request.target}`)} names each file`)]),
    ],
  }
}

/** The last lines of output, edited in place while it runs. Afterwards the log has them, so that the thread reads as a story. */
function tailPost(view: RequestView, parent: string): readonly Desired[] {
  const { id, startedAt, endedAt, state } = view.request
  const output = view.tail
    .split('\n')
    .filter((line) => !RESTORE_PROGRESS.test(line))
    .join('\n')
    .trimEnd()
  if (startedAt === null || output === '') return []
  const step = view.steps.find((one) => one.state === 'running') ?? view.steps.findLast((one) => one.startedAt !== null)
  const title = step === undefined ? 'Output' : `Output · ${escapeLine(step.title)}`
  const message: Message =
    endedAt === null && state !== 'needs_human'
      ? { text: title, blocks: [context(title), preformatted(lastPart(output, TAIL))] }
      : { text: OUTPUT_GONE, blocks: [context(OUTPUT_GONE)] }
  return [{ key: `tail:${id}`, destination: { kind: 'thread', parent }, content: { kind: 'current', message } }]
}

/** A line for each object of the backup that is read; the log keeps them. */
const RESTORE_PROGRESS = /^pg_restore: (creating|processing|executing) /

const OUTPUT_GONE = 'While it ran, its output stood here. All of it is in the log at the end of this thread.'

function logPost(view: RequestView, parent: string): readonly Desired[] {
  const { id, startedAt, endedAt, state, target } = view.request
  if (startedAt === null || (endedAt === null && state !== 'needs_human') || view.tail.trim() === '') return []
  const isOver = endedAt !== null
  return [
    {
      key: isOver ? `log:${id}` : `log:${id}:open`,
      destination: { kind: 'thread', parent },
      content: {
        kind: 'file',
        source: 'log',
        name: isOver ? `request-${id}-${target}.log` : `request-${id}-${target}-until-now.log`,
        title: isOver ? 'The whole log' : 'The log until now',
        comment: 'What was checked, and what each command printed.',
        instead: (log) => ({
          text: 'The end of the log',
          blocks: [
            section(`*The end of the log*, ${escapeText(bytesText(Buffer.byteLength(log)))} in all`),
            preformatted(lastPart(log, TAIL)),
          ],
        }),
      },
    },
  ]
}
