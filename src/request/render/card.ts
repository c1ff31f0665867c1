import { needsNone } from './queue.ts'
import { actions, button, context, fields, header, plan, preformatted, section } from '../../slack/blocks/blocks.ts'
import type { Block, Message } from '../../slack/port.ts'
import { cleanMrkdwn, codeText, dateText, durationText, escapeLine, personText, pluralText } from '../../lib/text/text.ts'
import { runningButtons } from './blocker.ts'
import { breakGlassBlocks } from './break-glass.ts'
import type { RequestView, RunOutcome, StepRow, Ending } from '../request.ts'
import { tasksOf } from './tasks.ts'
import { approvedBy, bold, brokenBy, changesApplication, elapsedOf, progressOf, shortCommit, shortDigest, titleOf } from './words.ts'

export type CardContext = {
  /** For readers whose client cannot show their own zone. */
  readonly timezone: string
}

/** The card from the start of the run to its end. */
export function runCard(view: RequestView, cardContext: CardContext): Message {
  switch (view.request.state) {
    case 'running':
      return runningCard(view, cardContext)
    case 'succeeded':
      return doneCard(view, cardContext)
    case 'needs_human':
      return needsPersonCard(view, cardContext)
    default:
      return stoppedCard(view, cardContext)
  }
}

function runningCard(view: RequestView, { timezone }: CardContext): Message {
  const title = titleOf(view)
  const doing = doingOf(view)
  return {
    text: `${escapeLine(title)}: ${doing.replaceAll('*', '')}`,
    blocks: [
      header(title),
      section(`${doing} · ${peopleOf(view)}`),
      ...breakGlassBlocks(view, timezone),
      ...tasksBlock(view, `Running for ${durationText(elapsedOf(view))}`),
      ...runningButtons(view),
      context(`Updated ${dateText(view.now, 'seconds', timezone)}${planOf(view)}`),
    ],
  }
}

function doingOf(view: RequestView): string {
  const { request } = view
  if (request.ending !== null) return `*${endings[request.ending]}*; maintenance mode is being switched off first`
  if (request.cancelRequestedAt !== null)
    return `*Cancelling*${request.cancelRequestedBy === null ? '' : `, asked by ${personText(request.cancelRequestedBy)}`}; it stops at the next safe point`
  const step = view.steps.find((one) => one.state === 'running') ?? view.steps.find((one) => one.state === 'pending')
  if (step === undefined) return '*Finishing*'
  const migrations = step.name === 'migrate' && step.state === 'running' ? progressOf(step, request) : []
  if (migrations.length === 0) return `*${escapeLine(step.title)}*`
  return `*Migrating*, ${migrations.filter((migration) => migration.state === 'done').length} of ${migrations.length} done`
}

const endings: Readonly<Record<Ending, string>> = {
  failed: 'It has stopped',
  cancelled: 'It is cancelled',
  needs_human: 'It needs a person',
}

const peopleOf = (view: RequestView): string => {
  const approved = approvedBy(view)
  const broken = brokenBy(view)
  return `asked by ${personText(view.request.requester)}${approved === '' ? '' : `, approved by ${approved}`}${broken === null ? '' : `, let through by ${broken}`}`
}

function doneCard(view: RequestView, { timezone }: CardContext): Message {
  const { request } = view
  const title = `${titleOf(view)} done`
  const headline = bold(cleanMrkdwn(request.outcome?.headline ?? doneText(view)))
  const backup = view.steps.find((step) => step.name === 'backup')
  return {
    text: `${escapeLine(title)}. ${headline.replaceAll('*', '')}`,
    blocks: [
      header(title),
      section(headline),
      ...breakGlassBlocks(view, timezone),
      ...fields([
        ['Took', durationText(elapsedOf(view))],
        ['Backup', backup?.state === 'done' && backup.output ? escapeLine(backup.output) : null],
        ['Asked by', personText(request.requester)],
        ['Approved by', approvedBy(view) || (needsNone(request) ? 'nobody, since none is needed' : null)],
        ['Let through by', brokenBy(view)],
      ]),
      ...paragraphs([
        ['Why', request.outcome?.why],
        ['Maintenance mode', request.outcome?.maintenance],
        ['Next', request.outcome?.next],
      ]),
      context(`${codeText(`${view.commands.migrate} show ${request.id}`)} has the record${planOf(view)}`),
    ],
  }
}

