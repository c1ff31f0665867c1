import { limits } from '../../src/slack/limits/shapes.ts'
import type { RequestView } from '../../src/request/request.ts'
import { breakGlassLine } from '../../src/request/render/break-glass.ts'
import { bold, elapsedOf, shortDigest, titleOf } from '../../src/request/render/words.ts'
import { actions, button, context, divider, header, home, linkButton, section } from '../../src/slack/blocks/blocks.ts'
import type { Block, View } from '../../src/slack/port.ts'
import { cleanMrkdwn, codeText, dateText, durationText, escapeLine, personText, quoteText } from '../../src/lib/text/text.ts'
import { askLine } from '../cards/card.ts'
import { approvalsText, classesText } from '../cards/evidence.ts'
import { drawnEvidence } from '../../src/request/blockers.ts'
import { blockersOf, findingLines } from '../cards/findings.ts'
import { freezeBlocks, windowBlocks, type HomeCalendar } from './calendar.ts'

/** A request and where its card stands, if it does. */
export type HomeEntry = {
  readonly view: RequestView
  readonly link: string | null
  /** Whether this person may let it run without approvals. */
  readonly mayBreak?: boolean
}

export type HomeState = {
  /** What ran without enough approvals and this person may review. */
  readonly reviews: readonly HomeEntry[]
  /** What this person may decide now. */
  readonly waiting: readonly HomeEntry[]
  /** What runs, and what this person has asked for. */
  readonly underWay: readonly HomeEntry[]
  /** Ended ones, newest first. */
  readonly last: readonly HomeEntry[]
  readonly calendar: HomeCalendar
  /** Why nothing may start now; null when everything is well. */
  readonly notice: string | null
}

/** More than this in one part makes the page long without making it useful. */
const MOST = 10

/** App Home: what waits for me, what runs now, what is planned, what ran last. */
export function homeView(state: HomeState): View {
  const { calendar } = state
  const frozen = freezeBlocks(calendar)
  const before = [
    ...(state.notice === null ? [] : [section(`*No run starts now.* ${state.notice}`), divider]),
    header('Waiting for your decision'),
    ...(state.reviews.length === 0 ? [] : part(calendar, state.reviews, reviewEntry, '')),
    ...(state.reviews.length > 0 && state.waiting.length === 0
      ? []
      : part(calendar, state.waiting, waitingEntry, 'Nothing waits for you.')),
    divider,
    header('Under way'),
    ...part(calendar, state.underWay, (entry) => underWayEntry(entry, calendar.zone), 'Nothing is under way.'),
    divider,
    ...frozen,
    ...(frozen.length === 0 ? [] : [divider]),
  ]
  const after = [
    divider,
    header('Last runs'),
    ...part(
      calendar,
      state.last,
      (entry) => lastEntry(entry, calendar.zone),
      `Nothing has run yet. Ask with ${codeText(`${calendar.commands.migrate} deploy`)} and a target, in a channel.`,
    ),
  ]
  return home([...before, ...windowBlocks(calendar, limits.viewBlocks - before.length - after.length), ...after])
}

function part(
  { commands }: HomeCalendar,
  entries: readonly HomeEntry[],
  draw: (entry: HomeEntry) => readonly Block[],
  empty: string,
): readonly Block[] {
  if (entries.length === 0) return [context(empty)]
  return [
    ...entries.slice(0, MOST).flatMap(draw),
    ...(entries.length > MOST ? [context(`and ${entries.length - MOST} more; ${codeText(`${commands.migrate} history`)} lists them`)] : []),
  ]
}

function reviewEntry({ view, link }: HomeEntry): readonly Block[] {
  const { request } = view
  return [
    section(`*${escapeLine(titleOf(view))}*\n${breakGlassLine(view)}\n${quoteText(request.breakGlass?.reason ?? '')}`),
    actions(button('Review', 'review', request.token, 'primary'), ...(link === null ? [] : [linkButton('Open', 'open', link)])),
  ]
}

function waitingEntry({ view, link, mayBreak = false }: HomeEntry): readonly Block[] {
  const { request } = view
  const facts = [
    ...(request.policy === null ? [] : [approvalsText(view)]),
    ...(request.evidence === null ? [] : [classesText(request.evidence)].filter((text) => text !== null)),
    ...(request.digest === null ? [] : [`plan ${codeText(shortDigest(request.digest))}`]),
  ]
  const evidence = drawnEvidence(request, view.events)
  const { lines, rest } = findingLines(evidence, { most: 3, room: 900 })
  const blockers = blockersOf(evidence).length
  const found = [
    ...lines,
    ...(rest === 0 ? [] : [`and ${rest} more, on the card`]),
    ...(blockers === 0
      ? []
      : [`*It does not run before ${blockers === 1 ? 'the blocker is' : `its ${blockers} blockers are`} changed or waived.*`]),
  ]
  return [
    section([`*${escapeLine(titleOf(view))}*`, askLine(view), ...found].join('\n')),
    ...(facts.length === 0 ? [] : [context(facts.join(' · '))]),
    actions(
      button('Approve', 'approve', request.token, 'primary'),
      button('Reject', 'reject', request.token, 'danger'),
      ...(mayBreak ? [breakButton(request.token)] : []),
      ...(link === null ? [] : [linkButton('Open', 'open', link)]),
    ),
  ]
}

function underWayEntry({ view, link, mayBreak = false }: HomeEntry, zone: string): readonly Block[] {
  const { request } = view
  const step = view.steps.find((one) => one.state === 'running')
  const now =
    request.state === 'needs_human'
      ? '*needs a person*'
      : request.state === 'granted'
        ? request.notBefore === null || request.notBefore <= view.now
          ? 'approved, starting'
          : `approved, starts ${dateText(request.notBefore, 'day', zone)}`
        : request.state === 'running'
          ? `${step === undefined ? (request.ending === null ? 'running' : 'stopping') : escapeLine(step.title)} · for ${durationText(elapsedOf(view))}`
          : 'waiting for approval'
  const buttons = [
    // what is only switching maintenance mode off is not interrupted
    ...(request.ending === null
      ? [button(request.state === 'needs_human' ? 'Close this request' : 'Cancel', 'cancel', request.token)]
      : []),
    ...(mayBreak && request.state === 'waiting' ? [breakButton(request.token)] : []),
    ...(link === null ? [] : [linkButton('Open', 'open', link)]),
  ]
  return [
    section(`*${escapeLine(titleOf(view))}* · ${now}\nasked by ${personText(request.requester)}`),
    ...(buttons.length === 0 ? [] : [actions(...buttons)]),
  ]
}

const breakButton = (token: string) => button('Break the glass', 'break_glass', token)

const endings: Readonly<Record<string, string>> = {
  succeeded: 'done',
  failed: 'stopped',
  cancelled: 'cancelled',
  rejected: 'rejected',
  expired: 'expired',
  refused: 'refused',
}

function lastEntry({ view, link }: HomeEntry, timezone: string): readonly Block[] {
  const { request } = view
  const when = request.endedAt === null ? '' : ` · ${dateText(request.endedAt, 'day', timezone)}`
  const headline = request.outcome === null ? '' : `\n${bold(cleanMrkdwn(request.outcome.headline)).replaceAll('*', '')}`
  return [
    section(
      `*${escapeLine(titleOf(view))}* · ${endings[request.state] ?? request.state}${when}${headline}`,
      link === null ? undefined : linkButton('Open', 'open', link),
    ),
  ]
}
