import {
  approverText,
  cleanMrkdwn,
  codeText,
  dateText,
  escapeLine,
  personText,
  pluralText,
  quoteText,
  truncate,
} from '../../src/lib/text/text.ts'
import { breakGlassBlocks } from '../../src/request/render/break-glass.ts'
import type { CardContext } from '../../src/request/render/card.ts'
import { needsNone, queueBlocks, spanOf, windowClosedText } from '../../src/request/render/queue.ts'
import { approvalsOf, approvedBy, askOf, bold, brokenBy, commitOf, shortDigest, titleOf } from '../../src/request/render/words.ts'
import { drawnEvidence } from '../../src/request/blockers.ts'
import type { RequestView } from '../../src/request/request.ts'
import { actions, button, context, header, overflow, section } from '../../src/slack/blocks/blocks.ts'
import type { Block, Message } from '../../src/slack/port.ts'
import { list } from '../wording.ts'
import { isBlocked, waivedBlocks } from './blockers.ts'
import { evidenceFields } from './evidence.ts'
import { findingsBlocks } from './findings.ts'
import { migrationsTable } from './migrations.ts'

/** The card from the asking to the decision. */
export function requestCard(view: RequestView, cardContext: CardContext): Message {
  switch (view.request.state) {
    case 'planning':
      return planningCard(view)
    case 'waiting':
      return waitingCard(view, cardContext)
    case 'granted':
      return grantedCard(view, cardContext)
    default:
      return closedCard(view, cardContext)
  }
}

function planningCard(view: RequestView): Message {
  const { request } = view
  const line = `${personText(request.requester)} asks to deploy ${commitOf(request)}.`
  return {
    text: `${escapeLine(titleOf(view))}: ${line}`,
    blocks: [
      header(titleOf(view)),
      section(`${line}${reasonOf(view)}`),
      actions(button('Cancel', 'cancel', request.token)),
      context('Reading the commit, its migrations and the database.'),
    ],
  }
}

function waitingCard(view: RequestView, { timezone }: CardContext): Message {
  const { request } = view
  const line = askLine(view)
  const anew = view.events.findLast((event) => event.kind === 'asked_anew')
  return {
    text: `${escapeLine(titleOf(view))}: ${line.replaceAll('*', '')}`,
    blocks: [
      header(titleOf(view)),
      section(`${line}${reasonOf(view)}`),
      ...queueBlocks(view, timezone),
      ...warningBlocks(view),
      ...askedToBreak(view),
      ...breakGlassBlocks(view, timezone),
      ...(anew?.kind === 'asked_anew' ? [section(`*Asked anew.* ${cleanMrkdwn(anew.data.why)}`)] : []),
      ...findingsBlocks(drawnEvidence(request, view.events), { waivers: request.policy?.waive ?? [] }),
      ...waivedBlocks(view),
      ...migrationsTable(request.plan, request.evidence),
      ...evidenceFields(view),
      actions(
        ...(isToBreak(view) ? [button('Break the glass', 'break_glass', request.token, 'danger')] : []),
        button('Approve', 'approve', request.token, 'primary'),
        button('Reject', 'reject', request.token, 'danger'),
        ...(isBlocked(view) ? [button('Waive', 'waive', request.token)] : []),
        ...(request.plan !== null && request.plan.list.length > 0 ? [button('Read the SQL', 'sql', request.token)] : []),
        button('Cancel', 'cancel', request.token),
        // small, since it is for a few people on a bad night
        ...(request.policy?.breakGlass !== undefined && !isToBreak(view)
          ? [overflow('break_glass', [{ value: request.token, label: 'It cannot wait: break the glass' }])]
          : []),
      ),
      context(waitingNote(view, timezone)),
    ],
  }
}

/** Asked with `--break-glass`, and the rules of the target allowed it when the plan was made. */
const isToBreak = ({ request }: RequestView): boolean => request.breakGlass !== null && request.policy?.breakGlass !== undefined

function askedToBreak(view: RequestView): readonly Block[] {
  const { breakGlass, policy } = view.request
  if (breakGlass === null || policy?.breakGlass === undefined || breakGlass.brokenBy !== null) return []
  return [
    section(
      `*BREAK GLASS is asked for.* ${list(policy.breakGlass.from.map(approverText), 'or')} may let it run without approvals. Everybody who approves is told, and somebody else reviews it afterwards. An approval still works as usual.`,
    ),
  ]
}

/** What should be known before it is approved, such as that it may not end inside its window. */
const warningBlocks = ({ request }: RequestView): readonly Block[] =>
  (request.evidence?.warnings ?? []).map((warning) => section(`*Mind this.* ${cleanMrkdwn(warning)}`))

function waitingNote(view: RequestView, timezone: string): string {
  const { digest, evidence, expiresAt } = view.request
  const notes = (evidence?.notes ?? []).map((note) => sentence(cleanMrkdwn(note.replaceAll('<', '&lt;'))))
  return [
    `Plan ${codeText(shortDigest(digest ?? ''))}. If a migration, the target or the policy changes, it asks again.`,
    ...notes,
    ...(expiresAt === null ? [] : [`Expires ${dateText(expiresAt, 'day', timezone)}.`]),
  ].join(' ')
}