function doneText(view: RequestView): string {
  const { plan: planned } = view.request
  if (planned === null) return 'Done'
  const live = changesApplication(planned) && !view.request.ask.skipApp ? codeText(shortCommit(planned.commit)) : null
  if (planned.list.length === 0) return `Nothing was pending, so the database is unchanged${live === null ? '' : `; ${live} is live`}.`
  return `${pluralText(planned.list.length, 'migration')} applied${live === null ? '' : ` and ${live} is live`}.`
}

function stoppedCard(view: RequestView, { timezone }: CardContext): Message {
  const { request } = view
  const isCancelled = request.state === 'cancelled'
  const title = `${titleOf(view)} ${isCancelled ? 'cancelled' : 'stopped'}`
  const outcome: RunOutcome = request.outcome ?? { headline: isCancelled ? 'It was cancelled.' : 'It stopped.' }
  const headline = bold(cleanMrkdwn(outcome.headline))
  return {
    text: `${escapeLine(title)}. ${headline.replaceAll('*', '')}`,
    blocks: [
      header(title),
      section(headline),
      ...breakGlassBlocks(view, timezone),
      ...tasksBlock(view, `${isCancelled ? 'Cancelled' : 'Stopped'} after ${durationText(elapsedOf(view))}`),
      ...paragraphs([
        ['Known', outcome.known],
        ['Not known', outcome.notKnown],
        ['Why', outcome.why],
        ['Maintenance mode', outcome.maintenance],
        ['Next', outcome.next],
      ]),
      ...excerptOf(outcome),
      context([...backupOf(outcome), ...logOf(view), `plan ${codeText(shortDigest(request.digest ?? ''))}`].join(' · ')),
    ],
  }
}

function needsPersonCard(view: RequestView, { timezone }: CardContext): Message {
  const { request } = view
  const title = `${titleOf(view)} needs a person`
  const outcome: RunOutcome = request.outcome ?? { headline: 'It is not clear what happened. Lockkeeper will not guess.' }
  const headline = bold(cleanMrkdwn(outcome.headline))
  return {
    text: `${escapeLine(title)}. ${headline.replaceAll('*', '')}`,
    blocks: [
      header(title),
      section(headline),
      ...breakGlassBlocks(view, timezone),
      ...paragraphs([
        ['Known', outcome.known],
        ['Not known', outcome.notKnown],
        ['Why', outcome.why],
        ['Maintenance mode', outcome.maintenance],
      ]),
      ...paragraphs([['What you can do', outcome.next]]),
      ...excerptOf(outcome),
      ...(request.cancelRequestedAt === null ? [actions(button('Close this request', 'cancel', request.token))] : []),
      context(
        [`Nothing else starts on ${escapeLine(view.targetTitle)} until this is closed`, ...backupOf(outcome), ...logOf(view)].join(' · '),
      ),
    ],
  }
}

/** Nothing is drawn before the first step has a row. */
const tasksBlock = (view: RequestView, title: string): readonly Block[] => {
  const tasks = tasksOf(view)
  return tasks.length === 0 ? [] : [plan(title, tasks)]
}

/** One section, a paragraph a line, each with its name; what has nothing to say is left out. */
function paragraphs(parts: readonly (readonly [string, string | undefined])[]): readonly Block[] {
  const lines = parts.flatMap(([name, text]) => (text === undefined || text.trim() === '' ? [] : [`*${name}.* ${cleanMrkdwn(text)}`]))
  return lines.length === 0 ? [] : [section(lines.join('\n'))]
}

const excerptOf = (outcome: RunOutcome): readonly Block[] =>
  outcome.excerpt === undefined || outcome.excerpt.trim() === '' ? [] : [preformatted(outcome.excerpt.trim())]

const backupOf = (outcome: RunOutcome): readonly string[] =>
  outcome.backup === undefined ? [] : [`Backup ${codeText(outcome.backup)} is kept`]

const hasRun = (step: StepRow): boolean => step.startedAt !== null

const logOf = (view: RequestView): readonly string[] => (view.steps.some(hasRun) && view.tail.trim() !== '' ? ['log in the thread'] : [])

const planOf = (view: RequestView): string => (view.request.digest === null ? '' : ` · plan ${codeText(shortDigest(view.request.digest))}`)
