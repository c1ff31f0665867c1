import type { MigrationEvidence } from '../../src/sql/review.ts'
import { assertionsText } from '../../approvals/cards/evidence.ts'
import { commitLines, commitsText } from '../../approvals/cards/commits.ts'
import { whyNotPlanned } from '../../approvals/requests/plan-rules.ts'
import { advised } from '../../approvals/cards/advice.ts'
import { waiversOf } from '../../approvals/blocked.ts'
import { blockedText, findingLines, inWindow } from '../../approvals/cards/findings.ts'
import { rulesOf } from '../../approvals/policy.ts'
import { code, list, mentionApprover, nameOf, shown } from '../../approvals/wording.ts'
import { quoted } from '../parse/tokens.ts'
import type { Target } from '../../src/config/config.ts'
import { maintenanceModeOf } from '../../src/deploy/planned.ts'
import type { Evidence, Plan, PlannedMigration, PlannedStep } from '../../src/plan/plan.ts'
import { isAppFirst } from '../../src/plan/rules/by-class.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import type { Command } from '../parse/command.ts'
import { say, type PlanShown, type Reply, type VerbDeps } from './reply.ts'
import { whyNotHere, type Asker } from '../parse/channel-scope.ts'
import { findTarget } from './deploy.ts'
import { operationLines, runnerPlanLine } from './prisma8.ts'

/** The plan of a deploy, shown to the asker alone; nothing is written and nobody is asked. */
export async function plan(deps: VerbDeps, command: Extract<Command, { verb: 'plan' }>, asker: Asker): Promise<Reply> {
  const target = findTarget(deps, command.target)
  if (isRefusal(target)) return target
  const elsewhere = whyNotHere(target, asker)
  if (elsewhere !== undefined) return elsewhere
  const made = await deps.makePlan(target, { ref: command.ref, reason: null, skipApp: false })
  if (isRefusal(made)) return made
  const barred = await whyNotPlanned(deps, target, made)
  const lines = describe(deps.command, target, command.ref, made)
  return say([...lines, ...(barred === undefined ? [] : [`*It would be refused.* ${barred.text}`])].join('\n'))
}

const MOST_MIGRATIONS = 20

function describe(command: string, target: Target, ref: string | null, made: PlanShown): readonly string[] {
  const { plan, evidence } = made
  const more = plan.list.length - MOST_MIGRATIONS
  return [
    `Plan for ${nameOf(target)}: ${code(plan.commit.slice(0, 7))} from ${code(plan.ref)}, “${shown(evidence.subject)}” by ${shown(evidence.author)}`,
    ...(plan.prisma8 === undefined ? [] : [runnerPlanLine(plan.prisma8)]),
    plan.list.length === 0
      ? 'Nothing is pending, so the database stays as it is.'
      : `${plan.list.length === 1 ? '1 migration' : `${plan.list.length} migrations`} would run, in this order:`,
    ...plan.list.slice(0, MOST_MIGRATIONS).flatMap((migration, index) => [
      `${index + 1}. ${migrationLine(
        migration,
        evidence.migrations.find(({ name }) => name === migration.name),
      )}`,
      ...operationLines(made.operations?.find(({ name }) => name === migration.name)?.operations ?? []),
    ]),
    ...(more > 0 ? [`… and ${more} more`] : []),
    ...findings(target, evidence),
    ...howItRuns(command, target, ref, made),
  ]
}

function howItRuns(command: string, target: Target, ref: string | null, made: PlanShown): readonly string[] {
  const { plan, evidence, digest } = made
  const rules = rulesOf(
    target,
    evidence.migrations.map((migration) => migration.class),
  )
  return [
    ...stepsLine(made),
    ...assertions(plan),
    ...wayBack(plan),
    rules.required === 0
      ? '• Approvals: none needed; it starts by itself'
      : `• Approvals: ${rules.required} of ${list(rules.from.map(mentionApprover), 'or')}, never the one who asks`,
    ...broughtCommits(evidence),
    ...notes(evidence),
    `Plan ${code(digest.slice(0, 8))}. To ask for it: ${code(`${command} deploy ${target.name}${ref === null ? '' : ` --ref ${quoted(ref)}`}`, 300)}`,
  ]
}

