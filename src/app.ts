import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { schedule } from 'node-cron'
import packageJson from '../package.json' with { type: 'json' }
import type { ApprovalDeps } from '../approvals/deps.ts'
import { drawRequest } from '../approvals/draw.ts'
import { expireDue, expiryIsDue } from '../approvals/expiry.ts'
import { gateFor } from '../approvals/gate.ts'
import { createPeople } from '../approvals/people.ts'
import { policyHash } from '../approvals/policy.ts'
import { policySnapshot, stillGranted } from '../approvals/standing.ts'
import { createBolt, listen } from '../commands/listen.ts'
import type { MaintenanceDeps } from '../commands/maintenance/deps.ts'
import type { VerbDeps } from '../commands/reply.ts'
import { forgetOldSights } from '../commands/seen.ts'
import { storeId, whyNoRun as whyNoRunOf } from './audit/health.ts'
import { recordStart } from './audit/lifecycle.ts'
import { createStoreGuard } from './audit/other-store.ts'
import { createAuditWatch, type AuditWatch } from './audit/watch.ts'
import { openWitness, witnessPath } from './audit/witness.ts'
import { backupStore } from './backup/catalogue.ts'
import type { Clock } from './clock.ts'
import { judgeClocks, ownReading, readClock, type Reading } from './clocks.ts'
import type { Config, Target } from './config/config.ts'
import { storeNow } from './db/now.ts'
import type { Db } from './db/pool.ts'
import { actOnDue, type Due } from './due.ts'
import { plannedSteps } from './deploy/planned.ts'
import { startEngine, type Engine } from './engine/engine.ts'
import { LIVENESS_LOCK } from './engine/liveness.ts'
import { createExport } from './evidence/export.ts'
import { createDeliveries, forgetOldDeliveries } from './outside/deliveries.ts'
import { serveCalendar } from './outside/feed.ts'
import { createOncall } from './outside/oncall.ts'
import { createSender } from './outside/send.ts'
import { createHomes } from '../approvals/show-home.ts'
import type { Log } from './log.ts'
import { code } from './mrkdwn.ts'
import { readFigures } from './operation/figures.ts'
import type { Address } from './operation/http.ts'
import { lookAtAudit, lookAtLiveness, lookAtSlack, lookAtStore } from './operation/parts.ts'
import { startOperation, type Operation } from './operation/start.ts'
import { openOwnStore } from './own-store.ts'
import { canonicalJson } from './plan/canonical.ts'
import { compareWithPlan } from './plan/compare.ts'
import type { PlanDeps } from './plan/deps.ts'
import { readFiles } from './plan/files.ts'
import { makePlan, readTargetState, type MadePlan } from './plan/make.ts'
import type { Plan } from './plan/plan.ts'
import { fetchRepository } from './plan/repository.ts'
import { pendingSql } from './plan/sql.ts'
import type { Redactor } from './redact.ts'
import { isRefusal, refuse, type Refusal } from './refusal.ts'
import { readSpool, readTail } from './run/output.ts'
import type { Ask, RequestRow } from './run/record.ts'
import { stepsOf } from './run/steps-of.ts'
import { requestSubject } from './run/subject.ts'
import { turnsDue } from './run/turn.ts'
import { mayNotEnd } from './run/past.ts'
import { tidyRuns } from './run/tidy.ts'
import { requestWorkflow, type Passage, type Planned } from './run/workflow.ts'
import { createWorking, type Working } from './run/working.ts'
import { createSlack } from './slack/client.ts'
import { refuseWrongToken, whoAmI, whyNotListening } from './slack-start.ts'
import { createOutbox } from './slack/outbox.ts'
import type { Pace } from './slack/pace.ts'
import type { SlackPort } from './slack/port.ts'
import { withTargetLock } from './target/session-lock.ts'
import { configuredFreezes } from './windows/calendar.ts'
import { every } from './every.ts'
import { windowParts } from './windows-parts.ts'

