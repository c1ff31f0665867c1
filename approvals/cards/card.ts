import type { MigrationEvidence } from '../../src/sql/review.ts'
import type { MigrationClass } from '../../src/sql/effects.ts'
import { maintenanceOf } from '../../src/deploy/planned.ts'
import type { Evidence, Plan, PlannedStep } from '../../src/plan/plan.ts'
import type { RequestView } from '../../src/request/request.ts'
import { glassBlocks } from '../../src/request/render/break-glass.ts'
import { queueBlocks, spanOf, windowClosedText } from '../../src/request/render/queue.ts'
import {
  approvalsOf,
  approvedBy,
  askOf,
  bold,
  brokenBy,
  changesApplication,
  commitOf,
  shortDigest,
  titleOf,
} from '../../src/request/render/words.ts'
import type { CardContext } from '../../src/request/render/card.ts'
import { actions, button, context, fields, header, overflow, section, table } from '../../src/slack/blocks/blocks.ts'
import type { Block, Message } from '../../src/slack/port.ts'
import {
  approverText,
  bytesText,
  cleanMrkdwn,
  codeText,
  countText,
  dateText,
  durationText,
  escapeLine,
  listText,
  personText,
  pluralText,
  quoteText,
  truncate,
  truncateMrkdwn,
} from '../../src/lib/text.ts'
import { list } from '../wording.ts'

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
      ...glassBlocks(view, timezone),
      ...(anew?.kind === 'asked_anew' ? [section(`*Asked anew.* ${cleanMrkdwn(anew.data.why)}`)] : []),
      ...migrationsTable(request.plan, request.evidence),
      ...evidenceFields(view),
      actions(
        ...(isToBreak(view) ? [button('Break the glass', 'break_glass', request.token, 'danger')] : []),
        button('Approve', 'approve', request.token, 'primary'),
        button('Reject', 'reject', request.token, 'danger'),
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
const isToBreak = ({ request }: RequestView): boolean => request.glass !== null && request.policy?.breakGlass !== undefined

function askedToBreak(view: RequestView): readonly Block[] {
  const { glass, policy } = view.request
  if (glass === null || policy?.breakGlass === undefined || glass.brokenBy !== null) return []
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
  const who = broken === null ? `*Approved* by ${approvedBy(view)}` : `*Let through* by ${broken}`
  const isQueued = request.notBefore !== null && request.notBefore > view.now
  const starting = isQueued ? `queued for ${spanOf(request, timezone)}` : 'starting'
  const line = `${who} · ${starting} · asked by ${personText(request.requester)}`
  return {
    text: `${escapeLine(titleOf(view))}: ${broken === null ? `approved by ${approvedBy(view)}` : `let through by ${broken}`}, ${starting}.`,
    blocks: [
      header(titleOf(view)),
      section(line),
      ...queueBlocks({ request: { ...request, notBefore: null } }, timezone),
      ...glassBlocks(view, timezone),
      ...migrationsTable(request.plan, request.evidence),
      actions(button('Cancel', 'cancel', request.token)),
      context(
        `Plan ${codeText(shortDigest(request.digest ?? ''))}${request.grantExpiresAt === null ? '' : ` · the approval ends ${dateText(request.grantExpiresAt, 'day', timezone)}${request.notBefore === null ? ' if the run has not started' : ', when its window closes'}`}`,
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
      ...glassBlocks(view, timezone),
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
  const again = codeText(`/migrate deploy ${request.target}`)
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

/** Migration, class, what it does, rows; a row for each pending migration. */
export function migrationsTable(plan: Plan | null, evidence: Evidence | null): readonly Block[] {
  if (plan === null || plan.list.length === 0) return []
  const known = new Map((evidence?.migrations ?? []).map((migration) => [migration.name, migration]))
  if (known.size === 0)
    return [
      table(
        [{ title: 'Migration', wrapped: true }],
        plan.list.map((migration) => [migration.name]),
      ),
    ]
  return [
    table(
      [
        { title: 'Migration', wrapped: true },
        { title: 'Class' },
        { title: 'What it does', wrapped: true },
        { title: 'Rows', align: 'right' },
      ],
      plan.list.map(({ name }) => {
        const migration = known.get(name)
        return [name, migration?.class ?? 'unclear', migration?.summary ?? '', migration === undefined ? '' : rowsText(migration)]
      }),
    ),
  ]
}

/** The same as lines of text, for modals, which take no tables. */
export function migrationLines(plan: Plan | null, evidence: Evidence | null, most = 30): readonly Block[] {
  if (plan === null || plan.list.length === 0) return []
  const known = new Map((evidence?.migrations ?? []).map((migration) => [migration.name, migration]))
  const lines = plan.list.slice(0, most).map(({ name }) => {
    const migration = known.get(name)
    const facts =
      migration === undefined
        ? []
        : [migration.class, escapeLine(migration.summary), ...(migration.rows === null ? [] : [`${countText(migration.rows)} rows`])]
    return `• ${[`*${escapeLine(name)}*`, ...facts.filter((fact) => fact !== '')].join(' · ')}`
  })
  const rest = plan.list.length - lines.length
  return [section(truncateMrkdwn(lines.join('\n'), 2_900)), ...(rest > 0 ? [context(`and ${rest} more, in the thread`)] : [])]
}

const rowsText = (migration: MigrationEvidence): string => (migration.rows === null ? 'new' : countText(migration.rows))

function evidenceFields(view: RequestView): readonly Block[] {
  const { plan, evidence, policy, ask } = view.request
  return fields([
    ['Approvals', policy === null ? null : approvalsText(view)],
    ['Commit', evidence === null || evidence.subject === '' ? null : commitText(evidence)],
    ['Risk', plan === null || evidence === null ? null : classesText(evidence)],
    ['Way back', plan === null || plan.list.length === 0 ? null : wayBackText(plan)],
    ['Backup', evidence === null || plan === null || !backsUp(plan) ? null : backupText(evidence)],
    ['Maintenance mode', plan === null ? null : maintenanceText(plan)],
    ['Application', plan === null || ask.skipApp || !changesApplication(plan) ? null : stepsText(plan)],
  ])
}

/** `1 of 2 · <@U0BOB> · open to <!subteam^S0DBA>` */
export function approvalsText(view: RequestView): string {
  const { policy } = view.request
  const votes = approvalsOf(view)
  const required = policy?.required ?? 1
  return [
    `${votes.length} of ${required}`,
    ...(votes.length === 0 ? [] : [listText(votes.map((vote) => personText(vote.actor)))]),
    ...(policy === null || votes.length >= required ? [] : [`open to ${listText(policy.from.map(approverText))}`]),
  ].join(' · ')
}

const maintenanceText = (plan: Plan): string | null =>
  maintenanceOf(plan) === null ? null : `on before the ${plan.list.length === 0 ? 'deploy steps' : 'migrations'}, off at the end`

const commitText = (evidence: Evidence): string =>
  `${escapeLine(evidence.subject)}${evidence.author === '' ? '' : `, by ${escapeLine(evidence.author)}`}`

const severity: readonly MigrationClass[] = ['breaking', 'unclear', 'transformative', 'additive']

/** `1 breaking, 2 additive`: the worst first. */
export function classesText(evidence: Evidence): string | null {
  const counts = severity.flatMap((name) => {
    const count = evidence.migrations.filter((migration) => migration.class === name).length
    return count === 0 ? [] : [`${count} ${name}`]
  })
  return counts.length === 0 ? null : counts.join(', ')
}

function wayBackText(plan: Plan): string {
  const there = plan.list.filter((migration) => migration.rollbackSha256 !== null).length
  if (there === 0) return 'the backup; there is no rollback SQL'
  return there === plan.list.length
    ? 'rollback SQL for each migration, and the backup'
    : `rollback SQL for ${there} of ${plan.list.length}, and the backup`
}

function backupText(evidence: Evidence): string {
  if (evidence.lastBackup === null) return `the first of this target; the database has ${bytesText(evidence.databaseBytes)}`
  return `about ${durationText(Math.max(1, Math.round(evidence.lastBackup.seconds)) * 1000)}, ${bytesText(evidence.lastBackup.bytes)}, like the last one`
}

/** Whether this step is a command of this run. */
const isRun = (plan: Plan, { phase }: PlannedStep): boolean =>
  phase === 'prepare' || phase === 'deploy' || (phase.startsWith('maintenance-o') && maintenanceOf(plan) !== null)

/** Whether this run makes a backup: nothing else leaves the database alone. */
const backsUp = (plan: Plan): boolean =>
  plan.list.length > 0 ||
  plan.steps.some((step) => isRun(plan, step) && (step.settings as { readonly database?: unknown } | null)?.database === true)

function stepsText(plan: Plan): string {
  const named = (phase: PlannedStep['phase']) => plan.steps.filter((step) => step.phase === phase).map((step) => escapeLine(step.name))
  const checks = named('health').length
  const steps = listText([...named('deploy'), ...(checks === 0 ? [] : [pluralText(checks, 'health check')])])
  return plan.list.length === 0 ? steps : `${steps}, after the migrations`
}