function broughtCommits({ commits }: Evidence): readonly string[] {
  const text = commitsText(commits)
  return text === null ? [] : [`• Commits: ${text}`, ...commitLines(commits, 5).map((line) => `    ${line.replace(/^•/, '◦')}`)]
}

const notes = (evidence: Evidence): readonly string[] => evidence.notes.map((note) => `• ${shown(note)}`)

function migrationLine(migration: PlannedMigration, evidence: MigrationEvidence | undefined): string {
  if (evidence === undefined) return code(migration.name)
  const rows = evidence.rows === null ? '' : `, about ${Math.round(evidence.rows).toLocaleString('en-US')} rows`
  return `${code(migration.name)} ${evidence.class}: ${shown(evidence.summary)}${rows}`
}

function findings(target: Target, evidence: Evidence): readonly string[] {
  const { lines, rest } = findingLines(evidence, inWindow)
  if (lines.length === 0) return []
  return [
    'What the review found:',
    ...lines,
    ...(rest > 0 ? [`… and ${rest} more, which the thread of a request shows beside the SQL`] : []),
    ...blockedText(evidence, waiversOf(target)),
    ...adviceLines(evidence),
  ]
}

/** A line of its own for each, since a long message is cut between lines. Longer ways stand beside the SQL of a request. */
const MOST_SQL_LINES = 8

function adviceLines(evidence: Evidence): readonly string[] {
  const all = advised(evidence).map(({ said, sql }) => ({ said, sql: sql.split('\n').filter((line) => line.trim() !== '') }))
  const isCut = all.some(({ sql }) => sql.length > MOST_SQL_LINES)
  return [
    ...all.flatMap(({ said, sql }) => [said, ...(sql.length > MOST_SQL_LINES ? [] : sql.map((line) => code(line, 500)))]),
    ...(isCut ? ['The longer of these ways are shown by Read the SQL on the card of a request.'] : []),
  ]
}

function stepsLine({ plan }: PlanShown): readonly string[] {
  const named = (phase: PlannedStep['phase']) => plan.steps.filter((step) => step.phase === phase).map((step) => shown(step.name))
  const checks = named('health').length
  const mode = maintenanceModeOf(plan)
  const database = plan.list.length === 0 ? [] : ['migrate', 'verify']
  const application = [...named('deploy'), ...(checks === 0 ? [] : [checks === 1 ? '1 health check' : `${checks} health checks`])]
  const steps = [
    ...named('prepare'),
    ...(plan.list.length === 0 ? [] : ['back up']),
    ...(mode === null ? [] : ['maintenance on']),
    ...(isAppFirst(plan)
      ? [...application, ...database, ...(checks === 0 || plan.list.length === 0 ? [] : ['health once more'])]
      : [...database, ...application]),
    ...(mode === null ? [] : ['maintenance off']),
  ]
  return steps.length === 0 ? [] : [`• Steps: ${steps.join(', ')}`]
}

function assertions(plan: Plan): readonly string[] {
  const text = assertionsText(plan)
  return text === null ? [] : [`• Assertions: ${text}`]
}

function wayBack(plan: Plan): readonly string[] {
  const { list } = plan
  if (list.length === 0) return []
  const proven = list.filter((migration) => migration.rollbackSha256 !== null).length
  if (plan.prisma8 !== undefined) return ['• Way back: the backup; Prisma 8 knows none of its own']
  if (plan.tool?.kind === 'command') return [`• Way back: the backup; ${shown(plan.tool.name)} is not asked for one`]
  const file = plan.tool === undefined ? 'a rollback.sql' : 'a file .down.sql'
  if (proven === 0) return [`• Way back: the backup; no migration has ${file} beside it`]
  return [
    proven === list.length
      ? `• Way back: ${file} beside each migration, and the backup`
      : `• Way back: ${file} beside ${proven} of ${list.length} migrations, and the backup for the rest`,
  ]
}
