import { randomBytes } from 'node:crypto'
import packageJson from '../../package.json' with { type: 'json' }
import type { ApprovalDeps } from '../../approvals/deps.ts'
import type { AfterDeps } from '../../approvals/requests/after.ts'
import { createPeople } from '../../approvals/people.ts'
import { policyHash } from '../../approvals/policy.ts'
import type { WindowDeps } from '../../commands/windows/deps.ts'
import type { VerbDeps } from '../../commands/verbs/reply.ts'
import type { AppOptions } from './options.ts'
import { backupStore, lastVerified } from '../backup/catalogue.ts'
import { slackCommands, type Commands } from '../config/commands.ts'
import type { Target } from '../config/config.ts'
import type { Db } from '../store/pool.ts'
import { askLiveCommit } from '../deploy/live-commit.ts'
import { plannedSteps, withoutApp } from '../deploy/planned.ts'
import type { Engine } from '../engine/engine.ts'
import { createExport } from '../evidence/export.ts'
import type { MayRun } from './may-run.ts'
import type { PlanDeps } from '../plan/deps.ts'
import type { MadePlan, PlanRequest } from '../plan/make.ts'
import type { RunnerPlan } from '../plan/prisma8/make.ts'
import type { Plan } from '../plan/plan.ts'
import { readOtherRecord } from '../plan/rules/after.ts'
import { readPlannedFiles } from '../plan/tool/approved.ts'
import { commitsNotLive, makeAnyPlan, readAnyStatus } from '../plan/tool/tools.ts'
import { isRefusal, refuse, type Refusal } from '../lib/refusal.ts'
import { lookLive } from '../live-schema/look.ts'
import { lastCommit } from '../request/live-commit.ts'
import type { Ask, RequestRow } from '../request/request.ts'
import type { SlackPort } from '../slack/port.ts'
import { configuredFreezes } from '../calendar/opening-hours.ts'

/** Everything that a command line needs too: no connection to Slack's events, no engine of its own. */
export type Core = {
  readonly approvals: ApprovalDeps
  readonly verbs: VerbDeps
  readonly windows: WindowDeps
  readonly plan: PlanDeps
  readonly readSql: (request: RequestRow) => Promise<readonly { readonly name: string; readonly sql: string }[] | Refusal>
  readonly sqlFile: (request: RequestRow) => Promise<string | null>
  readonly readOtherRecord: AfterDeps['readOtherRecord']
  readonly makePlan: (target: Target, ask: Ask) => Promise<MadePlan | RunnerPlan | Refusal>
}

export function coreOf(
  options: AppOptions,
  db: Db,
  slack: SlackPort,
  mayRun: Pick<MayRun, 'whyNoRun'>,
  engine: Engine,
  commands: Commands = slackCommands(options.config.file),
): Core {
  const { config, redactor, clock, env, log } = options
  const command = commands.migrate
  const plan: PlanDeps = { home: config.home, varDirectory: config.varDirectory, secret: config.secret, redactor, clock, env }
  const people = createPeople({ slack, people: config.file.people, clock })
  const freezes = configuredFreezes(config.file.freezes)
  const approvals: ApprovalDeps = { db, targets: config.targets, people, freezes, engine, command, commands }
  const backups = backupStore(db)
  // what git, the server or a driver said may stand in a refusal, which is shown to people and kept in rows
  const redacted = <T>(outcome: T | Refusal): T | Refusal =>
    isRefusal(outcome) ? refuse(outcome.code, redactor.text(outcome.text)) : outcome
  const askLive = (target: Target) => askLiveCommit({ target, home: config.home, env: plan.env, redactor, timeoutMs: 5_000 })
  const liveOf = async (target: Target) => {
    const said = await askLive(target)
    return said === null ? lastCommit(db, target.name) : 'why' in said ? null : said.commit
  }
  const asked = async (target: Target, ask: Ask): Promise<PlanRequest> => ({
    target,
    ref: ask.ref,
    steps: plannedSteps(withoutApp(target, ask)),
    policy: policyHash(target),
    lastBackup: await lastVerified(backups, target.name),
    live: await liveOf(target),
  })
  const otherRecord = async (target: Target, planned: Pick<Plan, 'prisma8'>) => redacted(await readOtherRecord(plan, target, planned))
  const make = async (target: Target, ask: Ask) => redacted(await makeAnyPlan(plan, await asked(target, ask)))
  const plannedFiles = async (request: RequestRow) => {
    const target = config.targets.get(request.target)
    if (target === undefined || request.plan === null) return refuse('stale_button', 'There is no plan to read the SQL of.')
    return readPlannedFiles(plan, target, request.plan)
  }
  const onFault = (error: unknown) =>
    log.error({ error: redactor.text(String((error as Error).stack ?? error)) }, 'a fault was answered with a sentence')
  return {
    approvals,
    plan,
    makePlan: make,
    readOtherRecord: otherRecord,
    windows: { db, targets: config.targets, people, freezes: config.file.freezes, maintenance: commands.maintenance, onFault },
    verbs: {
      ...approvals,
      known: { targets: [...config.targets.keys()], command },
      randomBytes: (count) => randomBytes(count),
      readStatus: async (target) => {
        const found = redacted(await readAnyStatus(plan, target))
        if (isRefusal(found) || found.kind === 'runner') return found
        return { ...found.read.status, record: found.read.facts.state.rows }
      },
      askLiveCommit: askLive,
      commitsNotLive: async (target) => commitsNotLive(plan, target, await liveOf(target)),
      lookLive: (target) => lookLive(db, config.secret(target.database.url), target.name),
      makePlan: make,
      readOtherRecord: otherRecord,
      slack,
      exportEvidence: createExport({
        db,
        config,
        redactor,
        slack,
        titleOf: (name) => config.targets.get(name)?.title ?? name,
        filesOf: async (request) => {
          const files = await plannedFiles(request)
          return isRefusal(files) ? files : files.migrations
        },
        version: packageJson.version,
      }),
      whyNoRun: mayRun.whyNoRun,
      onFault,
    },
    readSql: async (request) => {
      const files = await plannedFiles(request)
      return isRefusal(files) ? files : files.texts
    },
    sqlFile: async (request) => {
      const files = await plannedFiles(request)
      return isRefusal(files) || files.migrations.length === 0 ? null : files.asFile(request)
    },
  }
}