function grantedCard(view: RequestView, { timezone }: CardContext): Message {
  const { request } = view
  const broken = brokenBy(view)
  const isFree = needsNone(request)
  const [who, said] =
    broken !== null
      ? [`*Let through* by ${broken}`, `let through by ${broken}`]
      : isFree
        ? ['*No approval is needed*', 'no approval is needed']
        : [`*Approved* by ${approvedBy(view)}`, `approved by ${approvedBy(view)}`]
  const isQueued = request.notBefore !== null && request.notBefore > view.now
  const starting = isQueued ? `queued for ${spanOf(request, timezone)}` : 'starting'
  const line = `${who} · ${starting} · asked by ${personText(request.requester)}`
  return {
    text: `${escapeLine(titleOf(view))}: ${said}, ${starting}.`,
    blocks: [
      header(titleOf(view)),
      section(line),
      ...queueBlocks({ request: { ...request, notBefore: null } }, timezone),
      ...breakGlassBlocks(view, timezone),
      ...waivedBlocks(view),
      ...migrationsTable(request.plan, request.evidence),
      actions(button('Cancel', 'cancel', request.token)),
      context(
        `Plan ${codeText(shortDigest(request.digest ?? ''))}${request.grantExpiresAt === null ? '' : ` · ${isFree ? 'it' : 'the approval'} ends ${dateText(request.grantExpiresAt, 'day', timezone)}${request.notBefore === null ? ' if the run has not started' : ', when its window closes'}`}`,
      ),
    ],
  }
}

/** Rejected, expired, refused, or cancelled before anything ran. */
function closedCard(view: RequestView, { timezone }: CardContext): Message {
  const { request } = view
  const end = endOf(view)
  const title = `${titleOf(view)} ${end.word}`
  return {
    text: `${escapeLine(title)}. ${end.text.replaceAll('*', '').split('\n')[0] ?? ''}`,
    blocks: [
      header(title),
      section(end.text),
      ...breakGlassBlocks(view, timezone),
      context(
        [
          `Asked by ${personText(request.requester)}`,
          ...(request.plan === null ? [] : [`${pluralText(request.plan.list.length, 'migration')}, ${commitOf(request)}`]),
          ...(request.digest === null ? [] : [`plan ${codeText(shortDigest(request.digest))}`]),
        ].join(' · '),
      ),
    ],
  }
}

function endOf(view: RequestView): { readonly word: string; readonly text: string } {
  const { request } = view
  const again = codeText(`${view.commands.migrate} deploy ${request.target}`)
  if (request.state === 'rejected') {
    const vote = view.votes.findLast((one) => one.decision === 'reject')
    const by = vote === undefined ? '*Rejected.*' : `*Rejected by ${personText(vote.actor)}.*`
    return { word: 'rejected', text: `${by} Nothing was changed.${vote?.reason ? `\n${quoteText(vote.reason)}` : ''}` }
  }
  if (request.state === 'expired') {
    const next = `Ask again with ${again}.`
    if (view.events.some((event) => event.kind === 'expired' && event.data.what === 'window'))
      return { word: 'expired', text: `*${windowClosedText(view).replace(/\. /, '.* ')} ${next}` }
    const isGrant = view.events.some((event) => event.kind === 'expired' && event.data.what === 'grant')
    const why = isGrant
      ? '*The approval ended before the run could start.*'
      : `*It expired with ${approvalsOf(view).length} of ${pluralText(request.policy?.required ?? 1, 'approval')}.*`
    return { word: 'expired', text: `${why} Nothing was changed. ${next}` }
  }
  if (request.state === 'cancelled') {
    if (request.outcome !== null) return { word: 'cancelled', text: bold(cleanMrkdwn(request.outcome.headline)) }
    const by = request.cancelRequestedBy === null ? '' : ` by ${personText(request.cancelRequestedBy)}`
    return { word: 'cancelled', text: `*Cancelled${by} before it started.* Nothing was changed.` }
  }
  const { headline, why, next } = request.outcome ?? { headline: 'This cannot be done.' }
  return {
    word: 'refused',
    text: [
      bold(cleanMrkdwn(headline)),
      ...(why ? [`*Why.* ${cleanMrkdwn(why)}`] : []),
      ...(next ? [`*Next.* ${cleanMrkdwn(next)}`] : []),
    ].join('\n'),
  }
}

const sentence = (text: string): string => (/[.!?]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`)

/** `<@U0ALICE> asks to run *3 migrations* and deploy `a1b9f02` from `main`.` */
export function askLine(view: RequestView): string {
  const { request } = view
  const none = request.plan !== null && request.plan.list.length === 0
  const left = request.plan !== null && !none && request.ask.skipApp ? ' The application is left alone.' : ''
  return `${personText(request.requester)} asks to ${askOf(request)} ${commitOf(request)}.${none ? ' *No migration is pending.*' : ''}${left}`
}

/** A longer reason would push the evidence off the card. */
const REASON = 600

const reasonOf = (view: RequestView): string => {
  const reason = view.request.ask.reason?.trim() ?? ''
  return reason === '' ? '' : `\n${quoteText(truncate(reason, REASON))}`
}
