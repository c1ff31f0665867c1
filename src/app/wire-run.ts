import { escapeMarkup } from '../lib/text/escape.ts'
import { join } from 'node:path'
import { drawRequest } from '../../approvals/cards/draw.ts'
import { gateFor } from '../../approvals/gate.ts'
import { policyHash } from '../../approvals/policy.ts'
import { policySnapshot, stillGranted } from '../../approvals/grant-check.ts'
import type { AppOptions } from './options.ts'
import { backupStore } from '../backup/catalogue.ts'
import { slackCommands } from '../config/commands.ts'
import type { Config, Target } from '../config/config.ts'
import { withoutApp, type Core } from './services.ts'
import { storeNow } from '../store/now.ts'
import type { Db } from '../store/pool.ts'
import { plannedSteps } from '../deploy/planned.ts'
import type { OpenEngine } from '../engine/engine.ts'
import type { MayRun } from './may-run.ts'
import { code } from '../lib/text/code.ts'
import { canonicalJson } from '../lib/canonical.ts'
import { compareWithPlan } from '../plan/compare.ts'
import type { Plan } from '../plan/plan.ts'
import { isRefusal, refuse, type Refusal } from '../lib/refusal.ts'
import { readSpool, readTail } from '../request/output.ts'
import { mayNotEnd } from '../request/duration-estimate.ts'
import type { RequestRow } from '../request/request.ts'
import { stepsOf } from '../run/steps/steps-of.ts'
import type { UnderLock } from '../run/step-runner/ports.ts'
import type { Passage, Planned } from '../run/workflow/ports.ts'
import { requestWorkflow } from '../run/workflow/workflow.ts'
import type { Working } from '../run/in-flight.ts'
import { withTargetLock } from '../database/session-lock.ts'

/** How long a step waits for the target's lock: whoever held it before may be on its way out. */
const TARGET_LOCK_WAIT_MS = 30_000
const GONE = 'The target is no longer configured.'

/** What a request's workflow does, with everything that it needs from the rest of the house. */
export function workflowOf(
  options: AppOptions,
  db: Db,
  core: Core,
  mayRun: MayRun,
  working: Working,
  engine: Pick<OpenEngine, 'liveness' | 'owns'>,
) {
  const { config, redactor, env, log } = options
  const backups = backupStore(db)
  const targetOf = (name: string) => config.targets.get(name)
  const reconfigured = (plan: Plan, request: RequestRow): string | null => {
    const target = targetOf(plan.target)
    if (target === undefined) return GONE
    if (policyHash(target) !== plan.policy)
      return 'The rules, the guards, the source or the tool of this target were configured otherwise since.'
    if (canonicalJson(plannedSteps(withoutApp(target, request.ask))) !== canonicalJson(plan.steps))
      return 'The configured steps of this target were changed since.'
    return null
  }
  return requestWorkflow({
    db,
    log,
    config,
    redactor,
    env,
    liveness: () => engine.liveness,
    working,
    owns: engine.owns,
    stillGranted: (id) => stillGranted(core.approvals, id),
    gate: (queries, request, how) => gateFor(core.approvals, queries, request, how),
    makePlan: async (request): Promise<Planned | Refusal> => {
      const target = targetOf(request.target)
      if (target === undefined) return refuse('unknown_target', `The target is no longer configured.`)
      const made = await core.makePlan(target, request.ask)
      if (isRefusal(made)) return made
      const policy = await policySnapshot(
        core.approvals,
        target,
        made.evidence.migrations.map((one) => one.class),
        request.requesterHuman,
        request.glass !== null,
      )
      if (isRefusal(policy)) return policy
      const now = await storeNow(db)
      const until = request.notAfter?.getTime() ?? passageEnd(await gateFor(core.approvals, db, request, { trusting: true }))
      const warning = await mayNotEnd(db, {
        target: request.target,
        zone: target.timezone,
        from: Math.max(now, request.notBefore?.getTime() ?? now),
        until,
      })
      return {
        plan: made.plan,
        digest: made.digest,
        evidence: warning === null ? made.evidence : { ...made.evidence, warnings: [warning] },
        // for a window people have time until that closes
        policy: request.notAfter === null ? policy : { ...policy, expiresMs: Math.max(1, request.notAfter.getTime() - now) },
      }
    },
    reconfigured,
    whyNoRun: (request) => mayRun.whyNoRunIn(request.channel),
    whyStop: mayRun.whyStop,
    compare: async (plan, request, phase) => {
      const why = reconfigured(plan, request)
      const target = targetOf(plan.target)
      if (why !== null || target === undefined) return { kind: 'changed', why: why ?? GONE }
      return compareWithPlan({ ...core.plan, target }, plan, phase)
    },
    underTargetLock: ({ target, requestId, signal }, work) =>
      underTargetLock({ target, applicationName: `lockkeeper-${requestId}-guard`, url: config.secret(target.database.url), signal }, work),
    stepsFor: (request, plan) => {
      const target = targetOf(request.target)
      return target === undefined
        ? []
        : stepsOf({ config, backups, clocks: mayRun.clocks, lastCommit: (name) => lastCommit(db, name) }, target, plan, request.ask)
    },
  })
}

type Lockable = { readonly target: Target; readonly applicationName: string; readonly url: string; readonly signal: AbortSignal }

async function underTargetLock<T>({ target, ...connection }: Lockable, work: (lost: AbortSignal) => Promise<T>): Promise<UnderLock<T>> {
  const outcome = await withTargetLock({ ...connection, waitMs: TARGET_LOCK_WAIT_MS }, ({ signal }) => work(signal))
  if (outcome.kind === 'held' || outcome.kind === 'aborted') return outcome
  if (outcome.kind === 'unreachable') return { kind: 'refused', refusal: notReached(outcome.why, target) }
  const by = outcome.by === null ? 'another session' : `${code(outcome.by.applicationName)} (pid ${outcome.by.pid})`
  return {
    kind: 'refused',
    refusal: refuse('target_taken', `${by} holds Lockkeeper's lock in this database. Look who runs there; when it is gone, ask again.`),
  }
}

const notReached = ({ message }: Error, target: Target): Refusal =>
  refuse('target_unreachable', `The database of ${code(target.name)} cannot be reached. ${escapeMarkup(message)}`)

const passageEnd = (passage: Passage): number | null => (passage.kind === 'open' ? passage.closesAt : null)

/** What the last successful run with deploy steps made live. */
async function lastCommit(db: Db, target: string): Promise<string | null> {
  const [row] = await db.query<{ commit: string }>(
    `select plan->>'commit' as commit from lockkeeper.request
     where target = $1 and state = 'succeeded' and not coalesce((ask->>'skipApp')::boolean, false) order by id desc limit 1`,
    [target],
  )
  return row?.commit ?? null
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

/** Slack accounts that are told of a request: everybody who may approve but whoever asked. */
function approversOf(request: RequestRow, humanOf: (account: string) => string): readonly string[] {
  if (request.policy === null) return []
  const { from, members } = request.policy
  const all = from.flatMap((one) => (one.startsWith('group:') ? (members[one.slice('group:'.length)] ?? []) : [one.slice('user:'.length)]))
  return [...new Set(all)].filter((account) => humanOf(account) !== humanOf(request.requester))
}