export type AppOptions = {
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  readonly log: Log
  readonly clock: Clock
  /** How fast it writes to Slack; left out, as Slack's limits ask. */
  readonly pace?: Pace
  /** Ends the waiting for Slack at the start; afterwards there is `App.stop`. */
  readonly stop?: AbortSignal
}

export type App = {
  readonly db: Db
  readonly audit: AuditWatch
  /** Where /livez, /readyz and /metrics are; null when they are not served. */
  readonly operation: Address | null
  /** Takes nothing new, finishes or hands over what is in hand, and sends what is due. */
  readonly stop: () => Promise<void>
}

/** How long a step waits for the target's lock: whoever held it before may be on its way out. */
const TARGET_LOCK_WAIT_MS = 30_000
const DUE_LOOK_MS = 1_000
/** Once an hour, at a minute at which nothing else is due. */
const FORGET_AT = '17 * * * *'
const TIDY_MS = 60_000
/** The whole audit log, once a day. */
const VERIFY_AT = '41 3 * * *'
/** What is due in Slack when the process is asked to stop; another replica or the next start sends the rest. */
const DRAIN_MS = 5_000

/** The bot, whole: the one place that wires everything. Tests use it too. What was started is stopped again when a later part fails. */
export async function startApp(options: AppOptions): Promise<App> {
  const stack = new AsyncDisposableStack()
  try {
    const { db, audit, operation } = await startParts(options, stack)
    return {
      db,
      audit,
      operation: operation.address,
      async stop() {
        operation.readiness.drain()
        await stack.disposeAsync()
      },
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

type Parts = Pick<App, 'db' | 'audit'> & { readonly operation: Operation }

async function startParts(options: AppOptions, stack: AsyncDisposableStack): Promise<Parts> {
  const { config, log, clock, env } = options
  const operation = await startOperation({ settings: config.file.operation, env, version: packageJson.version, log, clock })
  stack.defer(() => operation.close())
  const db = await openOwnStore(options, stack)
  const store = await storeId(db)
  const slack = createSlack({ botToken: env.SLACK_BOT_TOKEN ?? '', log, store, ...apiUrlOf(env) })
  operation.readiness.add('store', lookAtStore(db))
  operation.watch({ pool: db.connections })
  await refuseWrongToken(slack, db)
  const audit = await watchAudit(options, db)
  operation.readiness.add('audit', lookAtAudit(audit.health))
  // before the engine goes on with what it finds in the store
  await audit.look()
  const stores = createStoreGuard({ db, slack, log, store })
  const channels = [...config.targets.values()].map(({ channel }) => channel)
  const mayRun: MayRun = {
    whyNoRun: async () => (await audit.whyNoRun()) ?? stores.again(),
    whyNoRunIn: async (channel) => (await audit.whyNoRun()) ?? stores.look([channel]),
    whyStop: () => {
      const health = audit.health()
      return health.kind === 'restored' ? whyNoRunOf(health) : null
    },
    clocks: () => readClocks(db, slack, clock),
  }
  const core = coreOf(options, db, slack, mayRun, {
    start: (tx, id) => engine.start(tx, id),
    signal: (tx, id, message, key) => engine.signal(tx, id, message, key),
  })
  stack.defer(await operation.trace(db, `${hostname()}-${process.pid}`))
  const working = createWorking()
  const engine = await startEngine({ db, log, body: workflowOf(options, db, core, mayRun, working, () => engine) })
  stack.defer(() => engine.close())
  stack.defer(() => working.stop())
  operation.readiness.add('liveness', lookAtLiveness(engine.liveness))
  operation.watch({ figures: () => readFigures(db) })

  const recordStop = await recordStart(
    { db, log },
    { version: packageJson.version, executor: engine.liveness.executorId, file: config.file },
  )
  stack.defer(recordStop)
  keepAudit(audit, log, stack)

  const windows = windowParts({ db, log, config }, { migrate: core.approvals.command, maintenance: core.windows.maintenance })
  const outbox = createOutbox({
    subjects: [requestSubject({ db, log, ...requestPorts(options, core) }), ...windows.subjects],
    owner: { id: engine.liveness.executorId, lock: LIVENESS_LOCK },
    db,
    slack,
    log,
    ...(options.pace === undefined ? {} : { pace: options.pace }),
  })
  const home = createHomes({
    db,
    slack,
    targets: config.targets,
    people: core.approvals.people,
    freezes: core.approvals.freezes,
    log,
    clock,
    notice: () => (whyNoRunOf(audit.health()) ?? stores.known())?.text ?? null,
  })
  operation.readiness.add('slack', () => ({ ok: false, text: 'Slack has not answered yet.' }))
  const who = await whoAmI(slack, options)
  tellClocks(log, await readClocks(db, slack, clock))
  await stores.look(channels)
  const bolt = createBolt({
    mode: config.file.slack.mode,
    port: config.file.slack.port,
    host: config.file.slack.host,
    botToken: env.SLACK_BOT_TOKEN ?? '',
    botUser: who.botUser,
    clock,
    log,
    ...(env.SLACK_APP_TOKEN === undefined ? {} : { appToken: env.SLACK_APP_TOKEN }),
    ...(env.SLACK_SIGNING_SECRET === undefined ? {} : { signingSecret: env.SLACK_SIGNING_SECRET }),
    ...apiUrlOf(env),
  })
  operation.readiness.add('slack', lookAtSlack(bolt.connection))
  operation.watch({ slack: bolt.connection })
  const listening = listen(bolt, {
    ...core.verbs,
    slack,
    whyNotOurs: stores.whyNotOurs,
    team: who.team,
    slackApp: who.app,
    ...apiUrlOf(env),
    readSql: core.readSql,
    windows: core.windows,
    showHome: home.show,
  })

  await outbox.start()
  stack.defer(() => outbox.stop())
  stack.defer(() => outbox.drain(DRAIN_MS))
  stack.defer(() => working.stop()) // before that: what the steps in hand say at their end is still sent
  const deliveries = createDeliveries({ db, log, redactor: options.redactor, ...createSender({ config, clock }) })
  stack.defer(() => deliveries.stop(DRAIN_MS))
  const dues: readonly Due[] = [
    { name: 'expiry', isDue: expiryIsDue, act: () => expireDue(core.approvals) },
    ...windows.dues,
    deliveries.due,
    ...oncallOf(config, db),
    turnsDue(db, engine),
    home.due,
  ]
  const looking = every(
    DUE_LOOK_MS,
    () => actOnDue(db, dues),
    (error) => log.warn({ error: error.message }, 'what is due was not all done; trying again'),
  )
  stack.defer(looking.stop)
  const forgetting = schedule(FORGET_AT, () =>
    Promise.all([forgetOldSights(db), forgetOldDeliveries(db)]).catch((error: Error) =>
      log.warn({ error: error.message }, 'old deliveries were not forgotten; trying again in an hour'),
    ),
  )
  stack.defer(() => forgetting.destroy())
  const tidying = every(
    TIDY_MS,
    () => tidyRuns(db, core.plan),
    (error) => log.warn({ error: error.message }, 'what settled runs left was not removed; trying again'),
  )
  stack.defer(tidying.stop)
  await windows.rota.start()
  stack.defer(() => windows.rota.stop())
  const calendar = await serveCalendar({ db, config, env, log })
  stack.defer(async () => calendar?.close())
  await listening.start().catch((error: unknown) => {
    throw whyNotListening(error, config)
  })
  stack.defer(() => listening.stop()) // stopped first: nothing new comes in while the rest ends
  operation.readiness.up()
  log.info({ team: who.team, executor: engine.liveness.executorId }, 'Lockkeeper is up')
  return { db, audit, operation }
}

const oncallOf = ({ file, targets }: Config, db: Db): readonly Due[] =>
  file.oncall === undefined
    ? []
    : [createOncall({ db, oncall: file.oncall, titleOf: (name) => targets.get(name)?.title ?? name, command: file.slack.command })]

/** What stands above every single run: the record, the store, the clocks. */
type MayRun = {
  readonly whyNoRun: () => Promise<Refusal | null>
  /** Also reads the channel where a run is about to be told. */
  readonly whyNoRunIn: (channel: string) => Promise<Refusal | null>
  readonly whyStop: () => Refusal | null
  readonly clocks: () => Promise<readonly Reading[]>
}

/** What a clock says that does not answer is left out: a run waits for no Slack. */
async function readClocks(db: Db, slack: Pick<SlackPort, 'time'>, clock: Clock): Promise<readonly Reading[]> {
  const read = await Promise.all([
    readClock("the store's clock", () => storeTime(db), clock),
    readClock("Slack's clock", async () => slack.time().then((sent) => (sent.kind === 'ok' ? sent.value : undefined)), clock, 1_000),
  ])
  return [ownReading, ...read.filter((one) => one !== undefined)]
}

async function storeTime(db: Db): Promise<number | undefined> {
  const [row] = await db.query<{ now: number }>('select (extract(epoch from clock_timestamp()) * 1000)::float8 as now')
  return row?.now
}

/** Told in the log at the start; each run looks again. */
function tellClocks(log: Log, readings: readonly Reading[]): void {
  const verdict = judgeClocks(readings)
  if (verdict !== null) log[verdict.level === 'stop' ? 'error' : 'warn'](verdict.text)
}

/** Needed by the command line too, which looks only when it is asked for something that would run. */
export const watchAudit = ({ config, log }: Pick<AppOptions, 'config' | 'log'>, db: Db): Promise<AuditWatch> =>
  createAuditWatch({ db, log, witness: openWitness(witnessPath(config.varDirectory)) })

/** Follows what is new, and reads the whole chain at the start and once a day. */
function keepAudit(audit: AuditWatch, log: Log, stack: AsyncDisposableStack): void {
  const ending = new AbortController()
  const verify = () =>
    audit.verifyAll(ending.signal).catch((error: Error) => {
      if (!ending.signal.aborted) log.warn({ error: error.message }, 'the audit log was not verified; trying again tomorrow')
    })
  const following = audit.start()
  const first = verify()
  const daily = schedule(VERIFY_AT, verify)
  stack.defer(async () => {
    ending.abort()
    await Promise.all([following.stop(), daily.destroy(), first])
  })
}

/** As they are typed where the sentences are read. */
export type Commands = { readonly migrate: string; readonly maintenance: string }

/** Everything that a command line needs too: no connection to Slack's events, no engine of its own. */
export type Core = {
  readonly approvals: ApprovalDeps
  readonly verbs: VerbDeps
  readonly windows: MaintenanceDeps
  readonly plan: PlanDeps
  readonly readSql: (request: RequestRow) => Promise<readonly { readonly name: string; readonly sql: string }[] | Refusal>
  readonly sqlFile: (request: RequestRow) => Promise<string | null>
  readonly makePlan: (target: Target, ask: Ask) => Promise<MadePlan | Refusal>
}

export function coreOf(
  options: AppOptions,
  db: Db,
  slack: SlackPort,
  mayRun: Pick<MayRun, 'whyNoRun'>,
  engine: Engine,
  commands: Commands = { migrate: options.config.file.slack.command, maintenance: '/maintenance' },
): Core {
  const { config, redactor, clock, env, log } = options
  const command = commands.migrate
  const plan: PlanDeps = { home: config.home, varDirectory: config.varDirectory, secret: config.secret, redactor, clock, env }
  const people = createPeople({ slack, people: config.file.people, clock })
  const freezes = configuredFreezes(config.file.freezes)
  const approvals: ApprovalDeps = { db, targets: config.targets, people, freezes, engine, command }
  const backups = backupStore(db)
  // what git, the server or a driver said may stand in a refusal, which is shown to people and kept in rows
  const redacted = <T>(outcome: T | Refusal): T | Refusal =>
    isRefusal(outcome) ? refuse(outcome.code, redactor.text(outcome.text)) : outcome
  const make = async (target: Target, ask: Ask) =>
    redacted(
      await makePlan(plan, {
        target,
        ref: ask.ref,
        steps: plannedSteps(withoutApp(target, ask)),
        policy: policyHash(target),
        lastBackup: await lastBackup(backups, target.name),
      }),
    )
  const filesOf = async (request: RequestRow) => {
    const target = config.targets.get(request.target)
    if (target === undefined || request.plan === null) return refuse('stale_button', 'There is no plan to read the SQL of.')
    const repository = await fetchRepository(plan, target)
    if (isRefusal(repository)) return repository
    const files = await readFiles(repository, target, request.plan.commit)
    if (isRefusal(files)) return files
    const wanted = new Set(request.plan.list.map(({ name }) => name))
    return files.migrations.filter(({ name }) => wanted.has(name))
  }
  const onFault = (error: unknown) =>
    log.error({ error: redactor.text(String((error as Error).stack ?? error)) }, 'a fault was answered with a sentence')
  return {
    approvals,
    plan,
    makePlan: make,
    windows: { db, targets: config.targets, people, freezes: config.file.freezes, maintenance: commands.maintenance, onFault },
    verbs: {
      ...approvals,
      known: { targets: [...config.targets.keys()], command },
      randomBytes: (count) => randomBytes(count),
      readStatus: async (target) => {
        const read = redacted(await readTargetState(plan, target, null))
        return isRefusal(read) ? read : read.status
      },
      makePlan: make,
      slack,
      exportEvidence: createExport({
        db,
        config,
        redactor,
        slack,
        titleOf: (name) => config.targets.get(name)?.title ?? name,
        filesOf,
        version: packageJson.version,
      }),
      whyNoRun: mayRun.whyNoRun,
      onFault,
    },
    readSql: async (request) => {
      const files = await filesOf(request)
      return isRefusal(files) ? files : files.map(({ name, content }) => ({ name, sql: content.toString('utf8') }))
    },
    sqlFile: async (request) => {
      const files = await filesOf(request)
      return isRefusal(files) || files.length === 0 || request.plan === null
        ? null
        : pendingSql(files, { target: request.target, commit: request.plan.commit })
    },
  }
}

const GONE = 'The target is no longer configured.'

/** `--skip-app` takes the deploy steps out of what is approved, so that the digest says so. */
const withoutApp = (target: Target, ask: Ask): Target => (ask.skipApp ? { ...target, deploy: [] } : target)

async function lastBackup(backups: ReturnType<typeof backupStore>, target: string) {
  const last = (await backups.list(target)).find(({ state }) => state === 'verified')
  return last === undefined || last.seconds === null || last.bytes === null ? null : { seconds: last.seconds, bytes: last.bytes }
}

function workflowOf(
  options: AppOptions,
  db: Db,
  core: Core,
  mayRun: MayRun,
  working: Working,
  engine: () => Awaited<ReturnType<typeof startEngine>>,
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
    liveness: () => engine().liveness,
    working,
    owns: (queries, id) => engine().owns(queries, id),
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
    underTargetLock: async (target, requestId, work) => {
      const outcome = await withTargetLock(
        { url: config.secret(target.database.url), applicationName: `lockkeeper-${requestId}-guard`, waitMs: TARGET_LOCK_WAIT_MS },
        ({ signal }) => work(signal),
      )
      if (outcome.kind === 'held') return outcome.value
      const by = outcome.by === null ? 'another session' : `${code(outcome.by.applicationName)} (pid ${outcome.by.pid})`
      return refuse('target_taken', `${by} holds Lockkeeper's lock in this database. Look who runs there; when it is gone, ask again.`)
    },
    stepsFor: (request, plan) => {
      const target = targetOf(request.target)
      return target === undefined
        ? []
        : stepsOf({ config, backups, clocks: mayRun.clocks, lastCommit: (name) => lastCommit(db, name) }, target, plan, request.ask)
    },
  })
}

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

function requestPorts(options: AppOptions, core: Core) {
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

const apiUrlOf = (env: Readonly<Record<string, string | undefined>>) =>
  env.SLACK_API_URL === undefined || env.SLACK_API_URL === '' ? {} : { apiUrl: env.SLACK_API_URL }
