import { maintenanceModeOf } from '../../src/deploy/planned.ts'
import { approverText, bytesText, codeText, durationText, escapeLine, listText, personText, pluralText } from '../../src/lib/text/text.ts'
import type { Evidence, Plan, PlannedStep, RunnerPlanned } from '../../src/plan/plan.ts'
import { isAppFirst } from '../../src/plan/rules/by-class.ts'
import { runnerName } from '../../src/plan/prisma8/version.ts'
import { approvalsOf, changesApplication } from '../../src/request/render/words.ts'
import type { RequestView } from '../../src/request/request.ts'
import { assertionsOf, isAsked } from '../../src/watching/assertions.ts'
import { fields } from '../../src/slack/blocks/blocks.ts'
import type { Block } from '../../src/slack/port.ts'
import { commitsText } from './commits.ts'
import { severity } from './findings.ts'

/** What whoever decides has to know beside the migrations. */
export function evidenceFields(view: RequestView): readonly Block[] {
  const { plan, evidence, policy, ask } = view.request
  return fields([
    ['Approvals', policy === null ? null : approvalsText(view)],
    ['Commit', evidence === null || evidence.subject === '' ? null : commitText(evidence)],
    ['Commits', commitsText(evidence?.commits)],
    ['Tool', plan === null ? null : toolText(plan)],
    ['Database', plan === null ? null : databaseText(plan)],
    ['Risk', plan === null || evidence === null ? null : classesText(evidence)],
    ['Way back', plan === null || plan.list.length === 0 ? null : wayBackText(plan)],
    ['Backup', evidence === null || plan === null || !backsUp(plan) ? null : backupText(evidence)],
    ['Assertions', plan === null ? null : assertionsText(plan)],
    ['Maintenance mode', plan === null ? null : maintenanceText(plan)],
    ['Application', plan === null || ask.skipApp || !changesApplication(plan) ? null : stepsText(plan)],
  ])
}

/** `` `shop` on `db.example:5432` ``; a socket has a directory and no port. */
export function databaseText({ identity: { host, port, database, schema } }: Pick<Plan, 'identity'>): string {
  const address = host.startsWith('/') ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`
  return `${codeText(database)}${schema === undefined ? '' : `, schema ${codeText(schema)},`} on ${codeText(address)}`
}

/** Where it is not Prisma 5 to 7. */
export function toolText({ prisma8, tool }: Pick<Plan, 'prisma8' | 'tool'>): string | null {
  if (prisma8 !== undefined) return runnerText(prisma8)
  if (tool === undefined) return null
  if (tool.kind === 'sql')
    return `plain SQL, each file in one transaction${tool.baseline === null ? '' : `; on a database without a record all up to ${codeText(tool.baseline)} counts as applied`}`
  return `${escapeLine(tool.name)}: ${codeText(tool.run.join(' '))}${tool.undone ? ', which undoes what it could not finish' : '; what it could not finish may stay in part'}`
}

const runnerText = ({ version, marker, contract }: RunnerPlanned): string =>
  `${escapeLine(runnerName(version))}; all of it in one transaction, from ${marker === null ? 'an empty database' : `contract ${codeText(marker.slice(0, 12))}`} to ${codeText(contract.hash.slice(0, 12))}`

/** `1 of 2 · <@U0BOB> · open to <!subteam^S0DBA>` */
export function approvalsText(view: RequestView): string {
  const { policy } = view.request
  const votes = approvalsOf(view)
  const required = policy?.required ?? 1
  if (required === 0) return 'none needed'
  return [
    `${votes.length} of ${required}`,
    ...(votes.length === 0 ? [] : [listText(votes.map((vote) => personText(vote.actor)))]),
    ...(policy === null || votes.length >= required ? [] : [`open to ${listText(policy.from.map(approverText))}`]),
  ].join(' · ')
}

function maintenanceText(plan: Plan): string | null {
  if (plan.rules?.maintenance === 'off') return `off, as for every plan that is ${plan.rules.class}`
  if (maintenanceModeOf(plan) === null) return null
  return `on before the ${plan.list.length === 0 || isAppFirst(plan) ? 'deploy steps' : 'migrations'}, off at the end`
}

/** `1 before and 2 after the migrations: every order has a total, …` */
export function assertionsText(plan: Pick<Plan, 'list' | 'steps'>): string | null {
  const all = assertionsOf(plan)
  if (all.length === 0) return null
  const counts = (['before', 'after'] as const).flatMap((at) => {
    const asked = all.filter((one) => isAsked(one, at)).length
    return asked === 0 ? [] : [`${asked} ${at}`]
  })
  const names = all.slice(0, 5).map(({ name }) => escapeLine(name))
  const more = all.length - names.length
  return `${listText(counts)} the migrations: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const commitText = (evidence: Evidence): string =>
  `${escapeLine(evidence.subject)}${evidence.author === '' ? '' : `, by ${escapeLine(evidence.author)}`}`

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
  if (plan.prisma8 !== undefined) return 'the backup; Prisma 8 knows none of its own'
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
  phase === 'prepare' || phase === 'deploy' || (phase.startsWith('maintenance-o') && maintenanceModeOf(plan) !== null)

/** Whether this run makes a backup: nothing else leaves the database alone. */
const backsUp = (plan: Plan): boolean =>
  plan.list.length > 0 ||
  plan.steps.some((step) => isRun(plan, step) && (step.settings as { readonly database?: unknown } | null)?.database === true)

function stepsText(plan: Plan): string {
  const named = (phase: PlannedStep['phase']) => plan.steps.filter((step) => step.phase === phase).map((step) => escapeLine(step.name))
  const checks = named('health').length
  const steps = listText([...named('deploy'), ...(checks === 0 ? [] : [pluralText(checks, 'health check')])])
  return plan.list.length === 0 ? steps : `${steps}, ${isAppFirst(plan) ? 'before' : 'after'} the migrations`
}
