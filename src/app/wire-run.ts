import { join } from 'node:path'
import { drawRequest } from '../../approvals/cards/draw.ts'
import { gateFor } from '../../approvals/gate.ts'
import { grantAtOnce } from '../../approvals/decisions/grant-at-once.ts'
import { stillGranted } from '../../approvals/grant-check.ts'
import { approversOf } from '../../approvals/policy.ts'
import { TARGET_GONE, whyReconfigured } from '../../approvals/reconfigured.ts'
import { planRequest } from '../../approvals/requests/plan-request.ts'
import { backupStore } from '../backup/catalogue.ts'
import { slackCommands } from '../config/commands.ts'
import type { Config } from '../config/config.ts'
import type { OpenEngine } from '../engine/engine.ts'
import { compareWithAnyPlan } from '../plan/tool/tools.ts'
import { createAhead } from '../migrate/ahead.ts'
import { identityKey } from '../database/identity.ts'
import { keepSchema } from '../live-schema/kept.ts'
import { lastCommit } from '../request/live-commit.ts'
import { readSpool, readTail } from '../request/output.ts'
import type { RequestRow } from '../request/request.ts'
import type { InFlight } from '../run/in-flight.ts'
import { underTargetLock } from '../run/step-runner/target-lock.ts'
import { stepsOf, type StepPorts } from '../run/steps/steps-of.ts'
import { requestWorkflow } from '../run/workflow/workflow.ts'
import type { Db } from '../store/pool.ts'
import type { MayRun } from './may-run.ts'
import type { AppOptions } from './options.ts'
import type { Core } from './services.ts'

/** What a request's workflow does, with everything that it needs from the rest of the house. */
export function workflowOf(
  options: AppOptions,
  db: Db,
  core: Core,
  mayRun: MayRun,
  inFlight: InFlight,
  engine: Pick<OpenEngine, 'liveness' | 'owns'>,
) {
  const { config, redactor, env, log } = options
  const { targets } = config
  const backups = backupStore(db)
  const { approvals } = core
  const ahead = createAhead({ mayAsk: async (id) => mayRun.whyStop() === null && (await stillGranted(approvals, id)) === true })
  return requestWorkflow({
    db,
    log,
    config,
    redactor,
    env,
    liveness: () => engine.liveness,
    inFlight,
    owns: engine.owns,
    stillGranted: (id) => stillGranted(approvals, id),
    gate: (queries, request, how) => gateFor(approvals, queries, request, how),
    grantAtOnce: (tx, id) => grantAtOnce(approvals, tx, id),
    makePlan: (request) => planRequest({ ...approvals, makePlan: core.makePlan, readOtherRecord: core.readOtherRecord }, request),
    reconfigured: (plan, request) => whyReconfigured(targets, plan, request),
    whyNoRun: (request) => mayRun.whyNoRunIn(request.channel),
    whyStop: mayRun.whyStop,
    compare: async (plan, request, phase) => {
      const target = targets.get(plan.target)
      if (target === undefined) return { kind: 'changed', why: TARGET_GONE }
      const why = whyReconfigured(targets, plan, request)
      return why === null ? compareWithAnyPlan({ ...core.plan, target }, plan, phase) : { kind: 'changed', why }
    },
    underTargetLock: (what, work) => underTargetLock({ config }, what, work),
    stepsFor: (request, plan) => {
      const target = targets.get(request.target)
      const ports: StepPorts = {
        config,
        backups,
        clocks: mayRun.clocks,
        lastCommit: (name) => lastCommit(db, name),
        ahead,
        keepSchema: ({ plan: { target: name, identity, commit }, requestId }, lines) =>
          keepSchema(db, { target: name, identity: identityKey(identity) }, { requestId, commit, lines }),
      }
      return target === undefined ? [] : stepsOf(ports, target, plan, request.ask)
    },
  })
}

const runDirectory = (config: Config, request: RequestRow) => join(config.varDirectory, 'runs', String(request.id), 'output.log')

const tailOf =
  ({ config, redactor }: Pick<AppOptions, 'config' | 'redactor'>) =>
  async (request: RequestRow) =>
    redactor.text(await readTail(runDirectory(config, request)))

/** What the outbox draws a request from. */
export function requestPorts(options: AppOptions, core: Core) {
  const { config, redactor } = options
  return {
    draw: (view: Parameters<typeof drawRequest>[0]) => {
      const target = config.targets.get(view.request.target)
      return drawRequest(view, {
        timezone: target?.timezone ?? 'UTC',
        isProtected: target?.protected ?? true,
        approvers: approversOf(view.request, core.approvals.people.humanOf),
      })
    },
    commands: slackCommands(config.file),
    targetTitleOf: (name: string) => config.targets.get(name)?.title ?? name,
    tailOf: tailOf(options),
    logFileOf: async (request: RequestRow) => {
      const text = await readSpool(runDirectory(config, request))
      return text === null ? null : redactor.text(text)
    },
    sqlFileOf: core.sqlFile,
  }
}
